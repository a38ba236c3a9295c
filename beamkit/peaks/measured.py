"""A number with its standard error and its unit."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A number, its standard error and its unit.

    Attributes
    ----------
    value
        The number; ``float(measured)`` gives it, too.
    error
        Standard error (one sigma) in the same unit; 0 where it was given, NaN where unknown.
    unit
        Such as ``"mm"``; empty where there is none.

    Examples
    --------
    >>> print(Measured(2.437041, 0.000213, "mm"))
    2.43704 ± 0.00021 mm
    """

    value: float
    error: float
    unit: str = ""

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if math.isfinite(self.value) and 0 < self.error < math.inf:
            return f"{_with_error(self.value, self.error)}{unit}"
        tail = " (fixed)" if self.error == 0 else " (error unknown)"
        return f"{self.value:.6g}{unit}{tail if math.isfinite(self.value) else ''}"


def _with_error(value: float, error: float) -> str:
    """Two digits of the error, and the value to the same place."""
    largest = max(abs(value), error)
    power = math.floor(math.log10(largest))
    if -4 <= power < 7:
        return _to_place(value, error)
    return f"({_to_place(value / 10.0**power, error / 10.0**power)})e{power}"


def _to_place(value: float, error: float) -> str:
    # Rounded first, as 0.0996 becomes 0.10 and so has its digits one place higher.
    rounded = float(f"{error:.1e}")
    places = 1 - math.floor(math.log10(rounded))
    if places < 0:
        return f"{round(value, places):.0f} ± {round(rounded, places):.0f}"
    return f"{value:.{places}f} ± {rounded:.{places}f}"
