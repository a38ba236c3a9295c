"""A filter is a text that is parsed, never executed."""

import pytest

from beamkit.catalogue import list_folder, ordered, parse_filter
from beamkit.catalogue.listing import Entry
from beamkit.core.errors import ParameterError, UnknownNameError

THAU = Entry("Thau_0007.cbf", "/raw/Thau_0007.cbf", "file", size=2_500_000, mtime=1.7e9)
HEADER = {"exposure_time": 0.0964, "sample": "Lysozyme 3", "omega": -145.0, "kind": "diffraction"}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ("thau", True),
        ("lyso", False),
        ("t*_0007", True),
        ("thau cbf", True),
        ("thau lyso", False),
        ("thau or lyso", True),
        ("not lyso", True),
        ("not thau", False),
        ("size > 2MB", True),
        ("size > 2.6MB", False),
        ("size <= 2500kb and thau", True),
        ("modified > 2023-11-01", True),  # 1.7e9 s is 14 November 2023
        ("modified > 2023-12-01", False),
    ],
)
def test_what_the_listing_says_is_enough(text, passes):
    found = parse_filter(text)
    assert found.names == ()
    assert found(THAU) is passes


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("exposure_time > 0.09", True),
        ("exposure_time>0.1", False),
        ("exposure_time = 0.09640000001", True),
        ("exposure_time != 0.0964", False),
        ("omega < -100", True),
        ('sample = "lyso*"', True),
        ('sample = "lysozyme 3"', True),
        ("sample = lyso", False),
        ("sample != thau*", True),
        ("kind = diffraction omega > 0 or thau", True),
        ("wavelength > 0", False),  # the header does not say
        ("wavelength != 1", True),
    ],
)
def test_attributes_are_compared(text, passes):
    assert parse_filter(text)(THAU, HEADER) is passes


def test_a_filter_says_which_headers_it_needs_and_what_it_cannot_know_yet():
    found = parse_filter("thau exposure_time > 0.1")
    assert found.names == ("exposure_time",)
    assert found(THAU) is None
    assert found(Entry("other.cbf", "other.cbf", "file")) is False  # the name decides


def test_an_unknown_attribute_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'exposure_time'"):
        parse_filter("expsure_time > 0.1")


def test_names_seen_in_headers_may_be_added():
    assert parse_filter("grid_x > 3", known=["grid_x"])(THAU, {"grid_x": 4.0}) is True


@pytest.mark.parametrize("text", ["exposure_time >", "> 0.1", "omega < < 3"])
def test_an_incomplete_comparison_is_refused(text):
    with pytest.raises(ParameterError, match=r"incomplete|quotation"):
        parse_filter(text)


def test_a_quotation_mark_without_partner_is_refused():
    with pytest.raises(ParameterError, match="quotation mark"):
        parse_filter('sample = "lyso')


def test_nothing_is_executed():
    found = parse_filter("__import__('os').remove(1)")
    assert found(THAU) is False


def test_order_by_name_is_natural_and_folders_come_first(visit):
    entries = list_folder(visit)
    names = [entries[place].name for place in ordered(entries, "name", descending=True)]
    assert names[:2] == ["Sample 10", "sample 2"]
    assert names.index("run10.nxs") < names.index("run9.nxs")


def test_order_by_size(visit):
    entries = list_folder(visit)
    found = [entries[place] for place in ordered(entries, "size")]
    sizes = [entry.size for entry in found if entry.kind == "file"]
    assert sizes == sorted(sizes)
    assert [entry.kind for entry in found[:3]] == ["folder", "folder", "series"]


def test_order_by_attribute_puts_files_without_it_last():
    entries = [Entry(name, name, "file") for name in "abc"]
    headers = {"a": {"omega": 3.0}, "c": {"omega": -1.0}}
    for descending, expected in ((False, "cab"), (True, "acb")):
        places = ordered(
            entries, "omega", headers=lambda e: headers.get(e.name), descending=descending
        )
        assert "".join(entries[place].name for place in places) == expected
