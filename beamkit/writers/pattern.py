"""Patterns to files: NeXus (NXdata), NXcanSAS, and the texts that refinement programs read."""

from __future__ import annotations

import os
from pathlib import Path

import xarray as xr

from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.core.pattern_axes import radial_axis

from . import _pattern_nexus, _pattern_text
from .nexus import NEXUS_SUFFIXES

#: Formats of patterns, and the suffixes that their files have.
PATTERN_FORMATS = {
    "nxdata": NEXUS_SUFFIXES,
    "nxcansas": NEXUS_SUFFIXES,
    "xye": (".xye",),
    "xy": (".xy", ".dat"),
    "chi": (".chi",),
}

_WRITERS = {"nxdata": _pattern_nexus.nxdata, "nxcansas": _pattern_nexus.nxcansas}


def pattern(
    data: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002, the word for it
) -> list[Path]:
    """Write patterns: one, a series, or cakes; return the files.

    Each file appears when it is whole; an existing one is replaced.

    Parameters
    ----------
    data
        ``intensity`` and perhaps ``sigma`` over (..., radial axis), of
        :func:`beamkit.diffraction.integrate`. Lazy patterns are computed block by block.
    path
        Of the file. A series as text is one file a pattern: ``name_00001.xye``, ``name_00002.xye``
        ... in the order of the frames; a frame that was not measured (all NaN) has none.
    format
        ``"nxdata"`` (NeXus; keeps all: cakes, coordinates, weights, geometry, history),
        ``"nxcansas"`` (for small-angle scattering; q only; a unit of intensity that it does not
        list is "arbitrary" there), ``"xye"`` (x, intensity, sigma),
        ``"xy"`` (x, intensity) or ``"chi"`` (Fit2D's, x and intensity under four lines). None: by
        the suffix, where .nxs and .h5 mean ``"nxdata"``, .dat means ``"xy"``. ``"xy"`` and
        ``"chi"`` lose sigma; text has no bins without a pixel: the rows of NaN are left out.

    Returns
    -------
    files
        That were written.

    Raises
    ------
    UnknownNameError
        If there is no such format.
    ParameterError
        If the suffix says no format or another one, or the pattern has no sigma for ``"xye"``.
    ShapeError
        If there is no radial axis, or a cake is to be text or NXcanSAS.
    MetadataError
        If the axis is not q, for NXcanSAS.
    InvalidPixelsError
        If there is nothing but NaN, for text.
    WriteError
        If a file cannot be written; nothing appears under its name then.
    """
    target = Path(path)
    chosen = pattern_format(target, format)
    axis = radial_axis(data)
    ordered = data.transpose(..., axis)
    if chosen != "nxdata" and "chi" in data["intensity"].dims:
        raise ShapeError(
            f"{target}: this is a cake, {dict(data['intensity'].sizes)}; {chosen} holds patterns "
            'of one axis. Save it with format="nxdata" in a .nxs file, or take a profile first: '
            "beamkit.diffraction.line_profile."
        )
    if chosen in _WRITERS:
        return [_WRITERS[chosen](ordered, target)]
    return _pattern_text.write(ordered, target, chosen)


def pattern_format(path: Path, format: str | None = None) -> str:  # noqa: A002
    """Return the format of a file of patterns, by name or by suffix.

    Raises
    ------
    UnknownNameError
        If there is no such format.
    ParameterError
        If no format, or another one, has the suffix.
    """
    if format is None:
        suffix = path.suffix.lower()
        for name, suffixes in PATTERN_FORMATS.items():
            if suffix in suffixes:
                return name
        known = ", ".join(dict.fromkeys(s for each in PATTERN_FORMATS.values() for s in each))
        raise ParameterError(
            f"{path}: the suffix {path.suffix!r} says no format of patterns. Give one of {known}, "
            f"or format=... ({', '.join(PATTERN_FORMATS)})."
        )
    if format not in PATTERN_FORMATS:
        raise UnknownNameError("format of patterns", format, PATTERN_FORMATS)
    is_nexus = path.suffix.lower() in NEXUS_SUFFIXES
    if is_nexus != (format in _WRITERS):
        raise ParameterError(
            f"{path}: {format} files have the suffix {' or '.join(PATTERN_FORMATS[format])}, not "
            f"{path.suffix!r}. Change the name or the format."
        )
    return format
