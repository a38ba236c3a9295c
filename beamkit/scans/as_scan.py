"""A profile or a pattern, as a scan of one column."""

from __future__ import annotations

import xarray as xr

from beamkit.core.errors import ShapeError


def as_scan(data: xr.Dataset | xr.DataArray) -> xr.Dataset:
    """Return a dataset that scans can be asked of.

    Parameters
    ----------
    data
        A dataset, given back as it is; or an array of one dimension, such as a profile, whose
        coordinate becomes the axis.

    Raises
    ------
    ShapeError
        If an array has another number of dimensions.
    """
    if isinstance(data, xr.Dataset):
        return data
    if data.ndim != 1:
        raise ShapeError(
            f"A curve has one dimension, this has {data.dims} of sizes {data.shape}. "
            "Select one with .isel(...)."
        )
    scan = data.to_dataset(name=str(data.name or "value"))
    kept = {name: data.attrs[name] for name in ("source", "title", "sample") if name in data.attrs}
    return scan.assign_attrs(kind="scan", **kept)
