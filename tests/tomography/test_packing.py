"""Two slices share a transform, and must not know of each other."""

from __future__ import annotations

import numpy as np
import pytest
from tomography.phantom import DISCS, line_integrals, scaled, scan

from beamkit.tomography import reconstruct

ANGLES = np.arange(150) * 1.2
FIRST = line_integrals(scaled(DISCS[:2], 0.25), ANGLES, 130, 66.1)
SECOND = line_integrals(scaled(DISCS[3:], 0.25), ANGLES, 130, 66.1)


def slices(*rows, first_row=0, **options):
    data = scan(rows, ANGLES, first_row=first_row)
    return reconstruct(data, center=66.1, engine="nufft", **options).values


@pytest.mark.parametrize("ratio", [1.0, 30.0, 1000.0, 1e-3])
def test_neighbours_do_not_leak_into_each_other(ratio):
    alone = slices(SECOND)[0]
    beside = slices(FIRST * ratio, SECOND)[1]
    assert np.abs(beside - alone).max() < 1e-5 * np.ptp(alone)


def test_empty_row_stays_empty():
    assert not slices(FIRST, FIRST * 0)[1].any()


def test_height_of_the_slab_does_not_change_a_row():
    rows = [FIRST, SECOND, 0.5 * FIRST, 2 * SECOND, FIRST + SECOND]
    whole = slices(*rows, first_row=7)
    for start, stop in ((0, 1), (0, 2), (1, 3), (1, 5), (2, 5), (4, 5)):
        part = slices(*rows[start:stop], first_row=7 + start)
        assert np.abs(part - whole[start:stop]).max() < 1e-5 * np.ptp(whole)


def test_pairs_do_not_depend_on_where_the_slab_begins():
    # Rows 8 and 9 share a transform in either slab: not a bit may differ.
    rows = [FIRST, SECOND, 0.5 * FIRST, 2 * SECOND]
    np.testing.assert_array_equal(slices(*rows, first_row=7)[1:3], slices(*rows[1:3], first_row=8))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_same_call_gives_the_same_bits(threads):
    rows = [FIRST, SECOND, 0.5 * FIRST, 2 * SECOND, FIRST + SECOND]
    np.testing.assert_array_equal(slices(*rows), slices(*rows, threads=threads))


def test_rows_of_a_binned_detector_pair_too():
    data = scan([FIRST, SECOND, SECOND], ANGLES).assign_coords(detector_y=[0.5, 2.5, 4.5])
    volume = reconstruct(data, center=66.1, engine="nufft").values
    assert np.abs(volume[1] - volume[2]).max() < 1e-5 * np.ptp(volume)
