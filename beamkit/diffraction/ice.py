"""Rings of frozen water, which crystals cooled too slowly show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._lattice import Indices, Lattice
from .calibrants import Calibrant

#: Cell of hexagonal ice at the 100 K of a cryostream [angstrom]: the one that DIALS filters ice
#: rings with (dials/algorithms/integration/filtering.py, space group 194). It grows by less than
#: 1 % up to the melting point (Roettger et al., Acta Cryst. B50, 644 (1994)).
ICE_A, ICE_C = 4.498, 7.338


def ice_rings(*, shortest: float = 1.2) -> Calibrant:
    """Return the rings of hexagonal ice down to a spacing [angstrom].

    P6_3/mmc with oxygen at 4f (1/3, 2/3, z): l is even where h - k = 3n (International Tables
    for Crystallography A, space group 194). There the structure factor is 4 f cos(2 pi l z), and
    as z is close to 1/16, where the tetrahedra are regular (Kuhs & Lehmann, J. Phys. Chem. 87,
    4312 (1983)), the rings with l = 4, 12 ... are too weak to be seen and left out.

    Examples
    --------
    >>> [round(d, 2) for d in ice_rings(shortest=2.0).spacings]
    [3.9, 3.67, 3.44, 2.67, 2.25, 2.07]
    """
    planes = Lattice(_reflects, ICE_A, ICE_C).planes(shortest)
    return Calibrant(
        "ice Ih",
        tuple(plane.spacing for plane in planes),
        tuple(f"ice {plane.label}" for plane in planes),
        "cell of DIALS, P6_3/mmc",
    )


def _reflects(hkl: Indices) -> NDArray[np.bool_]:
    h, k, l = hkl.T  # noqa: E741
    in_phase = (h - k) % 3 == 0
    return np.asarray(~in_phase | ((l % 2 == 0) & (l % 8 != 4)))
