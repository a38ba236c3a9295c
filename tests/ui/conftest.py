"""A real JupyterLab and a real Chromium, for tests of what a person sees."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.ui)


def missing(reason):
    """Skip, or fail where everything must be there."""
    if os.environ.get("BEAMKIT_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        missing("Chromium is not installed: make chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing('playwright is not installed: pip install "beamkit[test]"')
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A JupyterLab of its own on a copy of the tutorials: no news, no updates, nobody's settings."""
    if find_spec("jupyterlab") is None:
        missing('JupyterLab is not installed: pip install "beamkit[lab]"')
    home = tmp_path_factory.mktemp("lab")
    folder = shutil.copytree(
        ROOT / "notebooks" / "tutorials",
        home / "notebooks",
        ignore=shutil.ignore_patterns(".ipynb_checkpoints", "first-look"),
    )
    server = Lab(home, folder)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


class Lab:
    """A JupyterLab server on a free port of the loopback interface."""

    def __init__(self, home, folder):
        self.folder, self.home, self.token = folder, home, secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        settings = home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False})
        )
        private = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            f"--IdentityProvider.token={self.token}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.news_url=None",
            "--LabApp.extension_manager=readonly",
        ]
        self.log = (home / "lab.log").open("w")
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **{key: str(home / name) for key, name in private.items()}},
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that its kernels end with it
        )

    def wait(self, seconds=60):
        """Wait until the server answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/api?token={self.token}", timeout=5).close()
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
            else:
                return
        pytest.fail(f"JupyterLab does not answer: {(self.home / 'lab.log').read_text()[-2000:]}")

    def stop(self):
        """End the server and its kernels."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(10)
                except subprocess.TimeoutExpired:
                    continue
        self.log.close()


@pytest.fixture(scope="module")
def open_notebook(browser, lab):
    """Give a function that opens a notebook of the lab in a window of its own."""
    pages = []

    def _open(name, *, width=1280, theme="JupyterLab Light"):
        context = browser.new_context(viewport={"width": width, "height": 900})
        pages.append(context)
        page = context.new_page()
        workspace = f"{Path(name).stem}-{len(pages)}-{secrets.token_hex(4)}"
        page.goto(f"{lab.url}/lab/workspaces/{workspace}/tree/{name}?reset&token={lab.token}")
        return Notebook(page, theme)

    yield _open
    for context in pages:
        context.close()


@pytest.fixture(scope="module")
def open_cells(open_notebook, lab):
    """Give a function that writes cells of Python into a notebook, opens it and runs all."""
    import nbformat

    def _open(name, *cells, **options):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, lab.folder / f"{name}.ipynb")
        opened = open_notebook(f"{name}.ipynb", **options)
        opened.run_all()
        assert opened.errors() == []
        return opened

    return _open


#: The notebook on the screen, its code cells, and whether its kernel waits, in JavaScript.
SCRIPT = """
const panel = window.jupyterapp.shell.currentWidget;
const kernel = panel?.sessionContext?.session?.kernel;
const cells = () => panel.content.widgets.filter(cell => cell.model.type === 'code');
const has = (cell, type) => cell.model.outputs.toJSON().some(out => out.output_type === type);
"""


class Notebook:
    """A notebook in the browser, driven as a person does, with the state read from the page."""

    def __init__(self, page, theme):
        self.page, self.page_errors = page, []
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        page.wait_for_function("() => window.jupyterapp", timeout=60_000)
        self.wait("kernel?.status === 'idle'", 60)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=30_000)
        self.use(theme)

    def ask(self, expression, argument=None):
        """Return the value of a JavaScript expression in the page; ``argument`` is ``it``."""
        return self.page.evaluate(f"async it => {{ {SCRIPT} return {expression}; }}", argument)

    def wait(self, condition, seconds=30, argument=None):
        """Wait until a JavaScript expression is true; ``argument`` is ``it``."""
        self.page.wait_for_function(
            f"it => {{ {SCRIPT} return {condition}; }}", arg=argument, timeout=seconds * 1000
        )

    def command(self, name, **arguments):
        """Start a command of JupyterLab, without waiting for its end."""
        self.ask("(window.jupyterapp.commands.execute(it[0], it[1]), 0)", [name, arguments])

    def use(self, theme):
        """Change the theme."""
        self.command("apputils:change-theme", theme=theme)
        self.wait("document.body.dataset.jpThemeName === it", argument=theme)

    def run_all(self, seconds=120):
        """Run all cells, and wait until the last is done, or one has failed."""
        self.command("notebook:run-all-cells")
        self.wait(
            "cells().some(cell => has(cell, 'error')) || kernel.status === 'idle' && "
            "cells().every(cell => cell.model.executionCount !== null)",
            seconds,
        )

    def run_tagged(self, tag):
        """Run the cell with a tag again, and wait until it is done."""
        find = f"cells().find(c => (c.model.getMetadata('tags') || []).includes('{tag}'))"
        before = self.ask(f"{find}.model.executionCount")
        self.ask(f"(panel.content.activeCellIndex = panel.content.widgets.indexOf({find}), 0)")
        self.command("notebook:run-cell")
        self.wait(f"{find}.model.executionCount > {before} && kernel.status === 'idle'")

    def errors(self):
        """Return the errors among the outputs."""
        outputs = self.ask("cells().flatMap(cell => cell.model.outputs.toJSON())")
        return [out["evalue"] for out in outputs if out["output_type"] == "error"]

    def start(self, code):
        """Start running code in the kernel, as a cell does; :meth:`finish` waits for its end."""
        self.ask("(window.__busy = kernel.requestExecute({code: it}).done, 0)", code)

    def is_busy(self):
        """Whether what :meth:`start` began still runs."""
        return self.ask("(await Promise.race([window.__busy, Promise.resolve('busy')])) === 'busy'")

    def finish(self):
        """Wait for what :meth:`start` began; return ``"ok"`` or ``"error"``."""
        return self.ask("(await window.__busy).content.status")

    def value(self, expression):
        """Return what an expression is in the kernel, as text."""
        options = "{code: '', user_expressions: {it}, store_history: false}"
        reply = self.ask(f"(await kernel.requestExecute({options}).done).content", expression)
        found = reply["user_expressions"]["it"]
        assert found["status"] == "ok", found
        return found["data"]["text/plain"]

    def expect(self, expression, text, seconds=45):
        """Wait until an expression has this value in the kernel."""
        end = time.monotonic() + seconds
        while (found := self.value(expression)) != text:
            assert time.monotonic() < end, f"{expression} is {found}, not {text}"
            time.sleep(0.2)

    def save_and_shut_down(self):
        """Save the notebook, and end its kernel."""
        self.command("docmanager:save")
        self.wait("!panel.context.model.dirty")
        self.ask("(await window.jupyterapp.serviceManager.sessions.shutdownAll(), 0)")
