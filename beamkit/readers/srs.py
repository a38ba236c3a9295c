"""SRS text files of GDA (Diamond): scans of motors and counters, one line a point.

Layout: ``SRSLoader`` of DAWN (scisoft-core); traps that real files have: a blank before ``&SRS``,
metadata in ``<MetaDataAtStart>`` tags that may close on the line of a value, keys given twice,
empty lines, cells that are words.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from beamkit.core.errors import MissingSourceError, ParameterError

from ._dataset import image_stack
from ._image_stack import lazy
from ._paths import one_file
from ._text_scan import note_points, read_text, scan_dataset, table, unique
from ._text_srs import attributes_of_srs, is_srs, parse_srs, split_srs

DESCRIPTION = "an SRS text scan (&SRS ... &END)"

_TEMPLATE = "path_template"


def can_read(path: Path) -> bool:
    """Say whether the file begins with ``&SRS``."""
    try:
        with path.open("rb") as stream:
            return is_srs(stream.read(200))
    except OSError:
        return False


def read(paths: Sequence[Path], *, images: bool = False) -> xr.Dataset:
    """Return the columns of an SRS scan.

    Parameters
    ----------
    paths
        One file.
    images
        Whether to open the images that the column ``path`` numbers, lazily, as ``frames`` (point,
        detector_y, detector_x) [counts]. Their names follow from ``attrs["image_template"]``.

    Returns
    -------
    data
        A variable a column over ``point``, float64, NaN where a cell is not a number; the scanned
        one is a coordinate. Columns have no units in this format: ``attrs["units"]`` is empty.

    Raises
    ------
    UnreadableFileError
        If the file ends inside its header, or holds no points.
    MissingSourceError
        With ``images``, if one of them is not there.
    ParameterError
        With ``images``, if the file names none; or if several files are given.
    """
    path = one_file(paths, DESCRIPTION).absolute()
    text, names, rows = split_srs(path, read_text(path))
    header = parse_srs(text)
    attrs = attributes_of_srs(header)
    columns = table(path, names, rows, attrs)
    note_points(attrs, len(next(iter(columns.values()))))
    template = next((header[key] for key in header if key.endswith(_TEMPLATE)), None)
    if template is not None:
        attrs["image_template"] = str(template)
    data = scan_dataset(
        columns,
        axis=_scanned(attrs, names),
        attrs=attrs,
        header=header,
        path=path,
        file_format="srs",
    )
    return _with_frames(data, path) if images else data


def _scanned(attrs: dict[str, Any], names: Sequence[str]) -> str:
    """Return the column that the command scans: the second word of ``scan eta 1 2 0.1``."""
    word = attrs.get("scan_command", "").split()[1:2]
    plain = dict(zip(names, unique(names), strict=True))
    return plain.get(word[0], "") if word else ""


def _with_frames(data: xr.Dataset, path: Path) -> xr.Dataset:
    from .fabio_images import describe, stack_of

    files = describe(_images(data, path))
    frames = image_stack(lazy(stack_of(files)), "point")
    if frames.sizes["point"] != data.sizes["point"]:
        raise ParameterError(
            f"{path}: {frames.sizes['point']} images for {data.sizes['point']} points; one each is "
            "needed. Open the images by themselves, with a glob."
        )
    frames.attrs.update(files[0].attrs)
    return data.assign(frames=frames.assign_attrs(units="counts"))


def _images(data: xr.Dataset, path: Path) -> list[Path]:
    """Return the image of each point, by template and the numbers in the column ``path``."""
    template = data.attrs.get("image_template")
    numbers = data["path"].values if "path" in data.variables else np.array([])
    if template is None or numbers.dtype.kind != "f" or not np.isfinite(numbers).all():
        raise ParameterError(
            f"{path}: names no images: a column 'path' of numbers and a key '..._{_TEMPLATE}' are "
            "needed. Leave images= out, and open the images with a glob."
        )
    try:
        found = [path.parent / (template % int(number)) for number in numbers]
    except (TypeError, ValueError):
        raise ParameterError(
            f"{path}: its image template {template!r} does not take a number. "
            "Leave images= out, and open the images with a glob."
        ) from None
    missing = [image for image in found if not image.is_file()]
    if missing:
        raise MissingSourceError(
            f"{path}: {len(missing)} of its {len(found)} images are not there, first {missing[0]}. "
            "Copy them beside the scan, or leave images= out."
        )
    return found
