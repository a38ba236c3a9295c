"""How long PILATUS 6M frames take to read, against fabio on the same bytes. Prints tables.

Each round runs ours and fabio's one after the other; the ratio is the median of the ratios of the
pairs, so that other load on the machine hits both. The frame is simulated (2527 x 2463 pixels,
Poisson counts, gaps, a few bright spots) and written by fabio; the page cache is warm.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import fabio
import fabio.cbfimage
import fabio.compression
import numpy as np

import beamkit as bk
from beamkit.core.detectors import layout_of
from beamkit.readers import cbf
from beamkit.readers._cbf_byte_offset import decode
from beamkit.readers._cbf_section import load

ROUNDS = 15
SHAPE = (2527, 2463)
SERIES = 12


def frame(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    rings = 4 + 3 * np.cos(np.hypot(y - 1307, x - 1262) / 40)
    counts = random.poisson(rings).astype(np.int32)
    counts[random.integers(0, SHAPE[0], 4000), random.integers(0, SHAPE[1], 4000)] = 50_000
    layout = layout_of(SHAPE)
    if layout is not None:
        counts[layout.gaps()] = -1
    return counts


def milliseconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


def compare(name: str, ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    ours()
    theirs()
    pairs = [(milliseconds(ours), milliseconds(theirs)) for _ in range(ROUNDS)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    print(f"| {name} | {mine:.1f} | {other:.1f} | {ratio:.1f} |")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"frame_{number}.cbf" for number in range(SERIES)]
        for number, path in enumerate(paths):
            fabio.cbfimage.CbfImage(data=frame(number)).write(str(path))
        data = load(paths[0])[1]
        content, pixels = data.tobytes(), SHAPE[0] * SHAPE[1]
        buffer = np.empty(SHAPE, np.int32)
        np.testing.assert_array_equal(bk.open(paths[0]).frames[0], fabio.open(str(paths[0])).data)
        series = bk.open(paths)

        print(f"milliseconds, medians of {ROUNDS}; ratio: fabio over beamkit, median of pairs\n")
        print("| what | beamkit | fabio | ratio |\n|---|---|---|---|")
        compare(
            "byte-offset decoding of a frame, reused buffer",
            lambda: decode(data, buffer.reshape(-1)),
            lambda: fabio.compression.decByteOffset(content, size=pixels, dtype=np.int32),
        )
        compare(
            "a frame from its file, reused buffer",
            lambda: cbf.read_frame(paths[0], 0, buffer),
            lambda: fabio.open(str(paths[0])).data,
        )
        compare(
            "a frame of an open series, fresh array",
            lambda: series.frames[5].values,
            lambda: fabio.open(str(paths[5])).data,
        )
        compare(
            f"all {SERIES} frames of a series",
            lambda: series.frames.values,
            lambda: np.stack([fabio.open(str(path)).data for path in paths]),
        )
        compare(
            f"headers of {SERIES} files",
            lambda: bk.open(paths),
            lambda: [fabio.openheader(str(path)).header for path in paths],
        )


if __name__ == "__main__":
    main()
