"""What can be asked of any image."""

from .contrast import SCALES as SCALES
from .contrast import Histogram as Histogram
from .contrast import Scale as Scale
from .contrast import default_quantiles as default_quantiles
from .contrast import histogram as histogram
from .contrast import limits as limits
from .encode import Coding as Coding
from .encode import choose_coding as choose_coding
from .encode import compress as compress
from .encode import decompress as decompress
from .encode import encode as encode
from .noise import noise_of_halves as noise_of_halves
from .pixel_classes import PixelClasses as PixelClasses
from .pixel_classes import classify as classify
from .reduce import reduce as reduce
from .regions import Circle as Circle
from .regions import Line as Line
from .regions import Point as Point
from .regions import Polygon as Polygon
from .regions import Rectangle as Rectangle
from .regions import Region as Region
from .regions import Sector as Sector
from .regions import region_from_dict as region_from_dict
from .regions import select as select
from .ring_correlation import RingCorrelation as RingCorrelation
from .ring_correlation import ring_correlation as ring_correlation
