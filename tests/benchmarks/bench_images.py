"""What a viewer does for each frame: milliseconds and bytes.

    python tests/benchmarks/bench_images.py [--data FOLDER] [--write]

Real frames from FOLDER (or the environment variable BEAMKIT_DATA), else simulated ones of the same
size. Medians of repeated runs on one thread; the lowest beside them, as other load only adds.
``--write`` puts the tables into results/images.md.
"""

from __future__ import annotations

import argparse
import os
import statistics as st
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import beamkit as bk
from beamkit import images
from beamkit.core.detectors import layout_of
from beamkit.images import Circle, Line

RESULTS = Path(__file__).parent / "results" / "images.md"
FILES = {
    "PILATUS 6M, few counts": "cbf_pilatus/DLS_I03_smargon_0001.cbf.gz",
    "PILATUS 6M, many counts": "cbf_pilatus/thaumatin_grid/thau_3_2_0012.cbf.bz2",
    "EIGER 16M": "cbf_pilatus/dlsnxs2cbf_therm_0001.cbf.gz",
}
#: Screen pixels, to which a frame is reduced by the next whole factor.
CANVAS = 800


def simulated(shape: tuple[int, int], level: float) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
    """Return a frame of rings and spots with gaps, and its mask."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[: shape[0], : shape[1]]
    frame = random.poisson(level * (2 + np.cos(np.hypot(y - 1207, x - 1262) / 40)))
    spots = random.integers(0, shape[0], 3000), random.integers(0, shape[1], 3000)
    frame[spots] = random.integers(10, 100_000, 3000)
    layout = layout_of(shape)
    gaps = layout.gaps() if layout else np.zeros(shape, bool)
    frame[gaps] = -1
    return frame.astype(np.int32), gaps.astype(np.uint32)


def frames(folder: Path | None) -> Iterator[tuple[str, NDArray[np.int32], NDArray[np.uint32]]]:
    for name, path in FILES.items():
        if folder is not None and (folder / path).exists():
            data = bk.open(folder / path)
            yield name, np.ascontiguousarray(data.frames[0].values), data.mask.values
        else:
            shape = (4362, 4148) if "16M" in name else (2527, 2463)
            yield f"{name} (simulated)", *simulated(shape, 10.0 if "many" in name else 0.2)


def timed(action: Callable[[], object], repeats: int = 11) -> str:
    """Return the median and the lowest time [ms] as two cells of a table."""
    action()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        taken.append((time.perf_counter() - start) * 1e3)
    return f"{st.median(taken):.1f} | {min(taken):.1f}"


def frame_rows(frame: NDArray[np.int32], mask: NDArray[np.uint32]) -> Iterator[str]:
    """Give the rows for a frame: what is done for each step of a slider, and on demand."""
    known = images.classify(mask, dtype=frame.dtype, count_cutoff=1_000_000)
    k = -(-max(frame.shape) // CANVAS)
    values, classes = images.reduce(frame, (k, k), classes=known)
    coding = images.choose_coding(values, classes)
    codes = images.encode(values, classes, coding)
    size = len(images.compress(codes))

    def whole() -> bytes:
        values, classes = images.reduce(frame, (k, k), classes=known)
        coding = images.choose_coding(values, classes)
        return images.compress(images.encode(values, classes, coding))

    tile = f"{codes.shape[0]} x {codes.shape[1]}"
    yield f"| mask to classes, once | {timed(lambda: images.classify(mask), 3)} | |"
    for factor in sorted({3, k}):
        action = lambda factor=factor: images.reduce(frame, (factor, factor), classes=known)  # noqa: E731
        yield f"| reduce by {factor} x {factor}, masked | {timed(action)} | |"
    yield f"| choose the coding ({coding.kind}) | {timed(lambda: images.choose_coding(values, classes))} | |"
    yield f"| encode {tile} | {timed(lambda: images.encode(values, classes, coding))} | |"
    yield f"| compress {tile} | {timed(lambda: images.compress(codes))} | {size / 1e3:.0f} |"
    yield from real_rows(values * 1.37 + 0.1, classes)
    yield f"| **all of a slider step** | {timed(whole)} | {size / 1e3:.0f} |"
    yield f"| limits, of the whole frame | {timed(lambda: images.limits(frame, known.codes))} | |"
    yield f"| histogram of the tile, log | {timed(lambda: images.histogram(values, classes, scale='log'))} | |"
    yield from profile_rows(frame, known)


def real_rows(values: NDArray[np.float64], classes: NDArray[np.uint8]) -> Iterator[str]:
    """Give the rows for a tile of real numbers, such as a ratio."""
    coding = images.choose_coding(values, classes)
    codes = images.encode(values, classes, coding)
    size = len(images.compress(codes)) / 1e3
    yield f"| the same as float64: choose | {timed(lambda: images.choose_coding(values, classes))} | |"
    yield f"| the same as float64: encode | {timed(lambda: images.encode(values, classes, coding))} | |"
    yield f"| the same as float64: compress | {timed(lambda: images.compress(codes))} | {size:.0f} |"


def profile_rows(frame: NDArray[np.int32], known: images.PixelClasses) -> Iterator[str]:
    data = xr.DataArray(frame, dims=("detector_y", "detector_x"), attrs={"units": "counts"})
    at = (frame.shape[1] * 0.49, frame.shape[0] * 0.51)
    line, spot = Line(1010, 1020, 1300, 1310, width=5), Circle(1110.5, 1021.5, 12)
    for name, action in {
        "radial profile": lambda: images.radial_profile(data, at, mask=known),
        "azimuthal profile, 20 pixels wide": lambda: images.azimuthal_profile(
            data, at, 300, 320, mask=known
        ),
        "line profile, 410 x 5 pixels": lambda: images.line_profile(data, line, mask=known),
        "statistics of a spot": lambda: images.statistics(data, spot, mask=known),
    }.items():
        yield f"| {name} | {timed(action, 7)} | |"


STRATEGIES = {
    "default, level 1": (1, zlib.Z_DEFAULT_STRATEGY),
    "default, level 3": (3, zlib.Z_DEFAULT_STRATEGY),
    "filtered, level 1": (1, zlib.Z_FILTERED),
    "Huffman only": (1, zlib.Z_HUFFMAN_ONLY),
    "run lengths": (1, zlib.Z_RLE),
}


def deflate_rows(frame: NDArray[np.int32], mask: NDArray[np.uint32]) -> Iterator[str]:
    """Give the rows for the ways to compress a tile at a quarter of the frame's size."""
    values, classes = images.reduce(frame, (4, 4), classes=images.classify(mask))
    codes = images.encode(values, classes, images.choose_coding(values, classes))
    steps = np.diff(codes, axis=1, prepend=np.uint16(0))
    orders = {"pairs": codes.tobytes(), "planes": planes(codes), "planes of steps": planes(steps)}
    for order, content in orders.items():
        for name, (level, strategy) in STRATEGIES.items():
            action = lambda c=content, lv=level, s=strategy: deflate(c, lv, s)  # noqa: E731
            yield f"| {order} | {name} | {timed(action, 7)} | {len(action()) / 1e3:.0f} |"


def planes(codes: NDArray[np.uint16]) -> bytes:
    pairs = np.ascontiguousarray(codes, "<u2").reshape(-1).view(np.uint8).reshape(-1, 2)
    return np.ascontiguousarray(pairs.T).tobytes()


def deflate(content: bytes, level: int, strategy: int) -> bytes:
    job = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy)
    return job.compress(content) + job.flush()


def report(folder: Path | None) -> Iterator[str]:
    yield "# Images: what a viewer does for each frame"
    yield ""
    yield f"One thread of {os.cpu_count()}; load by others {os.getloadavg()[0]:.1f}."
    loaded = list(frames(folder))
    for name, frame, mask in loaded:
        yield from ("", f"## {name}, {frame.shape[0]} x {frame.shape[1]}", "")
        yield from ("| what | ms, median | ms, lowest | kB |", "|---|---|---|---|")
        yield from frame_rows(frame, mask)
    yield from ("", "## Ways to deflate the 16-bit codes of a tile (factor 4)", "")
    yield "`compress` does run lengths on planes: the smallest here, 2 to 3 ms behind the fastest."
    yield 'A step from pixel to pixel ("planes of steps") is noisier than the counts themselves.'
    for name, frame, mask in loaded[:2]:
        yield from ("", f"{name}:", "")
        yield from ("| order | strategy | ms, median | ms, lowest | kB |", "|---|---|---|---|---|")
        yield from deflate_rows(frame, mask)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("BEAMKIT_DATA"))
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    lines = []
    for line in report(Path(options.data) if options.data else None):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
