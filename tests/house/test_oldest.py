"""The oldest versions that pyproject.toml allows do the job, too."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command):
    done = subprocess.run(
        [str(c) for c in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_quick_tests_pass_with_the_oldest_versions(tmp_path):
    environment = tmp_path / "venv"
    uv = [sys.executable, "-m", "uv"]
    run(*uv, "venv", "--quiet", "--python", sys.executable, environment)
    python = environment / "bin" / "python"
    oldest = ["--resolution", "lowest-direct", "--python", python]
    run(*uv, "pip", "install", "--quiet", *oldest, ROOT, "pytest>=8.3", "pytest-timeout>=2.3")
    # Warnings are errors with today's versions only.
    quick = [
        "-m",
        "not slow and not ui and not gpu",
        "-o",
        "filterwarnings=default",
        "-p",
        "no:cacheprovider",
    ]
    rooms = [
        f"tests/{room}"
        for room in ("core", "readers", "samples", "tomography", "pipelines", "writers")
    ]
    run("env", "-u", "BEAMKIT_REQUIRE_ALL", python, "-m", "pytest", "-q", *quick, *rooms)
