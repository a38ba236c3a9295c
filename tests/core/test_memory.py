import psutil

from beamkit.core import memory


def test_it_is_never_more_than_the_machine_has():
    assert 0 < memory.available() <= psutil.virtual_memory().total


def test_the_limit_of_the_control_group_counts(tmp_path, monkeypatch):
    (tmp_path / "max").write_text("5000000\n")
    (tmp_path / "current").write_text("3000000\n")
    monkeypatch.setattr(memory, "_CGROUP", ((str(tmp_path / "max"), str(tmp_path / "current")),))
    assert memory.available() == 2_000_000
    (tmp_path / "max").write_text("max\n")
    assert memory.available() > 2_000_000
