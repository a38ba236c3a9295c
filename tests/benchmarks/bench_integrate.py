"""Azimuthal integration of many frames: over bare pyFAI, and two workers over one.

    python tests/benchmarks/bench_integrate.py [--data FOLDER] [--rounds N] [--write]

One thread a frame (OMP_NUM_THREADS=1), PILATUS 6M frames in memory: real ones from FOLDER (or the
environment variable BEAMKIT_DATA), else simulated. Bare pyFAI has the same engine, corrections,
mask and error model, and float32 counts made before, as it is used in a loop. In turns, in
changing order; medians of the ratios. ``--write`` puts the table into results/integrate.md.
"""

from __future__ import annotations

import argparse
import bz2
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "integrate.md"
FOLDER = Path(os.environ.get("BEAMKIT_DATA", HERE.parents[2] / "shared" / "data"))
FRAMES, BINS = 8, 2000


def series(data: Path, folder: Path) -> Any:
    """Return a dataset of frames in memory."""
    import beamkit as bk

    packed = sorted((data / "cbf_pilatus" / "thaumatin_grid").glob("*.cbf.bz2"))[:FRAMES]
    if not packed:
        sample = bk.samples.diffraction(folder / "once", frames=FRAMES, detector="PILATUS 6M")
        return bk.open([str(path) for path in sample.files]).load()
    files = [folder / path.stem for path in packed]
    for path, name in zip(packed, files, strict=True):
        name.write_bytes(bz2.decompress(path.read_bytes()))
    return bk.open([str(path) for path in files]).load()


def bare(data: Any) -> Callable[[], None]:
    """Return a loop of pyFAI's own over all frames."""
    import numpy as np
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator

    from beamkit.diffraction import Geometry

    geometry = Geometry.from_dataset(data)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "here.poni"
        geometry.to_poni(path)
        import pyFAI

        engine: AzimuthalIntegrator = pyFAI.load(str(path))
    frames = data.bk.main.values
    mask = np.asarray(data["mask"].values != 0)
    counts = [np.where(frame < 0, np.nan, frame).astype(np.float32) for frame in frames]

    def loop() -> None:
        for image in counts:
            engine.integrate1d(
                image,
                BINS,
                unit="q_A^-1",
                method=("bbox", "csc", "cython"),
                mask=mask,
                variance=image,
                correctSolidAngle=True,
                safe=False,
            )

    return loop


def seconds(work: Callable[[], object]) -> float:
    """Return how long work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(one: Callable[[], object], two: Callable[[], object], rounds: int) -> tuple[float, ...]:
    """Return the median times of both and the median of one over two."""
    one(), two()
    found = []
    for number in range(rounds):
        if number % 2:
            b, a = seconds(two), seconds(one)
        else:
            a, b = seconds(one), seconds(two)
        found.append((a, b))
    return (
        median(a for a, _ in found),
        median(b for _, b in found),
        median(a / b for a, b in found),
    )


def report(data: Any, rounds: int) -> Iterator[str]:
    """Give the lines of the table."""
    load = os.getloadavg()[0]
    number = data.bk.main.shape[0]

    def ours(workers: int) -> Callable[[], object]:
        return lambda: data.bk.integrate(BINS, workers=workers)

    over = ratio(ours(1), bare(data), rounds)
    more = ratio(ours(1), ours(2), rounds)
    yield "# Azimuthal integration of many frames"
    yield ""
    yield (
        f"{number} frames of {data.bk.main.shape[1]} x {data.bk.main.shape[2]}, {BINS} bins, "
        f"bbox/csc with errors, one thread a frame; {os.cpu_count()} cores; "
        f"load by others when it began: {load:.1f}; {rounds} rounds."
    )
    yield ""
    yield "| what | ms a frame | against | ms a frame | ratio | asked | kept |"
    yield "|---|---|---|---|---|---|---|"
    for what, peer, (first, second, factor), asked, kept in (
        ("one worker", "bare pyFAI", over, "at most 1.10", over[2] <= 1.10),
        ("one worker", "two workers", more, "at least 1.7", more[2] >= 1.7),
    ):
        a, b = (value / number * 1e3 for value in (first, second))
        verdict = "yes" if kept else "**no**"
        yield f"| {what} | {a:.0f} | {peer} | {b:.0f} | {factor:.2f} | {asked} | {verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":  # is read when the libraries load
        os.environ["OMP_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory() as place:
        data = series(options.data, Path(place))
        lines = list(report(data, options.rounds))
    print("\n".join(lines))
    if options.write:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
