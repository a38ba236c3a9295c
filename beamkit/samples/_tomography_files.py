"""The two layouts of raw tomography files, written block by block.

NXtomo: NeXus definitions, applications/NXtomo.nxdl.xml. Data Exchange: De Carlo et al., J.
Synchrotron Rad. 21, 1224-1230 (2014), and the groups that the tomoscan software of APS writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import h5py
import numpy as np

from beamkit.core.machine import cores

from ._hdf5_fields import group, hdf5_file, number, texts
from ._sample import BEAMLINE, START_TIME
from ._tomography_truth import TomographySample

#: Bytes of frames in memory at a time.
_BLOCK_BYTES = 32e6
#: Bytes of intermediate images in memory at a time: a frame being made takes ten in float64.
_WORK_BYTES = 256e6

COMPRESSIONS = ("bslz4", "gzip")


def write_scan(sample: TomographySample, compression: str | None) -> None:
    """Write the file of a sample, whole or not at all. Raises WriteError."""
    filters = _filters(compression)
    with hdf5_file(sample.path) as file:
        LAYOUTS[sample.format](file, sample, filters)


def _write_nxtomo(file: h5py.File, sample: TomographySample, filters: dict[str, Any]) -> None:
    entry = group(file, "entry", "NXentry", default="data")
    file.attrs["default"] = "entry"
    texts(
        entry,
        definition="NXtomo",
        title="simulated scan of ellipsoids",
        start_time=START_TIME,
    )
    instrument = group(entry, "instrument", "NXinstrument")
    texts(instrument, name=BEAMLINE)
    source = group(instrument, "source", "NXsource")
    texts(source, name=BEAMLINE, type="Synchrotron X-ray Source", probe="x-ray")
    beam = group(instrument, "beam", "NXbeam")
    number(beam, "incident_energy", sample.energy, "keV")
    entry["beam"] = beam  # where ESRF's files have it
    detector = _write_detector(instrument, sample, filters)
    stage = _write_stage(entry, sample)
    monitor = group(entry, "control", "NXmonitor")
    number(monitor, "data", _monitor(sample), "counts")
    data = group(entry, "data", "NXdata", signal="data")
    for name, target in (("data", detector), ("image_key", detector), ("rotation_angle", stage)):
        data[name] = target[name]


def _write_detector(
    instrument: h5py.Group, sample: TomographySample, filters: dict[str, Any]
) -> h5py.Group:
    detector = group(instrument, "detector", "NXdetector")
    texts(detector, description="simulated camera")
    number(detector, "image_key", sample.image_key, "")
    number(detector, "x_pixel_size", sample.pixel_size, "m")
    number(detector, "y_pixel_size", sample.pixel_size, "m")
    number(detector, "magnification", sample.pixel_size / sample.effective_pixel_size, "")
    number(detector, "distance", sample.distance, "m")
    number(detector, "count_time", sample.exposure_time, "s")
    _write_frames(detector, "data", sample, range(sample.image_key.size), filters)
    return detector


def _write_stage(entry: h5py.Group, sample: TomographySample) -> h5py.Group:
    stage = group(entry, "sample", "NXsample")
    texts(stage, name="ellipsoids", depends_on="rotation_angle")
    angle = number(stage, "rotation_angle", _angle_of_each_frame(sample), "deg")
    angle.attrs["transformation_type"] = "rotation"
    # NeXus: y up, so a turn about +y is counter-clockwise seen from above.
    angle.attrs["vector"] = np.array([0.0, sample.rotation_sense, 0.0])
    angle.attrs["depends_on"] = "."
    for name in ("x_pixel_size", "y_pixel_size"):
        number(stage, name, sample.effective_pixel_size, "m")
    number(stage, "propagation_distance", sample.distance, "m")
    return stage


def _write_dxchange(file: h5py.File, sample: TomographySample, filters: dict[str, Any]) -> None:
    file["implements"] = "exchange:measurement"
    exchange = file.create_group("exchange")
    for key, name, axes in (
        (0, "data", "theta:y:x"),
        (1, "data_white", "theta_white:y:x"),
        (2, "data_dark", "theta_dark:y:x"),
    ):
        frames = np.flatnonzero(sample.image_key == key)
        images = _write_frames(exchange, name, sample, frames.tolist(), filters)
        images.attrs.update(units="counts", axes=axes)
    number(exchange, "theta", sample.angles, "deg")
    measurement = file.create_group("measurement")
    texts(measurement.create_group("sample"), name="ellipsoids")
    _write_exchange_instrument(measurement.create_group("instrument"), sample)
    texts(file.create_group("process/acquisition"), start_date=START_TIME)


def _write_exchange_instrument(instrument: h5py.Group, sample: TomographySample) -> None:
    """The names of the publication, and those of tomoscan where they differ."""
    texts(instrument, name=BEAMLINE)
    texts(instrument.create_group("source"), beamline=BEAMLINE)
    texts(instrument.create_group("detector"), model="simulated camera")
    pixel, effective = sample.pixel_size * 1e6, sample.effective_pixel_size * 1e6
    for name, value, units in (
        ("monochromator/energy", sample.energy, "keV"),
        ("detector/exposure_time", sample.exposure_time, "s"),
        ("detector/pixel_size_x", pixel, "um"),
        ("detector/pixel_size_y", pixel, "um"),
        ("detector/actual_pixel_size_x", effective, "um"),
        ("detector/actual_pixel_size_y", effective, "um"),
        ("objective/magnification", pixel / effective, ""),
        ("detection_system/objective/magnification", pixel / effective, ""),
        ("detection_system/objective/resolution", effective, "um"),
        ("detector_motor_stack/setup/z", sample.distance * 1e3, "mm"),
    ):
        number(instrument, name, value, units)


LAYOUTS = {"nxtomo": _write_nxtomo, "dxchange": _write_dxchange}


def _write_frames(
    parent: h5py.Group,
    name: str,
    sample: TomographySample,
    frames: Sequence[int],
    filters: dict[str, Any],
) -> h5py.Dataset:
    shape = sample.camera.shape
    images = parent.create_dataset(
        name, (len(frames), *shape), np.uint16, chunks=(1, *shape), **filters
    )
    images.attrs.update(units="counts", long_name="detector counts")
    pixels = shape[0] * shape[1]
    block = max(1, int(_BLOCK_BYTES / (2 * pixels)))
    threads = min(cores(), max(1, int(_WORK_BYTES / (80 * pixels))))
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(frames), block):
            stop = min(start + block, len(frames))
            images[start:stop] = np.stack(list(pool.map(sample.frame, frames[start:stop])))
    return images


def _filters(compression: str | None) -> dict[str, Any]:
    if compression == "bslz4":
        import hdf5plugin

        return dict(hdf5plugin.Bitshuffle(cname="lz4"))
    return {"compression": "gzip", "compression_opts": 1} if compression == "gzip" else {}


def _angle_of_each_frame(sample: TomographySample) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the angle of every frame; at darks and flats the stage waits at one end."""
    angles = np.full(sample.image_key.size, sample.angles[0])
    projections = np.flatnonzero(sample.image_key == 0)
    angles[projections] = sample.angles
    angles[projections[-1] + 1 :] = sample.angles[-1]
    return angles


def _monitor(sample: TomographySample) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return what an ion chamber before the sample counts: the drifting beam, 0 at darks."""
    time = np.arange(sample.image_key.size) / max(1, sample.image_key.size - 1)
    return np.where(sample.image_key == 2, 0.0, np.rint(1e6 * (1 - 0.04 * time)))
