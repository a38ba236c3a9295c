"""Patterns of many image files into a folder; a list of those done lets a stopped run go on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from beamkit import readers, writers
from beamkit.core.errors import BeamkitError, InvalidPixelsError, ParameterError, WriteError
from beamkit.core.schema import lines
from beamkit.readers._image_gaps import RAISE

if TYPE_CHECKING:
    from .integrate_files import Recipe

#: Name of the list in the folder: settings on the first line, then a line a file that is done.
LIST = "integrated.jsonl"


def integrate_folder(
    sources: Sequence[Path],
    folder: Path,
    kind: str,
    recipe: Recipe,
    overwrite: bool,
    on_error: str,
    tell: Callable[[int, int], None],
) -> dict[str, Any]:
    """Integrate each file by itself; return what was done.

    Raises
    ------
    ParameterError
        If two files have the same name, or the folder holds patterns of other settings.
    """
    writers.pattern_format(Path(f"x{_suffix(kind)}"), kind)
    target = {path: folder / f"{_stem(path)}{_suffix(kind)}" for path in sources}
    _require_different(target)
    for name in target.values():
        require_no_original(sources, name)
    done = _begin(folder, _settings(kind, recipe), overwrite=overwrite)
    wanted = {
        path: name
        for path, name in target.items()
        if done.get(path.name) != _state(path) or not _is_there(name)
    }
    count = len(target) - len(wanted)
    found = _Done(resumed=count)

    def work(path: Path) -> _Done:
        return _one(path, wanted[path], kind, recipe, on_error)

    tell(count, len(target))
    with ThreadPoolExecutor(recipe.jobs) as threads:
        for path, one in zip(wanted, threads.map(work, wanted), strict=True):
            if one.files:
                _append(folder, {"file": path.name, "state": _state(path)})
            found.add(one)
            count += 1
            tell(count, len(target))
    return {**vars(found), "files": tuple(found.files), "assumed": tuple(found.assumed)}


@dataclass
class _Done:
    """What was done with one file, or with several."""

    files: list[Path] = field(default_factory=list)
    patterns: int = 0
    resumed: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    assumed: dict[str, None] = field(default_factory=dict)

    def add(self, other: _Done) -> None:
        self.files += other.files
        self.patterns += other.patterns
        self.problems |= other.problems
        self.assumed |= other.assumed


def _one(path: Path, name: Path, kind: str, recipe: Recipe, on_error: str) -> _Done:
    """Integrate one file and write its patterns, or say why that cannot be."""
    try:
        data = readers.open_dataset(path, **recipe.opening)
        found = recipe.patterns(data, lambda _frames: None)
        files = writers.pattern(found, name, format=kind)
    except (ParameterError, WriteError):
        raise
    except BeamkitError as error:
        if on_error == RAISE:
            raise
        return _Done(problems={path.name: str(error)})
    number = int(np.prod(found["intensity"].shape[:-1]))
    return _Done(files, number, assumed=dict.fromkeys(lines(found.attrs, "assumed")))


def require_no_original(sources: Sequence[Path], target: Path) -> None:
    """Raise ParameterError if a file to write is one of those to read."""
    if target.exists() and any(path.samefile(target) for path in sources):
        raise ParameterError(
            f"{target} is one of the files to integrate; originals are never replaced. Choose "
            "another name."
        )


def _suffix(kind: str) -> str:
    return writers.PATTERN_FORMATS.get(kind, (".nxs",))[0]


def _stem(path: Path) -> str:
    """Return the name without the suffix of the image, and of its compression."""
    return (path.with_suffix("") if path.suffix in (".gz", ".bz2") else path).stem


def _require_different(target: dict[Path, Path]) -> None:
    if not target:
        raise InvalidPixelsError("There is no file to integrate. Name at least one image.")
    first: dict[Path, Path] = {}
    for path, name in target.items():
        if name in first:
            raise ParameterError(
                f"{first[name]} and {path} would both be written as {name}. Integrate them into "
                "different folders."
            )
        first[name] = path


def _settings(kind: str, recipe: Recipe) -> str:
    """Return a fingerprint of all that a pattern follows from but its image."""
    contents = [
        "" if path is None else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (recipe.poni, recipe.mask)
        if path is None or path.is_file()
    ]
    said = [kind, recipe.npt, recipe.orientation, contents, recipe.opening, recipe.options]
    return hashlib.sha256(json.dumps(said, default=str, sort_keys=True).encode()).hexdigest()[:16]


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _is_there(name: Path) -> bool:
    return name.exists() or any(name.parent.glob(f"{name.stem}_[0-9]*{name.suffix}"))


def _begin(folder: Path, settings: str, *, overwrite: bool) -> dict[str, list[int]]:
    """Return the files that are done with these settings; start the list if there is none."""
    path = folder / LIST
    found = _listed(path)
    if found and not overwrite:
        if found[0].get("settings") != settings:
            raise ParameterError(
                f"{folder} holds patterns that were made with other settings (or another mask or "
                "PONI). Choose another folder, or give overwrite=True (--overwrite)."
            )
        return {item["file"]: item["state"] for item in found[1:] if "file" in item}
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise ParameterError(
            f"{folder} is not empty and holds no {LIST} of an earlier run. Choose another folder, "
            "or give overwrite=True (--overwrite)."
        )
    _append(folder, {"settings": settings}, mode="w")
    return {}


def _listed(path: Path) -> list[dict[str, Any]]:
    """Return the lines of the list; one that a killed run wrote half is left out."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [item for item in found if isinstance(item, dict)]


def _append(folder: Path, item: dict[str, Any], *, mode: str = "a") -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LIST).open(mode, encoding="utf-8") as stream:
            stream.write(json.dumps(item) + "\n")
    except OSError as error:
        raise WriteError(
            f"{folder / LIST} was not written: {os.strerror(error.errno or 0)}. Choose a folder "
            "that you may write to."
        ) from error
