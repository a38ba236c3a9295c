"""Whether the rings of a calibrant lie where they must: the check of a geometry on a pattern."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError, ParameterError

from .calibrants import Calibrant, calibrant
from .pattern import axis_of, pattern_peaks

#: A ring is sought within this part of its position, or half the way to the next ring.
_REACH = 0.025

#: Rings closer to the next one than this many bins are not looked at.
_FEWEST_BINS = 8

#: A peak counts if it stands out of the noise by this factor.
_SIGNIFICANT = 5.0

#: Fewer rings than this say nothing.
_FEWEST_RINGS = 2


def calibrant_check(
    pattern: xr.Dataset,
    substance: str | Calibrant,
    *,
    tolerance: float = 1e-3,
    most: int = 12,
) -> xr.Dataset:
    """Compare the rings of a calibrant in a pattern with its table.

    Near the place of each ring that stands alone the most prominent peak is taken
    (:func:`beamkit.diffraction.pattern_peaks`). What is compared is q, or for a pattern
    over two_theta sin(theta): both are proportional to 1/d, and for small angles to the inverse
    of the distance, so a ``ratio`` of 1.01 says that the distance is taken 1 % too small.

    Parameters
    ----------
    pattern
        Of one dimension, over q, or over two_theta with the wavelength in its attributes.
    substance
        Name of a calibrant, or one: :func:`beamkit.diffraction.calibrant`.
    tolerance
        Largest median of ``|ratio - 1|`` of a geometry that is good, above 0.
    most
        Rings to look for, from the largest d on.

    Returns
    -------
    rings
        Over ``ring``: ``label``, ``expected``, ``found`` (NaN if there is no peak), ``ratio`` and
        ``height``. ``attrs``: ``ratio`` (median), ``spread`` (of the ratios, standard deviation),
        ``number`` found, ``is_good`` (0 or 1) and ``reason``.

    Raises
    ------
    ParameterError
        If the tolerance or ``most`` is not above 0, or no ring lies in the pattern.
    UnknownNameError
        If there is no such calibrant.
    MetadataError
        If the axis is neither, or the wavelength is missing for two_theta.
    ShapeError
        If there is no radial axis.
    """
    if not (tolerance > 0 and most > 0):
        raise ParameterError(f"tolerance={tolerance}, most={most}; both must be above 0.")
    table = calibrant(substance) if isinstance(substance, str) else substance
    axis = axis_of(pattern)
    x = np.asarray(pattern[axis].values, float)
    expected, labels = _expected(pattern, axis, table)
    ranges = _ranges(expected, x, most)
    if not ranges:
        raise ParameterError(
            f"No ring of {table.name} stands alone between {x[0]:.4g} and {x[-1]:.4g} "
            f"{pattern[axis].attrs.get('units', '')}. Check the calibrant, or use more bins."
        )
    chosen = [index for index, _ in ranges]
    found, height = _tops(pattern, [limits for _, limits in ranges])
    in_radians = str(pattern[axis].attrs.get("units", "")) == "rad"
    ratio = _inverse_d(found, axis, in_radians) / _inverse_d(expected[chosen], axis, in_radians)
    units = {"units": str(pattern[axis].attrs.get("units", ""))}
    return xr.Dataset(
        {
            "expected": ("ring", expected[chosen], units),
            "found": ("ring", found, units),
            "ratio": ("ring", ratio, {"units": "1"}),
            "height": ("ring", height, {"units": str(pattern["intensity"].attrs.get("units", ""))}),
        },
        {"label": ("ring", [labels[index] for index in chosen])},
        {"calibrant": table.name, "axis": axis, **_verdict(ratio, tolerance)},
    )


def _tops(
    pattern: xr.Dataset, limits: list[tuple[float, float]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return position and prominence of the most prominent peak in each range, NaN if none."""
    peaks = pattern_peaks(pattern)
    is_real = peaks["significance"].values >= _SIGNIFICANT
    place, height = (peaks[name].values[is_real] for name in ("position", "prominence"))
    found = np.full((2, len(limits)), np.nan)
    for number, (low, high) in enumerate(limits):
        inside = np.flatnonzero((place > low) & (place < high))
        if inside.size:
            top = inside[np.argmax(height[inside])]
            found[:, number] = place[top], height[top]
    return found[0], found[1]


def _expected(
    pattern: xr.Dataset, axis: str, table: Calibrant
) -> tuple[NDArray[np.float64], list[str]]:
    """Return where the rings must be, in the unit of the pattern, and their labels."""
    units = str(pattern[axis].attrs.get("units", ""))
    if axis == "q":
        places = table.q() * (10.0 if units == "1/nm" else 1.0)
    elif axis == "two_theta":
        wavelength = {**pattern["intensity"].attrs, **pattern.attrs}.get("wavelength")
        if wavelength is None:
            raise MetadataError(
                "The rings over two_theta need the wavelength, which is not known. Set "
                "pattern.attrs['wavelength'] [angstrom], or integrate with unit=\"q_A^-1\"."
            )
        places = table.two_theta(float(wavelength))
        places = np.deg2rad(places) if units == "rad" else places
    else:
        raise MetadataError(
            f"The rings of a calibrant are known over q and two_theta, not over {axis}. Integrate "
            'with unit="q_A^-1".'
        )
    seen = np.isfinite(places)
    labels = [label for label, is_seen in zip(table.labels, seen, strict=True) if is_seen]
    return places[seen], labels


def _ranges(
    expected: NDArray[np.float64], x: NDArray[np.float64], most: int
) -> list[tuple[int, tuple[float, float]]]:
    """Return index and range of the rings that lie inside, wide enough to be fitted alone."""
    step = float(np.median(np.diff(x)))
    around = np.concatenate([[-np.inf], expected, [np.inf]])
    found: list[tuple[int, tuple[float, float]]] = []
    for index, place in enumerate(expected):
        room = min(place - around[index], around[index + 2] - place) / 2
        half = min(max(_REACH * place, _FEWEST_BINS * step), room)
        is_inside = x[0] < place - half and place + half < x[-1]
        if is_inside and 2 * half >= _FEWEST_BINS * step:
            found.append((index, (float(place - half), float(place + half))))
    return found[:most]


def _inverse_d(place: NDArray[np.float64], axis: str, in_radians: bool) -> NDArray[np.float64]:
    """Return what is proportional to 1/d: q itself, or sin(theta)."""
    if axis == "q":
        return place
    return np.asarray(np.sin((place if in_radians else np.deg2rad(place)) / 2))


def _verdict(ratio: NDArray[np.float64], tolerance: float) -> dict[str, Any]:
    known = ratio[np.isfinite(ratio)]
    number = len(known)
    if number < min(_FEWEST_RINGS, len(ratio)) or not number:
        reason = f"{number} of {len(ratio)} rings are where they are looked for"
        return {"number": number, "is_good": 0, "reason": reason}
    middle, spread = float(np.median(known)), float(np.std(known))
    worst = float(np.median(np.abs(known - 1)))
    is_good = worst <= tolerance and number >= len(ratio) / 2
    reason = (
        f"the rings are off by {100 * worst:.3f} % (median of {number}; with sign, "
        f"{100 * (middle - 1):+.3f} %)"
    )
    if number < len(ratio) / 2:
        reason += f"; only {number} of {len(ratio)} rings are there"
    return {
        "number": number, "ratio": middle, "spread": spread, "is_good": int(is_good),
        "reason": reason,
    }  # fmt: skip
