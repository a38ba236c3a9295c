"""The papermill engine ``beamkit``: papermill's, but the notebook it leaves tells the truth.

What it does differently (papermill 2.7, measured): the notebook is saved atomically; a cell whose
kernel died or that ran out of time is ``failed`` and the ones after it stay ``pending`` (papermill
calls all of them completed); why it ended stands in ``metadata.beamkit``; the kernel is this
Python, whatever kernels are registered, talks over IPC sockets (no port can be taken by another
run), and is gone when the run ends, however it ends.

Plain ``papermill --engine beamkit`` works too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager
from traitlets.config import Config

from beamkit.core.atomic import write_text

#: Called after each cell with (cells done, cells in all, first line of the cell that runs now).
Progress = Callable[[int, int, str], None]


class Terminated(BaseException):
    """SIGTERM or SIGINT arrived: not an Exception, so that nothing swallows it on the way."""


class BeamkitEngine(NBClientEngine):  # type: ignore[misc]
    """The engine; registered in the entry-point group ``papermill.engine``."""

    @classmethod
    def execute_notebook(
        cls,
        nb: nbformat.NotebookNode,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        progress: Progress | None = None,
        save_to: str | None = None,
        **options: Any,
    ) -> nbformat.NotebookNode:
        """Run the notebook; papermill calls this.

        ``save_to`` is for callers that keep papermill itself from writing the notebook.
        """
        manager = _Manager(
            nb,
            output_path=save_to or output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.progress = progress
        manager.notebook_start()
        try:
            with _signals_as_exceptions():
                cls.execute_managed_notebook(manager, kernel_name, log_output=log_output, **options)
        except BaseException as error:
            manager.fail(error)
            raise
        finally:
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: _Manager,
        kernel_name: str,
        log_output: bool = False,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        working_folder: str | None = None,
        **_options: Any,
    ) -> None:
        """Run the cells in a kernel of this Python."""
        with tempfile.TemporaryDirectory(prefix="bk-") as runtime:
            config = Config(
                {
                    "ThisPython": {
                        "transport": "ipc",
                        # The path of an IPC socket may have 107 characters: keep it short.
                        "connection_file": str(Path(runtime, "k.json")),
                    }
                }
            )
            client = _Client(
                nb_man,
                kernel_name=kernel_name,
                kernel_manager_class=ThisPython,
                config=config,
                timeout=execution_timeout,
                startup_timeout=start_timeout,
                log_output=log_output,
                resources={"metadata": {"path": working_folder or str(Path.cwd())}},
            )
            client.execute(env=_environment(working_folder))


class ThisPython(AsyncKernelManager):  # type: ignore[misc]
    """A kernel of the running Python: a user's kernel named python3 may be another one."""

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class _Manager(NotebookExecutionManager):  # type: ignore[misc]
    """Papermill's state of a run, saved atomically and without its white lies."""

    progress: Progress | None = None

    def notebook_start(self, **kwargs: Any) -> None:
        self.nb.metadata["beamkit"] = {
            **self.nb.metadata.get("beamkit", {}),
            "state": "RUNNING",
            "reason": "",
        }
        super().notebook_start(**kwargs)

    def save(self, **_kwargs: Any) -> None:
        if self.output_path:
            write_text(self.output_path, nbformat.writes(self.nb))
        self.last_save_time = self.now()

    def cell_start(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        super().cell_start(cell, cell_index, **kwargs)
        self._report(cell_index or 0, cell.source)

    def fail(self, error: BaseException) -> None:
        """Record why the run ended early, unless a cell error is on record already."""
        record = self.nb.metadata["beamkit"]
        if record["state"] == "RUNNING":
            record.update(_describe(error))

    def notebook_complete(self, **_kwargs: Any) -> None:
        # Not papermill's: it turns every pending cell into a completed one.
        self.end_time = self.now()
        record = self.nb.metadata["papermill"]
        record["end_time"] = self.end_time.isoformat()
        record["duration"] = (self.end_time - self.start_time).total_seconds()
        if self.nb.metadata["beamkit"]["state"] == "RUNNING":
            self.nb.metadata["beamkit"]["state"] = "FINISHED"
            self._report(len(self.nb.cells), "")
        else:
            record["exception"] = True
        self.cleanup_pbar()
        self.save()

    def _report(self, done: int, source: str) -> None:
        if self.progress is not None:
            first_line = source.strip().splitlines()[0] if source.strip() else ""
            self.progress(done, len(self.nb.cells), first_line.lstrip("# "))


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """Papermill's client, with the truth about the cell that ended the run."""

    def papermill_execute_cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except BaseException as error:
                self._fail(index, error)
                raise
            self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)

    def _fail(self, index: int, error: BaseException) -> None:
        if isinstance(error, DeadKernelError):
            error.exit_code = self._kernel_exit_code()
        cell = self.nb.cells[index]
        record = self.nb.metadata["beamkit"]
        record.update(_describe(error))
        record["failed_cell"] = index
        self.nb_man.cell_exception(cell, cell_index=index)
        self.nb_man.cell_complete(cell, cell_index=index)

    def _kernel_exit_code(self) -> int | None:
        process = getattr(getattr(self.km, "provisioner", None), "process", None)
        return None if process is None else process.poll()


def _describe(error: BaseException) -> dict[str, str]:
    """Return state and reason, in words, of a run that ended early."""
    if isinstance(error, CellExecutionError):
        line = f"{error.ename}: {_plain(error.evalue)}"
        return {"state": "FAILED", "reason": line.removesuffix(": ")}
    if isinstance(error, DeadKernelError):
        return {"state": "FAILED", "reason": _death(getattr(error, "exit_code", None))}
    if isinstance(error, CellTimeoutError):
        return {"state": "TIMEOUT", "reason": "a cell ran longer than the time it was given"}
    if isinstance(error, (Terminated, KeyboardInterrupt)):
        return {"state": "KILLED", "reason": str(error) or "interrupted from the keyboard"}
    return {"state": "FAILED", "reason": f"{type(error).__name__}: {error}"}


def _death(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"the kernel ended by itself (exit code {exit_code})"
    name = signal.Signals(-exit_code).name
    hint = "; most often the machine ran out of memory" if name == "SIGKILL" else ""
    return f"the kernel was killed by {name}{hint}"


def _plain(text: str) -> str:
    return " ".join(text.split())


def _environment(working_folder: str | None) -> dict[str, str]:
    """Return the environment of the kernel: no window, no start-up files of the user."""
    private = {"MPLBACKEND": "agg", "PYTHONUNBUFFERED": "1"}
    if working_folder:
        private["BEAMKIT_REPORT_FOLDER"] = working_folder
    return {**os.environ, **private}


@contextmanager
def _signals_as_exceptions() -> Iterator[None]:
    """Raise Terminated on SIGTERM, so that the kernel is shut down and the notebook saved."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Terminated(f"stopped by {signal.Signals(number).name}")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def read_state(path: Path) -> dict[str, Any]:
    """Return state and reason that a run left in its notebook."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["metadata"]["beamkit"]
    return record
