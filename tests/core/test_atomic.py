import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from beamkit.core.atomic import atomic_path, write_text
from beamkit.core.errors import WriteError


def test_the_file_appears_when_the_block_ends(tmp_path):
    final = tmp_path / "new folder" / "a.txt"
    with atomic_path(final) as temporary:
        temporary.write_text("whole")
        assert not final.exists()
        assert temporary.suffix == ".txt"
    assert final.read_text() == "whole"
    assert os.listdir(final.parent) == ["a.txt"]


def test_an_error_leaves_what_was_there_before(tmp_path):
    final = tmp_path / "a.txt"
    write_text(final, "old")

    def fail():
        with atomic_path(final) as temporary:
            temporary.write_text("half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert final.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_killed_writer_leaves_nothing_under_the_final_name(tmp_path):
    final = tmp_path / "a.txt"
    code = (
        "import sys, time\nfrom beamkit.core.atomic import atomic_path\n"
        f"with atomic_path({str(final)!r}) as t:\n"
        "    t.write_text('half'); print('writing', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    assert not final.exists()


def test_a_really_full_disk_is_said_with_the_cure(tmp_path):
    """A limit on the size of files of this process stands in for the disk."""
    code = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from beamkit.core.atomic import write_text\n"
        f"write_text({str(tmp_path / 'a.txt')!r}, 'x' * 5000)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "WriteError" in done.stderr
    assert "a.txt was not written" in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "cure"), [(errno.ENOSPC, "MB are free there"), (errno.EACCES, "you may write to")]
)
def test_the_system_s_reason_and_a_cure_are_named(tmp_path, number, cure):
    with pytest.raises(WriteError, match=cure), atomic_path(tmp_path / "a.txt"):
        raise OSError(number, os.strerror(number))


def test_the_mode_is_that_of_any_new_file(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    (tmp_path / "b.txt").write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode
    assert time.time() - (tmp_path / "a.txt").stat().st_mtime < 60
