"""Text and values into the type that an annotation declares."""

from __future__ import annotations

import ast
import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from beamkit.core.errors import ParameterError

_WORDS = {"true": True, "yes": True, "false": False, "no": False}


class _NoMatchError(Exception):
    """The value cannot be of this type; another one of a union may fit."""


def coerce(given: Any, annotation: str, *, what: str) -> Any:
    """Return ``given`` in the declared type.

    Text is read by the declared type, so that ``0012`` stays the text ``0012`` for a ``str`` and
    becomes 12 for an ``int``.

    Parameters
    ----------
    given
        A value, or text from a command line.
    annotation
        Python source of the type.
    what
        Beginning of the message if it does not fit.

    Raises
    ------
    ParameterError
        If the value cannot be of that type, or the annotation is not one of those known.
    """
    try:
        return _coerce(given, ast.parse(annotation, mode="eval").body)
    except _NoMatchError:
        raise ParameterError(
            f"{what} must be {annotation}, got {given!r} ({type(given).__name__}). "
            "Give a value of that type."
        ) from None


def literal_source(value: Any) -> str:
    """Return Python source that gives the value back: literals, and ``Path('...')``."""
    if isinstance(value, Path):
        return f"Path({os.fspath(value)!r})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal_source, value))}]"
    if isinstance(value, tuple):
        return f"({''.join(f'{literal_source(item)}, ' for item in value)})"
    return repr(value)


def _coerce(given: Any, node: ast.expr) -> Any:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _first_of([node.left, node.right], given)
    if isinstance(node, ast.Constant) and node.value is None:
        return _none(given)
    if isinstance(node, ast.Name) and node.id in _SCALARS:
        return _SCALARS[node.id](given)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if node.value.id in _GENERICS:
            return _GENERICS[node.value.id](given, items)
    known = ", ".join([*_SCALARS, *_GENERICS])
    raise ParameterError(
        f"The type {ast.unparse(node)!r} is not known. Known: {known}, None, and | between them."
    )


def _first_of(members: list[ast.expr], given: Any) -> Any:
    # Text fits str always, so str must not hide the other members.
    for member in sorted(members, key=lambda item: ast.unparse(item) == "str"):
        try:
            return _coerce(given, member)
        except _NoMatchError:
            continue
    raise _NoMatchError


def _none(given: Any) -> None:
    if given is not None and not (isinstance(given, str) and given.lower() in ("none", "")):
        raise _NoMatchError


def _int(given: Any) -> int:
    if isinstance(given, str) and re.fullmatch(r"\s*[-+]?\d+\s*", given):
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise _NoMatchError


def _float(given: Any) -> float:
    if isinstance(given, bool):
        raise _NoMatchError
    try:
        number = float(given)
    except (TypeError, ValueError):
        raise _NoMatchError from None
    if not math.isfinite(number) or (isinstance(given, str) and "_" in given):
        raise _NoMatchError
    return number


def _bool(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in _WORDS:
        return _WORDS[given.lower()]
    raise _NoMatchError


def _str(given: Any) -> str:
    if not isinstance(given, str):
        raise _NoMatchError
    return given


def _path(given: Any) -> Path:
    if not isinstance(given, (str, os.PathLike)) or not os.fspath(given):
        raise _NoMatchError
    # Absolute, as the notebook runs in another folder than the caller.
    return Path(given).expanduser().absolute()


def _literal(given: Any, items: list[ast.expr]) -> Any:
    allowed = [ast.literal_eval(item) for item in items]
    for value in allowed:
        if given == value and type(given) is type(value):
            return value
        if isinstance(given, str) and given == str(value):
            return value
    raise _NoMatchError


def _sequence(given: Any) -> list[Any]:
    if isinstance(given, str):
        try:
            given = json.loads(given if given.startswith("[") else f"[{given}]")
        except json.JSONDecodeError:
            given = [part.strip() for part in given.strip("()[] ").split(",")]
    if not isinstance(given, (list, tuple)):
        raise _NoMatchError
    return list(given)


def _list(given: Any, items: list[ast.expr]) -> list[Any]:
    return [_coerce(value, items[0]) for value in _sequence(given)]


def _tuple(given: Any, items: list[ast.expr]) -> tuple[Any, ...]:
    values = _sequence(given)
    if len(items) == 2 and isinstance(items[1], ast.Constant) and items[1].value is ...:
        items = [items[0]] * len(values)
    if len(items) != len(values):
        raise _NoMatchError
    return tuple(_coerce(value, item) for value, item in zip(values, items, strict=True))


def _optional(given: Any, items: list[ast.expr]) -> Any:
    return _first_of([ast.Constant(None), *items], given)


def _union(given: Any, items: list[ast.expr]) -> Any:
    return _first_of(items, given)


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "str": _str,
    "Path": _path,
}
_GENERICS: dict[str, Callable[[Any, list[ast.expr]], Any]] = {
    "Literal": _literal,
    "list": _list,
    "tuple": _tuple,
    "Optional": _optional,
    "Union": _union,
}
