"""Where the axis is, how sure that is, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import xarray as xr

from beamkit.core import html


@dataclass(frozen=True, repr=False)
class CenterEstimate:
    """The column of the axis of rotation.

    Attributes
    ----------
    value
        Index on ``detector_x``: 0 is the centre of the first pixel of the whole detector [pixel].
    uncertainty
        About one standard deviation [pixel].
    method
        What was asked for: ``"auto"``, or one method.
    trusted
        Whether nothing speaks against it.
    reasons
        What speaks against it, or how it was confirmed, in words.
    candidates
        What each method gave [pixel].
    curves
        Metric over ``center`` [pixel] by method; the axis is at its lowest point.
    """

    value: float
    uncertainty: float
    method: str
    trusted: bool
    reasons: tuple[str, ...]
    candidates: Mapping[str, float]
    curves: Mapping[str, xr.DataArray] = field(compare=False)

    @property
    def curve(self) -> xr.DataArray:
        """The curve of the method, for ``"auto"`` that over the whole detector."""
        return self.curves.get(self.method, self.curves["closed_form"])

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        verdict = "trusted" if self.trusted else "NOT to be trusted"
        lines = [
            f"CenterEstimate {self.value:.2f} ± {self.uncertainty:.2f} pixel "
            f"({self.method}), {verdict}",
            *(f"  - {reason}" for reason in self.reasons),
            "  candidates: " + ", ".join(f"{k} {v:.2f}" for k, v in self.candidates.items()),
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # Both colours are legible on white and on black.
        colour = "#2da44e" if self.trusted else "#e5534b"
        verdict = "trusted" if self.trusted else "not to be trusted"
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in self.reasons)
        found = [
            (name.replace("_", " "), f"{x:.2f}", "pixel") for name, x in self.candidates.items()
        ]
        return (
            f"<div><b>Rotation centre {self.value:.2f} ± {self.uncertainty:.2f} pixel</b>, "
            f'<b style="color:{colour}">{verdict}</b>'
            f"<ul>{reasons}</ul>{html.table(found, ('method', 'found', 'unit'))}</div>"
        )
