"""Lattice planes of a powder: spacings and multiplicities from the cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Reflects = Callable[[Indices], NDArray[np.bool_]]


@dataclass(frozen=True)
class Plane:
    """One family of lattice planes, and so one powder ring.

    Attributes
    ----------
    hkl
        Indices of one of the planes.
    spacing
        d [angstrom].
    multiplicity
        How many planes share the ring.
    """

    hkl: tuple[int, int, int]
    spacing: float
    multiplicity: int

    @property
    def label(self) -> str:
        """The indices as text: ``"111"``, or ``"0 0 12"`` where digits would run together."""
        single = all(0 <= index < 10 for index in self.hkl)
        return ("" if single else " ").join(str(index) for index in self.hkl)


@dataclass(frozen=True)
class Lattice:
    """A cubic cell, or a hexagonal one if ``c`` is given [angstrom], and which planes reflect.

    ``1/d^2`` is ``(h^2 + k^2 + l^2)/a^2``, or ``4/3 (h^2 + hk + k^2)/a^2 + l^2/c^2``
    (International Tables for Crystallography C, section 1.1).
    """

    reflects: Reflects
    a: float
    c: float | None = None

    def planes(self, shortest: float) -> tuple[Plane, ...]:
        """Return the families with spacings of at least ``shortest`` [angstrom], descending."""
        hkl = self._indices(shortest)
        in_plane, along = self._squares(hkl)
        per_square = in_plane * self._weights[0] + along * self._weights[1]
        keep = (per_square > 0) & (per_square * shortest**2 <= 1) & self.reflects(hkl)
        hkl, per_square = hkl[keep], per_square[keep]
        families = np.column_stack([in_plane, along])[keep]
        _, family = np.unique(families, axis=0, return_inverse=True)
        order = np.argsort(family.ravel(), kind="stable")
        starts = np.flatnonzero(np.diff(family.ravel()[order])) + 1
        members = np.split(order, starts) if len(order) else []
        found = [_plane(hkl[some], 1 / float(np.sqrt(per_square[some[0]]))) for some in members]
        return tuple(sorted(found, key=lambda plane: -plane.spacing))

    @property
    def _weights(self) -> tuple[float, float]:
        """What the two integers of :meth:`_squares` count for in 1/d^2 [1/angstrom^2]."""
        if self.c is None:
            return 1 / self.a**2, 0.0
        return 4 / (3 * self.a**2), 1 / self.c**2

    def _squares(self, hkl: Indices) -> tuple[Indices, Indices]:
        """Return integers that are the same for planes of the same spacing."""
        h, k, l = hkl.T  # noqa: E741
        if self.c is None:
            return h * h + k * k + l * l, np.zeros_like(l)
        return h * h + h * k + k * k, l * l

    def _indices(self, shortest: float) -> Indices:
        """Return every hkl that can reach ``shortest``. Shape (plane, 3)."""
        # h^2 + hk + k^2 is at least 3/4 h^2, so |h| is at most a/d in both kinds of cell.
        across = int(np.ceil(self.a / shortest))
        along = int(np.ceil((self.c or self.a) / shortest))
        ranges = [np.arange(-limit, limit + 1) for limit in (across, across, along)]
        return np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)


def _plane(hkl: Indices, spacing: float) -> Plane:
    # By custom without minus signs where that is possible, and the largest index first.
    h, k, l = max(hkl.tolist(), key=lambda plane: (min(plane) >= 0, plane))  # noqa: E741
    return Plane((h, k, l), spacing, len(hkl))


# Reflection conditions: International Tables for Crystallography A, chapter 3.1 and the tables
# of the space groups.


def primitive(hkl: Indices) -> NDArray[np.bool_]:
    """Pm-3m: no conditions."""
    return np.ones(len(hkl), bool)


def face_centered(hkl: Indices) -> NDArray[np.bool_]:
    """Fm-3m: all indices even, or all odd."""
    return np.asarray(np.ptp(hkl % 2, axis=1) == 0)


def diamond(hkl: Indices) -> NDArray[np.bool_]:
    """Fd-3m, atoms at 8a: as face-centred, and of the even ones those whose sum is 4n."""
    total = hkl.sum(axis=1)
    return np.asarray(face_centered(hkl) & ((total % 2 == 1) | (total % 4 == 0)))


def corundum(hkl: Indices) -> NDArray[np.bool_]:
    """R-3c, hexagonal axes: -h + k + l = 3n; l even where h, k or -(h + k) is 0."""
    h, k, l = hkl.T  # noqa: E741
    centered = (-h + k + l) % 3 == 0
    return np.asarray(centered & ((l % 2 == 0) | (h * k * (h + k) != 0)))
