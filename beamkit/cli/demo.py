"""``beamkit demo``: the main job, on a simulated raw scan."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from .report import run_with_bar


@click.command()
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    help="Output folder.",
)
def demo(out: Path) -> None:
    """Simulate a tomography scan, reconstruct all of it, and write the report."""
    import beamkit as bk

    start = time.perf_counter()
    scan = bk.samples.tomography(out / "scan.nxs")
    click.echo(f"scan:   {scan.path} (simulated; its axis is at {scan.rotation_center:.2f} px)")
    values = {"scan": str(scan.path), "slices": "none"}
    result = run_with_bar("tomography", values, out / "report")
    click.echo(f"report: {result.html.absolute()}")
    if not result.is_finished:
        click.echo(f"error: {result.state}: {result.reason}", err=True)
        sys.exit(1)
    click.echo(f"volume: {result.folder / 'reconstruction.nxs'}")
    click.echo(f"done in {time.perf_counter() - start:.1f} s")
