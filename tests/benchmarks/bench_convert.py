"""Frames a second of `bk.pipelines.convert`: PILATUS 6M CBFs into one NXmx file.

Run: ``python tests/benchmarks/bench_convert.py [--data FOLDER] [--frames 44]``. Compared, in turns
in one run, with a plain loop: fabio reads, h5py writes through hdf5plugin's bitshuffle-LZ4.
Asked: at least 20 frames/s on 2 cores; a file at most 1.10 times the CBFs.
"""

from __future__ import annotations

import argparse
import bz2
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import fabio
import h5py
import hdf5plugin

import beamkit as bk

ROUNDS = 3


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=os.environ.get("BEAMKIT_DATA", beside))
    parser.add_argument("--frames", type=int, default=44)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = series(Path(chosen.data), Path(folder), chosen.frames)
        measure(files, Path(folder))


def series(data: Path, folder: Path, frames: int) -> list[Path]:
    """Unpack the real frames, over and over, into a series of plain CBFs."""
    packed = sorted((data / "cbf_pilatus" / "thaumatin_grid").glob("*.cbf.bz2"))
    images = [bz2.decompress(path.read_bytes()) for path in packed]
    files = [folder / f"DC_{number:04d}.cbf" for number in range(1, frames + 1)]
    for number, path in enumerate(files):
        path.write_bytes(images[number % len(images)])
    return files


def plain_loop(files: list[Path], out: Path) -> None:
    """Convert as a script of ten lines does; nothing but the counts is kept."""
    shape = fabio.open(files[0]).data.shape
    with h5py.File(out, "w") as file:
        data = file.create_dataset(
            "data",
            (len(files), *shape),
            "i4",
            chunks=(1, *shape),
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )
        for number, path in enumerate(files):
            data[number] = fabio.open(path).data


def measure(files: list[Path], folder: Path) -> None:
    """Time both, one after the other, and print medians."""
    out = folder / "out.nxs"
    report = bk.pipelines.convert(files[:4], out)  # numba compiles here
    loops, writes, wholes = [], [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        plain_loop(files, folder / "plain.h5")
        loops.append(len(files) / (time.perf_counter() - start))
        report = bk.pipelines.convert(files, out, overwrite=True)
        writes.append(report.frames_per_second)
        wholes.append(len(files) / sum(report.seconds.values()))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {len(files)} frames")
    for name, rates in (
        ("fabio + h5py, plain loop", loops),
        ("convert, written", writes),
        ("convert, written and checked", wholes),
    ):
        ratio = median(rates) / median(loops)
        print(f"{name:30} {median(rates):6.1f} frames/s  {ratio:4.2f} x the plain loop")
    print(f"file / CBFs: {report.ratio:.3f}")


if __name__ == "__main__":
    main()
