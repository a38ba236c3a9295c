"""Discs and balls whose line integrals have a closed form; knows nothing of the library."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr


@dataclass(frozen=True)
class Disc:
    """A disc (or a ball, with z) of constant attenuation [1/pixel]; lengths in pixels."""

    x: float
    y: float
    radius: float
    value: float
    z: float = 0.0


#: Off both axes, of different sizes and values, one inside another.
DISCS = (
    Disc(40.3, -77.7, 60, 1.0),
    Disc(-90.0, 55.5, 35, 0.7),
    Disc(30.0, -60.0, 22, 0.5),
    Disc(95.0, 70.0, 28, 0.9),
    Disc(10.0, 120.0, 40, 0.4),
)


def scaled(discs, factor):
    return tuple(
        Disc(d.x * factor, d.y * factor, d.radius * factor, d.value, d.z * factor) for d in discs
    )


def line_integrals(discs, angles, columns, center, z=0.0):
    """Return p(angle, column): chord lengths 2 sqrt(r^2 - (s - s0)^2) times the value.

    The ray of angle t and offset s runs through all x cos t + y sin t = s.
    """
    turn = np.deg2rad(np.asarray(angles, float))[:, None]
    s = np.arange(columns)[None, :] - center
    result = np.zeros((len(angles), columns))
    for disc in discs:
        s0 = disc.x * np.cos(turn) + disc.y * np.sin(turn)
        radius2 = disc.radius**2 - (disc.z - z) ** 2
        result += 2 * disc.value * np.sqrt(np.clip(radius2 - (s - s0) ** 2, 0, None))
    return result


def scan(rows, angles, first_column=0, first_row=0, **attrs):
    """Return line integrals, one array (angle, column) for each row, as the library takes them."""
    values = np.stack(rows, axis=1).astype(np.float32)
    return xr.DataArray(
        values,
        dims=("angle", "detector_y", "detector_x"),
        coords={
            "angle": np.asarray(angles, float),
            "detector_y": first_row + np.arange(values.shape[1]),
            "detector_x": first_column + np.arange(values.shape[2]),
        },
        name="projections",
        attrs={"quantity": "line integral", "units": "1", **attrs},
    )


def image(discs, size):
    """Return the true slice and how far each pixel is from the nearest edge [pixel]."""
    place = np.arange(size) - (size - 1) / 2
    x, y = np.meshgrid(place, place)
    value, edge = np.zeros((size, size)), np.full((size, size), np.inf)
    for disc in discs:
        distance = np.hypot(x - disc.x, y - disc.y) - disc.radius
        value += disc.value * (distance < 0)
        edge = np.minimum(edge, np.abs(distance))
    return value, edge
