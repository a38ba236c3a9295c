import os
import subprocess
import sys

import psutil
import pytest

from beamkit.core import machine


def test_it_is_never_more_than_the_machine_has():
    assert 0 < machine.available_memory() <= psutil.virtual_memory().total


def test_the_limit_of_the_control_group_counts(tmp_path, monkeypatch):
    (tmp_path / "max").write_text("5000000\n")
    (tmp_path / "current").write_text("3000000\n")
    monkeypatch.setattr(machine, "_CGROUP", ((str(tmp_path / "max"), str(tmp_path / "current")),))
    assert machine.available_memory() == 2_000_000
    (tmp_path / "max").write_text("max\n")
    assert machine.available_memory() > 2_000_000


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind cores")
def test_cores_are_those_that_the_process_may_use():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from beamkit.core.machine import cores; print(cores())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
