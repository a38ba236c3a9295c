"""Reports: notebooks with typed parameters, run by papermill and rendered to one HTML file."""

from .results import Attention as Attention
from .results import Results as Results
from .run import ReportRun as ReportRun
from .run import run as run
from .shelf import Report as Report
from .shelf import available as available
from .shelf import find as find
from .table import Table as Table
