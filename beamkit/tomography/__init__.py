"""From raw projections to slices: corrections, the centre of rotation, reconstruction.

The order is that of the functions below; :func:`reconstruct` goes all the way by itself.
"""

from .circular_mask import circular_mask as circular_mask
from .corrections import SEQUENCES as SEQUENCES
from .corrections import correct as correct
from .corrections import exclude_frames as exclude_frames
from .corrections import flat_field as flat_field
from .corrections import minus_log as minus_log
from .corrections import paganin as paganin
from .corrections import remove_stripes as remove_stripes
from .corrections import remove_zingers as remove_zingers
from .corrections import repair_pixels as repair_pixels
from .corrections import scale_beam as scale_beam
from .reconstruct import ALGORITHMS as ALGORITHMS
from .reconstruct import reconstruct as reconstruct
from .reconstruction import FILTERS as FILTERS
from .reconstruction import available_engines as available_engines
from .rotation_center import CenterEstimate as CenterEstimate
from .rotation_center import find_center as find_center
from .to_integers import to_uint8 as to_uint8
from .to_integers import to_uint16 as to_uint16
