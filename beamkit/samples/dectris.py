"""A detector of DECTRIS on the network, simulated: to try what listens to one."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.errors import ParameterError, UnknownNameError, WriteError
from beamkit.core.units import energy_from_wavelength

from ._diffraction_truth import DiffractionSample
from ._nxmx import unsigned
from ._pixel_detector import COUNT_CUTOFF
from ._sample import require_at_least, require_positive
from .stream import Writer, play, simulated

_ENCODINGS = ("bs32-lz4<", "<")
_DETAILS = ("none", "basic", "all")


@dataclass(frozen=True, eq=False, kw_only=True)
class DectrisSample:
    """Frames that were sent at a rate, and their truth.

    Attributes
    ----------
    endpoint
        Where they were sent.
    series
        Number of the series.
    crystal
        The scan whose frames were sent, over and over.
    frames, lost
        How many there were, and the numbers of those that were left out.
    rate
        Frames a second that were asked for.
    late
        How much later than asked the last frame was sent; 0 if it was in time [s].
    """

    endpoint: str
    series: int
    crystal: DiffractionSample
    frames: int
    lost: tuple[int, ...]
    rate: float
    late: float

    def frame(self, number: int) -> NDArray[np.uint32]:
        """Return the counts of a frame; masked pixels hold the highest number."""
        return unsigned(self.crystal.frame(number % self.crystal.frames))


def dectris(
    endpoint: str,
    *,
    rate: float = 25.0,
    frames: int = 500,
    series: int = 1,
    encoding: str = "bs32-lz4<",
    header_detail: str = "all",
    lost: Collection[int] = (),
    distinct: int = 16,
    patience: float = 60.0,
    told: Callable[[int], None] | None = None,
    **crystal: Any,
) -> DectrisSample:
    """Send the frames of a crystal as a DECTRIS detector does; returns after the last one.

    Source: DECTRIS, SIMPLON API reference manual, chapter "Stream", version 1: a ZeroMQ socket of
    the kind PUSH, which a :class:`beamkit.streams.DectrisSource` listens to.

    Parameters
    ----------
    endpoint
        Where to listen for the receiver, such as ``"tcp://127.0.0.1:9999"``.
    rate
        Frames a second, above 0. A receiver that is too slow makes it lower: see ``late``.
    frames
        Number of frames, at least 1.
    series
        Number of the series, at least 0.
    encoding
        ``"bs32-lz4<"`` (bitshuffle and LZ4) or ``"<"`` (not compressed), 32 bits little-endian.
    header_detail
        ``"none"``, ``"basic"`` (with the configuration) or ``"all"`` (with the mask, too).
    lost
        Numbers of frames that are left out, as if the network had lost them.
    distinct
        Number of different pictures; they are simulated before the first frame is sent, and
        repeat after the last one, while times go on.
    patience
        How long to wait for a receiver [s].
    told
        Called with the number of frames sent, after each.
    **crystal
        Other options of :func:`diffraction`, such as ``detector`` and ``seed``.

    Raises
    ------
    UnknownNameError
        If ``encoding``, ``header_detail`` or the detector is not known.
    ParameterError
        If a number is too small, or the endpoint is taken or not one.
    WriteError
        If nobody receives.
    """
    for what, name, known in (
        ("encoding of a stream", encoding, _ENCODINGS),
        ("detail of a header", header_detail, _DETAILS),
    ):
        if name not in known:
            raise UnknownNameError(what, name, known)
    require_positive(rate=rate, patience=patience)
    require_at_least(1, frames=frames, distinct=distinct)
    require_at_least(0, series=series)
    source = simulated(min(distinct, frames), 1 / rate, crystal)
    missing = tuple(sorted(set(lost)))
    detector = _Detector(endpoint, series, encoding, patience)
    try:
        detector.send(_header(source, series, frames, header_detail))
        late = play(_frames(detector, source, frames, missing), rate, told)
        detector.send([_json(htype="dseries_end-1.0", series=series)])
    finally:
        detector.close()
    return DectrisSample(
        endpoint=endpoint, series=series, crystal=source, frames=frames, lost=missing, rate=rate,
        late=late,
    )  # fmt: skip


class _Detector:
    """A socket that sends, and what is the same in all its messages."""

    def __init__(self, endpoint: str, series: int, encoding: str, patience: float) -> None:
        import zmq

        self._zmq, self._endpoint, self._patience = zmq, endpoint, patience
        self._series, self._encoding = series, encoding
        self._socket: Any = zmq.Context.instance().socket(zmq.PUSH)
        self._socket.setsockopt(zmq.SNDTIMEO, int(patience * 1e3))
        self._socket.setsockopt(zmq.SNDHWM, 8)
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise ParameterError(
                f"endpoint is {endpoint!r}: {error}. Give a free one, as tcp://ADDRESS:PORT."
            ) from None

    def send(self, parts: list[bytes]) -> None:
        try:
            self._socket.send_multipart(parts)
        except self._zmq.Again:
            raise WriteError(
                f"{self._endpoint}: nobody received within {self._patience:g} s. Start the "
                f'receiver: bk.live("{self._endpoint}").'
            ) from None

    def send_frame(self, number: int, packed: bytes, shape: tuple[int, int], period: float) -> None:
        start, exposed = round(number * period * 1e9), round(0.95 * period * 1e9)
        rows, columns = shape
        self.send(
            [
                _json(htype="dimage-1.0", series=self._series, frame=number, hash=""),
                _json(
                    htype="dimage_d-1.0", shape=[columns, rows], type="uint32",
                    encoding=self._encoding, size=len(packed),
                ),
                packed,
                _json(
                    htype="dconfig-1.0", start_time=start, stop_time=start + exposed,
                    real_time=exposed,
                ),
            ]
        )  # fmt: skip

    def pack(self, counts: NDArray[np.uint32]) -> bytes:
        if self._encoding == "<":
            return counts.astype("<u4").tobytes()
        import bitshuffle

        block = 8192
        packed: NDArray[np.uint8] = bitshuffle.compress_lz4(counts.astype("<u4"), block // 4)
        return struct.pack(">QI", counts.nbytes, block) + packed.tobytes()

    def close(self) -> None:
        self._socket.close(linger=int(self._patience * 1e3))


def _frames(
    detector: _Detector, source: DiffractionSample, frames: int, lost: tuple[int, ...]
) -> Iterator[tuple[int, Writer]]:
    packed = [detector.pack(unsigned(source.frame(number))) for number in range(source.frames)]
    period = source.exposure_period

    def write(number: int) -> None:
        if number not in lost:
            detector.send_frame(number, packed[number % len(packed)], source.detector.shape, period)

    for number in range(frames):
        yield number, write


def _header(source: DiffractionSample, series: int, frames: int, detail: str) -> list[bytes]:
    parts = [_json(htype="dheader-1.0", series=series, header_detail=detail)]
    if detail != "none":
        parts.append(_json(**_config(replace(source, frames=frames))))
    if detail == "all":
        mask = source.detector.mask().astype("<u4")
        rows, columns = mask.shape
        said = {"type": "uint32", "encoding": "<", "shape": [columns, rows]}
        parts += [_json(htype="dpixelmask-1.0", **said), mask.tobytes()]
    return parts


def _config(source: DiffractionSample) -> dict[str, Any]:
    """Return the configuration, in the names and units of the detector."""
    layout = source.detector.layout
    energy = energy_from_wavelength(source.wavelength) * 1e3
    return {
        "description": f"{layout.name}, simulated",
        "detector_number": "E-00-0000",
        "sensor_material": "Si",
        "sensor_thickness": 0.00045,
        "x_pixel_size": layout.pixel_size,
        "y_pixel_size": layout.pixel_size,
        "beam_center_x": source.header_beam_center[0],
        "beam_center_y": source.header_beam_center[1],
        "detector_distance": source.header_distance,
        "two_theta_start": source.two_theta,
        "wavelength": source.wavelength,
        "photon_energy": energy,
        "threshold_energy": energy / 2,
        "count_time": source.exposure_time,
        "frame_time": source.exposure_period,
        "countrate_correction_count_cutoff": COUNT_CUTOFF,
        "omega_start": source.start_angle,
        "omega_increment": source.angle_increment,
        "nimages": source.frames,
        "ntrigger": 1,
    }


def _json(**fields: Any) -> bytes:
    return json.dumps(fields).encode()
