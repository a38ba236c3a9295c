"""A dataset that grows while its frames are measured."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import dask.array as da
import numpy as np
import xarray as xr

from beamkit.core.errors import BeamkitError, ParameterError
from beamkit.core.schema import FRAMES, main_variable
from beamkit.readers import open_dataset

from .dectris import DectrisSource
from .frame import Array, FrameSource, GrowingSource, LiveSource, Problem, fill_value
from .growing_folder import FolderSource
from .kept import KeptSource
from .stream import Stream, stream
from .swmr import SwmrSource

#: Lets the thread look for frames this often [s].
_POLL = 0.2


class Watch:
    """Frames that are there so far, and those that come; made by :func:`watch_frames`.

    Attributes
    ----------
    source
        What is watched.
    error
        Why watching ended early; None if it did not.
    """

    def __init__(self, source: FrameSource, *, background: bool = True) -> None:
        self.source = source
        self.error: BeamkitError | None = None
        self._known: tuple[int, xr.Dataset] | None = None
        self._about: xr.Dataset | None = None
        self._failed: dict[int, Problem] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if background:
            self._thread = threading.Thread(target=self._run, name="beamkit-watch", daemon=True)
            self._thread.start()

    def __len__(self) -> int:
        """Return how many frames there were when it was last looked."""
        return len(self.source)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_complete(self) -> bool:
        """Whether no more frames will come, or nobody looks any more."""
        if self._stop.is_set() or self.error is not None:
            return True
        return not isinstance(self.source, GrowingSource) or self.source.is_complete

    @property
    def problems(self) -> list[Problem]:
        """Frames that did not come, not whole, of another size, or could not be read so far."""
        found = {problem.index: problem for problem in getattr(self.source, "problems", ())}
        return [problem for _, problem in sorted({**self._failed, **found}.items())]

    @property
    def data(self) -> xr.Dataset:
        """The frames that are there now, lazily; a new dataset whenever there are more.

        ``frames`` (frame, detector_y, detector_x) [counts] with the coordinates ``source`` and
        ``problem``; what the header of the first frame tells (mask, geometry) comes with it. A
        frame that was lost is filled with NaN, -1 (signed) or the largest number (unsigned).

        Raises
        ------
        ParameterError
            If no frame has come yet.
        """
        length = len(self)
        if not length:
            raise ParameterError(
                "No frame has come yet. Wait for the first: watch.wait(1), and see if the folder "
                "is the one that the detector writes into."
            )
        if self._known is None or self._known[0] != length:
            self._known = length, self._dataset(length)
        return self._known[1]

    def refresh(self) -> int:
        """Look now; return how many frames are there."""
        if isinstance(self.source, GrowingSource) and not self._stop.is_set():
            self.source.wait_for(len(self.source), 0)
        return len(self)

    def wait(self, number: int = 1, timeout: float = 30.0) -> bool:
        """Wait up to ``timeout`` [s] until there are so many frames; say whether they are."""
        end = time.monotonic() + timeout
        while self.refresh() < number:
            left = end - time.monotonic()
            if left <= 0 or self.is_complete:
                break
            time.sleep(min(_POLL / 4, left))
        return len(self) >= number

    def frames(self, start: int = 0, **options: Any) -> Stream:
        """Return the frames from a number on, in order, waiting for those that come.

        Parameters
        ----------
        start
            Number of the first.
        **options
            Of :func:`beamkit.streams.stream`.
        """
        return stream(_Open(self), start=start, **options)

    def __iter__(self) -> Stream:
        return self.frames()

    def stop(self) -> None:
        """Look no more, and close what is open; what is there stays readable."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.source.close()

    def read(self, index: int) -> Array:
        """Return a frame; one that cannot be read is filled, and listed in :attr:`problems`."""
        out = np.empty(self.source.shape, self.source.dtype)
        try:
            self.source.read_into(index, out)
        except BeamkitError as error:
            out.fill(fill_value(out.dtype))
            self._failed[index] = Problem(index, self.source.label(index).source, str(error))
        return out

    def _dataset(self, length: int) -> xr.Dataset:
        about = self._told()
        first = np.zeros((0, 0, 0), self.source.dtype)
        array = da.from_array(
            _Stack(self, length), chunks=(1, -1, -1), name=f"watch-{uuid4().hex}", meta=first,
            asarray=True, lock=False,
        )  # fmt: skip
        problems = {problem.index: problem.reason for problem in self.problems}
        names = [self.source.label(k).source for k in range(length)]
        return about.assign(
            frames=xr.DataArray(
                array,
                dims=FRAMES,
                coords={
                    "frame": np.arange(length),
                    "source": ("frame", names),
                    "problem": ("frame", [problems.get(k, "") for k in range(length)]),
                },
                attrs=about["frames"].attrs,
            )
        )

    def _told(self) -> xr.Dataset:
        """Return what the header of the first sound frame tells, without a dimension frame."""
        if self._about is None:
            self._about = _about(self.source)
        return self._about

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and not self.is_complete:
                self.refresh()
                self._stop.wait(_POLL)
        except BeamkitError as error:
            self.error = error


class _Open:
    """A watched source that a stream reads, ends when watching ends, and does not close."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.read_into = watch.source.read_into
        self.label = watch.source.label

    @property
    def shape(self) -> tuple[int, int]:
        return self._watch.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._watch.source.dtype

    @property
    def is_complete(self) -> bool:
        return self._watch.is_complete

    def __len__(self) -> int:
        return len(self._watch)

    def wait_for(self, index: int, timeout: float) -> bool:
        return self._watch.wait(index + 1, timeout)

    def close(self) -> None:
        return


class _Stack:
    """The first frames of a source as an array that dask reads; a block is one frame."""

    def __init__(self, watch: Watch, length: int) -> None:
        self._watch = watch
        self.shape = (length, *watch.source.shape)
        self.dtype = watch.source.dtype
        self.ndim = 3

    def __getitem__(self, index: tuple[int | slice, ...]) -> Array:
        chosen = range(self.shape[0])[index[0]]
        if isinstance(chosen, int):
            return self._watch.read(chosen)[index[1:]]
        return np.stack([self._watch.read(number)[index[1:]] for number in chosen])


def _about(source: FrameSource) -> xr.Dataset:
    if isinstance(source, KeptSource):
        return source.about()
    lost = {problem.index for problem in getattr(source, "problems", ())}
    sound = next((k for k in range(len(source)) if k not in lost), 0)
    path = getattr(source, "path", None) or source.label(sound).source
    try:
        data = open_dataset(path)
    except BeamkitError:  # a file that only its frames can be read of
        return xr.Dataset({"frames": 0}, attrs={"kind": "diffraction"})
    along = [name for name, each in data.variables.items() if FRAMES[0] in each.dims]
    kept = data.drop_vars(along)
    main = data[main_variable(data)]
    return kept.assign(frames=xr.DataArray(0, attrs=main.attrs))


def _source_to_watch(source: Any, **options: Any) -> FrameSource:
    """Return the growing source of a folder, a pattern, a growing HDF5 file, or a detector."""
    if isinstance(source, str) and "://" in source:
        keep = options.pop("keep", None)
        return KeptSource(DectrisSource(source, **options), keep=keep)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        return SwmrSource(path, **options) if path.is_file() else FolderSource(path, **options)
    if isinstance(source, LiveSource):
        return KeptSource(source, **options)
    if options:
        raise ParameterError(
            f"{', '.join(options)} cannot be given with a {type(source).__name__}, which is a "
            "source already. Give them where it is made."
        )
    if not isinstance(source, FrameSource):
        raise ParameterError(
            f"{type(source).__name__} cannot be watched. Give a folder, a pattern of files, an "
            "HDF5 file that is being written, a detector's tcp://ADDRESS:PORT, or a FrameSource."
        )
    return source


def watch_frames(source: Any, *, background: bool = True, **options: Any) -> Watch:
    """Watch frames that are being measured: a dataset that grows.

    Parameters
    ----------
    source
        Folder or pattern of files, one a frame (:class:`FolderSource`); HDF5 file that is being
        written (:class:`SwmrSource`); ``tcp://ADDRESS:PORT`` of a DECTRIS detector
        (:class:`DectrisSource`), or another :class:`LiveSource`, of which the newest frames are
        kept (:class:`KeptSource`); or a :class:`GrowingSource`.
    background
        Whether a thread looks for frames; False: only :meth:`Watch.refresh` does.
    **options
        Of the source: ``frames``, ``patience``, ``poll``, ``timeout``, ``keep`` ...

    Returns
    -------
    watch
        Its ``data`` is what is there now; a context manager that stops.

    Raises
    ------
    UnreadableFileError
        If there is no such folder or file.
    ParameterError
        If the source cannot be watched.

    Examples
    --------
    >>> import beamkit as bk
    >>> scan = bk.samples.diffraction(
    ...     getfixture("tmp_path") / "scan", frames=3, detector="PILATUS 100K"
    ... )
    >>> with watch_frames(scan.path, frames=3) as watch:
    ...     _ = watch.wait(3)
    ...     dict(watch.data.sizes)
    {'detector_y': 195, 'detector_x': 487, 'frame': 3}
    """
    return Watch(_source_to_watch(source, **options), background=background)
