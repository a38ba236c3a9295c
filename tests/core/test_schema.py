import numpy as np
import pytest
import xarray as xr

from beamkit.core import detectors, errors, schema
from beamkit.core.errors import MissingDependencyError, QuantityError, ShapeError, UnknownNameError
from beamkit.core.optional import need
from beamkit.core.views import view


@pytest.fixture
def frame():
    return xr.DataArray(
        np.zeros((2, 3)), dims=("detector_y", "detector_x"), attrs={"quantity": "counts"}
    )


def test_a_position_is_half_a_pixel_more_than_an_index():
    # The centre of the first pixel: index 0, half a pixel from the outer corner.
    assert schema.index_to_position(0) == 0.5
    assert schema.position_to_index(1607.415) == pytest.approx(1606.915)


def test_wrong_dimensions_name_the_cure(frame):
    with pytest.raises(ShapeError, match=r"\.transpose\('detector_x', 'detector_y'\)"):
        schema.require_dims(frame, ("detector_x", "detector_y"), what="A frame")
    with pytest.raises(ShapeError, match=r"isel\(detector_y=slice\(3, 4\)\)"):
        schema.require_dims(frame, ("angle", "detector_y", "detector_x"), what="Projections")


def test_the_wrong_quantity_is_refused_and_silence_is_accepted(frame):
    with pytest.raises(QuantityError, match="must be 'transmission', but they are 'counts'"):
        schema.require_quantity(
            frame, "transmission", to="take the logarithm", cure="Divide first."
        )
    schema.require_quantity(frame.drop_attrs(), "transmission", to="take the logarithm", cure="")


def test_the_main_variable_follows_from_the_kind():
    data = xr.Dataset({"flats": 1, "projections": 2}, attrs={"kind": "tomography"})
    assert schema.main_variable(data) == "projections"
    with pytest.raises(UnknownNameError, match="Did you mean 'tomography'"):
        schema.main_variable(data.assign_attrs(kind="tomografy"))


def test_remarks_are_kept_once():
    attrs = {}
    schema.note(attrs, "assumed", "one")
    schema.note(attrs, "assumed", "one")
    schema.note(attrs, "assumed", "two")
    assert attrs["assumed"] == ["one", "two"]


@pytest.mark.parametrize(
    "error", [e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception)]
)
def test_every_error_is_ours_and_a_builtin(error):
    assert issubclass(error, errors.BeamkitError)
    if error is not errors.BeamkitError:
        assert (
            len(set(error.__mro__) - {errors.BeamkitError, Exception, BaseException, object}) >= 2
        )


def test_a_missing_package_names_what_for_and_how_to_install_it():
    with pytest.raises(
        MissingDependencyError,
        match=r'needs it to fly. Install it with: pip install "beamkit\[wings\]"',
    ):
        need("no_such_package.wings", extra="wings", to="fly")


def test_a_broken_package_raises_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import missing_inside")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="missing_inside"):
        need("broken_package", extra="x", to="y")


def test_an_unknown_view_lists_those_that_there_are():
    with pytest.raises(UnknownNameError, match="view 'hologram'"):
        view("hologram")


def test_gaps_of_a_pilatus_2m():
    # 2 476 525 pixels of which 2 279 160 are active (DECTRIS; as in pyFAI).
    layout = detectors.layout_of((1679, 1475))
    gaps = layout.gaps()
    assert layout.name == "PILATUS 2M"
    assert gaps.size - gaps.sum() == 2_279_160
    assert gaps[195, 0]
    assert gaps[211, 0]
    assert not gaps[212, 0]
    assert gaps[0, 487]
    assert gaps[0, 493]
    assert not gaps[0, 494]


def test_flags_gaps_and_overloads_become_nxdetector_bits():
    frame = np.zeros((407, 487), int)  # PILATUS 200K: one gap of 17 rows
    frame[3, 5], frame[4, 6], frame[7, 8], frame[9, 9] = -1, -2, 1001, 1000
    mask = detectors.mask_from_flags(frame, count_cutoff=1000)
    assert (mask[3, 5], mask[4, 6], mask[7, 8], mask[9, 9]) == (1, 2, 8, 0)
    assert (mask[195:212] == 1).all()
    assert np.count_nonzero(mask) == 17 * 487 + 3
