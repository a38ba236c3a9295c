"""Static pictures for notebooks, reports and the README: matplotlib with Agg, no pyplot."""

from .cake import cake as cake
from .calibration import calibration as calibration
from .center import center_curve as center_curve
from .curves import histogram as histogram
from .curves import ring_correlation as ring_correlation
from .frames import frames as frames
from .grid_scan import grid_scan as grid_scan
from .image import image as image
from .images import images as images
from .patterns import calibrant_rings as calibrant_rings
from .patterns import pattern as pattern
from .patterns import pattern_map as pattern_map
from .patterns import waterfall as waterfall
from .picture import Picture as Picture
from .reference import reference_frames as reference_frames
from .rotation_scan import decay as decay
from .rotation_scan import rocking_curve as rocking_curve
from .rotation_scan import rotation_scan as rotation_scan
from .scans import scan as scan
from .trend import trend as trend
