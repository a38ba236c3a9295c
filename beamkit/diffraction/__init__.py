"""Where a detector stands and what its pixels mean: geometry, calibrants, rings, masks."""

from .calibrants import Calibrant as Calibrant
from .calibrants import calibrant as calibrant
from .geometry import Geometry as Geometry
from .ice import ice_rings as ice_rings
from .rings import Rings as Rings
from .rings import rings as rings
