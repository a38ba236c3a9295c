"""Filtered back projection on the CPU against its peers, in one run.

    python tests/benchmarks/bench_reconstruction.py [--pairs 3] [--write]

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
from collections.abc import Callable, Iterator
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


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def pairs(one: Callable[[], object], other: Callable[[], object], count: int) -> list[list[float]]:
    """Return the seconds of both, in turns, after a warm-up of ours."""
    one()
    return [[seconds(one), seconds(other)] for _ in range(count)]


def against(name: str, peer: Callable[[xr.DataArray], Callable[[], object]], count: int) -> str:
    """Return a row of the table: a slice of ours in bulk against one of the peer."""
    data = scan(1024, 900, BULK)
    times = pairs(ours(data), peer(data), count)
    mine = statistics.median(own / BULK for own, _ in times)
    theirs = statistics.median(other for _, other in times)
    ratio = statistics.median(other / (own / BULK) for own, other in times)
    return f"| 1024 x 900 | {name} | {theirs:.3g} | {mine:.3g} | {ratio:.0f} x |"


def alone(columns: int, angles: int, rows: int, count: int) -> str:
    """Return a row of the table: our time for a slice, in a call for ``rows`` slices."""
    work = ours(scan(columns, angles, rows))
    work()
    taken = statistics.median(seconds(work) for _ in range(count)) / rows
    return f"| {columns} x {angles} | {rows} slice{'s' * (rows > 1)} a call | | {taken:.3g} | |"


def table(count: int) -> Iterator[str]:
    yield "| columns x angles | against | peer, s a slice | ours, s a slice | ratio |"
    yield "|---|---|---|---|---|"
    yield against("ASTRA FBP on the CPU (linear)", astra_fbp, count)
    yield against("scikit-image iradon (linear)", skimage_iradon, count)
    for columns, angles, rows in ((1024, 900, 1), (2048, 1800, BULK), (2048, 1800, 1)):
        yield alone(columns, angles, rows, count)


def machine() -> str:
    names = ("finufft", "astra-toolbox", "scikit-image", "numpy")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    busy = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.machine()}; Python {platform.python_version()}, "
        f"{packages}. Load of the machine before and by others: {busy:.1f}. Ours runs on all "
        f"cores, {BULK} slices a call; the peers run one slice on one core."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3, help="turns of ours and of the peer")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    lines = ["# Filtered back projection, seconds a slice", "", machine(), ""]
    for line in table(options.pairs):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
