"""Frames a second of `ds.bk.stream()`, against fabio and h5py, and of the analysis of live frames.

    python tests/benchmarks/bench_streams.py [--data FOLDER] [--frames N] [--rounds N] [--write]

PILATUS 6M frames: real ones from FOLDER (or the environment variable BEAMKIT_DATA), over and over,
else simulated ones; written before, so that the files are in the cache of the system. Each round
has ours and the peer's turn, in changing order; rates are medians, ratios medians of the rounds.
``--write`` puts the table into results/streams.md.
"""

from __future__ import annotations

import argparse
import bz2
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import fabio
import h5py
import hdf5plugin
import numpy as np
import psutil

import beamkit as bk

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "streams.md"
FOLDER = Path(os.environ.get("BEAMKIT_DATA", HERE.parents[2] / "shared" / "data"))

Rate = Callable[[], float]


def cbf_series(data: Path, folder: Path, frames: int) -> list[Path]:
    """Write a series of CBF files."""
    packed = sorted((data / "cbf_pilatus" / "thaumatin_grid").glob("*.cbf.bz2"))
    images = [bz2.decompress(path.read_bytes()) for path in packed]
    if not images:
        sample = bk.samples.diffraction(folder / "once", frames=4, detector="PILATUS 6M")
        images = [path.read_bytes() for path in sample.files]
    files = [folder / f"DC_{number:04d}.cbf" for number in range(1, frames + 1)]
    for number, path in enumerate(files):
        path.write_bytes(images[number % len(images)])
    return files


def eiger_file(files: list[Path], path: Path) -> Path:
    """Write the same frames as a detector of the EIGER kind does: unsigned, bitshuffle and LZ4."""
    first = fabio.open(files[0]).data
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "/entry/data/data",
            (len(files), *first.shape),
            "u4",
            chunks=(1, *first.shape),
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )
        for number, name in enumerate(files):
            data[number] = np.maximum(fabio.open(name).data, 0)
    return path


def rate(work: Callable[[], int]) -> float:
    """Return frames a second of work that gives their number."""
    start = time.perf_counter()
    frames = work()
    return frames / (time.perf_counter() - start)


def by_stream(data: Any, frames: int) -> int:
    """Read a stream and look at every frame."""
    found = 0
    with data.bk.stream() as stream:
        for frame in stream:
            found += frame.problem is None
    if found != frames:
        raise RuntimeError(f"{found} of {frames} frames were read")
    return found


def by_fabio(files: list[Path]) -> int:
    """Read the files in a loop."""
    return sum(fabio.open(path).data.ndim == 2 for path in files)


def by_h5py(path: Path, buffer: np.ndarray) -> int:
    """Read the frames in a loop, into one buffer."""
    with h5py.File(path) as file:
        data = file["/entry/data/data"]
        for number in range(len(data)):
            data.read_direct(buffer, np.s_[number])
        return len(data)


def pairs(ours: Rate, theirs: Rate, rounds: int) -> tuple[float, float, float]:
    """Return the rates of both, and the median of their ratios."""
    ours(), theirs()  # what is compiled, opened or cached once
    found = []
    for number in range(rounds):
        if number % 2:
            other, own = theirs(), ours()
        else:
            own, other = ours(), theirs()
        found.append((own, other))
    own, other = (median(values) for values in zip(*found, strict=True))
    return own, other, median(a / b for a, b in found)


def analysis(data: Any, frames: int) -> int:
    """Decode, and take statistics and spots of every frame, as the live view does."""
    found = bk.diffraction.statistics(data)
    if int(found["spots"].count()) != frames:
        raise RuntimeError("not every frame was analysed")
    return frames


def growth(data: Any, frames: int, times: int) -> float:
    """Return by how much the memory grows while a series is streamed over and over [MB]."""
    by_stream(data, frames)
    gc.collect()
    before = psutil.Process().memory_info().rss
    highest = before
    for _ in range(times):
        with data.bk.stream() as stream:
            for _frame in stream:
                highest = max(highest, psutil.Process().memory_info().rss)
    return (highest - before) / 1e6


def rows(files: list[Path], folder: Path, rounds: int) -> Iterator[tuple[str, ...]]:
    """Measure, and give the rows of the table."""
    frames = len(files)
    series = bk.open([str(path) for path in files])
    for number in (frames, 8):
        part = files[:number]
        opened = series if number == frames else bk.open([str(path) for path in part])
        found = pairs(
            lambda d=opened, n=number: rate(lambda: by_stream(d, n)),
            lambda p=part: rate(lambda: by_fabio(p)),
            rounds,
        )
        yield row(f"CBF, series of {number}", "fabio", found, 100 if number == frames else None, 3)
    for number in (frames, 8):
        path = eiger_file(files[:number], folder / f"eiger_{number}.h5")
        opened = bk.open(path, data="/entry/data/data")
        buffer = np.empty(tuple(opened.bk.main.shape[1:]), "u4")
        found = pairs(
            lambda d=opened, n=number: rate(lambda: by_stream(d, n)),
            lambda p=path, b=buffer: rate(lambda: by_h5py(p, b)),
            rounds,
        )
        yield row(f"bitshuffle-LZ4, file of {number}", "h5py, one buffer", found, None, 2)
    analysis(series.isel(frame=slice(4)), 4)
    live = [rate(lambda: analysis(series, frames)) for _ in range(max(rounds // 2, 1))]
    yield (
        "CBF, decode, statistics, spots",
        f"{median(live):.0f}",
        "",
        "",
        "",
        "25",
        ok(median(live), 25),
    )
    times = -(-2000 // frames)
    grown = growth(series, frames, times)
    yield (
        f"memory grown by {times * frames} frames",
        f"{grown:.0f} MB",
        "",
        "",
        "",
        "200 MB",
        ok(-grown, -200),
    )


def row(
    what: str, peer: str, found: tuple[float, float, float], least: float | None, ratio: float
) -> tuple[str, ...]:
    """Give a row of the table."""
    own, other, factor = found
    kept = factor >= ratio and (least is None or own >= least)
    asked = f"{ratio:g}x" + (f", {least:g}/s" if least else "")
    return (
        what,
        f"{own:.0f}",
        peer,
        f"{other:.0f}",
        f"{factor:.2f}",
        asked,
        "yes" if kept else "**no**",
    )


def ok(value: float, least: float) -> str:
    """Say whether a value is what was asked."""
    return "yes" if value >= least else "**no**"


def report(data: Path, frames: int, rounds: int) -> Iterator[str]:
    """Give the lines of the report."""
    load = os.getloadavg()[0]
    yield "# Streams of 6M frames"
    yield ""
    yield f"{os.cpu_count()} cores; load by others when it began: {load:.1f}; {rounds} rounds."
    yield ""
    yield "| what | ours [frames/s] | peer | peer [frames/s] | ratio | asked | kept |"
    yield "|---|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as place:
        files = cbf_series(data, Path(place), frames)
        for cells in rows(files, Path(place), rounds):
            yield "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    lines = []
    for line in report(options.data, options.frames, options.rounds):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
