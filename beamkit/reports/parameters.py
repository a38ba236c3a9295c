"""The typed parameters of a report, read from its ``parameters`` cell and never executed.

A line of the cell reads ``name: type = default  # help [unit, lowest..highest]``. What stands in
the brackets is optional: a unit, a range, and ``exists`` for a path that must be there. Types:
``int``, ``float``, ``bool``, ``str``, ``Path``, ``Literal[...]``, ``None``, ``list[...]``,
``tuple[...]`` and ``|`` between them, tried from left to right (``str`` last).
"""

from __future__ import annotations

import ast
import io
import math
import os
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beamkit.core.errors import ParameterError, ReportError, UnknownNameError

from .types import coerce, literal_source

_RANGE = re.compile(r"^\s*([-+.\deE]*)\s*\.\.\s*([-+.\deE]*)\s*$")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a report.

    Attributes
    ----------
    name, annotation, help, unit
        As written in the cell.
    default
        Value in the cell.
    minimum, maximum
        Allowed range, ends included; None where there is no limit.
    must_exist
        Whether a path must lead to something.
    """

    name: str
    annotation: str
    default: Any
    help: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    must_exist: bool = False

    def check(self, given: Any) -> Any:
        """Return the value in the declared type.

        Raises
        ------
        ParameterError
            If it cannot be one, is out of range, or a path leads nowhere.
        """
        what = f"Parameter {self.name!r}"
        value = coerce(given, self.annotation, what=what)
        self._check_range(value, what)
        if self.must_exist and isinstance(value, Path) and not value.exists():
            raise ParameterError(
                f"{what}: {value} does not exist. Give the path of an existing file."
            )
        return value

    def _check_range(self, value: Any, what: str) -> None:
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if isinstance(value, (int, float)) and not low <= value <= high:
            raise ParameterError(
                f"{what} must be from {low:g} to {high:g} {self.unit}".rstrip()
                + f", got {value}. Give a value in that range."
            )


@dataclass(frozen=True)
class Specification:
    """Every parameter of a report, in the order of the cell."""

    parameters: tuple[Parameter, ...]

    def __getitem__(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise UnknownNameError("parameter", name, [item.name for item in self.parameters])

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return every value in its declared type; the defaults fill what is not given.

        Raises
        ------
        UnknownNameError
            If a name is not a parameter; suggests the nearest.
        ParameterError
            If a value is wrong.
        """
        checked = {name: self[name].check(value) for name, value in given.items()}
        return {item.name: checked.get(item.name, item.default) for item in self.parameters}

    def first_path(self) -> Parameter | None:
        """Return the first parameter that can be a path, or None."""
        return next((item for item in self.parameters if "Path" in item.annotation), None)


def from_cell(source: str, *, where: str) -> Specification:
    """Read the parameters from the source of the cell.

    Raises
    ------
    ReportError
        If the cell holds anything but imports and annotated assignments of literals.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ReportError(f"{where}: the parameters cell is not valid Python: {error}.") from error
    comments = _trailing_comments(source)
    parameters = []
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            raise ReportError(
                f"{where}: line {node.lineno} of the parameters cell is not a parameter: "
                f"{ast.unparse(node)!r}. Only 'name: type = default  # help' is allowed there."
            )
        parameters.append(_parameter(node, comments.get(node.end_lineno or 0, ""), where))
    return Specification(tuple(parameters))


def as_source(values: Mapping[str, Any]) -> str:
    """Return Python that sets the values; a text can never become code."""
    return "\n".join(f"{name} = {literal_source(value)}" for name, value in values.items())


def as_text(value: Any) -> str:
    """Return the text for the command line that :meth:`Parameter.check` takes back."""
    return "none" if value is None else os.fspath(value) if isinstance(value, Path) else str(value)


def _parameter(node: ast.AnnAssign, comment: str, where: str) -> Parameter:
    name = ast.unparse(node.target)
    annotation = ast.unparse(node.annotation)
    try:
        written = _default(node.value)
        default = coerce(written, annotation, what=f"The default of {name!r}")
    except (ParameterError, ValueError) as error:
        raise ReportError(f"{where}: {error}") from error
    help_text, options = _split_comment(comment)
    limits = next((match for option in options if (match := _RANGE.match(option))), None)
    units = [item for item in options if item != "exists" and not _RANGE.match(item)]
    return Parameter(
        name=name,
        annotation=annotation,
        default=default,
        help=help_text,
        unit=units[0] if units else "",
        minimum=float(limits[1]) if limits and limits[1] else None,
        maximum=float(limits[2]) if limits and limits[2] else None,
        must_exist="exists" in options,
    )


def _default(node: ast.expr | None) -> Any:
    if node is None:
        raise ValueError("a parameter without a default. Give each one a default.")
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Path" and len(node.args) == 1:
        return Path(ast.literal_eval(node.args[0]))
    return ast.literal_eval(node)


def _trailing_comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _split_comment(comment: str) -> tuple[str, list[str]]:
    match = re.match(r"^(.*?)\s*\[([^\]]*)\]\s*$", comment)
    if match is None:
        return comment.strip(), []
    return match[1].strip(), [part.strip() for part in match[2].split(",") if part.strip()]
