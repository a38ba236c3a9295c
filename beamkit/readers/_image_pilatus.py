"""The header that PILATUS and EIGER detectors write, as lines of text.

It stands in miniCBF files (``_array_data.header_contents``, conventions ``PILATUS_1.2`` and the
older ``SLS_1.0``) and in PILATUS TIFFs (ImageDescription). A line is ``# Key value unit``; between
key and value may stand ``:``, ``=`` or ``,``. Source: DECTRIS, "PILATUS CBF header specification"
1.5 (2012).
"""

from __future__ import annotations

import re
from functools import lru_cache

_KEY = re.compile(r"#[\s#]*([A-Za-z][\w.]*)\s*([:=,]?)\s*(.*)")
_SENSOR = re.compile(r"\w+\s+sensor\b", re.IGNORECASE)
_TIME = re.compile(
    r"(\d{4})[-/:](\d{2}|[A-Za-z]{3})[-/:](\d{2})[T ]"
    r"(\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

#: Names under which :func:`parse` gives what has no key of its own.
TIMESTAMP, SENSOR, COMMENTS = "timestamp", "sensor", "comments"

#: Keys that stand before their value without underscore, colon or equals sign.
_PLAIN_KEYS = {"alpha", "chi", "flux", "kappa", "omega", "phi", "polarization", "tau", "wavelength"}


def parse(text: str) -> dict[str, str]:
    """Return the header's lines as key and value, untouched otherwise.

    Parameters
    ----------
    text
        Lines starting with ``#``; others are passed over.

    Returns
    -------
    header
        Keys as written. The line with date and time has the key ``timestamp``, that of the
        sensor ``sensor``, and lines that are no key and value are joined under ``comments``.
    """
    header: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("#") and not line.startswith("###"):
            key, value = _key_and_value(line)
            if value:
                header[key] = f"{header[key]}; {value}" if key in header else value
    return header


@lru_cache(maxsize=4096)  # most lines are the same in every file of a series
def _key_and_value(line: str) -> tuple[str, str]:
    bare = line.strip("#:=, \t")
    if _TIME.match(bare):
        return TIMESTAMP, bare
    if _SENSOR.match(bare):
        return SENSOR, bare
    match = _KEY.match(line)
    if match is None:
        return COMMENTS, bare
    key, separator, value = match.groups()
    if "_" in key or separator or key.lower() in _PLAIN_KEYS:
        return key, value.strip()
    return COMMENTS, bare


def iso_time(text: str) -> str:
    """Return a date and time as ISO 8601, or an empty text if it is none.

    Examples
    --------
    >>> iso_time("2007/Jun/17 15:12:36.928")
    '2007-06-17T15:12:36.928'
    """
    match = _TIME.match(text.strip())
    if match is None:
        return ""
    year, month, day, clock = match.groups()
    if not month.isdecimal():
        if month.lower() not in _MONTHS:
            return ""
        month = f"{_MONTHS.index(month.lower()) + 1:02d}"
    return f"{year}-{month}-{day}T{clock}"
