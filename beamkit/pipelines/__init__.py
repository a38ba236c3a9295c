"""Whole files from raw data to a result, within the memory that there is."""

from .convert import convert as convert
from .convert_report import ConversionReport as ConversionReport
from .integrate_files import IntegrationReport as IntegrationReport
from .integrate_files import integrate_files as integrate_files
from .reconstruct_file import FileReconstruction as FileReconstruction
from .reconstruct_file import reconstruct_file as reconstruct_file
