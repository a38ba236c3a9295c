"""Detector and goniometer from the axes of an imgCIF header.

imgCIF describes an instrument as chains of axes (Bernstein & Hammersley, International Tables G,
ch. 3.7): ``_axis`` has their vectors, ``_diffrn_scan_frame_axis`` (or ``_diffrn_scan_axis``) their
settings, ``_array_structure_list_axis`` which of them the rows and columns of the image run along.
The displacement of those is taken for the outer corner of the first pixel, as DIALS does.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from beamkit.core.detector_geometry import DetectorPlane
from beamkit.core.errors import MetadataError
from beamkit.core.transformations import NEXUS_FROM_IMGCIF, Axis, Matrix, chain_matrix

from ._cbf_imgcif import Items, rows

_MM = 1e-3


@dataclass(frozen=True)
class Instrument:
    """The axes of an imgCIF header, laboratory frame, lengths in m.

    Attributes
    ----------
    axes
        Rotations and translations at their settings, by name.
    depends_on
        What each of them stands on; no entry for those that stand in the laboratory.
    goniometer
        Names of those that carry the sample.
    image
        Names of those along a row and along a column of the image; empty if not stated.
    increments
        By name: how far the axis turns or moves during a frame, or from pixel to pixel [deg, m].
    """

    axes: dict[str, Axis]
    depends_on: dict[str, str]
    goniometer: tuple[str, ...]
    image: tuple[str, str]
    increments: dict[str, float]

    def chain(self, name: str) -> list[str]:
        """Return the names from an axis to the laboratory.

        Raises
        ------
        MetadataError
            If the axes depend on each other in a circle.
        """
        names: list[str] = []
        while name in self.axes:
            if name in names:
                raise MetadataError(f"The imgCIF axes {names} depend on each other in a circle.")
            names.append(name)
            name = self.depends_on.get(name, "")
        return names

    def matrix(self, name: str) -> Matrix:
        """Return the 4 x 4 matrix from an axis to the laboratory."""
        return chain_matrix([self.axes[link] for link in self.chain(name)])


def instrument(items: Items) -> Instrument:
    """Return the axes that an imgCIF header describes; none at all if it is a plain miniCBF.

    Raises
    ------
    MetadataError
        If a number is none.
    """
    turn, settings = _to_laboratory(items), _settings(items)
    table = {row["id"]: row for row in rows(items, "_axis") if "id" in row}
    kinds = {name: row.get("type", "").lower() for name, row in table.items()}
    return Instrument(
        axes={
            name: Axis(
                name,
                kinds[name],
                _numbers(turn @ _vector(row, "vector")),
                settings.get((name, kinds[name]), 0.0),
                _numbers(turn @ _vector(row, "offset") * _MM),
            )
            for name, row in table.items()
            if kinds[name] in ("rotation", "translation")
        },
        depends_on={name: row["depends_on"] for name, row in table.items() if "depends_on" in row},
        goniometer=tuple(
            name for name, row in table.items() if row.get("equipment") == "goniometer"
        ),
        image=_image_axes(items),
        increments=_increments(items),
    )


def detector_plane(described: Instrument) -> DetectorPlane | None:
    """Return where the detector stands, laboratory frame; None if the header does not say.

    Raises
    ------
    MetadataError
        If the header says it in a way that makes no sense.
    """
    fast, slow = described.image
    if fast not in described.axes or slow not in described.axes:
        return None
    upper = fast if slow in described.chain(fast) else slow
    if fast not in described.chain(upper):
        raise MetadataError(f"The imgCIF image axes {fast!r} and {slow!r} stand on different ones.")
    return DetectorPlane(
        _numbers(described.matrix(upper)[:3, 3]),
        _direction(described, fast),
        _direction(described, slow),
    )


def goniometer(described: Instrument) -> str:
    """Return the axes that carry the sample as JSON text; empty if the header has none.

    A list, from the sample to the laboratory, with ``name``, ``type``, ``depends_on``, ``vector``
    (laboratory frame), ``setting`` and ``increment`` [deg; m for a translation].
    """
    names = [name for name in described.goniometer if name in described.axes]
    if not names:
        return ""
    chain = max((described.chain(name) for name in names), key=len)
    described_axes: list[dict[str, Any]] = [
        {
            "name": name,
            "type": described.axes[name].kind,
            "depends_on": described.depends_on.get(name, "."),
            "vector": list(described.axes[name].vector),
            "setting": described.axes[name].value,
            "increment": described.increments.get(name, 0.0),
        }
        for name in chain
    ]
    return json.dumps(described_axes)


def _settings(items: Items) -> dict[tuple[str, str], float]:
    """Return the setting of each axis [deg, m], the frame's own before that of the scan's start."""
    found: dict[tuple[str, str], float] = {}
    for category, suffix in (("_diffrn_scan_axis", "_start"), ("_diffrn_scan_frame_axis", "")):
        for row in rows(items, category):
            name = row.get("axis_id", "")
            found[name, "rotation"] = _number(row, f"angle{suffix}")
            found[name, "translation"] = _number(row, f"displacement{suffix}") * _MM
    for row in rows(items, "_array_structure_list_axis"):
        found[row.get("axis_id", ""), "translation"] = _number(row, "displacement") * _MM
    return found


def _increments(items: Items) -> dict[str, float]:
    found = {
        row.get("axis_id", ""): _number(row, "angle_increment")
        or _number(row, "displacement_increment") * _MM
        for row in rows(items, "_diffrn_scan_axis")
    }
    for row in rows(items, "_array_structure_list_axis"):
        found[row.get("axis_id", "")] = _number(row, "displacement_increment") * _MM
    return found


def _image_axes(items: Items) -> tuple[str, str]:
    axis_of_set = {
        row.get("axis_set_id", row.get("axis_id")): row.get("axis_id", "")
        for row in rows(items, "_array_structure_list_axis")
    }
    by_precedence = {
        row.get("precedence"): axis_of_set.get(row.get("axis_set_id"), "")
        for row in rows(items, "_array_structure_list")
        if row.get("direction", "increasing") == "increasing"
    }
    return by_precedence.get("1", ""), by_precedence.get("2", "")


def _direction(described: Instrument, name: str) -> tuple[float, float, float]:
    """Return the direction in which the pixel number grows along an image axis."""
    vector = np.asarray(described.axes[name].vector, float)
    turned = described.matrix(name)[:3, :3] @ vector
    length = float(np.linalg.norm(turned)) or 1.0
    return _numbers(turned / math.copysign(length, described.increments.get(name, 1.0)))


def _to_laboratory(items: Items) -> Matrix:
    """Return the matrix from the header's frame to the laboratory frame (NeXus).

    imgCIF has z towards the source and leaves open where down is; the header's SOURCE and GRAVITY
    axes say both. Without them: the frame of DIALS, with y up.
    """
    vectors = {row.get("equipment"): _vector(row, "vector") for row in rows(items, "_axis")}
    z = -vectors.get("source", np.array([0.0, 0.0, 1.0]))
    y = -vectors.get("gravity", np.array([0.0, -1.0, 0.0]))
    x = np.cross(y, z)
    if not np.linalg.norm(x) > 1e-3 * np.linalg.norm(y) * np.linalg.norm(z):
        return NEXUS_FROM_IMGCIF
    upright = np.array([x, np.cross(z, x), z])
    return np.asarray(upright / np.linalg.norm(upright, axis=1)[:, None])


def _vector(row: dict[str, str], name: str) -> Matrix:
    return np.array([_number(row, f"{name}[{place}]") for place in (1, 2, 3)])


def _number(row: dict[str, str], name: str) -> float:
    text = row.get(name, "0")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise MetadataError(f"The imgCIF header gives {name} = {text!r}; a number is needed.")
    return value


def _numbers(vector: Matrix) -> tuple[float, float, float]:
    x, y, z = (float(round(float(value), 12)) + 0.0 for value in vector)
    return x, y, z
