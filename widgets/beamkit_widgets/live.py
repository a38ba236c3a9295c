"""A measurement while it runs: the newest frame, and the numbers of all."""

from __future__ import annotations

import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as ipw
import pandas as pd  # type: ignore[import-untyped]
import traitlets
import xarray as xr
from matplotlib.figure import Figure

from beamkit.core.errors import BeamkitError, ParameterError, UnknownNameError
from beamkit.diffraction import SpotSettings
from beamkit.diffraction.statistics import NAMES
from beamkit.streams import Watch, watch_frames

from ._bundle import script, styles
from ._live_numbers import LiveNumbers
from ._several import montage
from ._shown import Shown
from ._subshell import hear_while_busy
from ._worker import NewestFirst
from .viewer import ImageViewer

#: Between two pictures, and how long a picture without a browser waits for the first frame [s].
_TICK, _PATIENCE = 0.2, 3.0

_HEARD = ("statistic", "frame", "is_paused")


class LivePanel(anywidget.AnyWidget):  # type: ignore[misc]
    """The part of a live view that is drawn in the browser beside the picture."""

    _esm = traitlets.Unicode(script("dom", "icons", "plot", "live")).tag(sync=True)
    _css = traitlets.Unicode(styles("viewer", "live")).tag(sync=True)
    _names = traitlets.List(traitlets.Unicode(), default_value=list(NAMES)).tag(sync=True)
    _told = traitlets.Dict().tag(sync=True)
    statistic = traitlets.Unicode("spots").tag(sync=True)
    frame = traitlets.Int(None, allow_none=True).tag(sync=True)
    is_paused = traitlets.Bool(False).tag(sync=True)


class Live(Shown, ipw.VBox):  # type: ignore[misc]
    """See a measurement while it runs; what the mouse does, a cell can do, too.

    Every frame is analysed, in order; the picture is the newest one and skips those between. Both
    run in threads: the cell is free at once.

    Parameters
    ----------
    source
        What :func:`beamkit.watch_frames` takes, or returned.
    statistic
        As the attribute.
    settings
        What a spot is; None: the usual.
    **options
        Of the source: ``frames``, ``patience``, ``poll`` ...

    Attributes
    ----------
    statistic
        Which number of :class:`beamkit.diffraction.ImageStatistics` is plotted.
    frame
        Number of the frame that is shown; None: always the newest.
    is_paused
        Whether the picture stands still; the numbers go on.
    state
        ``"waiting"`` for the first frame, ``"running"``, ``"finished"`` or ``"stopped"``.
    seen, analysed, skipped
        Frames that have come, whose numbers are known, and that the picture left out.
    shown
        Number of the frame on the screen; None before the first.
    watch
        The :class:`~beamkit.streams.Watch`; ``watch.data`` is the dataset so far.
    viewer
        The :class:`~.viewer.ImageViewer` of the picture; None before the first.

    Raises
    ------
    UnreadableFileError
        If there is no such folder or file.
    ParameterError
        If the source cannot be watched.
    UnknownNameError
        If there is no such statistic.
    """

    statistic = traitlets.Unicode("spots")
    frame = traitlets.Int(None, allow_none=True)
    is_paused = traitlets.Bool(False)
    state = traitlets.Unicode("waiting")
    seen = traitlets.Int(0)
    analysed = traitlets.Int(0)
    skipped = traitlets.Int(0)
    shown = traitlets.Int(None, allow_none=True)

    def __init__(
        self,
        source: Any,
        *,
        statistic: str = "spots",
        settings: SpotSettings | None = None,
        **options: Any,
    ) -> None:
        self.viewer: ImageViewer | None = None
        self.panel: LivePanel | None = None
        super().__init__()
        self.statistic = statistic
        self.watch = source if isinstance(source, Watch) else watch_frames(source, **options)
        self.numbers = LiveNumbers(self.watch, settings)
        self._worker = NewestFirst("beamkit live picture")
        self._has_frame, self._stopped = threading.Event(), threading.Event()
        self._sent, self._newest = 0, -1
        self._is_made = True
        self._thread = threading.Thread(target=self._run, name="beamkit-live-view", daemon=True)
        self._thread.start()

    @property
    def statistics(self) -> pd.DataFrame:
        """Numbers of the frames analysed so far, one row each, and their ``problem``."""
        return self.numbers.table()

    @property
    def data(self) -> xr.Dataset:
        """The frames so far, lazily. Raises ParameterError before the first."""
        return self.watch.data

    @property
    def caption(self) -> str:  # type: ignore[override]
        """What is seen, in a line."""
        return f"{self.seen} frames seen, {self.analysed} analysed, {self.state}"

    def stop(self) -> None:
        """End watching; what has come stays to be looked at."""
        self._stopped.set()
        self.watch.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Wait up to ``timeout`` [s] for the end of the measurement; say whether it came."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # ---- state

    @traitlets.validate("statistic", "frame")  # type: ignore[untyped-decorator]
    def _check(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if name == "statistic" and value not in NAMES:
            raise UnknownNameError("statistic", value, NAMES)
        if name == "frame" and value is not None and not 0 <= value < len(self.watch):
            raise ParameterError(
                f"frame is {value}; {len(self.watch)} have come. Give 0 to {len(self.watch) - 1}, "
                "or None for the newest."
            )
        return value

    @traitlets.observe(*_HEARD)  # type: ignore[untyped-decorator]
    def _changed(self, change: Any) -> None:
        if self.panel is not None:
            setattr(self.panel, change["name"], change["new"])
        if self._is_made and change["name"] != "statistic":
            self._worker.submit("picture", self._show_frame)

    def _heard(self, change: Any) -> None:
        """Take a change from the browser; what is not allowed is taken back there."""
        try:
            setattr(self, change["name"], change["new"])
        except BeamkitError:
            setattr(self.panel, change["name"], getattr(self, change["name"]))

    def _message(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        if content.get("type") == "ready":
            self._send_rows(0)
        elif content.get("type") == "stop":
            self.stop()

    # ---- while it runs

    def _run(self) -> None:
        while not self._is_over():
            self._tick()
            self._stopped.wait(_TICK)
        self.numbers.join()
        self._tick()
        self._worker.wait()
        self.state = "stopped" if self._stopped.is_set() else "finished"
        self._tell()

    def _is_over(self) -> bool:
        return self._stopped.is_set() or (self.numbers.is_done and self.watch.is_complete)

    def _tick(self) -> None:
        self.seen, self.analysed = len(self.watch), len(self.numbers)
        if self.seen:
            self.state = "running"
            self._worker.submit("picture", self._show_frame)
        self._send_rows(self._sent)
        self._tell()

    def _show_frame(self) -> None:
        """Show what is asked for, else the newest; in the worker's thread."""
        newest = len(self.watch) - 1
        number = newest if self.frame is None else self.frame
        is_held = self.is_paused and self.frame is None
        if newest < 0 or number == self.shown or (is_held and self.shown is not None):
            return
        self._draw(number)
        if self.frame is None and number > self._newest:
            self.skipped += number - self._newest - 1
            self._newest = number
        self.shown = number
        self._has_frame.set()
        self._tell()

    def _draw(self, number: int) -> None:
        pixels = self.watch.read(number)
        name = Path(self.watch.source.label(number).source).name
        title = f"frame {number}: {name}"
        if self.viewer is None:
            first = self.watch.data.isel(frame=0, drop=True)
            image = first["frames"].copy(data=pixels)
            image.attrs["title"] = self._place()  # the title of all, not the file of the first
            self._viewer_of(first.assign(frames=image), title)
            return
        viewer = self.viewer
        with viewer.lock:
            viewer.source.data = viewer.source.data.copy(data=pixels)
            viewer.source.forget()
            viewer._title = title
        viewer.talk.show()

    def _place(self) -> str:
        source = self.watch.source
        place = getattr(source, "folder", None) or getattr(source, "path", None)
        return "live" if place is None else Path(place).name

    def _viewer_of(self, image: xr.Dataset, title: str) -> None:
        self.viewer = ImageViewer(image)
        self.viewer._title = title
        self._place_children()

    def _send_rows(self, start: int) -> None:
        if self.panel is None or self.panel.comm is None:
            return
        rows = self.numbers.rows(start)
        if start == 0 or len(rows):
            self.panel.send({"type": "rows", "start": start, "number": len(rows)}, [rows.tobytes()])
            self._sent = start + len(rows)

    def _tell(self) -> None:
        if self.panel is None:
            return
        error = self.numbers.error or ("" if self.watch.error is None else str(self.watch.error))
        problems = [f"frame {each.index}: {each.reason}" for each in self.watch.problems]
        self.panel._told = {
            "state": self.state, "seen": self.seen, "analysed": self.analysed,
            "skipped": self.skipped, "shown": self.shown, "problems": problems[-20:],
            "lost": len(problems), "error": error, "note": self.numbers.note,
        }  # fmt: skip

    # ---- life

    def _place_children(self) -> None:
        if self.panel is not None:
            self.children = [part for part in (self.panel, self.viewer) if part is not None]

    def _connect(self) -> None:
        panel = LivePanel(**{name: getattr(self, name) for name in _HEARD})
        hear_while_busy(panel)
        panel.observe(self._heard, list(_HEARD))
        panel.on_msg(self._message)
        self.panel = panel
        self._tell()
        self._place_children()

    def close(self) -> None:
        """Stop, and take the widget away from the notebook."""
        self.stop()
        if self.viewer is not None:
            self.viewer.close()
        super().close()

    def _disconnected(self) -> None:
        self.panel = None
        self.children = []

    def _wait_until_seen(self) -> None:
        self._has_frame.wait(_PATIENCE)

    def _still(self) -> bytes:
        """Return picture and plot as PNG."""
        self._has_frame.wait(_PATIENCE)
        pictures = [self._plotted()]
        if self.viewer is not None:
            pictures.insert(0, self.viewer._still())
        return montage(pictures, columns=1)

    def _plotted(self) -> bytes:
        figure = Figure((6, 2.4), dpi=92, layout="constrained")
        axes = figure.add_subplot()
        values = self.statistics[self.statistic]
        axes.plot(values.index, values.to_numpy(), ".", markersize=3)
        axes.set(xlabel="frame", ylabel=self.statistic.replace("_", " "))
        axes.set_title(self.caption, loc="left", fontsize=9)
        buffer = BytesIO()
        figure.savefig(buffer, format="png")
        return buffer.getvalue()
