"""Powders whose lattice spacings are certified."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import MetadataError, ParameterError, UnknownNameError, UnreadableFileError

from . import _lattice
from ._lattice import Lattice, Plane

#: Silver behenate, d of the first order [angstrom], and the orders that are seen:
#: Huang et al., J. Appl. Cryst. 26, 180 (1993).
_AGBEH_SPACING, _AGBEH_ORDERS = 58.380, 25

#: Planes closer than this [angstrom] are left out unless they are asked for.
_SHORTEST = 0.5

#: Name, cell [angstrom] and where it is from. Certificates: https://www.nist.gov/srm; the values
#: are those of pyFAI's calibrant files, which cite them.
_POWDERS: dict[str, tuple[Lattice, str]] = {
    "LaB6 660a": (Lattice(_lattice.primitive, 4.1569162), "NIST SRM 660a"),
    "LaB6 660b": (Lattice(_lattice.primitive, 4.15689), "NIST SRM 660b"),
    "LaB6 660c": (Lattice(_lattice.primitive, 4.156826), "NIST SRM 660c"),
    "Si 640": (Lattice(_lattice.diamond, 5.43088), "NIST SRM 640"),
    "Si 640a": (Lattice(_lattice.diamond, 5.430825), "NIST SRM 640a"),
    "Si 640b": (Lattice(_lattice.diamond, 5.43094), "NIST SRM 640b"),
    "Si 640c": (Lattice(_lattice.diamond, 5.4311946), "NIST SRM 640c"),
    "Si 640d": (Lattice(_lattice.diamond, 5.43123), "NIST SRM 640d"),
    "Si 640e": (Lattice(_lattice.diamond, 5.431179), "NIST SRM 640e"),
    "CeO2": (Lattice(_lattice.face_centered, 5.411651), "NIST SRM 674b"),
    "Al2O3 676": (Lattice(_lattice.corundum, 4.75919, 12.99183), "NIST SRM 676"),
    "Al2O3 676a": (Lattice(_lattice.corundum, 4.759355, 12.99231), "NIST SRM 676a (2015)"),
    "Al2O3 676a 2008": (Lattice(_lattice.corundum, 4.7590914, 12.991779), "NIST SRM 676a (2008)"),
    "Cr2O3": (Lattice(_lattice.corundum, 4.958979, 13.59592), "NIST SRM 674b"),
    "Ni": (Lattice(_lattice.face_centered, 3.52387), "Taylor, J. Inst. Metals 77, 585 (1950)"),
    "Au": (
        Lattice(_lattice.face_centered, 4.0782),
        "Maeland & Flanagan, Can. J. Phys. 42, 2364 (1964)",
    ),
    "Al": (Lattice(_lattice.face_centered, 4.0495), "Witt, Z. Naturforsch. A 22, 92 (1967)"),
    "Pt": (Lattice(_lattice.face_centered, 3.9231), "Wyckoff, Crystal Structures (1963)"),
    "NaCl": (
        Lattice(_lattice.face_centered, 5.6401),
        "Walker et al., American Mineralogist 89, 204 (2004)",
    ),
}

#: Every name that :func:`calibrant` knows.
CALIBRANTS = ("AgBeh", *_POWDERS)

#: Other names, as the beamlines use them. Without a letter it is the batch that pyFAI means.
ALIASES = {
    "AgBh": "AgBeh",
    "silver behenate": "AgBeh",
    "LaB6": "LaB6 660c",
    "Si": "Si 640c",
    "silicon": "Si 640c",
    "ceria": "CeO2",
    "Al2O3": "Al2O3 676a",
    "Al2O3 676a 2015": "Al2O3 676a",
    "corundum": "Al2O3 676a",
    "nickel": "Ni",
    "gold": "Au",
}


@dataclass(frozen=True)
class Calibrant:
    """The powder rings of a known substance.

    Attributes
    ----------
    name
        Of the substance, and its batch.
    spacings
        d of the lattice planes, descending [angstrom].
    labels
        Of each ring: indices such as ``"111"``, or d.
    source
        Where the spacings are from.
    """

    name: str
    spacings: tuple[float, ...]
    labels: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.spacings):
            raise ParameterError(
                f"Calibrant {self.name} has {len(self.spacings)} spacings but {len(self.labels)} "
                "labels; each needs one. Give as many labels, or none."
            )

    def __len__(self) -> int:
        return len(self.spacings)

    @classmethod
    def from_spacings(
        cls,
        spacings: Sequence[float],
        *,
        name: str = "spacings",
        labels: Sequence[str] | None = None,
        source: str = "given",
    ) -> Calibrant:
        """Return the calibrant with these lattice spacings.

        Parameters
        ----------
        spacings
            d [angstrom], above 0, in any order; one that is given twice counts once.
        name, source
            What it is, and where the spacings are from.
        labels
            Of each ring, in the order of ``spacings``; None for d with three decimals.

        Raises
        ------
        ParameterError
            If there is no spacing, one is not above 0, or labels and spacings differ in number.
        """
        values = [float(value) for value in spacings]
        if not values or not all(np.isfinite(value) and value > 0 for value in values):
            raise ParameterError(
                f"The lattice spacings of {name} are {values[:5]}; there must be at least one, "
                "each above 0 angstrom. Correct the list."
            )
        texts = [f"{value:.3f}" for value in values] if labels is None else list(labels)
        if len(texts) != len(values):
            raise ParameterError(
                f"{name} has {len(values)} spacings but {len(texts)} labels; each needs one. "
                "Give as many labels, or none."
            )
        first = dict(reversed(list(zip(values, texts, strict=True))))
        ordered = sorted(first, reverse=True)
        return cls(name, tuple(ordered), tuple(first[value] for value in ordered), source)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Calibrant:
        """Return the calibrant of a file of d spacings, such as pyFAI's ``.D`` files.

        One spacing [angstrom] a line; ``#`` starts a comment, which gives the label if it holds
        indices in brackets: ``3.1244 # (1 1 1)``.

        Raises
        ------
        UnreadableFileError
            If the file cannot be read or holds no spacing, or a line is not a number above 0.
        """
        file = Path(path)
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            raise UnreadableFileError(
                f"{file} cannot be read: {os.strerror(error.errno or 0)}. Give a text file with "
                "one d spacing [angstrom] a line."
            ) from error
        found = [line for n, text in enumerate(lines, 1) if (line := _line(file, n, text))]
        if not found:
            raise UnreadableFileError(
                f"{file} holds no d spacing among its {len(lines)} lines; there must be one a "
                "line [angstrom]. Give another file."
            )
        values, labels = zip(*found, strict=True)
        return cls.from_spacings(values, name=file.stem, labels=labels, source=file.name)

    def within(self, shortest: float, longest: float = np.inf) -> Calibrant:
        """Return the rings with d from ``shortest`` to ``longest`` [angstrom]; may be none."""
        keep = [n for n, d in enumerate(self.spacings) if shortest <= d <= longest]
        return Calibrant(
            self.name,
            tuple(self.spacings[n] for n in keep),
            tuple(self.labels[n] for n in keep),
            self.source,
        )

    def q(self) -> NDArray[np.float64]:
        """Return the length of the scattering vector of each ring, 2 pi/d [1/angstrom]."""
        return 2 * np.pi / np.asarray(self.spacings, float)

    def two_theta(self, wavelength: float) -> NDArray[np.float64]:
        """Return the scattering angle of each ring [deg]; NaN where d is under wavelength/2.

        Bragg's law, ``wavelength = 2 d sin(theta)``; wavelength [angstrom].

        Raises
        ------
        MetadataError
            If the wavelength is not above 0.
        """
        if not wavelength > 0:
            raise MetadataError(
                f"The wavelength is {wavelength} angstrom; it must be above 0. Set it from the "
                "energy: beamkit.core.units.wavelength_from_energy."
            )
        sine = wavelength / (2 * np.asarray(self.spacings, float))
        return np.asarray(np.rad2deg(2 * np.arcsin(np.where(sine <= 1, sine, np.nan))))


def calibrant(name: str, *, shortest: float = _SHORTEST) -> Calibrant:
    """Return the powder rings of a calibrant, from its certified cell.

    Parameters
    ----------
    name
        One of :data:`CALIBRANTS` or :data:`ALIASES`; case, blanks and ``"SRM"`` do not matter:
        ``"LaB6_SRM660c"`` is ``"LaB6 660c"``.
    shortest
        Smallest d [angstrom], above 0.

    Raises
    ------
    UnknownNameError
        If there is no such calibrant.
    ParameterError
        If ``shortest`` is not above 0.

    Examples
    --------
    >>> ceria = calibrant("CeO2", shortest=1.5)
    >>> [(label, round(d, 4)) for label, d in zip(ceria.labels, ceria.spacings)]
    [('111', 3.1244), ('200', 2.7058), ('220', 1.9133), ('311', 1.6317), ('222', 1.5622)]
    """
    known = find(name)
    found = planes(known, shortest)
    source = "Huang et al. (1993)" if known == "AgBeh" else _POWDERS[known][1]
    return Calibrant(
        known,
        tuple(plane.spacing for plane in found),
        tuple(plane.label for plane in found),
        source,
    )


def planes(name: str, shortest: float = _SHORTEST) -> tuple[Plane, ...]:
    """Return the lattice planes of a calibrant, d descending, with their multiplicities.

    Parameters and errors are those of :func:`calibrant`.
    """
    if not shortest > 0:
        raise ParameterError(
            f"The smallest d spacing asked for is {shortest} angstrom; it must be above 0. "
            f"Without it, it is {_SHORTEST}."
        )
    known = find(name)
    if known == "AgBeh":
        orders = range(1, min(_AGBEH_ORDERS, int(_AGBEH_SPACING / shortest)) + 1)
        return tuple(Plane((0, 0, order), _AGBEH_SPACING / order, 2) for order in orders)
    return _POWDERS[known][0].planes(shortest)


def find(name: str) -> str:
    """Return the name in :data:`CALIBRANTS` that is meant. Raises UnknownNameError."""
    known = {_plain(one): one for one in CALIBRANTS}
    known |= {_plain(alias): one for alias, one in ALIASES.items()}
    if _plain(name) not in known:
        raise UnknownNameError("calibrant", name, (*CALIBRANTS, *ALIASES))
    return known[_plain(name)]


def _plain(name: str) -> str:
    """Return a name without case, blanks, and words that some put before the batch."""
    return re.sub(r"srm|nist|alpha|[^a-z0-9]", "", name.lower())


def _line(file: Path, number: int, text: str) -> tuple[float, str] | None:
    """Return spacing and label of a line; None for an empty one."""
    value, _, comment = text.partition("#")
    if not value.strip():
        return None
    try:
        spacing = float(value.split()[0])
    except ValueError:
        spacing = -1.0
    if not (np.isfinite(spacing) and spacing > 0):
        raise UnreadableFileError(
            f"{file}: line {number} is {text.strip()!r}; it must start with a d spacing "
            "[angstrom] above 0, or with # if it is a comment."
        )
    indices = re.search(r"\(([-\d\s]+)\)", comment)
    return spacing, _as_label(indices[1].split()) if indices else f"{spacing:.3f}"


def _as_label(indices: Sequence[str]) -> str:
    return ("" if all(len(index) == 1 for index in indices) else " ").join(indices)
