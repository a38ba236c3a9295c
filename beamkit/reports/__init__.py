"""Reports: notebooks with typed parameters, run by papermill and rendered to one HTML file."""

from .library import Report as Report
from .library import available as available
from .library import find as find
from .results import Attention as Attention
from .results import Results as Results
from .run import ReportRun as ReportRun
from .run import run as run
