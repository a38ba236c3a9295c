"""Where the axis of rotation is, one method a file."""

from ._estimate import CenterEstimate as CenterEstimate
from .closed_form import closed_form as closed_form
from .find_center import METHODS as METHODS
from .find_center import find_center as find_center
from .phase_correlation import phase_correlation as phase_correlation
from .sharpness import sharpness as sharpness
from .vo import vo as vo
