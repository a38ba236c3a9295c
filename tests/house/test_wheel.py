"""The wheel, installed without extras in an empty environment, does the main job."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command, **options):
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_without_extras_makes_the_report(tmp_path):
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", wheel)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    beamkit = environment / "bin" / "beamkit"
    run(beamkit, "report", "run", "tomography", "-o", "out", cwd=elsewhere)
    facts = json.loads((elsewhere / "out" / "report.json").read_text())
    assert facts["state"] == "FINISHED"
    assert facts["results"]["engine"]["value"] == "nufft"
    # What needs an extra says how to install it.
    done = subprocess.run(
        [beamkit, "lab"], cwd=elsewhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert 'pip install "beamkit[lab]"' in done.stderr
