"""Image files to patterns: one file of all, or a folder that a stopped run goes on with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from beamkit import diffraction, readers, writers
from beamkit.core import machine
from beamkit.core.errors import BeamkitError, InvalidPixelsError, ParameterError
from beamkit.core.history import extend
from beamkit.core.schema import lines, main_variable, note
from beamkit.readers._detect import scan_in_folder
from beamkit.readers._image_gaps import MARK, require_choice
from beamkit.readers._paths import expand

from ._integrate_folder import integrate_folder, require_no_original

Progress = Callable[[int, int], None]
Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

#: Frames that each thread gets at a time.
_PER_THREAD = 4


@dataclass(frozen=True)
class IntegrationReport:
    """What was written, and what is to be known about it.

    Attributes
    ----------
    out
        The file or folder.
    files
        That were written by this run.
    patterns
        How many frames were integrated by this run.
    resumed
        Image files whose patterns were there already.
    seconds
        Time that it took [s].
    problems
        Frames or files that could not be integrated, and why.
    assumed
        What the files do not say.
    """

    out: Path
    files: tuple[Path, ...]
    patterns: int
    resumed: int
    seconds: float
    problems: dict[str, str]
    assumed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the report as lines of text."""
        number = len(self.files)
        rate = self.patterns / max(self.seconds, 1e-9)
        said = [
            f"{self.out}: {self.patterns} patterns in {number} file{'' if number == 1 else 's'}, "
            f"{self.seconds:.1f} s, {rate:.1f} frames/s"
        ]
        if self.resumed:
            said.append(f"  {self.resumed} files were done by an earlier run")
        said += [f"  problem: {name}: {why}" for name, why in self.problems.items()]
        said += [f"  assumed: {line}" for line in self.assumed]
        return "\n".join(said)


@dataclass(frozen=True)
class Recipe:
    """How frames are opened and integrated; paths are read when a frame's size is known."""

    npt: int | tuple[int, int]
    poni: Path | None
    orientation: int | None
    mask: Path | None
    jobs: int
    opening: dict[str, Any]
    options: dict[str, Any]

    def patterns(self, data: xr.Dataset, progress: Callable[[int], None]) -> xr.Dataset:
        """Return the patterns of a dataset, a block of frames in memory at a time."""
        frames = data[main_variable(data)]
        given = self._given(frames)
        lead = [dim for dim in frames.dims if dim not in ("detector_y", "detector_x")]
        if not lead:
            return diffraction.integrate(data.compute(), self.npt, **given)
        first, step = lead[0], self.jobs * _PER_THREAD
        blocks = []
        for start in range(0, data.sizes[first], step):
            block = data.isel({first: slice(start, start + step)}).compute()
            blocks.append(diffraction.integrate(block, self.npt, **given))
            progress(block.sizes[first])
        joined = xr.concat(
            blocks, first, data_vars="minimal", coords="minimal", compat="override",
            join="override", combine_attrs="override",
        )  # fmt: skip
        return joined.assign_attrs(history=self._history(blocks[0]))

    def _given(self, frames: xr.DataArray) -> dict[str, Any]:
        given = {**self.options, "workers": self.jobs}
        shape = (frames.sizes["detector_y"], frames.sizes["detector_x"])
        if self.poni is not None:
            given["geometry"] = diffraction.Geometry.from_poni(
                self.poni, shape=shape, orientation=self.orientation
            )
        if self.mask is not None:
            given["mask"] = _mask(self.mask, shape, self.mask.stat().st_mtime_ns)
        return given

    def _history(self, block: xr.Dataset) -> str:
        """Return the history with the files that geometry and mask are from."""
        given = {
            "poni": self.poni, "orientation": self.orientation, "mask": self.mask, **self.opening
        }  # fmt: skip
        return extend(block.attrs, "integrate_files", given)


@lru_cache(maxsize=2)
def _mask(path: Path, shape: tuple[int, int], _changed: int) -> xr.DataArray:
    """Return a mask, read once for all the files of a run."""
    return diffraction.load_mask(path, shape=shape)


def integrate_files(
    source: Source,
    out: str | os.PathLike[str],
    *,
    npt: int | tuple[int, int] = 1000,
    format: str | None = None,  # noqa: A002, the word for it
    poni: str | os.PathLike[str] | None = None,
    orientation: int | None = None,
    mask: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    overwrite: bool = False,
    on_error: str = MARK,
    progress: Progress | None = None,
    opening: dict[str, Any] | None = None,
    **options: Any,
) -> IntegrationReport:
    """Integrate image files and write their patterns.

    Parameters
    ----------
    source
        Files as :func:`beamkit.open` takes them.
    out
        With a suffix: one file of all frames (.nxs, .h5), or one a frame (.xye, .xy, .chi:
        ``name_00001.xye`` ...). Without: a folder, with the patterns of each image file under its
        name; stopped, the same call goes on with the files that are not done.
    npt
        Bins: a number, or (radial, azimuthal) for cakes.
    format
        As :func:`beamkit.writers.pattern` knows them; None: by the suffix, in a folder ``"xye"``.
    poni
        Geometry, instead of that of the files.
    orientation
        pyFAI's of the images, instead of that in the PONI file: 2 for a file by a program that
        turned the image upside down (:func:`beamkit.diffraction.poni.read`).
    mask
        File of a mask, added to that of the files: :func:`beamkit.diffraction.load_mask`.
    jobs
        Threads; None for one a core.
    overwrite
        Whether to replace what is there.
    on_error
        ``"mark"``: a damaged or missing frame is a row of NaN, or has no text file, and is listed;
        ``"raise"``: it stops the integration.
    progress
        Called with (done, all): frames, in a folder image files.
    opening
        Options of :func:`beamkit.open`, such as ``{"wavelength": 0.98}``.
    **options
        Of :func:`beamkit.diffraction.integrate`: ``unit``, ``method``, ``radial``, ``sectors`` ...

    Returns
    -------
    report
        What was written, and which frames have problems.

    Raises
    ------
    ParameterError
        If ``out`` is there already, holds patterns of other settings, or an option cannot be.
    UnreadableFileError
        If nothing can be read; with ``on_error="raise"``, if one frame cannot.
    MetadataError, ShapeError, InvalidPixelsError
        As :func:`beamkit.diffraction.integrate` raises them.
    WriteError
        If a file cannot be written; none is ever there in part.
    """
    target = Path(out)
    require_choice(on_error)
    threads = machine.cores() if jobs is None else jobs
    if threads < 1:
        raise ParameterError(f"jobs={jobs}; at least 1 is needed. Leave it out for one a core.")
    paths = [None if each is None else Path(each) for each in (poni, mask)]
    recipe = Recipe(npt, paths[0], orientation, paths[1], threads, dict(opening or {}), options)
    tell = progress or (lambda _done, _all: None)
    start = time.perf_counter()
    if target.suffix and not target.is_dir():
        found = _to_one_file(source, target, format, recipe, overwrite, on_error, tell)
    else:
        found = integrate_folder(
            _image_files(source, recipe), target, format or "xye", recipe, overwrite, on_error, tell
        )
    if not found["files"] and not found["resumed"]:
        raise InvalidPixelsError(
            f"{target}: no frame could be integrated. First problem: "
            f"{next(iter(found['problems'].items()), 'none was found')}"
        )
    return IntegrationReport(out=target, seconds=time.perf_counter() - start, **found)


def _image_files(source: Source, recipe: Recipe) -> list[Path]:
    found: list[Path] = []
    for each in expand(source):
        found += scan_in_folder(each, recipe.opening, None) if each.is_dir() else [each]
    return found


def _to_one_file(
    source: Source,
    target: Path,
    kind: str | None,
    recipe: Recipe,
    overwrite: bool,
    on_error: str,
    tell: Progress,
) -> dict[str, Any]:
    chosen = writers.pattern_format(target, kind)
    _require_new(target, overwrite=overwrite)
    require_no_original(expand(source), target)
    data = opened(source, on_error, recipe.opening)
    total = int(np.prod(data[main_variable(data)].shape[:-2]))
    done = 0

    def advance(frames: int) -> None:
        nonlocal done
        done += frames
        tell(done, total)

    patterns = recipe.patterns(data, advance)
    problems = _empty(patterns)
    for name, why in problems.items():
        note(patterns.attrs, "notes", f"{name}: {why}")
    files = writers.pattern(patterns, target, format=chosen) if len(problems) < total else []
    return {
        "files": tuple(files), "patterns": total - len(problems), "resumed": 0,
        "problems": problems, "assumed": tuple(lines(patterns.attrs, "assumed")),
    }  # fmt: skip


def _require_new(target: Path, *, overwrite: bool) -> None:
    numbered = sorted(target.parent.glob(f"{target.stem}_[0-9][0-9][0-9][0-9][0-9]{target.suffix}"))
    there = [path for path in (target, *numbered[:1]) if path.exists()]
    if there and not overwrite:
        raise ParameterError(
            f"{there[0]} is there already. Choose another name, or give overwrite=True "
            "(--overwrite)."
        )


def opened(source: Any, on_error: str, options: dict[str, Any]) -> xr.Dataset:
    """Return the frames, damaged ones marked where the format can do so."""
    if on_error == MARK:
        try:
            return readers.open_dataset(source, on_error=MARK, **options)
        except BeamkitError:  # a format without series of files; what else is wrong is told now
            pass
    return readers.open_dataset(source, **options)


def _empty(patterns: xr.Dataset) -> dict[str, str]:
    """Return the frames without any value, and what the reader said of them."""
    intensity = patterns["intensity"]
    lead = intensity.dims[:1] if intensity.ndim > 1 else ()
    across = [dim for dim in intensity.dims if dim not in lead]
    has_value: xr.DataArray = intensity.notnull()
    empty = np.atleast_1d(~has_value.any(across).values)
    names = np.atleast_1d(patterns["source"].values) if "source" in patterns.coords else None
    return {
        f"frame {n}"
        + (
            "" if names is None else f" ({names[n]})"
        ): "no pixel has a value: missing, damaged or all masked"
        for n in np.flatnonzero(empty).tolist()
    }
