from base64 import b64decode

import numpy as np
import pytest
import xarray as xr

from beamkit import figures
from beamkit.core.errors import ParameterError, ShapeError


@pytest.fixture
def image():
    y, x = np.mgrid[:21, :33]
    data = (x + 40.0 * (y > 12)).astype("f4")
    data[3, 5] = np.nan
    um = {"units": "um"}
    return xr.DataArray(
        data,
        dims=("y", "x"),
        coords={"y": ("y", np.arange(21) * 6.5, um), "x": ("x", np.arange(33) * 6.5, um)},
        attrs={"units": "1/cm", "quantity": "attenuation"},
    )


def test_a_picture_shows_itself_as_png_with_caption_and_alternative_text(image):
    picture = figures.images({"a slice": image}, caption="What is seen.")
    data, metadata = picture._repr_mimebundle_()
    assert b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == metadata["image/png"]["caption"] == "What is seen."


def test_panels_share_one_contrast_and_nan_has_its_own_colour(image):
    picture = figures.images({"a": image, "b": image * 0 + 7}, caption="c", limits=(0, 10))
    first, second = (axes.images[0] for axes in picture.axes[:2])
    assert first.get_clim() == second.get_clim() == (0, 10)
    red, green, *_ = first.to_rgba(first.get_array())[3, 5]
    assert red != green  # no grey
    assert first.cmap(0.3)[:3] == pytest.approx((first.cmap(0.3)[0],) * 3)


def test_a_scale_bar_has_a_round_length(image):
    # 33 pixels of 6.5 um are 214.5 um; a fifth is 42.9; the round number below is 20.
    picture = figures.images({"a": image}, caption="c")
    assert "20 µm" in [
        text.get_text()
        for text in picture.axes[0].texts + list(picture.axes[0].get_children())
        if hasattr(text, "get_text")
    ]


def test_a_constant_image_and_one_of_nan_are_drawn(image):
    figures.images({"a": image * 0}, caption="c")._repr_mimebundle_()
    figures.images({"a": image * np.nan}, caption="c")._repr_mimebundle_()


def test_a_stack_is_refused_with_the_cure(image):
    with pytest.raises(ShapeError, match="isel"):
        figures.images({"a": image.expand_dims("z")}, caption="c")
    with pytest.raises(ParameterError, match="empty"):
        figures.images({}, caption="c")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_pictures_are_saved_as_png_svg_and_pdf(image, tmp_path, suffix):
    path = figures.histogram(image, caption="c").save(tmp_path / f"p{suffix}")
    assert path.stat().st_size > 1000


def test_histogram_counts_every_finite_voxel(image):
    picture = figures.histogram(image, caption="c", bins=10)
    values = picture.axes[0].patches[0].get_data().values
    # 21 * 33 - 1 NaN; the outermost 0.05 % on either side may fall outside.
    assert 690 <= values.sum() <= 692


def test_a_scan_without_darks_says_so():
    flats = xr.DataArray(
        np.full((4, 5, 7), 10.0) + np.arange(4)[:, None, None], dims=("flat", "y", "x")
    )
    picture = figures.reference_frames(flats, None, caption="c")
    assert picture.axes[1].get_title(loc="left") == "the scan has no darks"
    # Means 10, 11, 12, 13 around 11.5.
    np.testing.assert_allclose(
        picture.axes[2].lines[0].get_ydata(), 100 * (np.arange(10, 14) / 11.5 - 1)
    )
