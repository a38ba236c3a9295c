"""Every error that beamkit raises on purpose.

::

    BeamkitError
    ├── UnreadableFileError      (OSError)      the file is damaged, cut short or empty
    │   ├── UnknownFormatError   (ValueError)   no reader knows the file
    │   ├── MissingSourceError                  a link or virtual dataset leads nowhere
    │   └── ChecksumError                       the bytes are not the ones that were written
    ├── WriteError               (OSError)      the result could not be written
    ├── MetadataError            (ValueError)   an attribute is missing or impossible
    ├── ShapeError               (ValueError)   dimensions do not fit
    ├── QuantityError            (ValueError)   the wrong kind of number for the function
    ├── InvalidPixelsError       (ValueError)   NaN where a number is needed
    ├── ParameterError           (ValueError)   an option has a value that is not allowed
    │   └── UnknownNameError                    no registered thing has that name
    ├── EngineError              (RuntimeError) a compute engine failed or is not there
    ├── ReportError              (RuntimeError) a report could not be run
    └── MissingDependencyError   (ImportError)  an optional package is not installed

Each is also the built-in that a caller expects. A message has four parts: what is wrong, what was
found, what is allowed, what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class BeamkitError(Exception):
    """Base of the errors below; catch it to catch them all."""


class UnreadableFileError(BeamkitError, OSError):
    """A file is damaged, cut short, empty, or does not hold what its format promises."""


class UnknownFormatError(UnreadableFileError, ValueError):
    """No reader knows the file; says what was recognised and which formats exist."""


class MissingSourceError(UnreadableFileError):
    """A link, or a part of a virtual dataset, leads to a file or dataset that is not there."""


class ChecksumError(UnreadableFileError):
    """The data differ from the checksum stored with them."""


class WriteError(BeamkitError, OSError):
    """A result could not be written; nothing appears under its final name."""


class MetadataError(BeamkitError, ValueError):
    """A metadata attribute is missing, or its value cannot be right."""


class ShapeError(BeamkitError, ValueError):
    """Dimensions do not fit."""


class QuantityError(BeamkitError, ValueError):
    """The data are not the quantity that the function works on."""


class InvalidPixelsError(BeamkitError, ValueError):
    """The data hold NaN where the function needs numbers."""


class ParameterError(BeamkitError, ValueError):
    """An option has a value that is not allowed."""


class UnknownNameError(ParameterError):
    """No registered thing has that name; says which exist and suggests the nearest."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"There is no {kind} {name!r}.{hint} Known: {', '.join(names)}.")


class EngineError(BeamkitError, RuntimeError):
    """A compute engine failed, or cannot do what was asked on this machine."""


class ReportError(BeamkitError, RuntimeError):
    """A report could not be run or rendered."""


class MissingDependencyError(BeamkitError, ImportError):
    """An optional package is not installed; says the command that installs it."""
