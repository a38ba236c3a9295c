"""Headers are read once, and again when the file has changed."""

import os
import shutil
from pathlib import Path

import pytest

from beamkit.catalogue import attributes, attributes_of
from beamkit.catalogue import metadata as room
from beamkit.catalogue.metadata import HeaderCache, known_attributes


def test_the_header_of_a_frame_is_told(series):
    found = attributes(series.files[3])
    assert found["wavelength"] == pytest.approx(series.wavelength)
    assert found["omega"] == pytest.approx(-27.0)
    assert (found["kind"], found["frames"]) == ("diffraction", 1)
    assert "header" not in found


def test_frames_read_together_have_what_they_have_alone(series, monkeypatch):
    monkeypatch.setattr(room, "_CACHE", HeaderCache())
    together = attributes_of(series.files)
    monkeypatch.setattr(room, "_CACHE", HeaderCache())
    alone = [attributes(file) for file in series.files]
    assert [one["omega"] for one in together] == [-30, -29, -28, -27, -26]
    for left, right in zip(together, alone, strict=True):
        assert dict(left) == dict(right)


def test_a_broken_file_among_others_says_why_and_spoils_none(series, tmp_path):
    files = [Path(shutil.copy(file, tmp_path)) for file in series.files[:3]]
    with files[1].open("r+b") as stream:
        stream.truncate(40)
    found = attributes_of(files)
    assert [("unreadable" in one) for one in found] == [False, True, False]
    assert files[1].name in found[1]["unreadable"]


def test_a_header_is_read_once(series, tmp_path, monkeypatch):
    file = shutil.copy(series.files[0], tmp_path)
    assert known_attributes(file) is None
    first = attributes(file)
    monkeypatch.setattr(room, "open_dataset", None)  # a second reading would fail
    assert attributes(file) is first
    assert known_attributes(file) is first


def test_a_changed_file_is_read_again(series, tmp_path):
    file = shutil.copy(series.files[0], tmp_path)
    attributes(file)
    shutil.copyfile(series.files[2], file)
    os.utime(file, ns=(1, 1))
    assert known_attributes(file) is None
    assert attributes(file)["omega"] == pytest.approx(-28.0)


def test_the_cache_is_bounded_and_drops_what_was_not_asked_for(series):
    cache = HeaderCache(keep=2)
    keys = [(str(number), 0, 0) for number in range(3)]
    cache.put(keys[0], {})
    cache.put(keys[1], {})
    cache.get(keys[0])
    cache.put(keys[2], {})
    assert len(cache) == 2
    assert cache.get(keys[1]) is None
    assert cache.get(keys[0]) is not None


def test_a_stack_says_how_many_frames_it_has(tmp_path):
    from beamkit import samples

    sample = samples.diffraction(tmp_path / "x_master.h5", format="nxmx", frames=4)
    assert attributes(sample.path)["frames"] == 4


def test_nobody_can_change_what_is_kept(series):
    with pytest.raises(TypeError):
        attributes(series.files[0])["omega"] = 0
