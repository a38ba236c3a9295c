"""Layouts of pixel detectors, against pyFAI's masks and the published numbers."""

import re

import numpy as np
import pytest

from beamkit.core import detectors
from beamkit.core.detectors import CDTE_LAYOUTS, EXCALIBUR, LAYOUTS, NAMED_LAYOUTS, layout_of

BY_NAME = {layout.name: layout for layout in (*LAYOUTS, *CDTE_LAYOUTS, *NAMED_LAYOUTS)}


def pyfai_name(layout) -> str:
    """Name of the same detector in pyFAI: "PILATUS4 CdTe 260K-W" is "Pilatus4 260kw CdTe"."""
    family, *cdte, size = layout.name.split()
    size = re.sub("K", "k", size)
    if not family.startswith("EIGER"):
        size = size.replace("k-W", "kw")
    middle = ["CdTe"] if cdte and family != "PILATUS4" else []
    end = ["CdTe"] if cdte and family == "PILATUS4" else []
    return " ".join([family.capitalize(), *middle, size, *end])


@pytest.mark.parametrize("name", [n for n in BY_NAME if not n.startswith("EXCALIBUR")])
def test_gaps_are_those_of_pyfai(name, require):
    factory = require("pyFAI.detectors", "diffraction").Detector.factory
    layout = BY_NAME[name]
    peer = factory(pyfai_name(layout))
    assert peer.shape == layout.shape
    assert peer.pixel1 == peer.pixel2 == layout.pixel_size
    np.testing.assert_array_equal(layout.gaps(), peer.mask != 0)


def test_every_pilatus_and_eiger_of_pyfai_is_known_but_the_half_module(require):
    registry = require("pyFAI.detectors", "diffraction").Detector.registry
    peers = {cls for name, cls in registry.items() if name.startswith(("pilatus", "eiger"))}
    shapes = {(cls.MAX_SHAPE, "cdte" in cls.__name__.lower()) for cls in peers if cls.MAX_SHAPE}
    ours = {(layout.shape, "CdTe" in layout.name) for layout in BY_NAME.values()}
    assert {shape for shape in shapes if shape not in ours} == {((512, 512), False)}


def test_active_pixels_of_the_big_pilatus():
    # DECTRIS: 24 and 60 modules of 487 x 195 pixels.
    for name, modules in (("PILATUS 2M", 24), ("PILATUS 6M", 60)):
        assert (~BY_NAME[name].gaps()).sum() == modules * 487 * 195


def test_a_shape_names_one_detector():
    assert len({layout.shape for layout in LAYOUTS}) == len(LAYOUTS)
    for layout in LAYOUTS:
        assert layout_of(layout.shape) is layout
    assert layout_of((1536, 2048)) is None  # also a camera's
    assert layout_of((512, 1028)) is None


def test_cdte_is_told_by_the_name_or_the_sensor():
    silicon = layout_of((1679, 1475))
    by_name = layout_of((1679, 1475), detector="PILATUS3 X CdTe 2M, S/N 24-0128")
    by_sensor = layout_of((1679, 1475), sensor_material="CdTe")
    assert silicon.name == "PILATUS 2M"
    assert by_name is by_sensor
    assert by_name.name == "PILATUS CdTe 2M"
    # Three columns in each of three modules, outside of the gaps' 17 x 7 rows.
    more = by_name.gaps().sum() - silicon.gaps().sum()
    assert more == 3 * 3 * (1679 - 7 * 17)
    # No such CdTe detector is known: the gaps between modules still are.
    assert layout_of((2527, 2463), sensor_material="CdTe").name == "PILATUS 6M"


class TestExcalibur:
    def test_chips_start_where_diamond_puts_them(self):
        # Row starts and column starts of the virtual datasets, chips of 256 x 256.
        chips = np.zeros((1791, 2069), bool)
        for row in (0, 259, 638, 897, 1276, 1535):
            for column in range(8):
                chips[row : row + 256, 259 * column : 259 * column + 256] = True
        np.testing.assert_array_equal(EXCALIBUR.gaps(), ~chips)
        assert chips.sum() == 48 * 256 * 256
        assert layout_of((1791, 2069)) is EXCALIBUR

    def test_wide_pixels_are_the_ones_beside_the_narrow_gaps(self):
        wide = EXCALIBUR.wide_pixels()
        rows = np.flatnonzero(wide[:, 100])
        np.testing.assert_array_equal(rows, [255, 259, 893, 897, 1531, 1535])
        columns = np.flatnonzero(wide[100])
        np.testing.assert_array_equal(
            columns, sorted([259 * n + 255 for n in range(7)] + [259 * n for n in range(1, 8)])
        )
        assert not (wide & EXCALIBUR.gaps()).any()
        # Two wide pixels and the gap of three: five pixels, shared by two.
        assert 2 * EXCALIBUR.wide_edge == 2 + 3

    def test_raw_frames_have_no_gaps(self):
        raw = BY_NAME["EXCALIBUR raw"]
        assert raw.shape == (1536, 2048)
        assert not raw.gaps().any()
        assert not raw.wide_pixels().any()


def test_eiger_interpolates_two_lines_where_chips_meet():
    for name, size in (("EIGER 500K", (514, 1030)), ("EIGER2 500K", (512, 1028))):
        virtual = BY_NAME[name].virtual_pixels()
        # Symmetric about the middle of the module, which has 2 x 4 chips.
        np.testing.assert_array_equal(virtual, virtual[::-1, ::-1])
        assert virtual[:, 0].sum() == 2
        assert virtual[0].sum() == 6
        first = np.flatnonzero(virtual[0])[0]
        assert first == (size[1] - 4 * 256 - 6) // 2 + 256
    cdte = BY_NAME["EIGER2 CdTe 500K"]
    assert not (cdte.virtual_pixels() & cdte.gaps()).any()


def test_flag_values_of_each_family():
    assert detectors.flag_values("int32") == {-1: detectors.MASK_GAP, -2: detectors.MASK_DEAD}
    assert detectors.flag_values(np.uint32) == {2**32 - 1: detectors.MASK_DEAD}
    assert detectors.flag_values(np.uint16) == {65535: detectors.MASK_DEAD}
    assert detectors.flag_values(np.uint16, "EXCALIBUR I13") == {}
    assert detectors.flag_values("uint8") == {}
    assert detectors.flag_values("float32") == {}


def test_every_bit_of_the_mask_has_a_meaning():
    bits = {value for name, value in vars(detectors).items() if name.startswith("MASK_")
            and isinstance(value, int)} - {detectors.MASK_UNUSABLE}  # fmt: skip
    assert bits == set(detectors.MASK_MEANINGS)
    assert all(bin(bit).count("1") == 1 for bit in bits)
