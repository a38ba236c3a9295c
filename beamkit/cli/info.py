"""``beamkit info FILE``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import xarray as xr


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Read the data and check them against checksums.")
def info(files: tuple[Path, ...], verify: bool) -> None:
    """Show what is in a file, a folder or a series of files."""
    import beamkit as bk

    dataset = bk.open(files[0] if len(files) == 1 else list(files), verify=verify)
    click.echo(describe(dataset))


def describe(dataset: xr.Dataset) -> str:
    """Return kind, variables, coordinates and metadata of a dataset as text."""
    lines = [
        f"{dataset.attrs.get('kind', 'dataset')}, {dataset.attrs.get('format', '')}".strip(", ")
    ]
    for name, data in dataset.data_vars.items():
        sizes = " x ".join(f"{data.sizes[dim]} {dim}" for dim in data.dims)
        units = data.attrs.get("units", "")
        lines.append(f"  {name}: {sizes}, {data.dtype} [{units}], {_size(data.nbytes)}")
    for name, coordinate in dataset.coords.items():
        if coordinate.ndim == 1 and coordinate.dtype.kind in "fiu" and coordinate.size:
            first, last = coordinate.values[[0, -1]]
            units = coordinate.attrs.get("units", "")
            lines.append(f"  {name}: {first:g} to {last:g} {units}".rstrip())
    return "\n".join([*lines, "", repr(dataset.bk.metadata)])


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"
