"""A diffraction dataset that breaks every symmetry, and how a panel is asked."""

import json

import numpy as np
import xarray as xr
from beamkit_widgets._panels import PANELS

#: Of the full detector, from the outer corner [pixel].
BEAM = (150.25, 121.5)


def diffraction(**attrs):
    """3 frames of 61 x 83 pixels, cropped: first row 100, first column 120; gap, dead, bright."""
    rng = np.random.default_rng(4)
    counts = rng.poisson(3.0, (3, 61, 83)).astype(np.int32)
    counts[2, 40, 70] = 900
    counts[:, :, 30:33] = -1
    mask = np.zeros((61, 83), np.uint32)
    mask[:, 30:33] = 1
    mask[5, 7] = 2
    known = {
        "kind": "diffraction",
        "wavelength": 0.9173,
        "detector_distance": 0.2227,
        "pixel_size_x": 172e-6,
        "pixel_size_y": 172e-6,
        "beam_center_x": BEAM[0],
        "beam_center_y": BEAM[1],
        "count_cutoff": 800.0,
        "header": json.dumps({"Tau": "124.0e-09 s", "imgCIF": {"_diffrn.id": ["I19"]}}),
        "assumed": ["exposure_time: as in the first frame"],
        "exposure_time": 0.1,
    } | attrs
    coords = {
        "omega": ("frame", [10.0, 10.5, 11.0], {"units": "deg"}),
        "detector_y": ("detector_y", np.arange(61) + 100, {"units": "pixel"}),
        "detector_x": ("detector_x", np.arange(83) + 120, {"units": "pixel"}),
    }
    dims = ("frame", "detector_y", "detector_x")
    return xr.Dataset(
        {
            "frames": (dims, counts, {"units": "counts", "quantity": "counts"}),
            "mask": (dims[1:], mask, {"units": "1"}),
        },
        coords,
        {name: value for name, value in known.items() if value is not None},
    )


def ask(viewer, panel, **question):
    """What a panel is told."""
    content, arrays = PANELS[panel](viewer, question)
    json.dumps(content, allow_nan=False)  # as a browser takes it
    return content, arrays
