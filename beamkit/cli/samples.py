"""``beamkit samples NAME OUT``."""

from __future__ import annotations

from pathlib import Path

import click

from ._output import require_new

_NAMES = ("tomography", "diffraction", "powder", "scan")


@click.command()
@click.argument("name", type=click.Choice(_NAMES))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--seed", type=int, default=1, show_default=True, help="Of the noise.")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
def samples(name: str, out: Path, seed: int, overwrite: bool) -> None:
    """Write a simulated raw file whose truth is known."""
    import beamkit as bk

    require_new(out, overwrite=overwrite)
    written = getattr(bk.samples, name)(out, seed=seed)
    click.echo(written.path)
