"""Filtered back projection on the CPU against its peers, in one run.

    python tests/benchmarks/bench_reconstruction.py [--turns 3] [--write]

Ours and the peer take turns on the same machine, and the ratio is the median of the ratios of
each turn, so that what else runs on the machine weighs on both. ``--write`` puts the table into
results/reconstruction.md. Needs: pip install "beamkit[test]".
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import xarray as xr

from beamkit.tomography import reconstruct

RESULTS = Path(__file__).parent / "results" / "reconstruction.md"

#: Slices that ours reconstructs in one call, to measure a slice in bulk.
BULK = 8


def scan(columns: int, angles: int, rows: int) -> xr.DataArray:
    """Return line integrals of an ellipse in each row, off the axis, with noise."""
    turn = np.arange(angles) * np.pi / angles
    s = np.arange(columns) - (columns - 1) / 2 - 7.3
    centre = 0.1 * columns * np.cos(turn - 0.4)[:, None]
    half_width = columns * np.hypot(0.3 * np.cos(turn), 0.2 * np.sin(turn))[:, None]
    lines = np.sqrt(np.clip(1 - ((s - centre) / half_width) ** 2, 0, None))
    noise = np.random.default_rng(1).normal(size=(angles, rows, columns)) * 0.01
    return xr.DataArray(
        (lines[:, None] + noise).astype(np.float32),
        dims=("angle", "detector_y", "detector_x"),
        coords={"angle": np.rad2deg(turn), "detector_y": np.arange(rows)},
    )


def ours(data: xr.DataArray) -> Callable[[], object]:
    center = (data.sizes["detector_x"] - 1) / 2 + 7.3
    return lambda: reconstruct(data, engine="nufft", center=center)


def astra_fbp(data: xr.DataArray) -> Callable[[], object]:
    """ASTRA's own CPU FBP of one slice; it takes no axis off the middle, which costs no time."""
    import astra

    sinogram = np.ascontiguousarray(data.values[:, 0])
    columns = sinogram.shape[1]
    geometry = astra.create_proj_geom("parallel", 1.0, columns, np.deg2rad(data.angle.values))
    plane = astra.create_vol_geom(columns, columns)

    def run() -> object:
        projector = astra.create_projector("linear", geometry, plane)
        handles = (
            astra.data2d.create("-sino", geometry, sinogram),
            astra.data2d.create("-vol", plane),
        )
        config = astra.astra_dict("FBP")
        config.update(
            ProjectorId=projector, ProjectionDataId=handles[0], ReconstructionDataId=handles[1]
        )
        job = astra.algorithm.create(config)
        astra.algorithm.run(job)
        result = astra.data2d.get(handles[1])
        astra.algorithm.delete(job)
        astra.data2d.delete(list(handles))
        astra.projector.delete(projector)
        return result

    return run


def skimage_iradon(data: xr.DataArray) -> Callable[[], object]:
    from skimage.transform import iradon

    sinogram = np.ascontiguousarray(data.values[:, 0].T)
    return lambda: iradon(sinogram, data.angle.values, circle=True)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds on the clock and on the cores."""
    start, start_cores = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - start_cores


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


def against(name: str, peer: Callable[[xr.DataArray], Callable[[], object]], turns: int) -> str:
    """Return a row of the table: a slice of ours in bulk against one of the peer, in turns."""
    data = scan(1024, 900, BULK)
    mine, theirs = ours(data), peer(data)
    mine()
    times = [(*seconds(mine), *seconds(theirs)) for _ in range(turns)]
    own, own_cores, other, other_cores = (median(column) for column in zip(*times, strict=True))
    ratio = median(t[2] / t[0] for t in times) * BULK
    ratio_cores = median(t[3] / t[1] for t in times) * BULK
    return (
        f"| 1024 x 900 | {name} | {other:.3g} ({other_cores:.3g}) "
        f"| {own / BULK:.3g} ({own_cores / BULK:.3g}) | {ratio:.0f} x ({ratio_cores:.0f} x) |"
    )


def alone(columns: int, angles: int, rows: int, turns: int) -> str:
    """Return a row of the table: our time for a slice, in a call for ``rows`` slices."""
    work = ours(scan(columns, angles, rows))
    work()
    times = [seconds(work) for _ in range(turns)]
    clock, cores = (median(column) / rows for column in zip(*times, strict=True))
    call = f"{rows} slice{'s' * (rows > 1)} a call"
    return f"| {columns} x {angles} | {call} | | {clock:.3g} ({cores:.3g}) | |"


def table(turns: int) -> Iterator[str]:
    yield "| columns x angles | against | peer, s a slice | ours, s a slice | ratio |"
    yield "|---|---|---|---|---|"
    yield against("ASTRA FBP on the CPU (linear)", astra_fbp, turns)
    yield against("scikit-image iradon (linear)", skimage_iradon, turns)
    for columns, angles, rows in ((1024, 900, 1), (2048, 1800, BULK), (2048, 1800, 1)):
        yield alone(columns, angles, rows, turns)


def machine() -> str:
    names = ("finufft", "astra-toolbox", "scikit-image", "numpy")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    busy = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.machine()}; Python {platform.python_version()}, "
        f"{packages}. Load of the machine before, by others: {busy:.1f}.\n\nMedians on the clock, and "
        "in brackets those on the cores, which the load of others moves less. Ours runs on all "
        f"cores, {BULK} slices a call; the peers run one slice on one core."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3, help="turns of ours and of the peer")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    lines = ["# Filtered back projection, seconds a slice", "", machine(), ""]
    for line in table(options.turns):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
