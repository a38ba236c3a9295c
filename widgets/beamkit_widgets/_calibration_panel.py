"""Fields and buttons beside the image of a calibration."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from beamkit.diffraction.calibrants import CALIBRANTS

if TYPE_CHECKING:
    from .calibration_viewer import CalibrationViewer

#: Numbers as they are shown: name, label, factor, step.
_NUMBERS = (
    ("detector_distance", "distance [mm]", 1e3, 0.1),
    ("beam_center_x", "beam x [pixel]", 1.0, 0.5),
    ("beam_center_y", "beam y [pixel]", 1.0, 0.5),
    ("rot1", "rot1 [deg]", 1.0, 0.05),
    ("rot2", "rot2 [deg]", 1.0, 0.05),
)

_WIDE = {"width": "auto"}
_NUMBER = {"flex": "1 1 0", "width": "auto", "min_width": "0"}
_LABEL = {"description_width": "105px"}
_STYLE = """<style>
.bk-calibration table { border-collapse: collapse; font-size: 12px; width: 100%; }
.bk-calibration td, .bk-calibration th { padding: 1px 6px; text-align: right; line-height: 1.35; }
.bk-calibration th { font-weight: 600; }
.bk-calibration .bk-said { font-size: 12px; line-height: 1.4; white-space: normal; }
.bk-calibration pre { font-size: 11px; overflow-x: auto; white-space: pre; margin: 0; }
</style>"""


class CalibrationPanel:
    """Fields and buttons of a :class:`~.calibration_viewer.CalibrationViewer`.

    Parameters
    ----------
    viewer
        Whose state is shown, and changed.
    """

    def __init__(self, viewer: CalibrationViewer) -> None:
        self._viewer, self._is_quiet = viewer, False
        self._said = ipw.HTML()
        self._table = ipw.HTML()
        self._fields = {
            name: self._field(name, label, factor, step) for name, label, factor, step in _NUMBERS
        }
        self._held = {name: self._tick() for name, *_ in _NUMBERS}
        self._substance = ipw.Combobox(
            options=CALIBRANTS, description="calibrant", layout=_WIDE, style=_LABEL,
            continuous_update=False,
        )  # fmt: skip
        self._wavelength = ipw.FloatText(
            description="wavelength [Å]", step=0.001, layout=_WIDE, style=_LABEL
        )
        self._ring = ipw.Dropdown(description="point is on ring", layout=_WIDE, style=_LABEL)
        self._left_out = ipw.SelectMultiple(
            description="leave out rings", rows=4, layout=_WIDE, style=_LABEL
        )
        self._name = ipw.Text("geometry.poni", description="file", layout=_WIDE, style=_LABEL)
        self._replace = ipw.Checkbox(
            False, description="replace a file that is there", indent=False
        )
        self._marks = ipw.Checkbox(False, description="mark the points used", indent=False)
        self._code = ipw.HTML()
        self._buttons: list[Any] = []
        self.box = self._lay_out()
        self._observe()
        self.refresh()
        self.tell(viewer.message)

    def tell(self, text: str) -> None:
        """Show a line of text; one that begins with "Not" stands out."""
        color = "color: var(--jp-error-color1, #c62828);" if text.startswith("Not done") else ""
        self._said.value = f'<div class="bk-said" style="{color}">{escape(text)}</div>'

    def refresh(self) -> None:
        """Show the state as it is."""
        session = self._viewer.session
        self._is_quiet = True
        try:
            for name, _, factor, _ in _NUMBERS:
                self._fields[name].value = round(session.numbers[name] * factor, 5)
                self._held[name].value = name in session.fixed
            self._substance.value = session.calibrant.name
            self._wavelength.value = round(session.wavelength, 7)
            labels = session.calibrant.labels
            rings = [(f"{number}: {label}", number) for number, label in enumerate(labels)]
            if list(self._ring.options) != rings:
                self._ring.options, self._left_out.options = rings, rings
            self._ring.value = self._viewer.ring
            self._left_out.value = session.left_out
            self._marks.value = self._viewer.shows_points
            self._table.value = _table(session.residuals())
            self._code.value = f"<pre>{escape(session.code())}</pre>"
        finally:
            self._is_quiet = False

    def _field(self, name: str, label: str, factor: float, step: float) -> Any:
        field = ipw.FloatText(description=label, step=step, layout=_NUMBER, style=_LABEL)
        self._on(field, lambda value: self._viewer.set(**{name: value / factor}))
        return field

    def _tick(self) -> Any:
        tick = ipw.Checkbox(
            False, description="hold", indent=False, layout={"width": "82px", "flex": "0 0 auto"}
        )
        self._on(tick, lambda _value: self._viewer.hold(*self._names_held()))
        return tick

    def _names_held(self) -> list[str]:
        return [name for name, tick in self._held.items() if tick.value]

    def _on(self, field: Any, action: Callable[[Any], Any]) -> None:
        """Do something with the value that a user gives a field."""

        def changed(change: Any) -> None:
            if not self._is_quiet:
                self._viewer.attempt(lambda: action(change["new"]))

        field.observe(changed, "value")

    def _observe(self) -> None:
        viewer = self._viewer
        self._on(self._substance, viewer.use)
        self._on(self._wavelength, viewer.set_wavelength)
        self._on(self._left_out, lambda rings: viewer.leave_out(*rings))
        self._on(self._marks, lambda value: setattr(viewer, "shows_points", value))
        self._on(self._ring, lambda ring: setattr(viewer, "ring", ring))

    def _button(self, text: str, action: Callable[[], Any], hint: str, style: str = "") -> Any:
        button = ipw.Button(
            description=text, tooltip=hint, button_style=style, layout={"width": "auto"}
        )

        def pressed(_button: Any) -> None:
            for each in self._buttons:
                each.disabled = True
            self.tell("Working ...")
            try:
                self._viewer.attempt(action)
            finally:
                for each in self._buttons:
                    each.disabled = False

        button.on_click(pressed)
        self._buttons.append(button)
        return button

    def _save(self) -> None:
        self._viewer.save(self._name.value, overwrite=self._replace.value)

    def _lay_out(self) -> Any:
        viewer = self._viewer
        rows = [ipw.HBox([self._fields[n], self._held[n]], layout=_WIDE) for n, *_ in _NUMBERS]
        start = self._button("Start automatically", viewer.start, "Find rings from the image")
        points = self._button(
            "Start from points", viewer.start_from_points, "Three points of a ring, or more"
        )
        drop = self._button("Drop last point", viewer.drop_point, "Throw out the last point")
        refine = self._button("Refine", viewer.refine, "Fit to the rings of the image", "primary")
        undo = self._button("Undo", viewer.undo, "Take the last step back")
        save = self._button("Save", self._save, "PONI, or NeXus by the suffix .nxs")
        line = {"flex_flow": "row wrap", "width": "auto"}
        more = ipw.Accordion(
            [
                ipw.VBox([self._name, ipw.Box([save, self._replace], layout=line)]),
                self._left_out,
                self._code,
            ],
            titles=("Save", "Leave out rings", "Code"),
            selected_index=None,
            layout=_WIDE,
        )
        return ipw.VBox(
            [
                ipw.HTML(_STYLE, layout={"display": "none"}),
                self._substance,
                self._wavelength,
                *rows,
                self._ring,
                ipw.Box([points, drop], layout=line),
                ipw.Box([start, refine, undo], layout=line),
                self._said,
                self._table,
                self._marks,
                more,
            ],
            layout={"flex": "0 1 340px", "min_width": "300px", "padding": "0 0 0 8px"},
        )


def _table(rings: Any) -> str:
    """Return the rings as an HTML table; empty if there are none."""
    rows = [
        f"<tr><td>{escape(str(label))}</td><td>{angle:.3f}</td><td>{number}</td>"
        f"<td>{residual:+.3f}</td><td>{rms:.3f}</td></tr>"
        for label, angle, number, residual, rms in zip(
            *(rings[name].values for name in ("label", "two_theta", "number", "residual", "rms")),
            strict=True,
        )
        if number
    ]
    if not rows:
        return ""
    head = "<tr><th>ring</th><th>2θ [°]</th><th>points</th><th>mean [px]</th><th>rms [px]</th></tr>"
    table = f"<table>{head}{''.join(rows)}</table>"
    return f'<div style="max-height: 190px; overflow-y: auto">{table}</div>'
