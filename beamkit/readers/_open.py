"""``bk.open``: from a name of files to a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.core.schema import KINDS, note

from ._detect import choose, is_readable, require_content, scan_in_folder
from ._image_gaps import MARK
from ._nexus_tree import remembered
from ._overrides import override
from ._paths import PathLike, expand


def open_dataset(
    path: PathLike | Sequence[PathLike],
    *,
    kind: str | None = None,
    verify: bool = False,
    **options: Any,
) -> xr.Dataset:
    """Open files of a detector, whatever their format, reading only the headers.

    Parameters
    ----------
    path
        A file, a glob (``"raw/*.cbf"``), a folder, or several of these; files of a series are
        taken in natural order, 2 before 10.
    kind
        What the dataset must be (:data:`beamkit.core.schema.KINDS`). ``"tomography"`` makes a
        scan out of a stack of images; None takes what the file is.
    verify
        Whether to check the checksums that the files have; this reads all the data. Where they
        have none, ``attrs["notes"]`` says so.
    **options
        Options of the format (``data=``, ``angles=``, ``on_error=`` ...), and any attribute of
        :data:`beamkit.core.schema.ATTRIBUTES` that the file does not say or says wrong:
        ``energy=53``, ``effective_pixel_size=1.28e-6``, ``beam_center=(730.1, 865.4)``. They are
        recorded in ``attrs["history"]`` with the old value.

    Returns
    -------
    data
        Lazy dataset in the vocabulary of :mod:`beamkit.core.schema`.

    Raises
    ------
    UnreadableFileError
        If a file is missing, empty or damaged, or does not hold what its format promises.
    UnknownFormatError
        If no format knows the file; says what it seems to be.
    MissingSourceError
        If a link or a virtual dataset leads to a file that is not there.
    ChecksumError
        With ``verify``, if the data are not those that were written.
    UnknownNameError
        If an option is not known; lists those that are.
    """
    _require_kind(kind)
    with remembered():
        return _opened(path, kind, verify, options)


def _opened(
    path: PathLike | Sequence[PathLike], kind: str | None, verify: bool, options: dict[str, Any]
) -> xr.Dataset:
    paths = _files(path, options, kind)
    chosen = choose(_first(paths, options, kind), options, kind)
    checked = chosen.verify(paths) if verify and chosen.verify is not None else 0
    own = {name: value for name, value in options.items() if name in chosen.options}
    if kind is not None and "kind" in chosen.options:
        own["kind"] = kind
    data = chosen.read(paths, **own)
    _require_same_kind(data, kind, paths[0])
    if verify and checked == 0:
        note(data.attrs, "notes", "verify: the files have no checksums; nothing was checked")
    general = {name: value for name, value in options.items() if name not in chosen.options}
    own.pop("kind", None)
    return override(data, general, own)


def _files(
    path: PathLike | Sequence[PathLike], options: dict[str, Any], kind: str | None
) -> list[Path]:
    found: list[Path] = []
    for each in expand(path):
        found += scan_in_folder(each, options, kind) if each.is_dir() else [each]
    if not _marks(options):
        require_content(found)
    return found


def _marks(options: dict[str, Any]) -> bool:
    """Say whether a damaged file of a series is to be marked, not refused."""
    return bool(options.get("on_error") == MARK)


def _first(paths: list[Path], options: dict[str, Any], kind: str | None) -> Path:
    """Return the file that tells the format: the first, or the first that is whole."""
    whole = (path for path in paths if is_readable(path, options, kind))
    return next(whole, paths[0]) if _marks(options) else paths[0]


def _require_kind(kind: str | None) -> None:
    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind of dataset", kind, KINDS)


def _require_same_kind(data: xr.Dataset, kind: str | None, path: Path) -> None:
    found = data.attrs["kind"]
    if kind is not None and found != kind:
        raise ParameterError(
            f"{path} opens as {found!r}, not as {kind!r}. Leave kind out, or name the data: "
            "data=..., and angles=... for a tomography scan."
        )
