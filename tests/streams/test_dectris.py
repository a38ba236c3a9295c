"""A DECTRIS detector's stream, version 1: the frames that were sent, each in its place."""

import contextlib
import json
import socket
import struct
import threading
import time

import bitshuffle
import h5py
import hdf5plugin
import numpy as np
import pytest
import zmq

import beamkit as bk
from beamkit import samples
from beamkit.core.errors import ParameterError, UnreadableFileError, WriteError
from beamkit.streams import DectrisSource, KeptSource, RingBuffer, feed, stream

CONFIG = {
    "photon_energy": 12_398.42,
    "detector_distance": 0.25,
    "x_pixel_size": 75e-6,
    "y_pixel_size": 75e-6,
    "beam_center_x": 20.25,
    "beam_center_y": 7.5,
    "count_time": 0.039,
    "frame_time": 0.04,
    "nimages": 3,
    "ntrigger": 2,
    "wavelength": 0,  # not set
}


def plain(frame):
    return frame.astype(frame.dtype.newbyteorder("<")).tobytes(), "<"


def bslz4(frame):
    block = 8192
    packed = bitshuffle.compress_lz4(frame, block // frame.itemsize)
    head = struct.pack(">QI", frame.nbytes, block)
    return head + packed.tobytes(), f"bs{8 * frame.itemsize}-lz4<"


def lz4(frame):
    with h5py.File("chunk", "w", driver="core", backing_store=False) as file:
        data = file.create_dataset("data", data=frame, chunks=frame.shape, **hdf5plugin.LZ4())
        chunk = data.id.read_direct_chunk((0, 0))[1]
    return chunk[16:], "lz4<"  # after the sizes of HDF5's filter; one block


class Detector:
    """The socket of a detector, and its messages by hand."""

    def __init__(self):
        self.socket = zmq.Context.instance().socket(zmq.PUSH)
        self.port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.endpoint = f"tcp://127.0.0.1:{self.port}"

    def send(self, *parts):
        self.socket.send_multipart(
            [part if isinstance(part, bytes) else json.dumps(part).encode() for part in parts]
        )

    def header(self, series=7, detail="basic", *more):
        first = {"htype": "dheader-1.0", "series": series, "header_detail": detail}
        self.send(first, *([] if detail == "none" else [CONFIG]), *more)

    def image(self, number, frame, pack=plain, series=7):
        blob, encoding = pack(frame)
        rows, columns = frame.shape
        self.send(
            {"htype": "dimage-1.0", "series": series, "frame": number, "hash": "fc67f0"},
            {
                "htype": "dimage_d-1.0",
                "shape": [columns, rows],
                "type": str(frame.dtype),
                "encoding": encoding,
                "size": len(blob),
            },
            blob,
            {"htype": "dconfig-1.0", "start_time": 10**9 + 4 * 10**7 * number, "real_time": 39},
        )

    def end(self, series=7):
        self.send({"htype": "dseries_end-1.0", "series": series})


@pytest.fixture
def detector():
    made = Detector()
    yield made
    made.socket.close(linger=0)


def picture(number, dtype="uint16", shape=(37, 53)):
    rows, columns = np.indices(shape)
    return (rows // 5 * 131 + columns // 9 * 7 + number * 1009).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int32"])
@pytest.mark.parametrize("pack", [plain, bslz4, lz4])
def test_frames_come_as_they_were_sent(detector, pack, dtype):
    with DectrisSource(detector.endpoint, timeout=20) as source:
        detector.header()
        for number in range(5):
            detector.image(number, picture(number, dtype), pack)
        detector.end()
        got = list(stream(source))
    assert [frame.index for frame in got] == [0, 1, 2, 3, 4]
    assert got[0].data.dtype == dtype
    for frame in got:
        np.testing.assert_array_equal(frame.data, picture(frame.index, dtype))
    assert [frame.time for frame in got] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


def test_header_speaks_the_words_of_the_house(detector):
    mask = np.zeros((37, 53), "<u4")
    mask[3, 11] = 8
    said = {"htype": "dpixelmask-1.0", "shape": [53, 37], "type": "uint32", "encoding": "<"}
    with DectrisSource(detector.endpoint) as source:
        detector.header(7, "all", said, mask.tobytes())
        assert source.wait_for_header(20)
        assert source.expected == 6
        assert source.series == 7
        np.testing.assert_array_equal(source.mask, mask)
        attrs = source.attrs
    assert attrs["energy"] == pytest.approx(12.39842)
    assert attrs["beam_center_x"] == 20.25
    assert attrs["pixel_size_y"] == 75e-6
    assert attrs["exposure_period"] == 0.04
    assert "wavelength" not in attrs


def test_header_may_say_nothing(detector):
    with DectrisSource(detector.endpoint) as source:
        assert not source.wait_for_header(0.05)
        detector.header(7, "none")
        assert source.wait_for_header(20)
        assert source.expected is source.mask is None


def test_lost_frames_and_a_late_start_are_gaps_not_a_shift(detector):
    with DectrisSource(detector.endpoint, timeout=20) as source:
        for number in (2, 3, 6):
            detector.image(number, picture(number))
        detector.end()
        frames = stream(source)
        got = list(frames)
    assert [frame.index for frame in got] == list(range(7))
    assert [problem.index for problem in frames.problems] == [0, 1, 4, 5]
    assert "Frame 4 of series 7 did not come; 6 was the next" in got[4].problem
    assert (got[4].data == 65535).all()
    np.testing.assert_array_equal(got[6].data, picture(6))


def test_damaged_frame_is_marked_and_the_next_is_whole(detector):
    def cut(frame):
        blob, encoding = bslz4(frame)
        return blob[: len(blob) // 2], encoding

    with DectrisSource(detector.endpoint, timeout=20) as source:
        detector.image(0, picture(0), cut)
        detector.image(1, picture(1), bslz4)
        detector.image(2, picture(2), lambda frame: (plain(frame)[0], "zstd<"))
        detector.end()
        got = list(stream(source))
    assert "Frame 0 of series 7, bs16-lz4<, is damaged" in got[0].problem
    assert "zstd" in got[2].problem
    np.testing.assert_array_equal(got[1].data, picture(1))


def test_messages_of_another_kind_are_listed(detector):
    with DectrisSource(detector.endpoint, timeout=20) as source:
        detector.send(b"\xd9\xd9\xf7 CBOR")
        detector.send({"htype": "dimage-2.0", "series": 7})
        detector.send({"htype": "dimage-1.0", "series": 7})
        detector.image(0, picture(0))
        detector.end()
        assert len(list(stream(source))) == 1
    reasons = [problem.reason for problem in source.problems]
    assert len(reasons) == 3
    assert "is not JSON" in reasons[0]
    assert "'dimage-2.0'" in reasons[1]


def test_frames_of_other_series_are_left_out_and_counted(detector):
    with DectrisSource(detector.endpoint, series=8, timeout=20) as source:
        detector.image(0, picture(0), series=7)
        detector.end(7)
        detector.image(0, picture(5), series=8)
        detector.end(8)
        got = list(stream(source))
    assert len(got) == 1
    np.testing.assert_array_equal(got[0].data, picture(5))
    assert source.ignored == 1


def test_silence_ends_with_an_error(detector):
    with DectrisSource(detector.endpoint, timeout=0.2) as source:
        detector.image(0, picture(0))
        frames = stream(source)
        with pytest.raises(UnreadableFileError, match=r"series 7 within 0.2 s; 1 frames came"):
            list(frames)


@pytest.mark.parametrize("endpoint", ["nonsense", "tcp://127.0.0.1"])
def test_endpoint_must_be_one(endpoint):
    with pytest.raises(ParameterError, match="tcp://ADDRESS:PORT"):
        DectrisSource(endpoint)


def send(endpoint, **options):
    def run():
        sent.append(samples.dectris(endpoint, detector="PILATUS 100K", distinct=3, **options))

    sent = []
    thread = threading.Thread(target=run)
    thread.start()
    return thread, sent


def free_endpoint():
    """Return an endpoint that nothing listens on.

    Asked of the system, not of ZeroMQ, whose sockets listen on for a moment after they are closed: a
    receiver that reached one of them would never try again. Below the ports that connections get,
    so that a receiver cannot reach itself.
    """
    for port in np.random.default_rng().permutation(np.arange(20_000, 32_000)):
        with socket.socket() as candidate, contextlib.suppress(OSError):
            candidate.bind(("127.0.0.1", int(port)))
            return f"tcp://127.0.0.1:{port}"
    raise AssertionError("no port is free")


@pytest.mark.parametrize("encoding", ["bs32-lz4<", "<"])
def test_simulated_detector_fills_a_ring(encoding):
    endpoint = free_endpoint()
    thread, sent = send(endpoint, frames=7, rate=200, lost=[4], encoding=encoding)
    source = DectrisSource(endpoint, timeout=30)
    assert source.wait_for_header(30)
    assert source.expected == 7
    ring = RingBuffer(16, (195, 487), np.uint32)
    with feed(source, ring) as fed:
        assert fed.join(30)
        assert fed.error is None
    thread.join()
    got = ring.latest(16)
    assert [frame.index for frame in got] == list(range(7))
    assert [frame.index for frame in got if frame.problem] == [4]
    for frame in got[:4]:
        np.testing.assert_array_equal(frame.data, sent[0].frame(frame.index))


def test_simulated_detector_waits_for_a_receiver_no_longer_than_asked():
    with pytest.raises(WriteError, match="nobody received within 0.1 s"):
        samples.dectris(free_endpoint(), detector="PILATUS 100K", frames=1, patience=0.1)


def test_dataset_grows_with_the_stream_and_keeps_the_newest():
    endpoint = free_endpoint()
    with bk.watch_frames(endpoint, keep=4, timeout=30) as watch:
        thread, sent = send(endpoint, frames=9, rate=200, lost=[6])
        assert watch.wait(9, 60)
        thread.join()
        data = watch.data
        assert data.sizes["frame"] == 9
        assert data.attrs["wavelength"] == pytest.approx(sent[0].crystal.wavelength)
        np.testing.assert_array_equal(data["frames"][8], sent[0].frame(8))
        np.testing.assert_array_equal(data["mask"], sent[0].crystal.detector.mask())
        assert (data["frames"][6].values == 2**32 - 1).all()
        assert (data["frames"][0].values == 2**32 - 1).all()
        reasons = {problem.index: problem.reason for problem in watch.problems}
    assert "did not come" in reasons[6]
    assert "Frame 0 is not in memory: 5 to 8 are kept" in reasons[0]


def test_what_is_kept_is_bounded_and_its_error_is_told(detector):
    source = KeptSource(DectrisSource(detector.endpoint, timeout=0.3), keep=2)
    for number in range(5):
        detector.image(number, picture(number))
    assert source.wait_for(4, 20)
    assert (len(source), source.oldest, source.shape) == (5, 3, (37, 53))
    time.sleep(0.05)
    with pytest.raises(UnreadableFileError, match="within 0.3 s; 5 frames came"):
        source.wait_for(5, 20)
    out = np.empty((37, 53), np.uint16)
    source.read_into(4, out)
    np.testing.assert_array_equal(out, picture(4))
    source.close()
    with (
        DectrisSource(detector.endpoint) as alone,
        pytest.raises(ParameterError, match="keep is 0"),
    ):
        KeptSource(alone, keep=0)
