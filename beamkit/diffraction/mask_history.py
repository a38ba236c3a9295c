"""Steps of a mask that is drawn, to be taken back and done again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint32]

#: Memory for the steps [byte]; the oldest are forgotten first.
_KEEP = 256 * 2**20


@dataclass(frozen=True, eq=False)
class _Step:
    """The pixels that changed, and what they were and became."""

    pixels: NDArray[np.intp]
    before: Bits
    after: Bits

    @property
    def nbytes(self) -> int:
        return self.pixels.nbytes + self.before.nbytes + self.after.nbytes


class MaskHistory:
    """Remembers what changed in a mask from step to step, not the masks.

    Attributes
    ----------
    can_undo, can_redo
        Whether there is a step to take back, or one to do again.
    """

    def __init__(self) -> None:
        self._done: list[_Step] = []
        self._undone: list[_Step] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._undone)

    def note(self, before: Bits, after: Bits) -> bool:
        """Remember a step; what was taken back before is lost. Return whether anything changed.

        Parameters
        ----------
        before, after
            Of the same shape.
        """
        old, new = before.reshape(-1), after.reshape(-1)
        pixels = np.flatnonzero(old != new)
        if not pixels.size:
            return False
        self._done.append(_Step(pixels, old[pixels], new[pixels]))
        self._undone.clear()
        while len(self._done) > 1 and sum(step.nbytes for step in self._done) > _KEEP:
            self._done.pop(0)
        return True

    def undo(self, mask: Bits) -> Bits:
        """Return the mask without the last step; as it is if there is none."""
        if not self._done:
            return mask
        step = self._done.pop()
        self._undone.append(step)
        return _put(mask, step.pixels, step.before)

    def redo(self, mask: Bits) -> Bits:
        """Return the mask with the step that was taken back last; as it is if there is none."""
        if not self._undone:
            return mask
        step = self._undone.pop()
        self._done.append(step)
        return _put(mask, step.pixels, step.after)

    def clear(self) -> None:
        """Forget all steps."""
        self._done.clear()
        self._undone.clear()


def _put(mask: Bits, pixels: NDArray[np.intp], values: Bits) -> Bits:
    result = mask.copy()
    result.reshape(-1)[pixels] = values
    return result
