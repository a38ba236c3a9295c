"""Results to files: one file per format. Every one is whole or not there at all."""

from .nexus import NEXUS_SUFFIXES as NEXUS_SUFFIXES
from .nexus import VolumeFile as VolumeFile
from .nexus import nexus as nexus
from .nxmx import COMPRESSIONS as COMPRESSIONS
from .nxmx import NxmxFile as NxmxFile
from .nxmx import nxmx as nxmx
