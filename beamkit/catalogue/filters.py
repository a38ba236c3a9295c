"""Which entries are shown, and in what order: by name, and by what their headers say."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from beamkit.core.errors import ParameterError, UnknownNameError
from beamkit.core.schema import ATTRIBUTES

from ._names import natural
from .listing import Entry
from .metadata import Attributes

#: What the listing says without a look into the file.
OWN = ("name", "size", "modified", "type")

#: What an entry can be compared by: of the listing, and of the header.
NAMES = (*OWN, "kind", "frames", *ATTRIBUTES)

_SIZES = {"": 1.0, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12}

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<name>[A-Za-z_]\w*)\s*(?P<operator>>=|<=|!=|==|=|>|<)\s*(?P<value>"[^"]*"|[^\s"<>=][^\s"]*)
        | "(?P<quoted>[^"]*)"
        | (?P<word>[^\s"]+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Comparison:
    name: str
    operator: str
    value: str

    def __call__(self, entry: Entry, header: Attributes | None) -> bool | None:
        found = field(entry, header, self.name)
        if found is None:
            return None if header is None and self.name not in OWN else self.operator == "!="
        wanted = _number(self.name, self.value)
        if wanted is not None and isinstance(found, (int, float)):
            if self.operator in ("=", "==", "!="):
                # A header has 0.1 where the reader has 0.09999999999999999.
                return math.isclose(found, wanted, rel_tol=1e-6) == (self.operator != "!=")
            return _OPERATORS[self.operator](found, wanted)
        return _compare_text(self.operator, str(found).lower(), self.value.lower())


def _compare_text(name: str, found: str, wanted: str) -> bool:
    if name in ("=", "==", "!="):
        return fnmatchcase(found, wanted) == (name != "!=")
    return _OPERATORS[name](found, wanted)


@dataclass(frozen=True)
class _Word:
    text: str

    def __call__(self, entry: Entry, _header: Attributes | None) -> bool | None:
        name, text = entry.name.lower(), self.text.lower()
        return fnmatchcase(name, f"*{text}*") if set(text) & set("*?") else text in name


@dataclass(frozen=True)
class _Not:
    term: _Comparison | _Word

    def __call__(self, entry: Entry, header: Attributes | None) -> bool | None:
        found = self.term(entry, header)
        return None if found is None else not found


Term = _Comparison | _Word | _Not


@dataclass(frozen=True)
class Filter:
    """A condition on entries, from :func:`parse_filter`.

    Attributes
    ----------
    choices
        Terms; an entry passes if all terms of one of the choices are true.
    names
        Names of the header that it looks at; empty if the listing is enough.
    """

    choices: tuple[tuple[Term, ...], ...]
    names: tuple[str, ...]

    def __call__(self, entry: Entry, header: Attributes | None = None) -> bool | None:
        """Say whether an entry passes; None if its header must be read before one can say."""
        results = [_all(term(entry, header) for term in terms) for terms in self.choices]
        if True in results:
            return True
        return None if None in results else False


def _all(results: Iterable[bool | None]) -> bool | None:
    found = list(results)
    if False in found:
        return False
    return None if None in found else True


def parse_filter(text: str, known: Iterable[str] = ()) -> Filter:
    """Return the condition that a text describes.

    Words are looked for in the name (``*`` and ``?`` stand for any letters); ``name > value``
    compares what the listing or the header says, in the unit of the vocabulary; terms are joined
    by ``and``, which may be left out, and ``or``; ``not`` turns the next one round. Nothing of it
    is executed.

    Parameters
    ----------
    text
        ``"exposure_time > 0.1"``, ``"thau not dark size >= 2MB"``, ``'sample = "lyso*"'``.
    known
        Names that may be used beside :data:`NAMES`.

    Raises
    ------
    UnknownNameError
        If there is no such attribute.
    ParameterError
        If a comparison has no value, or a quotation mark is missing.

    Examples
    --------
    >>> entry = Entry("thau_0001.cbf", "raw/thau_0001.cbf", "file", size=6_224_000)
    >>> parse_filter("THAU size > 6 MB".replace("6 MB", "6MB"))(entry)
    True
    """
    names = {*NAMES, *known}
    choices: list[list[Term]] = [[]]
    negate = False
    for token in _tokens(text):
        word = (token["word"] or "").lower()
        if word == "or":
            choices.append([])
        elif word == "not":
            negate = not negate
        elif word != "and":
            term = _term(token, names)
            choices[-1].append(_Not(term) if negate else term)
            negate = False
    terms = [term.term if isinstance(term, _Not) else term for one in choices for term in one]
    used = {term.name for term in terms if isinstance(term, _Comparison)} - set(OWN)
    filled = tuple(tuple(one) for one in choices if one)
    return Filter(filled or ((),), tuple(sorted(used)))


def _tokens(text: str) -> list[re.Match[str]]:
    found, place = [], 0
    text = text.strip()
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise ParameterError(
                f"The filter {text!r} has a quotation mark without its partner. "
                'Write "..." around a text with spaces.'
            )
        found.append(token)
        place = token.end()
    return found


def _term(token: re.Match[str], names: set[str]) -> _Comparison | _Word:
    if token["name"] is None:
        word = token["quoted"] if token["word"] is None else token["word"]
        if set(word) & set("<>"):
            raise ParameterError(
                f"The filter has {word!r} where a comparison is incomplete. Write a name, an "
                "operator and a value: exposure_time > 0.1"
            )
        return _Word(word)
    if token["name"] not in names:
        raise UnknownNameError("attribute", token["name"], names)
    return _Comparison(token["name"], token["operator"], token["value"].strip('"'))


def _number(name: str, text: str) -> float | None:
    """Return the number that a text means for a field, or None if it is none."""
    if name == "modified":
        return _date(text)
    digits = re.fullmatch(r"([-+0-9.eE]+?)\s*([kKmMgGtT]?[bB]?)", text)
    factor = _SIZES.get(digits[2].lower()) if digits and name == "size" else None
    try:
        return float(digits[1]) * factor if digits and factor else float(text)
    except ValueError:
        return None


def _date(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def field(entry: Entry, header: Attributes | None, name: str) -> Any:
    """Return what an entry has under a name of :data:`NAMES`, None if nothing is known."""
    own = {"name": entry.name, "size": entry.size, "modified": entry.mtime, "type": entry.format}
    return own[name] if name in own else (header or {}).get(name)


def ordered(
    entries: Sequence[Entry],
    by: str = "name",
    *,
    headers: Callable[[Entry], Attributes | None] = lambda _entry: None,
    descending: bool = False,
) -> list[int]:
    """Return the places of entries in order.

    Parameters
    ----------
    entries
        The listing.
    by
        ``"name"`` (2 before 10), ``"size"``, ``"modified"``, ``"type"``, or an attribute of the
        header.
    headers
        Gives the header of an entry, or None while it is not known.
    descending
        Largest, newest or last first.

    Returns
    -------
    places
        Folders come first in every order, then series; entries that lack the attribute come last.
    """
    found = [(place, field(entry, headers(entry), by)) for place, entry in enumerate(entries)]
    have = [(place, value) for place, value in found if value is not None]
    lack = [place for place, value in found if value is None]
    have.sort(key=lambda one: _sort_key(one[1]), reverse=descending)
    places = [place for place, _ in have] + lack
    return sorted(places, key=lambda place: _RANKS.get(entries[place].kind, len(_RANKS)))


#: Kinds that come first, in every order.
_RANKS = {"folder": 0, "series": 1}


def _sort_key(value: Any) -> tuple[int, Any]:
    is_number = isinstance(value, (int, float)) and not math.isnan(value)
    return (0, float(value)) if is_number else (1, natural(str(value)))
