"""A contact sheet shows every picture the right way up."""

import io

import numpy as np
import pytest
from matplotlib.image import imread

from beamkit.core.errors import ParameterError, ShapeError
from beamkit.figures.contact_sheet import Cell, contact_sheet


def image():
    """Red in the upper left corner, black elsewhere."""
    pixels = np.zeros((12, 20, 3), np.uint8)
    pixels[:3, :5, 0] = 255
    return pixels


def drawn(picture):
    buffer = io.BytesIO()
    picture.savefig(buffer, format="png")
    return imread(io.BytesIO(buffer.getvalue()), format="png")


def words(sheet):
    return [text.get_text() for text in sheet.axes[0].texts]


def test_every_cell_has_its_name_and_the_sheet_its_caption():
    sheet = contact_sheet([Cell(f"f{k}.cbf", image=image()) for k in range(7)], caption="seven")
    assert words(sheet) == [f"f{k}.cbf" for k in range(7)]
    assert sheet.caption == "seven"


def test_cells_come_in_reading_order():
    sheet = contact_sheet([Cell(f"f{k}.cbf") for k in range(5)], caption="five", columns=3)
    places = {text.get_text(): text.get_position() for text in sheet.axes[0].texts}
    assert places["f0.cbf"][0] < places["f2.cbf"][0]
    assert places["f0.cbf"][1] == places["f2.cbf"][1] > places["f3.cbf"][1]


def test_row_0_is_at_the_top():
    picture = drawn(contact_sheet([Cell("f", image=image())], caption="one"))
    is_red = (picture[..., 0] > 0.9) & (picture[..., 1] < 0.1)
    rows, columns = np.nonzero(is_red)
    assert rows.mean() < picture.shape[0] / 3
    assert columns.mean() < picture.shape[1] / 3


def test_a_curve_goes_upwards():
    sheet = contact_sheet([Cell("scan", curve=[[0, 0.5, 1], [0, 0.2, 1]])], caption="one")
    (line,) = sheet.axes[0].lines
    x, y = line.get_data()
    assert x[0] < x[1] < x[2]
    assert y[0] < y[1] < y[2]


def test_a_sinogram_of_two_rows_is_stretched_so_that_it_is_seen():
    sheet = contact_sheet([Cell("s", image=np.zeros((2, 120, 3), np.uint8))], caption="one")
    left, right, bottom, top = sheet.axes[0].images[0].get_extent()
    assert top - bottom == pytest.approx(0.4 * (right - left))


def test_a_cell_without_picture_says_why():
    assert "cut short" in words(contact_sheet([Cell("b.cbf", text="cut short")], caption="one"))


def test_a_long_name_keeps_both_ends():
    name = words(contact_sheet([Cell("x" * 30 + "_0009.cbf")], caption="one"))[-1]
    assert len(name) <= 22
    assert name.endswith("_0009.cbf")


def test_nothing_is_refused():
    with pytest.raises(ParameterError, match="at least one"):
        contact_sheet([], caption="none")


@pytest.mark.parametrize(
    "cell", [Cell("a", image=np.zeros((3, 4))), Cell("b", curve=np.zeros((3, 4)))]
)
def test_pictures_of_another_shape_are_refused(cell):
    with pytest.raises(ShapeError, match=r"a curve \(2, points\)"):
        contact_sheet([cell], caption="one")
