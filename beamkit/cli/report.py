"""``beamkit report run|list|show``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beamkit.core.errors import ParameterError

if TYPE_CHECKING:
    from beamkit.reports import ReportRun


@click.group()
def report() -> None:
    """Run notebooks as reports."""


@report.command(name="list")
def list_reports() -> None:
    """List the reports that there are."""
    from beamkit import reports

    for name in reports.available():
        click.echo(f"{name:20} {reports.find(name).title}")


@report.command()
@click.argument("name")
def show(name: str) -> None:
    """Show the parameters of a report: a name, or the path of a notebook."""
    from beamkit import reports

    found = reports.find(name)
    click.echo(f"{found.title}\n{found.path}\n")
    for item in found.specification:
        limits = "" if item.minimum is None else f", from {item.minimum:g}"
        limits += "" if item.maximum is None else f" to {item.maximum:g}"
        unit = f" [{item.unit}]" if item.unit else ""
        click.echo(f"  {item.name}: {item.annotation} = {item.default!r}{unit}{limits}")
        click.echo(f"      {item.help}")


@report.command()
@click.argument("name")
@click.argument("file", required=False)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Output folder.")
@click.option("-p", "--parameter", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--cell-timeout", type=int, help="Longest time for one cell [s].")
def run(
    name: str, file: str | None, out: Path, parameter: tuple[str, ...], cell_timeout: int | None
) -> None:
    """Run a report on a file: a name, or the path of a notebook."""
    from beamkit import reports

    values = dict(_split(item) for item in parameter)
    if file is not None:
        path = reports.find(name).specification.first_path()
        if path is None:
            raise ParameterError(f"Report {name!r} takes no file, but {file!r} was given.")
        values.setdefault(path.name, file)
    result = run_with_bar(name, values, out, cell_timeout=cell_timeout)
    click.echo(f"report: {result.html}")
    if not result.is_finished:
        click.echo(f"error: {result.state}: {result.reason}", err=True)
        sys.exit(1)


def run_with_bar(name: str, values: dict[str, Any], out: Path, **options: Any) -> ReportRun:
    """Run a report with a progress bar over its cells."""
    from tqdm import tqdm

    from beamkit import reports

    with tqdm(unit="cell", desc=f"report {Path(name).stem}") as bar:

        def advance(done: int, total: int, line: str) -> None:
            bar.total = total
            bar.set_postfix_str(line[:40], refresh=False)
            bar.update(done - bar.n)
            bar.refresh()

        return reports.run(name, values, out, progress=advance, **options)


def _split(item: str) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if not equals or not name:
        raise ParameterError(f"-p {item!r}: write it as NAME=VALUE, such as -p center=295.8.")
    return name, value
