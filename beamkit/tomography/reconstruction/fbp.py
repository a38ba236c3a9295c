"""Filtered back projection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ._astra import AstraBackprojector
from ._filters import response
from ._geometry import Geometry
from ._nufft import NufftBackprojector


def fbp(
    sinograms: NDArray[np.float32],
    geometry: Geometry,
    *,
    engine: str,
    device: str,
    filter: str = "ramp",  # noqa: A002 - the word of the field
    numbers: Sequence[int],
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Return slices by filtered back projection (Kak & Slaney 1988, section 3.3).

    Exact for enough angles over 180 degrees and a sample that stays on the detector; or over 360
    degrees and a sample that one side of the detector reaches, with the axis anywhere on it.

    Parameters
    ----------
    sinograms
        Line integrals, shape (angle, detector_y, detector_x) [1], finite.
    geometry
        Angles, axis and size of the slices.
    engine, device
        ``"nufft"`` on ``"cpu"``, or ``"astra"`` on ``"cpu"`` or ``"gpu"``.
    filter
        One of :data:`beamkit.tomography.FILTERS`.
    numbers
        Number of each row on the whole detector.
    threads
        Threads; None takes one for each core.

    Returns
    -------
    slices
        Shape (detector_y, y, x), float32 [1/pixel].

    Raises
    ------
    UnknownNameError
        If there is no such filter.
    EngineError
        If the engine fails.
    """
    factors = response(filter, geometry.padded)
    redundancy = geometry.redundancy
    if redundancy is not None:
        sinograms = sinograms * redundancy.astype(np.float32)
    if engine == "astra":
        return AstraBackprojector(geometry, factors, device).slices(sinograms, threads)
    return NufftBackprojector(geometry, factors).slices(sinograms, numbers, threads)
