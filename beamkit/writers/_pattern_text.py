"""Patterns as columns of text: .xye, .xy and Fit2D's .chi."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit._version import __version__
from beamkit.core.atomic import write_text
from beamkit.core.errors import InvalidPixelsError, ParameterError
from beamkit.core.history import entries
from beamkit.core.pattern_axes import radial_axis, word_of

#: Attributes that a text file says, and their units.
_SAID = {
    "title": "", "sample": "", "beamline": "", "start_time": "", "detector": "",
    "wavelength": "angstrom", "energy": "keV", "detector_distance": "m", "beam_center_x": "pixel",
    "beam_center_y": "pixel", "pixel_size_x": "m", "pixel_size_y": "m",
}  # fmt: skip

#: Fit2D's words on the second line of a .chi, by pyFAI's.
_CHI_LABELS = {
    "2th_deg": "2-Theta Angle (Degrees)", "2th_rad": "2-Theta Angle (Radians)",
    "q_A^-1": "Q (Inverse Angstroms)", "q_nm^-1": "Q (Inverse Nanometres)",
    "r_mm": "Radius (mm)", "r_m": "Radius (m)",
}  # fmt: skip

#: Patterns that are computed at a time.
_BLOCK = 16


def write(data: xr.Dataset, path: Path, kind: str) -> list[Path]:
    """Write each pattern as ``xye``, ``xy`` or ``chi``; return the files.

    Raises
    ------
    ParameterError
        If ``xye`` has no sigma.
    InvalidPixelsError
        If all is NaN.
    """
    if kind == "xye" and "sigma" not in data:
        raise ParameterError(
            f"{path}: .xye has a column of sigma, but the pattern has none. Integrate with "
            'error_model="poisson", or save it as .xy or .chi, which have none.'
        )
    is_series = data["intensity"].size > data["intensity"].shape[-1]
    written = []
    for number, one in enumerate(patterns(data), start=1):
        rows = _rows(one, with_sigma=kind == "xye")
        if not len(rows):
            continue
        name = path.with_name(f"{path.stem}_{number:05d}{path.suffix}") if is_series else path
        write_text(name, _chi(one, rows, name) if kind == "chi" else _columns(one, rows))
        written.append(name)
    if not written:
        raise InvalidPixelsError(
            f"{path}: no bin of the pattern has a value, all is NaN. Check mask and radial range "
            "of the integration."
        )
    return written


def patterns(data: xr.Dataset) -> Iterator[xr.Dataset]:
    """Give every pattern of a series, computed a block at a time, the last axis fastest."""
    names = [name for name in ("intensity", "sigma") if name in data]
    lead = data["intensity"].dims[:-1]
    if not lead:
        yield data[names].compute()
        return
    first, *inner = lead
    for start in range(0, data.sizes[first], _BLOCK):
        block = data[names].isel({first: slice(start, start + _BLOCK)}).compute()
        for place in np.ndindex(*(block.sizes[dim] for dim in (first, *inner))):
            yield block.isel(dict(zip((first, *inner), place, strict=True))).assign_attrs(
                data.attrs
            )


def _rows(one: xr.Dataset, *, with_sigma: bool) -> NDArray[np.float64]:
    names = [radial_axis(one), "intensity", *(["sigma"] if with_sigma else [])]
    table = np.column_stack([np.asarray(one[name].values, float) for name in names])
    return np.asarray(table[np.isfinite(table).all(axis=1)])


def _columns(one: xr.Dataset, rows: NDArray[np.float64]) -> str:
    axis = one[radial_axis(one)]
    left_out = axis.size - len(rows)
    said = {
        "program": f"beamkit {__version__}",
        **_stated(one),
        "x": f"{axis.name} [{axis.attrs.get('units', '')}]",
        "intensity": f"[{one['intensity'].attrs.get('units', '')}]",
        "points": f"{len(rows)}",
        "left out": f"{left_out} bins without a value" if left_out else "",
    }
    columns = ("I", "sigma")[: rows.shape[1] - 1]
    head = [f"# {name}: {value}" for name, value in said.items() if value]
    return "\n".join([*head, "# " + "  ".join([word_of(axis), *columns]), *_lines(rows), ""])


def _stated(one: xr.Dataset) -> dict[str, str]:
    attrs: dict[str, Any] = {**one["intensity"].attrs, **one.attrs}
    found = {
        name: " ".join(f"{_text(attrs[name])} {unit}".split())
        for name, unit in _SAID.items()
        if name in attrs
    }
    for name, coordinate in one.coords.items():
        if coordinate.ndim == 0 and coordinate.dtype.kind in "iufU":
            unit = coordinate.attrs.get("units", "")
            found[str(name)] = " ".join(f"{_text(coordinate.item())} {unit}".split())
    done = [str(entry["name"]) for entry in entries(attrs)]
    return {**found, "history": ", ".join(done)}


def _text(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _chi(one: xr.Dataset, rows: NDArray[np.float64], path: Path) -> str:
    """Return Fit2D's four lines (title, two labels, number of points), then x and intensity.

    Layout: FIT2D Reference Manual (A. P. Hammersley, ESRF), output of "CHIPLOT" files.
    """
    word = word_of(one[radial_axis(one)])
    title = " ".join(str(one.attrs.get("title", "") or path.name).split())
    unit = str(one["intensity"].attrs.get("units", ""))
    head = [title, _CHI_LABELS.get(word, word), f"Intensity ({unit})", f"{len(rows):12d}"]
    return "\n".join([*head, *_lines(rows), ""])


def _lines(rows: NDArray[np.float64]) -> Iterator[str]:
    for row in rows:
        yield " ".join(f"{value:17.9E}" for value in row)
