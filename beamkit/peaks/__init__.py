"""Find peaks in one dimension, and fit them."""

from .find import find_peaks as find_peaks
from .fit import fit_peak as fit_peak
from .fit import fit_peaks as fit_peaks
from .measured import Measured as Measured
from .result import PeakFit as PeakFit
from .result import PeaksFit as PeaksFit
from .shapes import MODELS as MODELS
from .shapes import pseudo_voigt as pseudo_voigt
