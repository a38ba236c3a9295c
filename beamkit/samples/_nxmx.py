"""NXmx as EIGER detectors write it: a master file, and data files that it links to.

Sources: NeXus definitions, applications/NXmx.nxdl.xml; Bernstein et al., IUCrJ 7, 784 (2020);
DECTRIS, EIGER HDF5 file writer, version 1.8 (names of the data files, ``detectorSpecific``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from beamkit.core.detector_geometry import SWING_UP
from beamkit.core.units import energy_from_wavelength

from ._diffraction_truth import DiffractionSample
from ._hdf5_fields import group, hdf5_file, number, texts
from ._pixel_detector import COUNT_CUTOFF
from ._sample import BEAMLINE, START_TIME

#: Frames in a data file; a detector at a beamline has 1000.
FRAMES_PER_FILE = 5

#: What masked pixels hold in unsigned frames of 32 bits.
_MASKED = np.uint32(2**32 - 1)

_DETECTOR = "/entry/instrument/detector"


def data_file_names(master: Path, frames: int) -> tuple[Path, ...]:
    """Return the names of the data files that belong to a master file."""
    stem = master.stem.removesuffix("_master")
    files = -(-frames // FRAMES_PER_FILE)
    return tuple(master.with_name(f"{stem}_data_{n:06d}.h5") for n in range(1, files + 1))


def write_nxmx(sample: DiffractionSample) -> None:
    """Write the data files, then the master file. Raises WriteError."""
    data_files = sample.files[1:]
    for index, path in enumerate(data_files):
        first = index * FRAMES_PER_FILE
        numbers = range(first, min(first + FRAMES_PER_FILE, sample.frames))
        with hdf5_file(path) as file:
            _write_frames(file, sample, numbers)
    with hdf5_file(sample.path) as file:
        _write_master(file, sample, data_files)


def _write_frames(file: h5py.File, sample: DiffractionSample, numbers: Sequence[int]) -> None:
    import hdf5plugin

    shape = sample.detector.shape
    entry = group(file, "entry", "NXentry")
    data = group(entry, "data", "NXdata", signal="data").create_dataset(
        "data",
        (len(numbers), *shape),
        np.uint32,
        chunks=(1, *shape),
        **hdf5plugin.Bitshuffle(cname="lz4"),
    )
    data.attrs["image_nr_low"] = numbers[0] + 1
    data.attrs["image_nr_high"] = numbers[-1] + 1
    for place, frame in enumerate(numbers):
        data[place] = unsigned(sample.frame(frame))


def unsigned(counts: NDArray[np.int32]) -> NDArray[np.uint32]:
    """Return counts as EIGER detectors write them: masked pixels hold the highest number."""
    return np.where(counts < 0, _MASKED, counts.astype(np.uint32))


def _write_master(file: h5py.File, sample: DiffractionSample, data_files: Sequence[Path]) -> None:
    data = describe(file, sample)
    data.attrs["signal"] = "data_000001"
    for index, path in enumerate(data_files, start=1):
        data[f"data_{index:06d}"] = h5py.ExternalLink(path.name, "/entry/data/data")


def describe(file: h5py.File, sample: DiffractionSample) -> h5py.Group:
    """Write all but the frames of a scan; return the group that they belong into."""
    file.attrs["default"] = "entry"
    entry = group(file, "entry", "NXentry", default="data")
    texts(entry, definition="NXmx", title="simulated rotation scan", start_time=START_TIME)
    data = group(entry, "data", "NXdata", signal="data")
    instrument = group(entry, "instrument", "NXinstrument")
    texts(instrument, name=BEAMLINE)
    beam = group(instrument, "beam", "NXbeam")
    number(beam, "incident_wavelength", sample.wavelength, "angstrom")
    _write_detector(group(instrument, "detector", "NXdetector"), sample)
    _write_goniometer(group(entry, "sample", "NXsample"), sample)
    return data


def _write_detector(detector: h5py.Group, sample: DiffractionSample) -> None:
    layout = sample.detector.layout
    texts(
        detector,
        description=f"{layout.name}, simulated",
        detector_number="E-00-0000",
        sensor_material="Si",
        depends_on=f"{_DETECTOR}/transformations/det_z",
    )
    energy = energy_from_wavelength(sample.wavelength) * 1e3
    for name, value, units in (
        ("x_pixel_size", layout.pixel_size, "m"),
        ("y_pixel_size", layout.pixel_size, "m"),
        ("beam_center_x", sample.header_beam_center[0], "pixel"),
        ("beam_center_y", sample.header_beam_center[1], "pixel"),
        ("distance", sample.header_distance, "m"),
        ("detector_distance", sample.header_distance, "m"),
        ("count_time", sample.exposure_time, "s"),
        ("frame_time", sample.exposure_period, "s"),
        ("sensor_thickness", 0.00045, "m"),
        ("threshold_energy", round(energy / 2), "eV"),
        ("saturation_value", COUNT_CUTOFF, ""),
        ("bit_depth_readout", 32, ""),
    ):
        number(detector, name, value, units)
    mask = detector.create_dataset("pixel_mask", data=sample.detector.mask(), compression="gzip")
    specific = group(detector, "detectorSpecific", "NXcollection")
    specific["pixel_mask"] = mask
    number(specific, "photon_energy", energy, "eV")
    number(specific, "nimages", sample.frames, "")
    number(specific, "ntrigger", 1, "")
    _write_transformations(detector, sample)
    _write_module(detector, sample)


def _write_transformations(detector: h5py.Group, sample: DiffractionSample) -> None:
    """The detector stands at det_z along the beam, on an arm that swings about the sample."""
    axes = group(detector, "transformations", "NXtransformations")
    _axis(axes, "two_theta", sample.two_theta, "deg", SWING_UP, ".")
    _axis(
        axes,
        "det_z",
        sample.header_distance,
        "m",
        (0.0, 0.0, 1.0),
        f"{_DETECTOR}/transformations/two_theta",
    )


def _write_module(detector: h5py.Group, sample: DiffractionSample) -> None:
    """One module, the whole frame: its outer corner, and the steps along its rows and columns."""
    module = group(detector, "module", "NXdetector_module")
    number(module, "data_origin", np.array([0, 0]), "")
    number(module, "data_size", np.array(sample.detector.shape), "")
    size = sample.detector.layout.pixel_size
    x, y = sample.header_beam_center
    corner = np.array([x * size, y * size, 0.0])
    length = float(np.linalg.norm(corner))
    place = f"{_DETECTOR}/module/module_offset"
    _axis(
        module,
        "module_offset",
        length,
        "m",
        tuple(corner / length) if length else (1.0, 0.0, 0.0),
        f"{_DETECTOR}/transformations/det_z",
    )
    _axis(module, "fast_pixel_direction", size, "m", (-1.0, 0.0, 0.0), place)
    _axis(module, "slow_pixel_direction", size, "m", (0.0, -1.0, 0.0), place)


def _write_goniometer(stage: h5py.Group, sample: DiffractionSample) -> None:
    texts(stage, name="simulated crystal", depends_on="/entry/sample/transformations/omega")
    axes = group(stage, "transformations", "NXtransformations")
    omega = _axis(axes, "omega", sample.omega, "deg", sample.omega_axis, ".")
    goniometer = group(stage, "goniometer", "NXcollection")
    goniometer["omega"] = omega
    number(goniometer, "omega_increment", sample.angle_increment, "deg")
    number(goniometer, "omega_end", sample.omega + sample.angle_increment, "deg")


def _axis(
    parent: h5py.Group,
    name: str,
    value: Any,
    units: str,
    vector: Sequence[float],
    depends_on: str,
) -> h5py.Dataset:
    axis = number(parent, name, value, units)
    axis.attrs["transformation_type"] = "rotation" if units == "deg" else "translation"
    axis.attrs["vector"] = np.asarray(vector, float)
    axis.attrs["offset"] = np.zeros(3)
    axis.attrs["offset_units"] = "m"
    axis.attrs["depends_on"] = depends_on
    return axis
