"""Strong pixels of an image by the dispersion of the counts around them, compiled.

A photon counter without anything but background has as much variance as mean, and a spot in the
window raises the variance. Formulas and names: Winter et al., Acta Cryst. D74, 85-97 (2018),
section 3.1, where m pixels around a pixel of c counts have the mean u and the variance v; the pixel
is strong if ``v/u > g + n_b g sqrt(2/(m - 1))`` and ``c > u + n_s sqrt(g u)``, g being the gain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Image = NDArray[Any]

#: Sums may be taken in any order: they are exact, or rounded anyhow.
_ORDER_IS_FREE = {"reassoc", "contract"}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that runs outside the GIL; kept on disk where a folder can be written."""
    options = {"nogil": True, "error_model": "numpy", "fastmath": _ORDER_IS_FREE}
    try:
        return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder for the cache can be written: compile in every process
        return numba.njit(**options)(function)  # type: ignore[no-any-return]


@compiled
def _add_row(
    row: Image, good: Image, low: Any, high: Any, top: Any, sign: int, sums: Image, pad: int
) -> None:
    """Add a row of the image to the sums over the columns of the window, or take it away."""
    number, total = sums[0][pad:], sums[1][pad:]
    for x in range(row.size):
        is_valid = (good[x] != 0) & (row[x] >= low) & (row[x] <= high)
        number[x] += sign if is_valid else 0
        total[x] += sign * min(row[x], top) if is_valid else 0


@compiled
def _add_windows(columns: Image, kernel: int, out: Image) -> None:
    """Write the sums of ``2 kernel + 1`` neighbours; ``columns`` is padded by ``kernel``."""
    first, second, third = columns, columns[1:], columns[2:]
    for x in range(out.size):
        out[x] = first[x] + second[x] + third[x]
    for shift in range(3, 2 * kernel + 1, 2):
        first, second = columns[shift:], columns[shift + 1 :]
        for x in range(out.size):
            out[x] += first[x] + second[x]


@compiled
def _mark_bright(row: Image, low: Any, top: Any, windows: Image, factor: float, out: Image) -> None:
    """Mark the pixels with ``c > u + sqrt(factor u)``, whether or not they are valid.

    Without a branch, so that several pixels are done at a time.
    """
    number, total = windows[0], windows[1]
    for x in range(row.size):
        m, sum_ = np.float64(number[x]), np.float64(total[x])
        above = max(m * np.float64(min(row[x], top)) - sum_, 0.0)
        out[x] = (above * above > factor * sum_ * m) & (row[x] >= low)


@compiled
def _squares(
    image: Image, good: Image, low: Any, high: Any, top: Any, y: int, x: int, kernel: int
) -> float:
    """Return the sum of the squares of the valid pixels in a window."""
    rows, columns = image.shape
    left, right = max(0, x - kernel), min(columns, x + kernel + 1)
    total = 0.0
    for other in range(max(0, y - kernel), min(rows, y + kernel + 1)):
        part, usable = image[other, left:right], good[other, left:right]
        for at in range(part.size):
            is_valid = (usable[at] != 0) & (part[at] >= low) & (part[at] <= high)
            value = np.float64(min(part[at], top)) if is_valid else 0.0
            total += value * value
    return total


@compiled
def _marked(flags: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where flags are set, in ``places``; eight that are not are passed at a time."""
    words = flags.view(np.uint64)
    number = 0
    for word in range(words.size):
        if words[word] == 0:
            continue
        for x in range(8 * word, 8 * word + 8):
            if flags[x] != 0:
                places[number] = x
                number += 1
    return places[:number]


@compiled
def _move(
    image: Image,
    good: Image,
    low: Any,
    high: Any,
    top: Any,
    y: int,
    kernel: int,
    is_exact: bool,
    sums: Image,
) -> None:
    """Change the sums over the columns from the window of row ``y - 1`` to that of row ``y``."""
    rows = image.shape[0]
    enters, leaves = y + kernel, y - kernel - 1
    if is_exact and y > 0:
        if enters < rows:
            _add_row(image[enters], good[enters], low, high, top, 1, sums, kernel)
        if leaves >= 0:
            _add_row(image[leaves], good[leaves], low, high, top, -1, sums, kernel)
        return
    sums[:] = 0
    for other in range(max(0, leaves + 1), min(rows, enters + 1)):
        _add_row(image[other], good[other], low, high, top, 1, sums, kernel)


@compiled
def _is_strong(
    image: Image,
    good: Image,
    low: Any,
    high: Any,
    top: Any,
    y: int,
    x: int,
    kernel: int,
    m: float,
    total: float,
    gain: float,
    n_sigma: float,
) -> bool:
    """Say whether ``v/u > g + n_b g sqrt(2/(m - 1))``, of a window of m pixels with this sum."""
    square = _squares(image, good, low, high, top, y, x, kernel)
    limit = gain * total * (m - 1 + n_sigma * np.sqrt(2.0 * (m - 1)))  # times (m - 1) total
    return m * square - total * total > limit  # type: ignore[no-any-return]


@compiled
def find_strong(
    image: Image,
    good: NDArray[np.uint8],
    low: Any,
    high: Any,
    top: Any,
    kernel: int,
    gain: float,
    n_sigma_background: float,
    n_sigma_strong: float,
    min_count: int,
    threshold: float,
    is_exact: bool,
    sums: Image,
    windows: Image,
    bright: NDArray[np.uint8],
    found: NDArray[np.int64],
) -> int:
    """List the strong pixels.

    Parameters
    ----------
    image
        Shape (row, column).
    good
        0 where a pixel is not to be used. Shape of the image.
    low, high, top
        Lowest and highest valid value, and the highest that sums are made of, of the image's type.
    kernel
        Half width of the window.
    gain, n_sigma_background, n_sigma_strong
        g, n_b and n_s of the formulas.
    min_count
        Fewest valid pixels in the window, at least 2.
    threshold
        A strong pixel is above it.
    is_exact
        Whether sums are exact, so that a row that leaves can be taken away.
    sums, windows, bright
        Room to work: shapes (2, column + 2 kernel), (2, column), int32 for whole numbers, else
        float64; and zeros of uint8, as many as columns, rounded up to a multiple of 8.
    found
        Flat indices of the strong pixels, in the order of the image.

    Returns
    -------
    number
        Of strong pixels; where it is larger than ``found``, the rest is not written.
    """
    rows, columns = image.shape
    places = np.empty(bright.size, np.int64)
    factor = n_sigma_strong * n_sigma_strong * gain
    number = 0
    for y in range(rows):
        _move(image, good, low, high, top, y, kernel, is_exact, sums)
        _add_windows(sums[0], kernel, windows[0])
        _add_windows(sums[1], kernel, windows[1])
        _mark_bright(image[y], low, top, windows, factor, bright)
        for x in _marked(bright, places):
            value, m, total = image[y, x], windows[0, x], np.float64(windows[1, x])
            is_valid = good[y, x] != 0 and value <= high and value > threshold
            if not is_valid or m < min_count or total < 0:
                continue
            if _is_strong(
                image, good, low, high, top, y, x, kernel, m, total, gain, n_sigma_background
            ):
                if number < found.size:
                    found[number] = y * columns + x
                number += 1
    return number
