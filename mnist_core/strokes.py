"""Pen strokes: as the canvas tells them, as somebody recorded them, and the ink that they leave.

The canvas draws with Fabric's pencil: a curve that starts at the first point, bends towards each point and passes through
the middles between them, in a round pen. `rasterise` draws the same curve, so that recorded strokes can be read exactly
as if they had been drawn on the page.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core.drawing import Ink

Stroke = NDArray[np.float32]  # (points, 2): x to the right, y downwards, in pixels of the canvas

CANVAS_SIDE = 280
BRUSH_WIDTH = 22  # what the page starts with

_FINER = 4  # drawn so many times larger, then averaged: that makes soft edges
_STEPS = 6  # straight pieces of each bend
_MOST_STROKES = 200
_MOST_POINTS = 20_000


def rasterise(strokes: Sequence[Stroke], width: float = BRUSH_WIDTH, side: int = CANVAS_SIDE) -> Ink:
    """Return the ink, (side, side) uint8, of strokes drawn with a round pen `width` pixels wide."""
    paper = Image.new("L", (side * _FINER, side * _FINER))
    pen = ImageDraw.Draw(paper)
    radius = width * _FINER / 2
    for stroke in strokes:
        points = [(float(x), float(y)) for x, y in _curve(stroke) * _FINER]
        if len(points) > 1:
            pen.line(points, fill=255, width=round(2 * radius))
        for x, y in points:  # round joints and ends
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(paper.resize((side, side), Image.Resampling.BOX))


def placed(strokes: Sequence[Stroke], size: float = 200, side: int = CANVAS_SIDE) -> list[Stroke]:
    """Return the strokes in the middle of a canvas, their longer side `size` pixels, proportions kept."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = size / max(float((high - low).max()), 1e-6)
    return [((stroke - (low + high) / 2) * scale + side / 2).astype(np.float32) for stroke in strokes]


def from_canvas(drawing: object) -> list[Stroke]:
    """Return the strokes in what the canvas tells of itself (`CanvasResult.json_data`).

    It comes from a visitor's browser: what is not a stroke of finite numbers is left out, and so is what is too much.
    """
    objects = drawing.get("objects") if isinstance(drawing, dict) else None
    found = [_points(each) for each in objects[:_MOST_STROKES]] if isinstance(objects, list) else []
    return [stroke for stroke in found if stroke is not None]


def _points(fabric_object: object) -> Stroke | None:
    """Return the points that a Fabric path bends towards: the last pair of each command but for curves, the first."""
    path = fabric_object.get("path") if isinstance(fabric_object, dict) else None
    if not isinstance(path, list) or not 0 < len(path) <= _MOST_POINTS:
        return None
    try:
        points = np.array([command[1:3] for command in path], np.float32)
    except (TypeError, ValueError, KeyError):
        return None
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        return None
    return points


def _curve(stroke: Stroke) -> Stroke:
    """Return points along the curve that the canvas draws through a stroke."""
    if len(stroke) < 3:
        return stroke
    middles = (stroke[1:-1] + stroke[2:]) / 2
    starts = np.concatenate([stroke[:1], middles[:-1]])
    share = (np.arange(1, _STEPS + 1, dtype=np.float32) / _STEPS)[:, None]
    bends = (
        (1 - share) ** 2 * starts[:, None] + 2 * share * (1 - share) * stroke[1:-1, None] + share**2 * middles[:, None]
    )
    return np.concatenate([stroke[:1], bends.reshape(-1, 2), stroke[-1:]])
