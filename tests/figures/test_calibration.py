import numpy as np
import pytest
import xarray as xr
from diffraction.powder_images import powder_image, tilted

from beamkit import figures
from beamkit.core.errors import ShapeError
from beamkit.diffraction import calibrate


@pytest.fixture(scope="module")
def pair():
    truth = tilted((205, 243), 0.046, (131.3, 86.8), 0.11, -0.06, wavelength=0.4366)
    image = xr.DataArray(powder_image(truth, "CeO2", seed=3), dims=("detector_y", "detector_x"))
    return image, calibrate(image, "CeO2", start=truth)


def test_points_lie_on_the_image_and_residuals_have_a_row_a_ring(pair):
    image, found = pair
    picture = figures.calibration(image, found)
    left, right = picture.axes
    points = next(line for line in left.lines if line.get_marker() == ".")
    np.testing.assert_allclose(points.get_xdata(), found.points["x"])
    assert len(right.get_yticks()) == int((found.rings["number"] > 0).sum())
    assert "CeO2" in picture.caption


def test_it_is_drawn_as_png(pair, tmp_path):
    path = figures.calibration(*pair).save(tmp_path / "calibration.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_stack_is_refused_with_the_cure(pair):
    image, found = pair
    with pytest.raises(ShapeError, match="isel"):
        figures.calibration(xr.concat([image, image], "frame"), found)
