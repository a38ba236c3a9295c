"""The image viewer against ipympl and plopp: the same frames, in one JupyterLab, in one run.

    python tests/benchmarks/bench_viewer.py [--data FOLDER] [--write]

Real frames of a PILATUS 6M from FOLDER (or the environment variable BEAMKIT_DATA), else simulated
ones. Medians over rounds in which every viewer has its turn. Times end when the pixels of the
canvas in Chromium have changed, looked at before every picture of the screen. ``--write`` puts
the table into results/viewer.md.
"""

from __future__ import annotations

import argparse
import os
import statistics as st
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from browser import notebook

from beamkit import images

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "viewer.md"
FOLDER = Path(os.environ.get("BEAMKIT_DATA", HERE.parents[2] / "shared" / "data"))
FILES = (
    "cbf_pilatus/DLS_I03_smargon_0001.cbf.gz",
    *(f"cbf_pilatus/thaumatin_grid/thau_3_2_00{number:02}.cbf.bz2" for number in range(9, 16)),
)
#: Screen pixels of every viewer's picture along each side.
CANVAS = 800

SETUP = """
%matplotlib widget
import time, warnings
import ipywidgets, matplotlib.pyplot as plt, numpy as np, xarray as xr
from matplotlib.colors import LogNorm
import beamkit as bk
from beamkit import images
from IPython.display import display
warnings.simplefilter("ignore")
loaded = np.load({path!r})
frames, mask, T = loaded["frames"], loaded["mask"], {{}}
dims = ("frame", "detector_y", "detector_x")
data = xr.Dataset(
    {{"frames": (dims, frames, {{"units": "counts"}}), "mask": (dims[1:], mask)}},
    attrs={{"kind": "diffraction"}},
)
known = images.classify(mask, dtype=frames.dtype)
pooled = np.stack([images.reduce(frame, (4, 4), classes=known)[0] for frame in frames])
import plopp, scipp
counts = scipp.array(dims=["frame", "y", "x"], values=frames, unit="counts")
plain = scipp.DataArray(counts, coords={{
    name: scipp.arange(name, size) for name, size in zip(("frame", "y", "x"), frames.shape)
}})
"""

_IPYMPL = """
plt.close("all"); T[{name!r}] = time.time()
figure, axes = plt.subplots(figsize=(8, 8), dpi=100)
shown = axes.imshow({stack}[0], norm=LogNorm(1, 1000))
slider = ipywidgets.IntSlider(0, 0, len({stack}) - 1)
limit = ipywidgets.IntSlider(500, 100, 1000, step=50)
def step(change, shown=shown, figure=figure):
    shown.set_data({stack}[change["new"]]); figure.canvas.draw_idle()
def contrast(change, shown=shown, figure=figure):
    shown.set_clim(1, change["new"]); figure.canvas.draw_idle()
slider.observe(step, "value"); limit.observe(contrast, "value")
display(ipywidgets.VBox([slider, limit, figure.canvas]))
figure.canvas.toolbar.pan()
"""

#: Viewers, in the order of the cells that show them.
VIEWERS = {
    "beamkit": 'T["beamkit"] = time.time()\nviewer = bk.view(data)\nviewer',
    "ipympl": _IPYMPL.format(name="ipympl", stack="frames"),
    "ipympl, pooled before": _IPYMPL.format(name="ipympl, pooled before", stack="pooled").replace(
        'plt.close("all"); ', ""
    ),
    "plopp": """
T["plopp"] = time.time()
plopp.slicer(plain, keep=["y", "x"], norm="log", cmin=1.0, cmax=1000.0, figsize=(8, 8))
""",
}
CANVASES = {
    name: ".bk-pixels" if name == "beamkit" else ".jupyter-matplotlib-canvas-div canvas"
    for name in VIEWERS
}
SLIDERS = {name: ".bk-slider" if name == "beamkit" else ".noUi-handle" for name in VIEWERS}

SCRIPT = (HERE / "watch_canvas.js").read_text(encoding="utf-8")

#: Every picture of the same size; nothing else is changed.
STYLE = f".bk-pane {{ flex: 0 0 {CANVAS + 2}px !important; height: {CANVAS + 2}px !important; }}"


class Bench:
    """Takes the times; ``times[what][viewer]`` is a list [ms]."""

    def __init__(self, notebook: Any) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.places = {name: [k + 1, CANVASES[name]] for k, name in enumerate(VIEWERS)}

    def run(self, cell: int, seconds: int = 60) -> None:
        """Run a cell and wait for its end."""
        count = f"cells()[{cell}].model.executionCount"
        before = self.notebook.ask(count)
        self.notebook.ask(f"(panel.content.activeCellIndex = {cell}, 0)")
        self.notebook.command("notebook:run-cell")
        self.notebook.wait(
            f"{count} !== {before or 'null'} && {count} && kernel.status === 'idle'", seconds
        )
        assert self.notebook.errors() == [], self.notebook.errors()

    def cell(self, name: str) -> Any:
        return self.page.locator(".jp-CodeCell").nth(self.places[name][0])

    def first_picture(self, name: str) -> float:
        """Show a viewer; return the time from the call to the picture."""
        place = self.places[name]
        self.cell(name).scroll_into_view_if_needed()
        self.page.evaluate("place => bench.watch(place, true)", place)
        self.run(place[0])
        end = self.page.evaluate("bench.done")["end"]
        began = float(self.notebook.value(f"T[{name!r}]")) * 1e3
        self.page.wait_for_timeout(700)  # thumbnails and the like
        return end - began

    def after(self, name: str, kind: str, act: Any) -> dict[str, float]:
        """Do something; return what passed between an event and the picture that follows."""
        self.page.evaluate("place => bench.watch(place, false)", self.places[name])
        self.page.evaluate("kind => bench.arm(kind)", kind)
        act()
        done: dict[str, float] = self.page.evaluate("bench.done")
        return done

    def step(self, name: str, key: str = "ArrowRight", slider: int = 0) -> None:
        """Press a key on a slider."""
        handle = self.cell(name).locator(SLIDERS[name]).nth(slider)
        handle.focus()
        done = self.after(name, "keydown", lambda: self.page.keyboard.press(key))
        self.page.wait_for_timeout(400)
        what = "contrast" if slider else "slider step"
        self.times[what][name].append(done["took"])
        if not slider:
            self.times["bytes"][name].append(self.page.evaluate("bench.received") / 1e3)

    def pan(self, name: str) -> None:
        """Drag the picture a little."""
        canvas = self.cell(name).locator(CANVASES[name]).first
        canvas.scroll_into_view_if_needed()
        box, mouse = canvas.bounding_box(), self.page.mouse
        x, y = box["x"] + 400, box["y"] + 400
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + 5, y + 5)
        self.page.wait_for_timeout(800)
        done = self.after(name, "mousemove", lambda: mouse.move(x + 40, y + 30))
        self.times["pan"][name].append(done["took"])
        self.times["messages"][name].append(done["sent"])
        mouse.up()
        self.page.wait_for_timeout(600)

    def zoom(self, name: str, turn: int) -> None:
        """Turn the wheel."""
        canvas = self.cell(name).locator(CANVASES[name]).first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        self.page.mouse.move(box["x"] + 300, box["y"] + 350)
        done = self.after(name, "wheel", lambda: self.page.mouse.wheel(0, turn))
        self.times["zoom"][name].append(done["took"])
        self.times["messages"][name].append(done["sent"])
        self.page.wait_for_timeout(500)

    def bar(self, name: str) -> None:
        """Drag a handle of the colour bar."""
        self.cell(name).locator(".bk-bar").scroll_into_view_if_needed()
        box = self.cell(name).locator(".bk-bar").bounding_box()
        app = "document.querySelector('.bk-viewer').parentElement.__beamkit"
        high = self.page.evaluate(f"{app}.bar.y({app}.clim[1])")
        mouse = self.page.mouse
        mouse.move(box["x"] + 10, box["y"] + high)
        mouse.down()
        mouse.move(box["x"] + 10, box["y"] + high + 3)
        self.page.wait_for_timeout(300)
        done = self.after(
            name, "pointermove", lambda: mouse.move(box["x"] + 10, box["y"] + high + 30)
        )
        self.times["contrast"][name].append(done["took"])
        self.times["messages"][name].append(done["sent"])
        mouse.move(box["x"] + 10, box["y"] + high)
        mouse.up()
        self.page.wait_for_timeout(300)


def frames_of(folder: Path) -> tuple[np.ndarray, np.ndarray, str]:
    """Return frames, mask and what they are."""
    import beamkit as bk

    paths = [folder / path for path in FILES if (folder / path).exists()]
    if len(paths) >= 6:
        opened = [bk.open(path) for path in paths]
        stack = np.stack([np.squeeze(data["frames"].values) for data in opened])
        return stack, opened[0]["mask"].values, f"{len(paths)} real frames of a PILATUS 6M"
    random = np.random.default_rng(3)
    stack = random.poisson(20.0, (6, 2527, 2463)).astype(np.int32)
    return stack, np.zeros(stack.shape[1:], np.uint32), "6 simulated frames of 6M pixels"


def reduction(frames: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """Return the time of what Python does for each frame [ms]."""
    known = images.classify(mask, dtype=frames.dtype)
    factor = -(-max(mask.shape) // CANVAS)
    taken: dict[str, list[float]] = {"reduce": [], "reduce and compress": []}
    for frame in [frames[0], *frames, *frames]:
        start = time.perf_counter()
        values, classes = images.reduce(frame, (factor, factor), classes=known)
        middle = time.perf_counter()
        images.compress(images.encode(values, classes, images.choose_coding(values, classes)))
        taken["reduce"].append((middle - start) * 1e3)
        taken["reduce and compress"].append((time.perf_counter() - start) * 1e3)
    return {name: st.median(values[1:]) for name, values in taken.items()}


def measure(bench: Bench, rounds: int) -> None:
    """Take all times that need a browser."""
    bench.run(0)
    for number in range(rounds // 2 + 1):
        what = "first picture" if number else "first picture in a kernel"
        for name in VIEWERS:
            bench.times[what][name].append(bench.first_picture(name))
    for number in range(rounds):
        for name in VIEWERS:
            bench.step(name, "ArrowRight" if number % 10 < 5 else "ArrowLeft")
    for number in range(rounds // 2 + 1):
        for name in VIEWERS:
            if name != "plopp":
                bench.pan(name)
        bench.zoom("beamkit", -120 if number % 4 < 2 else 120)
        bench.bar("beamkit")
        for name in ("ipympl", "ipympl, pooled before"):
            bench.step(name, slider=1)


#: What is measured: its row, unit, and budget of this viewer.
ROWS = {
    "first picture": ("first picture after the call", "ms", 500.0),
    "first picture in a kernel": ("the same, first call in a kernel (imports)", "ms", None),
    "slider step": ("slider step to pixels on screen", "ms", 150.0),
    "bytes": (f"received per frame, canvas {CANVAS} x {CANVAS}", "kB", 400.0),
    "pan": ("pan", "ms", 50.0),
    "zoom": ("zoom by the wheel", "ms", 50.0),
    "contrast": ("contrast", "ms", 50.0),
    "messages": ("messages to the kernel before a pan, zoom, contrast is seen", "", 0.0),
}


def table(times: dict[str, dict[str, list[float]]], python: dict[str, float]) -> Iterator[str]:
    """Give the lines of the table."""
    yield (
        "| what | unit | "
        + " | ".join(VIEWERS)
        + " | ipympl / beamkit | plopp / beamkit | budget | ok |"
    )
    yield "|---" * (len(VIEWERS) + 6) + "|"
    for what, (text, unit, budget) in ROWS.items():
        found = {name: st.median(values) for name, values in times[what].items()}
        cells = [f"{found[name]:.0f}" if name in found else "" for name in VIEWERS]
        ours = found["beamkit"]
        ratios = [
            f"{found[name] / ours:.1f}" if name in found and ours else ""
            for name in ("ipympl", "plopp")
        ]
        yield " | ".join([f"| {text} | {unit}", *cells, *ratios, *verdict(ours, budget)]) + " |"
    for what, budget in (("reduce", 15.0), ("reduce and compress", 35.0)):
        ours = python[what]
        empty = " | " * (len(VIEWERS) - 1)
        yield f"| {what} a frame, in Python | ms | {ours:.1f}{empty} |  |  | {' | '.join(verdict(ours, budget))} |"


def verdict(value: float, budget: float | None) -> tuple[str, str]:
    """Return budget and whether it is kept, as cells."""
    return ("", "") if budget is None else (f"{budget:.0f}", "yes" if value <= budget else "**no**")


def report(folder: Path, rounds: int) -> Iterator[str]:
    frames, mask, what = frames_of(folder)
    before = os.getloadavg()[0]
    python = reduction(frames, mask)
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "frames.npz"
        np.savez(path, frames=frames, mask=mask)
        cells = [SETUP.format(path=str(path)), *VIEWERS.values()]
        with notebook(cells, Path(home), script=SCRIPT, style=STYLE) as opened:
            bench = Bench(opened)
            measure(bench, rounds)
    yield "# The image viewer against ipympl and plopp"
    yield ""
    yield f"{what}, in memory; JupyterLab in headless Chromium without a GPU, {os.cpu_count()} cores."
    yield f"Load by others when it began: {before:.1f}. Medians; {rounds} steps of each slider."
    yield ""
    yield from table(bench.times, python)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    lines = list(report(options.data, options.rounds))
    print("\n".join(lines))
    if options.write:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
