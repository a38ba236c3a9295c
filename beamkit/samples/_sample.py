"""What every sample is: a path that knows what was written there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from beamkit.core.errors import ParameterError

#: Start of every simulated measurement, fixed so that the same call gives the same bytes.
START_TIME = "2026-01-15T09:30:00+00:00"

#: Facility that the files name.
BEAMLINE = "beamkit simulation"


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample(os.PathLike[str]):
    """A simulated file or folder; usable wherever a path is.

    Attributes
    ----------
    path
        The file or folder that was written.
    """

    path: Path

    def __fspath__(self) -> str:
        return os.fspath(self.path)


def require_at_least(lowest: float, **numbers: float) -> None:
    """Raise ParameterError, naming all of them, if some numbers are below the lowest allowed."""
    # "not >=" also catches nan
    wrong = [f"{name}={number}" for name, number in numbers.items() if not number >= lowest]
    if wrong:
        raise ParameterError(
            f"A sample cannot be made with {', '.join(wrong)}: {lowest} is the lowest allowed. "
            "Give a larger number, or leave it out for the default."
        )


def require_positive(**numbers: float) -> None:
    """Raise ParameterError, naming all of them, if some numbers are not above 0."""
    # "not >" also catches nan
    wrong = [f"{name}={number}" for name, number in numbers.items() if not number > 0]
    if wrong:
        raise ParameterError(
            f"A sample cannot be made with {', '.join(wrong)}: a number above 0 is needed. "
            "Correct it, or leave it out for the default."
        )
