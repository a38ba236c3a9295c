"""Metadata of a Data Exchange file in the vocabulary of beamkit."""

from __future__ import annotations

from beamkit.core.schema import header_text

from . import _hdf5
from ._nexus_header import header
from ._nexus_metadata import Metadata, number_of
from ._nexus_tree import Tree

#: Where Data Exchange has what NeXus has (De Carlo et al. 2014, tables 3 to 8).
_NUMBERS = {
    "energy": "/measurement/instrument/monochromator/energy",
    "detector_distance": "/measurement/instrument/detector_motor_stack/setup/z",
    "pixel_size_x": "/measurement/instrument/detector/pixel_size_x",
    "pixel_size_y": "/measurement/instrument/detector/pixel_size_y",
    "effective_pixel_size_x": "/measurement/instrument/detector/actual_pixel_size_x",
    "effective_pixel_size_y": "/measurement/instrument/detector/actual_pixel_size_y",
    "magnification": "/measurement/instrument/objective/magnification",
    "exposure_time": "/measurement/instrument/detector/exposure_time",
}
_TEXTS = {
    "detector": "/measurement/instrument/detector/model",
    "detector_serial": "/measurement/instrument/detector/serial_number",
    "beamline": "/measurement/instrument/source/beamline",
    "visit": "/measurement/sample/experiment/proposal",
    "sample": "/measurement/sample/name",
    "title": "/exchange/title",
    "start_time": "/measurement/sample/start_date",
}


def metadata(tree: Tree) -> Metadata:
    """Return the attributes that a Data Exchange file gives."""
    found = Metadata()
    for name, path in _NUMBERS.items():
        item = _hdf5.dataset(tree.file, path)
        value = None if item is None else number_of(found, name, item)
        if value is not None:
            found.attrs[name] = value
    for name, path in _TEXTS.items():
        words = _hdf5.string(_hdf5.dataset(tree.file, path))
        if words:
            found.attrs[name] = words
    found.attrs["header"] = header_text(header(tree, "/"))
    return found
