"""Pixels beside the narrow gaps of a detector, which collect the counts of a larger area.

In EXCALIBUR, 8 x 6 chips of 256 x 256 pixels share sensors that go on across the chips: 3 pixels
lie between two chips of a sensor, and no chip reads them. If the pixels at both edges share them
equally, each is 1 + 3/2 pixels wide, and one at a corner 2.5 x 2.5. That they share equally is
inferred from the size of the gap; a flat-field image measures it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamkit.core.detectors import MASK_GAP, MASK_VIRTUAL, ModuleLayout, layout_named
from beamkit.core.errors import ParameterError, ShapeError, UnknownNameError
from beamkit.core.history import extend

from ._on_layout import as_float, lines_of

Method = Literal["divide", "spread"]
Data = TypeVar("Data", xr.DataArray, xr.Dataset)

_VARIABLES = ("frames", "image", "projections")


def wide_pixels(
    data: Data,
    *,
    layout: str | ModuleLayout = "EXCALIBUR",
    method: str = "divide",
    factor: float | None = None,
) -> Data:
    """Return images as if all pixels of the detector had the same size, lazily.

    Parameters
    ----------
    data
        Shape (..., detector_y, detector_x), or a dataset with ``frames``, ``image`` or
        ``projections`` and, perhaps, ``mask``.
    layout
        The detector, or its name.
    method
        ``"divide"``: counts of a wide pixel are divided by its area, so that they are those of an
        ordinary one; the gaps stay gaps. ``"spread"``: they are spread evenly over its area, into
        the gap; the total of counts stays, noise of pixels in the gap is not independent. A mask
        then says "virtual pixel" in place of "gap".
    factor
        Width of a wide pixel over that of the others, for ``"divide"``; None takes the layout's.

    Returns
    -------
    corrected
        Same shape, floating point; NaN in gaps and where whole counts held a flag.

    Raises
    ------
    ShapeError
        If the data are not frames of that detector; for ``"spread"``, also if they were cropped.
    ParameterError
        If the factor is not above 0, or is given for ``"spread"``.
    """
    known = layout_named(layout)
    if method not in get_args(Method):
        raise UnknownNameError("method", method, get_args(Method))
    _check_factor(factor, method)
    parameters = {"layout": known.name, "method": method, "factor": factor}
    if isinstance(data, xr.Dataset):
        result = _of_dataset(data, known, method, factor)
    else:
        result = _corrected(data, known, method, factor)
    result.attrs["history"] = extend(data.attrs, "wide_pixels", parameters)
    return result


def _of_dataset(
    data: xr.Dataset, layout: ModuleLayout, method: str, factor: float | None
) -> xr.Dataset:
    names = [name for name in _VARIABLES if name in data]
    if not names:
        raise ParameterError(
            f"The dataset has no images; it has {', '.join(map(str, data.data_vars))}. Give one "
            f"with {', '.join(_VARIABLES)}, or a DataArray."
        )
    result = data.assign({name: _corrected(data[name], layout, method, factor) for name in names})
    if method == "spread" and "mask" in data:
        narrow = _narrow_gaps(layout)
        bits = data["mask"]
        virtual = (bits & np.uint32(~MASK_GAP & 0xFFFFFFFF)) | np.uint32(MASK_VIRTUAL)
        result["mask"] = xr.where(xr.DataArray(narrow, dims=bits.dims), virtual, bits)
        result["mask"].attrs = bits.attrs
    return result


def _corrected(
    data: xr.DataArray, layout: ModuleLayout, method: str, factor: float | None
) -> xr.DataArray:
    rows, columns = lines_of(data, layout)
    values = as_float(data).where(
        xr.DataArray(~layout.gaps()[np.ix_(rows, columns)], dims=data.dims[-2:])
    )
    if method == "divide":
        width = layout.wide_edge if factor is None else factor
        of_rows, of_columns = (np.where(lines, width, 1.0) for lines in layout.wide_lines())
        area = of_rows[rows][:, None] * of_columns[columns][None, :]
        result = values / xr.DataArray(area.astype(values.dtype), dims=data.dims[-2:])
    else:
        if data.shape[-2:] != layout.shape:
            raise ShapeError(
                f"The images have {data.shape[-2]} x {data.shape[-1]} pixels, the {layout.name} "
                f"{layout.shape[0]} x {layout.shape[1]}. Spread the counts first, then crop."
            )
        result = xr.apply_ufunc(
            _spread,
            values if values.chunks is None else values.chunk(dict.fromkeys(data.dims[-2:], -1)),
            kwargs={"layout": layout},
            input_core_dims=[data.dims[-2:]],
            output_core_dims=[data.dims[-2:]],
            dask="parallelized",
            output_dtypes=[values.dtype],
        )
    result.attrs, result.name = dict(data.attrs), data.name
    return result


def _spread(values: NDArray[Any], layout: ModuleLayout) -> NDArray[Any]:
    """Spread counts of wide pixels along the columns, then along the rows."""
    result = values.copy()
    for axis in (1, 0):
        # Views whose last axis is the one across the gaps.
        lines = result if axis == 1 else np.swapaxes(result, -1, -2)
        for first, last in _narrow(layout, axis):
            _fill(lines, first, last)
    return result


def _narrow(layout: ModuleLayout, axis: int) -> list[tuple[int, int]]:
    """Return the last line before and the first after each narrow gap."""
    module, gap = layout.module[axis], layout.gap[axis]
    return [
        (before + module - 1, after)
        for before, after in pairwise(layout.starts[axis])
        if after - before - module == gap and layout.wide_edge != 1
    ]


def _fill(lines: NDArray[Any], first: int, last: int) -> None:
    """Share the counts of the lines at both edges of a gap with its lines, in place."""
    gap = last - first - 1
    width = 1 + gap / 2
    left, right = lines[..., first] / width, lines[..., last] / width
    lines[..., first], lines[..., last] = left, right
    for number in range(gap):
        share = min(max(gap / 2 - number, 0.0), 1.0)  # of the line that is on the left half
        if share == 1:
            lines[..., first + 1 + number] = left
        elif share == 0:
            lines[..., first + 1 + number] = right
        else:
            lines[..., first + 1 + number] = share * left + (1 - share) * right


def _narrow_gaps(layout: ModuleLayout) -> NDArray[np.bool_]:
    """Return True in the gaps that counts are spread into."""
    filled = np.where(layout.gaps(), np.nan, 1.0)
    return np.asarray(layout.gaps() & np.isfinite(_spread(filled, layout)))


def _check_factor(factor: float | None, method: str) -> None:
    if factor is None:
        return
    if method == "spread":
        raise ParameterError(
            f"factor={factor} is not allowed with method='spread', which shares the gap equally. "
            "Leave it out, or take method='divide'."
        )
    if not (np.isfinite(factor) and factor > 0):
        raise ParameterError(
            f"factor={factor} is not allowed. Give the width of a wide pixel over that of the "
            "others, such as 2.5."
        )
