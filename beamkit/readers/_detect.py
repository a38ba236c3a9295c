"""Which format a file has; and, if none knows it, what can be said about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from beamkit.core.errors import (
    BeamkitError,
    UnknownFormatError,
    UnknownNameError,
    UnreadableFileError,
)

from ._formats import Format, formats
from ._paths import files_in

#: First bytes by which a kind of file is recognised that no reader opened.
_MAGIC = {
    b"\x89HDF\r\n\x1a\n": "HDF5 without a layout that beamkit knows",
    b"CDF": "netCDF classic",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "gzip-compressed data",
    b"BZh": "bzip2-compressed data",
    b"MATLAB 5.0": "a MATLAB 5 file",
    b"\x93NUMPY": "a NumPy array",
    b"###CBF": "a CBF file whose header is damaged",
    b"{": "JSON text",
}


def choose(path: Path, options: Iterable[str], kind: str | None) -> Format:
    """Return the first format that can read the file and knows the options.

    Raises
    ------
    UnknownFormatError
        If no format can read the file.
    UnknownNameError
        If those that can do not know one of the options.
    """
    from ._overrides import NAMES

    wanted = set(options) - NAMES
    candidates: list[Format] = []
    for each in formats():
        if not _is_meant(each, wanted, kind) or not each.can_read(path):
            continue
        if wanted <= set(each.options):
            return each
        candidates.append(each)
    if not candidates:
        raise UnknownFormatError(describe(path))
    unknown = sorted(wanted - {name for each in candidates for name in each.options})
    name = unknown[0] if unknown else sorted(wanted - set(candidates[0].options))[0]
    raise UnknownNameError(
        f"option for {candidates[0].description}", name, {*candidates[0].options, *NAMES} - {"kind"}
    )


def _is_meant(each: Format, wanted: set[str], kind: str | None) -> bool:
    """A stack of images is a tomography scan only if the user says so."""
    scan = {"angles", "darks", "flats"}
    return each.name != "tiff_stack" or kind == "tomography" or not wanted.isdisjoint(scan)


def describe(path: Path) -> str:
    """Return the text of the error for a file that no format knows."""
    known = "; ".join(f"{each.description} ({each.name})" for each in formats())
    return (
        f"{path} is {recognised(path)}; no reader knows it. Known: {known}. "
        'For HDF5, name the dataset: bk.open(path, data="/a/b").'
    )


def recognised(path: Path) -> str:
    """Say in words what a file seems to be."""
    with path.open("rb") as stream:
        start = stream.read(4096)
    for magic, name in _MAGIC.items():
        if start.startswith(magic):
            return name
    if b"SPEC" in start.upper() and _is_text(start):
        return "a console log of SPEC, not a SPEC data file"
    if _is_text(start):
        first = start.decode("utf-8", "replace").strip().partition("\n")[0][:60]
        return f"text that begins with {first!r}"
    return f"of an unknown kind (it begins with the bytes {start[:8].hex(' ')})"


def _is_text(start: bytes) -> bool:
    return b"\x00" not in start and sum(byte < 9 for byte in start) == 0


def require_content(paths: Sequence[Path]) -> None:
    """Raise UnreadableFileError for a file of 0 bytes, or one that cannot be opened."""
    for path in paths:
        try:
            with path.open("rb") as stream:
                empty = not stream.read(1)
        except OSError as error:
            raise UnreadableFileError(
                f"{path} cannot be opened: {error.strerror}. Check its permissions."
            ) from error
        if empty:
            raise UnreadableFileError(
                f"{path} is empty (0 bytes). Copy it again from where it was written."
            )


def scan_in_folder(folder: Path, options: Iterable[str], kind: str | None) -> list[Path]:
    """Return the files of a folder that make one scan.

    Files with the same ending belong together; an EIGER master stands for its data files.

    Raises
    ------
    UnreadableFileError
        If no file in the folder can be read.
    UnknownFormatError
        If several kinds of files could be meant.
    """
    groups: dict[str, list[Path]] = {}
    for path in files_in(folder):
        groups.setdefault("".join(path.suffixes[-2:]) if _packed(path) else path.suffix, []).append(
            path
        )
    found = {
        ending: masters(paths)
        for ending, paths in groups.items()
        if is_readable(paths[0], options, kind)
    }
    if not found:
        names = ", ".join(f"{len(paths)} of '{ending}'" for ending, paths in groups.items())
        raise UnreadableFileError(
            f"{folder} holds no file that beamkit can read ({names or 'no files'}). "
            "Name a file, or a glob such as 'folder/*.tif'."
        )
    if len(found) > 1:
        choices = ", ".join(f"{folder}/*{ending} ({len(p)})" for ending, p in found.items())
        raise UnknownFormatError(
            f"{folder} holds several kinds of files that beamkit can read: {choices}. Name one."
        )
    return next(iter(found.values()))


def _packed(path: Path) -> bool:
    return path.suffix in (".gz", ".bz2")


def masters(paths: list[Path]) -> list[Path]:
    """Return only the EIGER master files if there are any, else all."""
    found = [path for path in paths if path.stem.endswith("_master")]
    return found or paths


def is_readable(path: Path, options: Iterable[str], kind: str | None) -> bool:
    """Say whether some format reads the file with these options."""
    try:
        require_content([path])
        choose(path, options, kind)
    except BeamkitError:
        return False
    return True
