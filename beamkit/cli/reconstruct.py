"""``beamkit reconstruct FILE OUT``."""

from __future__ import annotations

from pathlib import Path

import click

from beamkit.core.errors import ParameterError

from ._output import require_new


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--center", default="auto", show_default=True, help="auto, middle, or the axis [pixel]."
)
@click.option("--rows", help="Detector rows, such as 100:132 or 100:132:4; all if not given.")
@click.option(
    "--corrections", default="standard", show_default=True, help="basic, standard or none."
)
@click.option("--filter", "filter_name", default="ramp", show_default=True, help="ramp, hann ...")
@click.option("--engine", default="auto", show_default=True, help="auto, nufft or astra.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or gpu.")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
@click.option("--memory", type=float, help="Most memory for a slab [GB]; half of what is free.")
def reconstruct(
    file: Path,
    out: Path,
    center: str,
    rows: str | None,
    corrections: str,
    filter_name: str,
    engine: str,
    device: str,
    overwrite: bool,
    memory: float | None,
) -> None:
    """Reconstruct a tomography scan into a NeXus file."""
    from tqdm import tqdm

    from beamkit import pipelines

    selected = None if rows is None else _rows(rows)
    budget = None if memory is None else _bytes(memory)
    require_new(out, overwrite=overwrite)
    with tqdm(unit="slice", desc="reconstruct", total=None) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        result = pipelines.reconstruct_file(
            file,
            out,
            rows=selected,
            center=_center(center),
            corrections=corrections,
            memory=budget,
            progress=advance,
            filter=filter_name,
            engine=engine,
            device=device,
        )
    slices, height, width = result.shape
    click.echo(
        f"{result.path}: {slices} slices of {height} x {width}, axis at "
        f"{result.rotation_center:.2f} px, {result.engine} on {result.device}"
    )


def _bytes(gigabytes: float) -> int:
    if not 0 < gigabytes < 1e6:  # also catches nan
        raise ParameterError(f"--memory is {gigabytes} GB; give a number above 0, such as 8.")
    return int(gigabytes * 1e9)


def _center(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _rows(text: str) -> slice:
    try:
        parts = [int(part) if part else None for part in text.split(":")]
        if len(parts) == 1 and parts[0] is not None:
            return slice(parts[0], parts[0] + 1)
        selected = slice(*parts)
        selected.indices(1)  # a step of 0 is a ValueError here
        return selected
    except (TypeError, ValueError):
        raise ParameterError(
            f"--rows is {text!r}; write first:end, such as 100:132, or first:end:step."
        ) from None
