"""Experiment lists of DIALS (``.expt``, ``.json``).

Waterman et al., Acta Cryst. D72, 558 (2016), section 3; dxtbx, ``model/boost_python``: ``panel.cc``
and ``detector.cc`` write the vectors of a panel relative to the group that it stands on. Lengths
are in mm; the frame is that of imgCIF, with z from the sample to the source.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from beamkit.core.atomic import write_text
from beamkit.core.errors import BeamkitError, MetadataError, ParameterError, UnreadableFileError
from beamkit.core.transformations import NEXUS_FROM_IMGCIF

from ._placement import Array, Placement, as_vector, finite_vector, onto_beam

Source = str | os.PathLike[str] | Mapping[str, Any]

_MM = 1e-3

#: The laboratory itself, as the group that others stand on.
_ROOT = np.eye(4)


def read(source: Source, *, experiment: int = 0, panel: int | str | None = None) -> Placement:
    """Return a panel of an experiment.

    Parameters
    ----------
    source
        A file, or what it holds as dictionaries and lists.
    experiment
        Which one of the list, from 0.
    panel
        Number, from 0, or name; needed where the detector has several.

    Raises
    ------
    UnreadableFileError
        If it is no experiment list with a beam and a detector.
    ParameterError
        If there is no such experiment or panel, or several panels and none was chosen.
    """
    held, name = _loaded(source)
    try:
        chosen = _model(held, "experiment", experiment, name)
        beam = held["beam"][chosen["beam"]]
        detector = held["detector"][chosen["detector"]]
        number = _panel(detector["panels"], panel, name)
        return _placed(detector, number, beam)
    except BeamkitError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise UnreadableFileError(
            f"{name} is not an experiment list of DIALS with a beam and a detector: "
            f"{error!r:.200}. Write one with dials.import."
        ) from error


def _placed(detector: Mapping[str, Any], number: int, beam: Mapping[str, Any]) -> Placement:
    panel = detector["panels"][number]
    # DIALS stores the direction from the sample to the source.
    along = -(NEXUS_FROM_IMGCIF @ finite_vector("beam direction", beam["direction"]))
    turn = onto_beam(along) @ NEXUS_FROM_IMGCIF
    frame = _group_of(detector.get("hierarchy"), number) @ _frame(panel)
    fast, slow, origin = (turn @ frame[:3, column] for column in (0, 1, 3))
    size_x, size_y = (float(size) * _MM for size in panel["pixel_size"])
    columns, rows = (int(size) for size in panel["image_size"])
    # Positions count on the whole image, of which a panel may be a part.
    left, top = (int(offset) for offset in panel.get("raw_image_offset", (0, 0)))
    origin = origin * _MM - left * size_x * fast - top * size_y * slow
    return Placement(
        as_vector(origin), as_vector(fast), as_vector(slow), size_x, size_y,
        (top + rows, left + columns), float(beam["wavelength"]),
    )  # fmt: skip


def _frame(item: Mapping[str, Any]) -> Array:
    """Return the 4 x 4 matrix from a panel or group to the group that it stands on [mm]."""
    result = np.eye(4)
    fast, slow = (finite_vector(f"{name} axis", item[f"{name}_axis"]) for name in ("fast", "slow"))
    result[:3, 0], result[:3, 1], result[:3, 2] = fast, slow, np.cross(fast, slow)
    result[:3, 3] = finite_vector("origin", item["origin"])
    return result


def _group_of(group: Mapping[str, Any] | None, panel: int, below: Array = _ROOT) -> Array:
    """Return the 4 x 4 matrix from the group that a panel stands on to the laboratory."""
    if group is None:
        return below
    here = below @ _frame(group)
    for child in group.get("children", ()):
        if child.get("panel") == panel:
            return here
        if "children" in child:
            found = _group_of(child, panel, here)
            if found is not _ROOT:
                return found
    return _ROOT


def _panel(panels: Sequence[Mapping[str, Any]], panel: int | str | None, name: str) -> int:
    if panel is None and len(panels) == 1:
        return 0
    names = [str(each.get("name", "")) for each in panels]
    if isinstance(panel, str) and names.count(panel) == 1:
        return names.index(panel)
    if isinstance(panel, int) and 0 <= panel < len(panels):
        return panel
    asked = "the detector has" if panel is None else f"panel={panel!r} is none of"
    raise ParameterError(
        f"{name}: {asked} {len(panels)} panels, {', '.join(names[:6])}. "
        f"Choose one with panel=, 0 to {len(panels) - 1}."
    )


def _model(held: Mapping[str, Any], kind: str, number: int, name: str) -> Mapping[str, Any]:
    every: Sequence[Mapping[str, Any]] = held[kind]
    if not 0 <= number < len(every):
        raise ParameterError(
            f"{name}: there is no {kind} {number}; the list has {len(every)}, counted from 0."
        )
    return every[number]


def _loaded(source: Source) -> tuple[Mapping[str, Any], str]:
    if isinstance(source, Mapping):
        return source, "the experiment list"
    path = Path(source)
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFileError(
            f"{path} cannot be read: {error.strerror}. Check the name."
        ) from error
    except ValueError as error:
        raise UnreadableFileError(
            f"{path} is not JSON: {error}. Write an experiment list with dials.import."
        ) from error
    return held if isinstance(held, dict) else {}, str(path)


def describe(placement: Placement) -> dict[str, Any]:
    """Return an experiment list with one beam and one detector, ready for JSON.

    Raises
    ------
    MetadataError
        If the wavelength or the shape is not known: DIALS has no word for that.
    """
    if placement.wavelength is None or placement.shape is None:
        missing = [n for n in ("wavelength", "shape") if getattr(placement, n) is None]
        raise MetadataError(
            f"An experiment of DIALS needs the {' and the '.join(missing)}, not known here. "
            "Set data.attrs['wavelength'] [angstrom], or with_wavelength(...) and "
            "shape=(rows, columns) of the geometry."
        )
    experiment = {"__id__": "Experiment", "identifier": "", "beam": 0, "detector": 0}
    empty: dict[str, list[Any]] = {
        name: []
        for name in ("imageset", "goniometer", "scan", "crystal", "profile", "scaling_model")
    }
    root = _panel_entry((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    return {
        "__id__": "ExperimentList",
        "experiment": [experiment],
        **empty,
        "beam": [{"direction": [0.0, 0.0, 1.0], "wavelength": placement.wavelength}],
        "detector": [
            {"panels": [_written(placement)], "hierarchy": {**root, "children": [{"panel": 0}]}}
        ],
    }


def _written(placement: Placement) -> dict[str, Any]:
    rows, columns = placement.shape or (0, 0)
    origin, fast, slow = (
        NEXUS_FROM_IMGCIF @ np.asarray(vector)
        for vector in (placement.origin, placement.fast, placement.slow)
    )
    return {
        **_panel_entry(as_vector(origin / _MM), as_vector(fast), as_vector(slow)),
        "name": "Panel",
        "type": "SENSOR_PAD",
        "pixel_size": [placement.pixel_size_x / _MM, placement.pixel_size_y / _MM],
        "image_size": [columns, rows],
    }


def _panel_entry(
    origin: Sequence[float], fast: Sequence[float], slow: Sequence[float]
) -> dict[str, Any]:
    return {
        "name": "",
        "type": "",
        "origin": list(origin),
        "fast_axis": list(fast),
        "slow_axis": list(slow),
        "raw_image_offset": [0, 0],
        "image_size": [0, 0],
        "pixel_size": [0.0, 0.0],
        "trusted_range": [0.0, 0.0],
        "thickness": 0.0,
        "material": "",
        "mu": 0.0,
        "identifier": "",
        "mask": [],
        "gain": 1.0,
        "pedestal": 0.0,
        "px_mm_strategy": {"type": "SimplePxMmStrategy"},
    }


def write(placement: Placement, path: str | os.PathLike[str]) -> None:
    """Write an experiment list. Raises MetadataError as :func:`describe`, and WriteError."""
    write_text(path, json.dumps(describe(placement), indent=2) + "\n")
