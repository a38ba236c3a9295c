"""The newest frames in memory: bounded, in order, and honest about what was missed."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.streams import Frame, RingBuffer, feed


def frame(number):
    return Frame(number, np.full((2, 3), number, np.uint16))


@pytest.fixture
def ring():
    return RingBuffer(4, (2, 3), np.uint16)


def test_the_newest_frames_stay(ring):
    assert ring.newest() is None
    for number in range(7):
        ring.put(frame(number))
    assert ring.newest().index == 6
    assert [f.index for f in ring.latest(2)] == [5, 6]
    assert [f.index for f in ring.latest(99)] == [3, 4, 5, 6]
    assert (len(ring), ring.capacity, ring.total) == (4, 4, 7)


def test_a_slow_reader_says_what_it_missed_and_a_fast_one_misses_nothing(ring):
    fast, slow = ring.reader(), ring.reader()
    got = []
    for number in range(10):
        ring.put(frame(number))
        got.append(fast.next_frame().index)
        if number == 1:
            assert slow.next_frame().index == 0
    ring.close()
    assert got == list(range(10))
    assert fast.skipped == 0
    assert [f.index for f in slow] == [6, 7, 8, 9]
    assert slow.skipped == 5  # 1 to 5


def test_a_reader_begins_with_the_oldest_frame_in_memory(ring):
    for number in range(6):
        ring.put(frame(number))
    reader = ring.reader()
    assert reader.next_frame().index == 2
    assert reader.skipped == 0


def test_a_frame_is_not_changed_by_what_its_maker_does_later(ring):
    made = frame(1)
    ring.put(made)
    made.data[...] = 99
    kept = ring.newest()
    assert (kept.data == 1).all()
    assert not kept.data.flags.writeable


def test_waiting_ends_in_time_with_a_frame_and_with_the_end(ring):
    reader = ring.reader()
    start = time.monotonic()
    assert reader.next_frame(0.05) is None
    assert ring.newest(0.05) is None
    assert 0.1 <= time.monotonic() - start < 2
    timer = threading.Timer(0.05, ring.put, [frame(3)])
    timer.start()
    assert reader.next_frame(10).index == 3
    timer.join()
    ring.close()
    assert reader.next_frame(10) is None
    assert ring.is_closed


def test_several_threads_read_what_one_writes():
    ring = RingBuffer(1000, (2, 3), np.uint16)
    got: dict[int, list[int]] = {}
    threads = [
        threading.Thread(target=lambda n=n: got.update({n: [f.index for f in ring.reader()]}))
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for number in range(500):
        ring.put(frame(number))
    ring.close()
    for thread in threads:
        thread.join(10)
    assert got == {n: list(range(500)) for n in range(3)}


def test_wrong_frames_and_rings_are_refused(ring):
    with pytest.raises(ShapeError, match=r"\(3, 2\)"):
        ring.put(Frame(0, np.zeros((3, 2), np.uint16)))
    with pytest.raises(ShapeError, match="int32"):
        ring.put(Frame(0, np.zeros((2, 3), np.int32)))
    with pytest.raises(ParameterError, match="capacity is 0"):
        RingBuffer(0, (2, 3), np.uint16)
    ring.close()
    with pytest.raises(ParameterError, match="closed"):
        ring.put(frame(0))


class TestFeed:
    def test_a_source_is_fed_and_the_ring_closed(self):
        counts = np.arange(50 * 6, dtype=np.uint16).reshape(50, 2, 3)
        ring = RingBuffer(64, (2, 3), np.uint16)
        reader = ring.reader()
        feeding = feed(counts, ring, workers=2)
        np.testing.assert_array_equal([f.data for f in reader], counts)
        assert feeding.join(10)
        assert feeding.error is None
        assert not feeding.is_running

    def test_a_rate_is_kept(self, ring):
        start = time.monotonic()
        feed(np.zeros((10, 2, 3), np.uint16), ring, rate=100).join(10)
        assert 0.08 < time.monotonic() - start < 2

    def test_stopping_ends_the_thread_and_the_readers(self, ring):
        with feed(np.zeros((1000, 2, 3), np.uint16), ring, rate=20) as feeding:
            assert ring.newest(10) is not None
        assert not feeding.is_running
        assert ring.is_closed
        assert not [t for t in threading.enumerate() if t.name.startswith("beamkit")]

    def test_why_it_ended_early_is_told(self, ring):
        feeding = feed(np.zeros((3, 5, 7), np.uint16), ring)
        assert feeding.join(10)
        assert isinstance(feeding.error, ShapeError)

    def test_an_impossible_rate_is_refused(self, ring):
        with pytest.raises(ParameterError, match="rate is 0"):
            feed(np.zeros((3, 2, 3)), ring, rate=0)
