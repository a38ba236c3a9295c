"""The command ``beamkit``: thin, each command in a file of its own.

Exit codes: 0 done, 1 the work failed (the reason is printed), 2 wrong usage.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from beamkit._version import __version__
from beamkit.core.errors import BeamkitError, ParameterError

from .convert import convert
from .demo import demo
from .info import info
from .integrate import integrate
from .lab import lab
from .reconstruct import reconstruct
from .report import report
from .samples import samples


class _Commands(click.Group):
    """A group whose errors are one line, with the traceback on request."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BeamkitError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"error: {error}", err=True)
            sys.exit(2 if isinstance(error, ParameterError) else 1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="beamkit")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """From an X-ray detector file to an answer: look, reconstruct, report."""


for command in (info, convert, integrate, reconstruct, report, samples, demo, lab):
    main.add_command(command)
