"""Time and error of each way to find the centre, on closed-form discs.

    python tests/benchmarks/bench_centers.py [--repeats 3] [--write]

``--write`` puts the table into results/centers.md. The discs are those of the accuracy tests,
scaled to the detector, with the axis 7.3 pixel off the middle.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from beamkit.tomography import find_center
from beamkit.tomography.rotation_center import METHODS

RESULTS = Path(__file__).parent / "results" / "centers.md"

#: Columns and angles.
SIZES = ((513, 720), (1024, 900), (2048, 1800))


def scan(columns: int, angles: int, noise: float, rows: int = 2) -> xr.DataArray:
    """Return discs whose axis is 7.3 pixel off the middle."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tomography.phantom import DISCS, line_integrals, scaled
    from tomography.phantom import scan as labelled

    turn = np.arange(angles) * 180 / angles
    center = (columns - 1) / 2 + 7.3
    lines = line_integrals(scaled(DISCS, columns / 513), turn, columns, center)
    rng = np.random.default_rng(3)
    return labelled(
        [lines + noise * lines.max() * rng.normal(size=lines.shape) for _ in range(rows)], turn
    )


def row(columns: int, angles: int, noise: float, method: str, repeats: int) -> str:
    """Return a row of the table."""
    data = scan(columns, angles, noise)
    taken, found = [], find_center(data, method=method)
    for _ in range(repeats):
        start = time.perf_counter()
        found = find_center(data, method=method)
        taken.append(time.perf_counter() - start)
    error = found.value - (columns - 1) / 2 - 7.3
    return (
        f"| {columns} x {angles} | {noise:.0%} | {method} | {statistics.median(taken):.2f} "
        f"| {error:+.3f} | {found.uncertainty:.2f} |"
    )


def table(repeats: int) -> Iterator[str]:
    yield "| columns x angles | noise | method | s | error, pixel | uncertainty it tells, pixel |"
    yield "|---|---|---|---|---|---|"
    for columns, angles in SIZES:
        for noise in (0.0, 0.03):
            for method in METHODS:
                yield row(columns, angles, noise, method, repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, of which the median")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    load = f"Two rows; {os.cpu_count()} cores, load before and by others {os.getloadavg()[0]:.1f}."
    lines = ["# Centre of rotation, seconds and pixels", "", load, ""]
    for line in table(options.repeats):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
