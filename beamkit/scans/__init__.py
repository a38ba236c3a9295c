"""One-dimensional scans: their axes, derived columns, normalisation, several together."""

from .as_scan import as_scan as as_scan
from .columns import column as column
from .columns import columns as columns
from .columns import default_signal as default_signal
from .columns import scanned_axis as scanned_axis
from .curve import curve as curve
from .derivative import derivative as derivative
from .normalise import normalise as normalise
from .overlay import overlay as overlay
from .statistics import ScanStatistics as ScanStatistics
from .statistics import center_of_mass as center_of_mass
from .statistics import statistics as statistics
