"""``beamkit convert FILES... OUT``."""

from __future__ import annotations

from pathlib import Path

import click

from ._output import require_new

_COMPRESSIONS = ("bslz4", "gzip", "none")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(min=1), help="Threads; one a core if not given.")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it is there.")
@click.option(
    "--compression",
    type=click.Choice(_COMPRESSIONS),
    default=_COMPRESSIONS[0],
    show_default=True,
    help="bslz4 is bitshuffle with LZ4.",
)
@click.option("--no-check", is_flag=True, help="Do not read back and compare every count.")
@click.option(
    "--on-error",
    type=click.Choice(("mark", "raise")),
    default="mark",
    show_default=True,
    help="Damaged or missing frame: a marked gap, or an error.",
)
def convert(
    files: tuple[str, ...],
    out: Path,
    jobs: int | None,
    overwrite: bool,
    compression: str,
    no_check: bool,
    on_error: str,
) -> None:
    """Convert a series of images into one NXmx file; stopped, it goes on when called again."""
    from tqdm import tqdm

    from beamkit import pipelines

    require_new(out, overwrite=overwrite)
    with tqdm(unit="frame", desc="convert", total=None) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.set_description("convert" if no_check or done <= total // 2 else "check", False)
            bar.update(done - bar.n)

        try:
            report = pipelines.convert(
                files[0] if len(files) == 1 else list(files),
                out,
                jobs=jobs,
                overwrite=overwrite,
                check=not no_check,
                compression=compression,
                progress=advance,
                on_error=on_error,
            )
        except KeyboardInterrupt:
            bar.close()
            click.echo(
                f"stopped; the same command again goes on with the frames in {out.name}.parts",
                err=True,
            )
            raise click.Abort from None
    click.echo(str(report))
