"""How long until the explorer of a folder with 2000 frames can be used, in JupyterLab.

    python tests/benchmarks/bench_explorer.py [--rounds N] [--write]

It can be used when thumbnails are seen and a click on a frame has selected it, in the kernel too.
Each round has a folder of its own, so that nothing of it is known before. ``--write`` puts the
table into results/explorer.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from browser import notebook

from beamkit import samples

RESULTS = Path(__file__).resolve().parent / "results" / "explorer.md"
FRAMES, DIFFERENT = 2000, 8

IMPORTS = "import beamkit as bk"
SHOW = "explorer = bk.explore({folder!r})\nexplorer"
CELL = ".bk-explorer .bk-x-cell"

#: What is measured, in the order in which it happens, and its budget [s].
ROWS = {
    "the first call in a kernel (imports)": None,
    "the same cell again, another folder": 2.0,
}


def folder_of(place: Path, files: list[Path]) -> str:
    """Return a folder of 2000 frames of 100 000 pixels, as links to these files."""
    place.mkdir()
    for number in range(FRAMES):
        os.link(files[number % len(files)], place / f"{place.name}_{number + 1:05d}.cbf")
    return str(place)


def usable(opened: Any, wanted: str, start: float) -> float:
    """Wait until thumbnails are seen and a click selects one; return the time since the start."""
    name = f"{Path(wanted).name}_00002.cbf"
    frame = opened.page.locator(f"{CELL}:has(.bk-x-name:text-is('{name}'))")
    frame.locator("canvas").wait_for(timeout=120_000)
    frame.click()
    opened.expect("str(explorer.current)", repr(f"{wanted}/{name}"), 120)
    return time.perf_counter() - start


def measure(home: Path, files: list[Path], times: dict[str, list[float]]) -> None:
    """Take both times in one kernel that is started for it."""
    folders = [folder_of(home / f"visit_{number}", files) for number in range(2)]
    cells = [IMPORTS, *(SHOW.format(folder=folder) for folder in folders)]
    with notebook(cells, home) as opened:
        run(opened, 0)
        for number, row in enumerate(ROWS):
            start = time.perf_counter()
            run(opened, number + 1)
            times[row].append(usable(opened, folders[number], start))
            opened.wait("kernel.status === 'idle'", 120)
            opened.value("explorer.close()")


def run(opened: Any, cell: int) -> None:
    """Start a cell."""
    opened.ask(f"(panel.content.activeCellIndex = {cell}, 0)")
    opened.command("notebook:run-cell")


def report(rounds: int) -> Iterator[str]:
    before = os.getloadavg()[0]
    times: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        sample = samples.diffraction(Path(place) / "once", frames=DIFFERENT)
        for number in range(rounds):
            home = Path(place) / f"round_{number}"
            home.mkdir()
            measure(home, list(sample.files), times)
    yield "# The explorer of a folder with 2000 frames"
    yield ""
    yield f"{FRAMES} CBF files of 619 x 487 pixels; JupyterLab in headless Chromium,"
    yield f"{os.cpu_count()} cores. Load by others when it began: {before:.1f}. {rounds} rounds."
    yield ""
    yield "| thumbnails seen and a frame selected after | median [s] | longest [s] | budget [s] | ok |"
    yield "|---|---|---|---|---|"
    for row, budget in ROWS.items():
        middle = statistics.median(times[row])
        verdict = "" if budget is None else "yes" if middle <= budget else "**no**"
        yield f"| {row} | {middle:.2f} | {max(times[row]):.2f} | {budget or ''} | {verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    lines = list(report(options.rounds))
    print("\n".join(lines))
    if options.write:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
