"""Corrections of projections, one step a file."""

from .correct import SEQUENCES as SEQUENCES
from .correct import correct as correct
from .exclude_frames import exclude_frames as exclude_frames
from .flat_field import flat_field as flat_field
from .minus_log import minus_log as minus_log
from .paganin import paganin as paganin
from .remove_stripes import remove_stripes as remove_stripes
from .remove_zingers import remove_zingers as remove_zingers
from .repair_pixels import repair_pixels as repair_pixels
from .scale_beam import scale_beam as scale_beam
