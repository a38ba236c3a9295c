"""Results to files: one file per format. Every one is whole or not there at all."""

from .nexus import NEXUS_SUFFIXES as NEXUS_SUFFIXES
from .nexus import VolumeFile as VolumeFile
from .nexus import nexus as nexus
from .nxmx import COMPRESSIONS as COMPRESSIONS
from .nxmx import NxmxFile as NxmxFile
from .nxmx import nxmx as nxmx
from .pattern import PATTERN_FORMATS as PATTERN_FORMATS
from .pattern import pattern as pattern
from .pattern import pattern_format as pattern_format
