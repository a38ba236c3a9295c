"""The numbers of every frame of a measurement, as the frames come."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.errors import BeamkitError, MetadataError
from beamkit.diffraction import Geometry, ImageAnalyser, SpotSettings
from beamkit.diffraction.statistics import NAMES
from beamkit.streams import Watch


class LiveNumbers:
    """Analyses all frames in order, in a thread of its own; none is skipped.

    What is not analysed yet waits in its file, not in memory: a slow machine is late, and says so.

    Parameters
    ----------
    watch
        Whose frames they are.
    settings
        What a spot is.

    Attributes
    ----------
    error
        Why it ended early; empty if it did not.
    note
        What could not be told, and why.
    """

    def __init__(self, watch: Watch, settings: SpotSettings | None) -> None:
        self._watch, self._settings = watch, settings
        self._rows: list[tuple[float, ...]] = []
        self._problems: dict[int, str] = {}
        self.error = self.note = ""
        self._thread = threading.Thread(target=self._run, name="beamkit-live", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        """Return how many frames are analysed."""
        return len(self._rows)

    @property
    def is_done(self) -> bool:
        """Whether all are analysed that will ever be."""
        return not self._thread.is_alive()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end up to ``timeout`` [s]; say whether it came."""
        self._thread.join(timeout)
        return self.is_done

    def rows(self, start: int = 0) -> NDArray[np.float64]:
        """Return the numbers from a frame on. Shape (frame, statistic); NaN where not known."""
        return np.array(self._rows[start:], np.float64).reshape(-1, len(NAMES))

    def table(self) -> pd.DataFrame:
        """Return the numbers so far, a row for each frame, and why there are none."""
        rows = self.rows()
        table = pd.DataFrame(rows, columns=list(NAMES), index=pd.RangeIndex(len(rows)))
        table.index.name = "frame"
        table["problem"] = [self._problems.get(k, "") for k in range(len(rows))]
        return table

    def _run(self) -> None:
        try:
            self._analyse_all()
        except BeamkitError as error:
            self.error = str(error)

    def _analyse_all(self) -> None:
        analyser: ImageAnalyser | None = None
        cutoff = None
        with self._watch.frames(workers=1, prefetch=2) as frames:
            for frame in frames:
                if frame.problem is not None:
                    self._problems[frame.index] = frame.problem
                    self._rows.append((np.nan,) * len(NAMES))
                    continue
                if analyser is None:
                    analyser, cutoff = self._analyser(frame.data.shape)
                numbers = analyser.analyse(frame.data, count_cutoff=cutoff).to_dict()
                self._rows.append(tuple(float(numbers[name]) for name in NAMES))

    def _analyser(self, shape: tuple[int, ...]) -> tuple[ImageAnalyser, float | None]:
        data = self._watch.data
        geometry = self._geometry(data)
        cutoff = data.attrs.get("count_cutoff", data["frames"].attrs.get("count_cutoff"))
        mask: Any = data.get("mask")
        analyser = ImageAnalyser(shape, mask, geometry, settings=self._settings)
        return analyser, None if cutoff is None else float(cutoff)

    def _geometry(self, data: xr.Dataset) -> Geometry | None:
        try:
            found = Geometry.from_dataset(data)
        except MetadataError as error:
            self.note = f"Resolution and ice are not told: {error}"
            return None
        if found.wavelength is None:
            self.note = "Resolution and ice are not told: the header has no wavelength."
            return None
        return found
