"""``beamkit integrate FILES... -o OUT``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

_UNITS = ("q_A^-1", "q_nm^-1", "2th_deg", "2th_rad", "d*2_A^-2", "d*2_nm^-2", "r_mm", "r_m")
_FORMATS = ("nxdata", "nxcansas", "xye", "xy", "chi")
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="One file (.nxs .h5 .xye .xy .chi), or a folder for one file an image.",
)
@click.option("--npt", type=click.IntRange(min=1), default=1000, show_default=True, help="Bins.")
@click.option("--azimuthal", type=click.IntRange(min=1), help="Bins of chi: cakes are made.")
@click.option(
    "--unit",
    type=click.Choice(_UNITS),
    default=_UNITS[0],
    help="Of the radial axis.",
    show_default=True,
)
@click.option(
    "--radial", type=float, nargs=2, metavar="LOW HIGH", help="Edges of the bins, in the unit."
)
@click.option("--azimuth", type=float, nargs=2, metavar="LOW HIGH", help="Range of chi [deg].")
@click.option("--poni", type=_FILE, help="Geometry, instead of that of the files.")
@click.option(
    "--orientation",
    type=click.IntRange(1, 4),
    help="pyFAI's, instead of that of the PONI file; 2: made from the image upside down.",
)
@click.option("--mask", type=_FILE, help="Mask, added to that of the files.")
@click.option(
    "--split",
    type=click.Choice(("no", "bbox", "full")),
    default="bbox",
    show_default=True,
    help="How a pixel is shared among bins.",
)
@click.option("--polarization", type=click.FloatRange(-1, 1), help="Of the beam; none if not said.")
@click.option("--no-solid-angle", is_flag=True, help="Do not correct for the solid angle.")
@click.option("--wavelength", type=float, help="[angstrom], where the files do not say it.")
@click.option(
    "--format", "kind", type=click.Choice(_FORMATS), help="By the suffix; in a folder xye."
)
@click.option("--jobs", type=click.IntRange(min=1), help="Threads; one a core if not given.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@click.option(
    "--on-error",
    type=click.Choice(("mark", "raise")),
    default="mark",
    show_default=True,
    help="Damaged or missing frame: a marked gap, or an error.",
)
def integrate(
    files: tuple[str, ...],
    out: Path,
    npt: int,
    azimuthal: int | None,
    split: str,
    no_solid_angle: bool,
    wavelength: float | None,
    kind: str | None,
    **options: Any,
) -> None:
    """Integrate images to patterns; into a folder, a stopped run goes on when called again."""
    from tqdm import tqdm

    from beamkit import pipelines

    with tqdm(unit="frame" if out.suffix else "file", desc="integrate") as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            report = pipelines.integrate_files(
                files[0] if len(files) == 1 else list(files),
                out,
                npt=npt if azimuthal is None else (npt, azimuthal),
                format=kind,
                method=split,
                solid_angle=not no_solid_angle,
                opening={} if wavelength is None else {"wavelength": wavelength},
                progress=advance,
                **options,
            )
        except KeyboardInterrupt:
            bar.close()
            hint = "nothing was written" if out.suffix else "the same command again goes on"
            click.echo(f"stopped; {hint}", err=True)
            raise click.Abort from None
    click.echo(str(report))
