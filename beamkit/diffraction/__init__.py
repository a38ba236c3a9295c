"""Where a detector stands and what its pixels mean: geometry, calibrants, rings, masks."""

from .calibrants import Calibrant as Calibrant
from .calibrants import calibrant as calibrant
from .distance import with_distance as with_distance
from .geometry import Geometry as Geometry
from .ice import ice_rings as ice_rings
from .image_statistics import ImageAnalyser as ImageAnalyser
from .image_statistics import ImageStatistics as ImageStatistics
from .image_statistics import image_statistics as image_statistics
from .integrate import integrate as integrate
from .mask import Threshold as Threshold
from .mask import apply_mask as apply_mask
from .mask import as_mask as as_mask
from .mask import empty_mask as empty_mask
from .mask import is_bad as is_bad
from .mask import load_mask as load_mask
from .mask import save_mask as save_mask
from .radial import radial_profile as radial_profile
from .resolution import resolution_rings as resolution_rings
from .rings import Rings as Rings
from .rings import rings as rings
from .spots import SpotFinder as SpotFinder
from .spots import SpotSettings as SpotSettings
from .spots import find_spots as find_spots
from .spots_table import Spots as Spots
from .statistics import rank as rank
from .statistics import statistics as statistics
