"""Integrators that are built once in a process and lent to its threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._pyfai import Integrator, Setup

#: Setups whose integrators are kept in a process; each holds maps of the whole detector.
_KEPT = 3


class _Pool:
    """The integrators of one setup: one for all threads, or one for each that works now."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._lock = threading.Lock()
        self._free: list[Integrator] = []

    @contextmanager
    def borrow(self) -> Iterator[Integrator]:
        with self._lock:
            integrator = self._free.pop() if self._free else Integrator(self._setup)
            if self._setup.is_shareable:
                self._free.append(integrator)
        yield integrator
        if not self._setup.is_shareable:
            with self._lock:
                self._free.append(integrator)


_pools: OrderedDict[str, _Pool] = OrderedDict()
_pools_lock = threading.Lock()


@contextmanager
def integrator(setup: Setup) -> Iterator[Integrator]:
    """Lend an integrator of this setup; in a process each is built once, and the last few kept."""
    with _pools_lock:
        pool = _pools.pop(setup.key, None) or _Pool(setup)
        _pools[setup.key] = pool
        while len(_pools) > _KEPT:
            _pools.popitem(last=False)
    with pool.borrow() as found:
        yield found


def integrate_block(
    frames: NDArray[Any], monitor: NDArray[Any], setup: Setup
) -> NDArray[np.float64]:
    """Return the patterns of a block of frames, in this process and thread.

    Parameters
    ----------
    frames
        Shape (..., rows, columns).
    monitor
        What each is divided by; shape (...,), or with two axes of length 1 at the end.
    setup
        Of the integrator.

    Returns
    -------
    patterns
        Shape (..., outputs, \\*bins), float64.
    """
    lead = frames.shape[:-2]
    numbers = np.broadcast_to(np.reshape(monitor, lead), lead).ravel()
    result = np.empty((numbers.size, setup.outputs, *setup.bins), np.float64)
    with integrator(setup) as one:
        for number, frame in enumerate(frames.reshape(-1, *frames.shape[-2:])):
            result[number] = one(frame, float(numbers[number]))
    return result.reshape(*lead, setup.outputs, *setup.bins)
