"""What can be asked of any image."""

from .noise import noise_of_halves as noise_of_halves
from .ring_correlation import RingCorrelation as RingCorrelation
from .ring_correlation import ring_correlation as ring_correlation
