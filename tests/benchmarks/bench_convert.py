"""Frames a second of `bk.pipelines.convert`: PILATUS 6M CBFs into one NXmx file.

Run: ``python tests/benchmarks/bench_convert.py [--data FOLDER] [--frames 44] [--write]``. Compared, in turns
in one run, with a plain loop: fabio reads, h5py writes through hdf5plugin's bitshuffle-LZ4.
Asked: at least 20 frames/s on 2 cores; a file at most 1.10 times the CBFs. ``--write`` puts the
table into results/convert.md.
"""

from __future__ import annotations

import argparse
import bz2
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import fabio
import h5py
import hdf5plugin

import beamkit as bk

ROUNDS = 5
RESULTS = Path(__file__).parent / "results" / "convert.md"


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=os.environ.get("BEAMKIT_DATA", beside))
    parser.add_argument("--frames", type=int, default=44)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = series(Path(chosen.data), Path(folder), chosen.frames)
        lines = list(measure(files, Path(folder)))
    print("\n".join(lines))
    if chosen.write:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


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


def measure(files: list[Path], folder: Path) -> Iterator[str]:
    """Time both, one after the other, and give the lines of a table of medians."""
    load = os.getloadavg()[0]
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
    yield "# Conversion of CBFs into one NXmx file"
    yield ""
    yield (
        f"{len(files)} frames of a PILATUS 6M; {os.cpu_count()} cores; load by others when it "
        f"began: {load:.1f}; medians of {ROUNDS} rounds."
    )
    yield ""
    yield "| what | frames/s | over the plain loop | asked | kept |"
    yield "|---|---|---|---|---|"
    for name, rates, asked in (
        ("fabio + h5py, plain loop", loops, None),
        ("convert, written", writes, 20),
        ("convert, written and every count read back", wholes, 20),
    ):
        rate = median(rates)
        verdict = "" if asked is None else "yes" if rate >= asked else "**no**"
        wanted = "" if asked is None else f"at least {asked}"
        times = rate / median(loops)
        yield f"| {name} | {rate:.1f} | {times:.2f} | {wanted} | {verdict} |"
    verdict = "yes" if report.ratio <= 1.1 else "**no**"
    yield ""
    yield f"Size of the file over that of the CBFs: {report.ratio:.3f} (asked: at most 1.10: {verdict})."


if __name__ == "__main__":
    main()
