"""Files of detectors, in whatever format, as lazy xarray datasets.

One module is one format. A module has

``DESCRIPTION``
    What the file is, as the end of the sentence "This is ...".
``can_read(path) -> bool``
    Whether the file is of this format, by its content; cheap, and never raises.
``read(paths, *, option=...) -> xr.Dataset``
    The data, lazily, in the vocabulary of :mod:`beamkit.core.schema`.
``verify(paths) -> int | None``
    Only where the format has checksums: raise ChecksumError where one is wrong. May return how
    many there were; 0 is noted in ``attrs["notes"]``.

A new format is one new file and its name in :data:`FORMATS`. A package of its own adds one through
the entry-point group ``beamkit.readers``.
"""

from __future__ import annotations

from ._module_places import Placement as Placement
from ._modules import assemble_modules as assemble_modules
from ._open import open_dataset as open_dataset

#: The formats, in the order in which they are tried: the particular before the general.
FORMATS = (
    "nxtomo",
    "dxchange",
    "nxmx",
    "nexus",
    "hdf5",
    "cbf",
    "srs",
    "spec",
    "pattern_text",
    "gda_ascii",
    "tiff_stack",
    "fabio_images",
)

__all__ = ["FORMATS", "Placement", "assemble_modules", "open_dataset"]
