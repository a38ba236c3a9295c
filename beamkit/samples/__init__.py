"""Simulated raw files in the formats of real detectors, whose answer is known exactly.

Each function writes files and returns an object that is a path and carries the truth::

    sample = bk.samples.tomography("scan.nxs", width=256)
    scan = bk.open(sample)
    sample.rotation_center, sample.volume()

The same call gives the same bytes, whatever the number of threads.
"""

from ._diffraction_truth import DiffractionSample as DiffractionSample
from ._phantom import Ellipsoid as Ellipsoid
from ._powder_truth import PowderSample as PowderSample
from ._tomography_truth import TomographySample as TomographySample
from .dectris import DectrisSample as DectrisSample
from .dectris import dectris as dectris
from .diffraction import diffraction as diffraction
from .grid_scan import GridSample as GridSample
from .grid_scan import grid_scan as grid_scan
from .powder import powder as powder
from .scan import ScanSample as ScanSample
from .scan import scan as scan
from .stream import StreamSample as StreamSample
from .stream import stream as stream
from .tomography import tomography as tomography

__all__ = [
    "DectrisSample",
    "DiffractionSample",
    "Ellipsoid",
    "GridSample",
    "PowderSample",
    "ScanSample",
    "StreamSample",
    "TomographySample",
    "dectris",
    "diffraction",
    "grid_scan",
    "powder",
    "scan",
    "stream",
    "tomography",
]
