"""Reference lines of a phase: where its powder lines lie, and how strong they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from beamkit.core.errors import ParameterError, UnreadableFileError
from beamkit.core.optional import need

Indices: TypeAlias = tuple[int, int, int]

#: Spacings that differ by less than this part are one line.
_SAME = 1e-7

#: Structure factors below this part of the largest are extinct: rounding of positions in a file.
_EXTINCT = 1e-6


def reference_lines(
    phase: str | os.PathLike[str] | Sequence[float],
    wavelength: float | None = None,
    *,
    space_group: str = "P 1",
    shortest: float = 0.8,
) -> xr.Dataset:
    """Return the powder lines of a crystal, from its CIF or its cell.

    The intensity is kinematic, that of a pattern whose polarisation is corrected:
    ``multiplicity |F|^2 / (sin theta sin 2 theta)`` (International Tables for Crystallography C,
    section 6.2), without absorption, texture or anomalous scattering.

    Parameters
    ----------
    phase
        A CIF; or a cell: a, or a, b, c [angstrom], or these and alpha, beta, gamma [deg].
    wavelength
        [angstrom], for ``two_theta`` and the Lorentz factor; None: neither of them.
    space_group
        Hermann-Mauguin symbol or number, for a cell: which planes are extinct and equivalent.
    shortest
        Smallest d [angstrom], above 0.

    Returns
    -------
    lines
        Over ``line``, d descending: ``d`` [angstrom], ``q`` [1/angstrom], ``two_theta`` [deg],
        ``hkl`` (text; all families of the same d), ``multiplicity``, and for a CIF ``intensity``,
        of the strongest line 100.

    Raises
    ------
    UnreadableFileError
        If the CIF cannot be read, or has no cell or atoms.
    ParameterError
        If the cell, the space group, the wavelength or ``shortest`` cannot be.
    MissingDependencyError
        If gemmi (extra ``diffraction``) is not installed.
    """
    gemmi = need("gemmi", extra="diffraction", to="compute the lines of a phase")
    for name, value in {"shortest": shortest, "wavelength": wavelength}.items():
        if value is not None and not value > 0:
            raise ParameterError(f"{name}={value}; it must be above 0 angstrom.")
    if isinstance(phase, (str, os.PathLike)):
        structure = _structure(gemmi, Path(phase))
        cell, group = structure.cell, _group(gemmi, structure.spacegroup)
        calculator: Any = gemmi.StructureFactorCalculatorX(cell)
        families = _families(gemmi, cell, group, _reach(shortest, wavelength))
        squares = [
            abs(calculator.calculate_sf_from_small_structure(structure, each.hkl)) ** 2
            for each in families
        ]
    else:
        cell, group = _cell(gemmi, phase), _group(gemmi, space_group)
        families, squares = _families(gemmi, cell, group, _reach(shortest, wavelength)), None
    return _table(families, squares, wavelength, str(group.xhm()))


@dataclass(frozen=True)
class _Family:
    hkl: Indices
    spacing: float
    multiplicity: int


def _reach(shortest: float, wavelength: float | None) -> float:
    """No plane closer than half a wavelength scatters."""
    return shortest if wavelength is None else max(shortest, wavelength / 2 * (1 + 1e-9))


def _structure(gemmi: Any, path: Path) -> Any:
    try:
        structure = gemmi.read_small_structure(str(path))
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UnreadableFileError(
            f"{path} cannot be read as a CIF: {reason}. Give a CIF of a crystal structure."
        ) from error
    if not structure.sites or structure.cell.a <= 1:
        raise UnreadableFileError(
            f"{path} has {len(structure.sites)} atoms and the cell {structure.cell.parameters}; "
            "lines need a cell and at least one atom. Give the cell itself, and space_group=..."
        )
    structure.change_occupancies_to_crystallographic()  # atoms on symmetry elements count once
    return structure


def _cell(gemmi: Any, given: Any) -> Any:
    numbers = [float(value) for value in np.atleast_1d(np.asarray(given, float))]
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) == 3:
        numbers += [90.0, 90.0, 90.0]
    is_cell = len(numbers) == 6 and min(numbers) > 0 and max(numbers[3:]) < 180
    cell = gemmi.UnitCell(*numbers) if is_cell else None
    if cell is None or not cell.volume > 0:
        raise ParameterError(
            f"The cell {given!r} is impossible. Give a, or (a, b, c) [angstrom], or "
            "(a, b, c, alpha, beta, gamma) with angles in deg."
        )
    return cell


def _group(gemmi: Any, given: Any) -> Any:
    if not isinstance(given, (str, int)):
        return given or gemmi.SpaceGroup("P 1")
    try:
        return gemmi.SpaceGroup(given)
    except ValueError as error:
        raise ParameterError(
            f"The space group {given!r} is not known. Give a Hermann-Mauguin symbol, such as "
            "'F m -3 m', or a number from 1 to 230."
        ) from error


def _families(gemmi: Any, cell: Any, group: Any, shortest: float) -> list[_Family]:
    operations = group.operations()
    # A little farther, so that a plane at the limit is not lost to rounding.
    indices = gemmi.make_miller_array(cell, group, shortest * (1 - 1e-9))
    found = []
    for row in indices:
        hkl: Indices = (int(row[0]), int(row[1]), int(row[2]))
        if any(hkl) and not operations.is_systematically_absent(hkl):
            equal = _equivalents(operations, hkl)
            nicest = max(equal, key=lambda plane: (min(plane) >= 0, plane))
            found.append(_Family(nicest, cell.calculate_d(hkl), len(equal)))
    return sorted(found, key=lambda each: -each.spacing)


def _equivalents(operations: Any, hkl: Indices) -> set[Indices]:
    """Return the planes that share a line by symmetry, with those behind them (Friedel)."""
    turned = [tuple(op.apply_to_hkl(hkl)) for op in operations.sym_ops]
    return {(s * h, s * k, s * l) for h, k, l in turned for s in (1, -1)}  # noqa: E741


def _table(
    families: Sequence[_Family],
    squares: Sequence[float] | None,
    wavelength: float | None,
    group: str,
) -> xr.Dataset:
    spacings = np.array([each.spacing for each in families])
    starts = np.flatnonzero(np.diff(spacings, prepend=np.inf) < -_SAME * spacings)
    ends = [*starts[1:].tolist(), len(families)]
    bounds = list(zip(starts.tolist(), ends, strict=True))
    parts = [families[first:last] for first, last in bounds]
    multiplicity = np.array([each.multiplicity for each in families])
    data: dict[str, Any] = {
        "hkl": ("line", [", ".join(_label(each.hkl) for each in part) for part in parts]),
        "multiplicity": ("line", _sums(multiplicity, bounds), {"units": "1"}),
    }
    spacing = spacings[starts]
    data["d"] = ("line", spacing, {"units": "angstrom"})
    data["q"] = ("line", 2 * np.pi / spacing, {"units": "1/angstrom"})
    theta = None if wavelength is None else np.arcsin(wavelength / (2 * spacing))
    if theta is not None:
        data["two_theta"] = ("line", np.rad2deg(2 * theta), {"units": "deg"})
    lines = xr.Dataset(data, attrs={"space_group": group})
    if wavelength is not None:
        lines.attrs["wavelength"] = float(wavelength)
    if squares is None or not len(starts):
        return lines
    strength = _sums(multiplicity * np.asarray(squares), bounds)
    lorentz = 1.0 if theta is None else 1 / (np.sin(theta) * np.sin(2 * theta))
    kept = strength > _EXTINCT * strength.max()
    intensity = strength * lorentz
    lines["intensity"] = ("line", 100 * intensity / intensity.max(), {"units": "percent"})
    return lines.isel(line=np.flatnonzero(kept))


def _sums(values: Any, bounds: Sequence[tuple[int, int]]) -> Any:
    return np.array([values[first:last].sum() for first, last in bounds])


def _label(hkl: Indices) -> str:
    single = all(0 <= index < 10 for index in hkl)
    return ("" if single else " ").join(str(index) for index in hkl)
