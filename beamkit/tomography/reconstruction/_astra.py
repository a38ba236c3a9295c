"""Back projection by ASTRA, on the CPU or a CUDA device; the one door to it.

Van Aarle et al. 2016, Opt. Express 24, 25129, doi:10.1364/OE.24.025129. What differs from us
stays in here: rows of an image run the other way, and objects live until they are deleted.

The rows are filtered here as for the other engine, with the axis shifted to the middle by a phase:
ASTRA's own FBP has other filters, and on the CPU takes no detector that is off the axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from beamkit.core.errors import EngineError, MissingDependencyError
from beamkit.core.machine import cores
from beamkit.core.optional import need

from ._geometry import Geometry, pad_rows


@cache
def load() -> ModuleType:
    """Import ASTRA.

    Raises
    ------
    MissingDependencyError
        If it is not installed, or is installed without the CUDA libraries that it links to.
    """
    try:
        return need("astra", extra="astra", to="reconstruct with ASTRA")
    except MissingDependencyError:
        raise
    except ImportError as error:
        raise MissingDependencyError(
            f"astra is installed but does not load ({error}). Its wheel needs two CUDA libraries, "
            'even for its CPU algorithms. Install them with: pip install "beamkit[astra]"'
        ) from error


@cache
def has_gpu() -> bool:
    """Say whether ASTRA finds a CUDA device. Raises MissingDependencyError as :func:`load`."""
    return bool(load().use_cuda())


class AstraBackprojector:
    """Turn sinograms into slices, one after the other (ASTRA) or one a thread (CPU).

    Parameters
    ----------
    geometry
        The scan.
    factors
        Filter, shape (geometry.padded,) [1/pixel].
    device
        ``"cpu"`` or ``"gpu"``.
    """

    def __init__(self, geometry: Geometry, factors: NDArray[np.float64], device: str) -> None:
        self._device = device
        self._geometry = geometry
        length = geometry.padded
        # The corners of the slice lie size / sqrt(2) from the axis, which goes to the middle.
        self._columns = min(length, int(np.ceil(geometry.size * 1.4143)) + 3)
        shift = geometry.center - (self._columns - 1) / 2
        w = 2 * np.pi * fft.rfftfreq(length)
        half = factors[: length // 2 + 1] * np.exp(1j * w * shift)
        self._factors = (geometry.weights[:, None] * half).astype(np.complex64)

    def slices(
        self, sinograms: NDArray[np.float32], threads: int | None = None
    ) -> NDArray[np.float32]:
        """Return a slice for each detector row.

        Parameters
        ----------
        sinograms
            Shape (angle, detector_y, detector_x), finite.
        threads
            Threads for slices on the CPU; None takes one for each core.

        Returns
        -------
        slices
            Shape (detector_y, y, x), float32 [1/pixel].

        Raises
        ------
        EngineError
            If ASTRA fails, such as by lack of memory on the device.
        """
        size = self._geometry.size
        result = np.empty((sinograms.shape[1], size, size), np.float32)

        def work(row: int) -> None:
            result[row] = self._back_project(self._filter(sinograms[:, row]))

        workers = 1 if self._device == "gpu" else (threads or cores())
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(work, range(len(result))))
        return result

    def _filter(self, sinogram: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the filtered sinogram with the axis in the middle."""
        length = self._geometry.padded
        spectrum = fft.rfft(pad_rows(sinogram, length), axis=1)
        spectrum *= self._factors
        rows = fft.irfft(spectrum, length, axis=1)
        return np.ascontiguousarray(rows[:, : self._columns], np.float32)

    def _back_project(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the sum of the rows along their rays."""
        astra, size = load(), self._geometry.size
        detector = astra.create_proj_geom("parallel", 1.0, self._columns, self._geometry.angles)
        plane = astra.create_vol_geom(size, size)
        try:
            with (
                _held(astra.data2d, astra.data2d.create("-sino", detector, rows)) as data,
                _held(astra.data2d, astra.data2d.create("-vol", plane)) as image,
                self._algorithm(detector, plane, data, image) as job,
            ):
                astra.algorithm.run(job)
                turned: NDArray[np.float32] = astra.data2d.get(image)[::-1]
                return turned
        except Exception as error:  # ASTRA raises bare Exception
            raise EngineError(
                f"ASTRA failed on the {self._device} for a slice of {size} x {size} pixels from "
                f"{rows.shape[0]} angles: {error}. Use engine='nufft', or a smaller size=."
            ) from error

    @contextmanager
    def _algorithm(self, detector: Any, plane: Any, data: int, image: int) -> Iterator[int]:
        astra = load()
        config = astra.astra_dict("BP_CUDA" if self._device == "gpu" else "BP")
        config.update(ProjectionDataId=data, ReconstructionDataId=image)
        if self._device == "gpu":
            with _held(astra.algorithm, astra.algorithm.create(config)) as job:
                yield job
            return
        projector = astra.create_projector("linear", detector, plane)
        with _held(astra.projector, projector):
            config["ProjectorId"] = projector
            with _held(astra.algorithm, astra.algorithm.create(config)) as job:
                yield job


@contextmanager
def _held(room: Any, handle: int) -> Iterator[int]:
    """Delete an object in the end: ASTRA keeps what is not deleted for the life of the process."""
    try:
        yield handle
    finally:
        room.delete(handle)
