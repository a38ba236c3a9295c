"""``beamkit samples NAME OUT``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from beamkit.core.errors import ParameterError

from ._output import require_new

_NAMES = ("tomography", "diffraction", "powder", "scan", "stream")


@click.command()
@click.argument("name", type=click.Choice(_NAMES))
@click.argument("out", type=click.Path())
@click.option("--seed", type=int, default=1, show_default=True, help="Of the noise.")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
@click.option("--rate", type=float, help="Frames a second, of a stream.  [default: 25]")
@click.option("--frames", type=int, help="Frames of a stream.  [default: 500]")
@click.option("--format", "format_", type=click.Choice(["cbf", "swmr", "zmq"]), help="Of a stream.")
@click.option("--detector", help="Of a stream, such as 'PILATUS 6M'.  [default: 'PILATUS 300K']")
def samples(name: str, out: str, seed: int, overwrite: bool, **stream: Any) -> None:
    """Write a simulated raw file whose truth is known.

    'stream' writes frames at the rate of a detector: one CBF file after the other into the folder
    OUT, one HDF5 file that grows (--format swmr), or messages of a DECTRIS detector for who
    listens at OUT, such as tcp://127.0.0.1:9999 (--format zmq).
    """
    import beamkit as bk

    given = {key.strip("_"): value for key, value in stream.items() if value is not None}
    if name == "stream":
        _stream(out, seed=seed, **given)
        return
    if given:
        raise ParameterError(
            f"--{next(iter(given))} is an option of the stream, not of {name!r}. Leave it out."
        )
    require_new(Path(out), overwrite=overwrite)
    written = getattr(bk.samples, name)(Path(out), seed=seed)
    click.echo(written.path)


def _stream(
    out: str,
    *,
    frames: int = 500,
    rate: float = 25.0,
    format: str = "cbf",  # noqa: A002, the word for it
    **options: Any,
) -> None:
    from tqdm import tqdm

    import beamkit as bk

    late = 0.0
    with tqdm(unit="frame", desc="stream", total=frames) as bar:
        options |= {"frames": frames, "rate": rate, "told": lambda _number: bar.update()}
        if format == "zmq":
            late = bk.samples.dectris(out, **options).late
        else:
            late = bk.samples.stream(Path(out), format=format, **options).late
    slow = "receiver" if format == "zmq" else "disk"
    told = f", {late:.1f} s late: the {slow} is slower than that" if late > 1 else ""
    click.echo(f"{out}: {frames} frames at {rate:g} a second{told}")
