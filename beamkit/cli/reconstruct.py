"""``beamkit reconstruct FILE OUT``."""

from __future__ import annotations

from pathlib import Path

import click

from beamkit.core.errors import ParameterError


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
    memory: float | None,
) -> None:
    """Reconstruct a tomography scan into a NeXus file."""
    from tqdm import tqdm

    from beamkit import pipelines

    selected = None if rows is None else _rows(rows)
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
            memory=None if memory is None else int(memory * 1e9),
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
        return slice(*parts)
    except (TypeError, ValueError):
        raise ParameterError(
            f"--rows is {text!r}; write first:end, such as 100:132, or first:end:step."
        ) from None
