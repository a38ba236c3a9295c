"""Frames one after the other, as fast as they come: from files, detectors and memory.

>>> import beamkit as bk
>>> scan = bk.samples.diffraction(
...     getfixture("tmp_path") / "scan", frames=3, detector="PILATUS 100K"
... )
>>> with bk.streams.stream(bk.open(scan.path)) as frames:
...     [(frame.index, frame.source) for frame in frames]
[(0, 'scan_00001.cbf'), (1, 'scan_00002.cbf'), (2, 'scan_00003.cbf')]
"""

from __future__ import annotations

from .dectris import DectrisSource as DectrisSource
from .frame import (
    Arrival as Arrival,
)
from .frame import (
    Frame as Frame,
)
from .frame import (
    FrameSource as FrameSource,
)
from .frame import (
    GrowingSource as GrowingSource,
)
from .frame import (
    Label as Label,
)
from .frame import (
    LiveSource as LiveSource,
)
from .frame import (
    Problem as Problem,
)
from .growing_folder import FolderSource as FolderSource
from .kept import KeptSource as KeptSource
from .live import live as live
from .ring import Feed as Feed
from .ring import RingBuffer as RingBuffer
from .ring import RingReader as RingReader
from .ring import feed as feed
from .sources import ArraySource as ArraySource
from .sources import source_of as source_of
from .stream import Stream as Stream
from .stream import stream as stream
from .swmr import SwmrSource as SwmrSource
from .watch import Watch as Watch
from .watch import watch_frames as watch_frames
