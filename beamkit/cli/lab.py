"""``beamkit lab``: JupyterLab on the first tutorial."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click

from beamkit.core.optional import need

_FIRST = "01-first-look.ipynb"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def lab(arguments: tuple[str, ...]) -> None:
    """Open JupyterLab on the first tutorial. ARGUMENTS are handed to jupyter lab."""
    need("jupyterlab", extra="lab", to="open JupyterLab")
    command = [sys.executable, "-m", "jupyterlab", str(tutorials() / _FIRST), *arguments]
    sys.exit(subprocess.run(command, check=False).returncode)


def tutorials() -> Path:
    """Return a folder with copies of the tutorials, which the user may write into."""
    packaged = Path(__file__).parents[1] / "tutorials"
    in_source_tree = Path(__file__).parents[2] / "notebooks" / "tutorials"
    folder = Path("beamkit-tutorials")
    folder.mkdir(exist_ok=True)
    for notebook in (packaged if packaged.is_dir() else in_source_tree).glob("*.ipynb"):
        if not (folder / notebook.name).exists():  # never over what the user wrote
            shutil.copy(notebook, folder)
    return folder
