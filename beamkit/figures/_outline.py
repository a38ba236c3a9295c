"""The outline of a region of an image, as lines."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from beamkit.images import Circle, Line, Point, Polygon, Rectangle, Region, Sector

Points = NDArray[np.float64]


def outline(region: Region) -> list[Points]:
    """Return lines, each of shape (point, 2): x, y from the outer corner [pixel]."""
    if isinstance(region, Line):
        return _line(region)
    if isinstance(region, Rectangle):
        return [
            _closed(
                [
                    (region.x0, region.y0),
                    (region.x1, region.y0),
                    (region.x1, region.y1),
                    (region.x0, region.y1),
                ]
            )
        ]
    if isinstance(region, Polygon):
        return [_closed(list(region.points))]
    if isinstance(region, Circle):
        return [_arc(region.x, region.y, region.radius, 0.0, 360.0)]
    if isinstance(region, Sector):
        return _sector(region)
    if isinstance(region, Point):
        x, y = math.floor(region.x), math.floor(region.y)
        return [_closed([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)])]
    return []


def _closed(points: list[tuple[float, float]]) -> Points:
    return np.array([*points, points[0]], float)


def _line(line: Line) -> list[Points]:
    start, end = np.array([line.x0, line.y0]), np.array([line.x1, line.y1])
    if line.width <= 1.5:
        return [np.array([start, end])]
    along = (end - start) / (np.linalg.norm(end - start) or 1.0)
    aside = np.array([-along[1], along[0]]) * line.width / 2
    return [np.array([start + k * aside, end + k * aside]) for k in (-1, 0, 1)]


def _arc(x: float, y: float, radius: float, start: float, stop: float) -> Points:
    angles = np.deg2rad(np.linspace(start, stop, max(8, math.ceil(stop - start)) + 1))
    return np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)])


def _sector(sector: Sector) -> list[Points]:
    stop = sector.start + sector.span
    inner, outer = (
        _arc(sector.x, sector.y, radius, sector.start, stop) for radius in (sector.r0, sector.r1)
    )
    if sector.span >= 360:
        return [inner, outer]
    return [inner, outer, np.array([inner[0], outer[0]]), np.array([inner[-1], outer[-1]])]
