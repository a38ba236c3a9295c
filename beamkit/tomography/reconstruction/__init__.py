"""Reconstruction, one algorithm a file; one file for each library that computes."""

from ._engines import available_engines as available_engines
from ._filters import FILTERS as FILTERS
from .fbp import fbp as fbp
