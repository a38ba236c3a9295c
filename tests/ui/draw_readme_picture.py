"""Draw the picture in the README: a simulated scan, from the raw frames to a slice."""

from __future__ import annotations

import tempfile
from pathlib import Path

import beamkit as bk

TARGET = Path(__file__).resolve().parents[2] / "notebooks" / "images" / "first-light.png"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        scan = bk.samples.tomography(Path(folder) / "scan.nxs", seed=1)
        raw = bk.open(scan)
        middle = raw.sizes["detector_y"] // 2
        row = raw.isel(detector_y=slice(middle, middle + 1))
        lines = bk.tomography.correct(row, "standard")
        volume = bk.tomography.reconstruct(row, corrections="standard")
        panels = {
            "raw projection": raw["projections"].isel(angle=40),
            "one row, all angles": row["projections"].isel(detector_y=0),
            "corrected": lines.isel(detector_y=0),
            "reconstructed slice": volume.isel(z=0),
        }
        picture = bk.figures.images(
            {name: panel.compute() for name, panel in panels.items()},
            columns=4,
            aspect="auto",
            shared=False,
            caption="A simulated scan: raw projection, sinogram, corrected sinogram, slice.",
        )
    picture.set_size_inches(13, 3.1)
    picture.save(TARGET)


if __name__ == "__main__":
    main()
