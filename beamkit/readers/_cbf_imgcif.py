"""The imgCIF part of a CBF header: loops and items of text.

Syntax: Hall, Allen & Brown, Acta Cryst. A47, 655 (1991); Hall & Bernstein, International Tables G,
ch. 2.2. Only what headers of detector files use: one data block, no nested loops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Item names (lower case) to the values that they have, one for each row of their loop.
Items = dict[str, list[str]]

_TOKEN = re.compile(
    r"""
    ^;(?P<text>.*?)\n;            # a text field between two lines that start with ;
    | \#[^\n]*                    # a comment
    | '(?P<single>[^\n]*?)'(?=\s|$)
    | "(?P<double>[^\n]*?)"(?=\s|$)
    | (?P<bare>\S+)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def parse_items(text: str) -> Items:
    """Return the items of a CIF text.

    Parameters
    ----------
    text
        With plain line ends. A last, unfinished row of a loop is left out.
    """
    items: Items = {}
    names: list[str] = []  # what the values belong to, in turn
    values: list[str] = []
    in_loop = False
    for is_word, token in _tokens(text):
        word = token.lower() if is_word else ""
        if word == "loop_" or word.startswith("data_"):
            _store(items, names, values)
            names, values, in_loop = [], [], word == "loop_"
        elif word.startswith("_"):
            if values or not in_loop:
                _store(items, names, values)
                names, values, in_loop = [], [], False
            names.append(word)
        else:
            values.append(token)
    _store(items, names, values)
    return items


def rows(items: Items, category: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a category, such as ``"_axis"``, as item to value.

    An unset value (``.`` or ``?``) is left out.
    """
    prefix = f"{category}."
    columns = {name[len(prefix) :]: items[name] for name in items if name.startswith(prefix)}
    for row in zip(*columns.values(), strict=False):
        yield {
            name: value for name, value in zip(columns, row, strict=True) if value not in (".", "?")
        }


def _tokens(text: str) -> Iterator[tuple[bool, str]]:
    """Yield each token, and whether it is a bare word (a quoted one is always a value)."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup is not None:
            yield match.lastgroup == "bare", match[match.lastgroup]


def _store(items: Items, names: list[str], values: list[str]) -> None:
    complete = len(values) - len(values) % max(len(names), 1)
    for place, name in enumerate(names):
        items[name] = values[place : complete : len(names)]
