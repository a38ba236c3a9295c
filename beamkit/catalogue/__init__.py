"""What folders and files hold: listings, trees, headers, thumbnails."""

from __future__ import annotations

from .filters import ordered as ordered
from .filters import parse_filter as parse_filter
from .listing import Entry as Entry
from .listing import list_folder as list_folder
from .metadata import attributes as attributes
from .metadata import attributes_of as attributes_of
from .thumbnails import Thumbnail as Thumbnail
from .thumbnails import thumbnail as thumbnail
from .tree import Node as Node
from .tree import hdf5_tree as hdf5_tree

__all__ = [
    "Entry",
    "Node",
    "Thumbnail",
    "attributes",
    "attributes_of",
    "hdf5_tree",
    "list_folder",
    "ordered",
    "parse_filter",
    "thumbnail",
]
