"""The binder: repo2docker's own steps, and the first lesson, in a clean environment."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LESSON = "notebooks/tutorials/01-first-look.ipynb"

#: Files that would win over requirements.txt, or be ignored beside it (repo2docker, "Configuration
#: files"; the order is that of Repo2Docker.buildpacks).
RIVALS = (
    "Dockerfile", "Project.toml", "JuliaProject.toml", "REQUIRE", "default.nix", "install.R",
    "DESCRIPTION", "environment.yml", "environment.yaml", "Pipfile", "Pipfile.lock",
)  # fmt: skip

EXECUTE = """
import json, nbformat, nbclient, sys
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=200, allow_errors=True).execute()
outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
errors = [out.evalue for out in outputs if out.output_type == "error"]
pictures = sum("image/png" in out.get("data", {}) for out in outputs)
print(json.dumps({"errors": errors, "pictures": pictures}))
"""


def run(*command, **options):
    """Run a command, and show what it printed if it fails."""
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def read(name):
    return (ROOT / "binder" / name).read_text(encoding="utf-8")


def test_requirements_txt_wins():
    assert not (ROOT / ".binder").exists(), "binder/ and .binder/ together are an error"
    found = [name for name in RIVALS if (ROOT / "binder" / name).exists()]
    assert not found, f"repo2docker would take {found} instead of requirements.txt"
    assert (ROOT / "binder" / "requirements.txt").exists()


def test_python_is_one_that_beamkit_runs_on():
    assert read("runtime.txt").strip() in ("python-3.11", "python-3.12", "python-3.13")


def test_this_repository_is_what_is_installed_and_no_gpu_comes_with_it():
    lines = [line.split("#")[0].strip() for line in read("requirements.txt").splitlines()]
    # repo2docker copies the repository before it runs pip only for a line that begins with a dot.
    assert [line for line in lines if line] == [".[lab]"]


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_scripts_stop_at_the_first_error(name):
    script = read(name)
    assert script.startswith("#!/bin/bash\n")
    assert "\nset -euo pipefail\n" in script, "repo2docker ignores errors without it"
    assert os.access(ROOT / "binder" / name, os.X_OK)


def test_start_hands_over_to_jupyter():
    assert read("start").rstrip().endswith('exec "$@"')


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository as somebody else gets it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    folder = tmp_path_factory.mktemp("binder") / "home"
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def dockerfile(copy, tmp_path_factory):
    """The Dockerfile that repo2docker makes of the repository; no Docker is needed for that."""
    packages = tmp_path_factory.mktemp("repo2docker")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--target", packages, "jupyter-repo2docker>=2024.7")
    options = ("--no-build", "--debug", "--user-name", "jovyan", "--user-id", "1000")
    done = subprocess.run(
        [sys.executable, "-m", "repo2docker", *options, copy],
        env=os.environ | {"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def image(copy, dockerfile, tmp_path_factory):
    """A fresh environment in which the steps of the Dockerfile were run; its variables."""
    environment = tmp_path_factory.mktemp("image")
    venv.create(environment, with_pip=True)
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "JUPYTER", "BEAMKIT"))
    } | {
        "KERNEL_PYTHON_PREFIX": str(environment),
        "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
        "REPO_DIR": str(copy),
        "IPYTHONDIR": str(environment / "ipython"),
        "MPLCONFIGDIR": str(environment / "matplotlib"),
    }
    steps = re.findall(r"^RUN (.*)$", dockerfile.partition("COPY --chown=1000:1000 src/ ")[2], re.M)
    assert len(steps) == 4, steps
    # What the cache of pip holds is the same, and saves minutes.
    options = "--quiet --disable-pip-version-check --no-compile"
    for step in steps:
        run("bash", "-c", step.replace("--no-cache-dir", options), cwd=copy, env=variables)
    yield variables
    shutil.rmtree(environment)  # a gigabyte


@pytest.mark.slow
class TestBinder:
    def test_repo2docker_makes_a_python_image(self, dockerfile):
        version = read("runtime.txt").strip().removeprefix("python-").replace(".", "-2e")
        assert f"environment-2epy-2d{version}" in dockerfile
        assert '/bin/pip install --no-cache-dir -r "binder/requirements.txt"' in dockerfile
        assert "RUN ./binder/postBuild" in dockerfile
        assert 'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in dockerfile

    def test_no_engine_that_needs_a_gpu_is_installed(self, image):
        listed = run("pip", "list", "--format=freeze", "--disable-pip-version-check", env=image)
        assert re.search("^beamkit==", listed, re.M)
        assert not re.search("^(astra|nvidia|cupy)", listed, re.M)

    def test_the_first_lesson_runs_there(self, image, copy):
        lesson = copy / LESSON
        printed = run("python", "-c", EXECUTE, lesson, cwd=lesson.parent, env=image)
        found = json.loads(printed.splitlines()[-1])
        assert found["errors"] == []
        assert found["pictures"] >= 5

    @pytest.mark.parametrize("command", ["jupyter lab", "jupyter server"])
    def test_it_opens_on_the_first_lesson(self, image, copy, command, tmp_path):
        private = {"JUPYTER_RUNTIME_DIR": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path)}
        server = subprocess.Popen(
            [
                copy / "binder" / "start",
                *command.split(),
                "--no-browser",
                "--allow-root",
                "--ip=127.0.0.1",
                "--ServerApp.port=0",
                "--IdentityProvider.token=",
            ],
            cwd=copy,
            env=image | private,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = address(tmp_path, server)
            with urllib.request.urlopen(url, timeout=20) as page:
                assert page.url.endswith(f"/lab/tree/{LESSON}")
        finally:
            server.terminate()
            server.wait(20)


def address(folder, server, seconds=40):
    """Where a server answers, as it writes down when it is ready."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        for path in folder.glob("jpserver-*.json"):
            return json.loads(path.read_text())["url"]
        time.sleep(0.2)
    pytest.fail(f"{server.args} is not ready after {seconds} s")
