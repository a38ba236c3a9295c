"""Many frames through one integrator: in threads, in processes, or lazily by dask."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError
from beamkit.core.machine import cores

from ._integrate_pool import integrate_block
from ._integrate_setup import Plan


def run(plan: Plan, *, workers: int | None, executor: Executor | None) -> Any:
    """Return the patterns of all frames, shape (..., outputs, \\*bins); lazy if the frames are."""
    if workers is not None and workers < 1:
        raise ParameterError(f"workers={workers}; at least 1 is needed. Leave it out for all.")
    if plan.stack.chunks is not None:
        return _lazily(plan)
    return _now(plan, workers, executor)


def _now(plan: Plan, workers: int | None, executor: Executor | None) -> NDArray[np.float64]:
    setup, lead = plan.setup, plan.stack.shape[:-2]
    frames = plan.stack.values.reshape(-1, *plan.stack.shape[-2:])
    one = partial(integrate_block, setup=setup)
    monitor = plan.monitor.ravel()
    if executor is None:
        # An engine that is not shared uses all cores for one frame.
        wanted = workers or (cores() if setup.is_shareable else 1)
        number = min(wanted, len(frames))
        if number < 2:
            return one(frames, monitor).reshape(*lead, setup.outputs, *setup.bins)
        with ThreadPoolExecutor(number) as threads:
            found = list(threads.map(one, frames, monitor))
    else:
        found = list(executor.map(one, frames, monitor))
    return np.stack(found).reshape(*lead, setup.outputs, *setup.bins)


def _lazily(plan: Plan) -> Any:
    """One task a chunk of frames; the setup is one object of the graph, not a copy a task."""
    import dask
    import dask.array as da

    setup = plan.setup
    data = plan.stack.data
    data = data.rechunk((*data.chunks[:-2], -1, -1))
    lead = data.chunks[:-2]
    monitor = da.from_array(plan.monitor[..., None, None], chunks=(*lead, 1, 1))
    shared = dask.delayed(setup, name=f"integrator-{setup.key}", pure=True, traverse=False)
    axes = len(lead)
    return da.map_blocks(
        integrate_block,
        data,
        monitor,
        setup=shared,
        chunks=(*lead, (setup.outputs,), *((size,) for size in setup.bins)),
        drop_axis=(axes, axes + 1),
        new_axis=tuple(range(axes, axes + 1 + len(setup.bins))),
        dtype=np.float64,
        meta=np.empty((0,) * (axes + 1 + len(setup.bins)), np.float64),
        name=None,
    )
