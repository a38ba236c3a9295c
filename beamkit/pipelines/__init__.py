"""Whole files from raw data to a result, within the memory that there is."""

from .reconstruct_file import FileReconstruction as FileReconstruction
from .reconstruct_file import reconstruct_file as reconstruct_file
