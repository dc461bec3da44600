"""Pen strokes: as the canvas tells them, as somebody recorded them, and the ink that they leave.

The canvas draws with Fabric's pencil: a curve that starts at the first point, bends towards each point and passes
through the middles between them, in a round pen. `rasterise` draws the same curve, so that recorded strokes can be read
exactly as if they had been drawn on the page.

Pillow's lines have neither bends nor round ends; Cairo and Skia have, but are large to install for one curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core.common.arrays import Ink

Stroke = NDArray[np.float32]  # (points, 2): x to the right, y downwards, in pixels of the canvas

CANVAS_SIDE = 336
BRUSH_WIDTH = 26  # what the page starts with

_FINER = 4  # drawn so many times larger, then averaged: that makes soft edges
_PIECE = 6  # pixels: each bend is drawn as straight pieces of about this length …
_MOST_PIECES = 8_000  # … as long as all strokes together have no more of them
_JOINT = 2  # pixels from one round joint to the next …
_MOST_JOINTS = 1_500  # … or further, so that there are no more: they are what takes time
MOST_STROKES = 100
MOST_POINTS = 5_000  # of all strokes together
_FURTHEST = 2 * CANVAS_SIDE  # a pen may leave the canvas, but not for a journey
_WIDEST = 48.0  # of the slider


@dataclass(frozen=True)
class Drawing:
    """Strokes in their order, and how wide the pen was for each, in pixels of the canvas."""

    strokes: tuple[Stroke, ...] = ()
    widths: tuple[float, ...] = ()

    def ink(self) -> Ink:
        """Return what is on the canvas, (`CANVAS_SIDE`, `CANVAS_SIDE`) uint8."""
        return rasterise(self.strokes, self.widths)


def rasterise(strokes: Sequence[Stroke], widths: Sequence[float], side: int = CANVAS_SIDE) -> Ink:
    """Return the ink, (side, side) uint8, of strokes drawn with round pens of these widths in pixels."""
    paper = Image.new("L", (side * _FINER, side * _FINER))
    pen = ImageDraw.Draw(paper)
    most_pieces = _MOST_PIECES // max(1, sum(map(len, strokes)))
    curves = [_curve(stroke, most_pieces) for stroke in strokes]
    joint = max(_JOINT, sum(float(_lengths(curve)[-1]) for curve in curves) / _MOST_JOINTS)
    for curve, width in zip(curves, widths, strict=True):
        # Pillow counts from the middle of a pixel, the canvas from its corner; and both ends of a circle belong to it.
        points = [(float(x), float(y)) for x, y in _thinned(curve, joint) * _FINER - 0.5]
        radius = max(0.0, (width * _FINER - 1) / 2)  # a pen narrower than these pixels leaves nothing
        if len(points) > 1:
            pen.line(points, fill=255, width=max(1, round(width * _FINER)))
        for x, y in points:  # round joints and ends
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(paper.reduce(_FINER))


def drawing_of(strokes: Sequence[Stroke], width: float = BRUSH_WIDTH, size: float = 240) -> Drawing:
    """Return recorded strokes in the middle of the canvas, their longer side `size` pixels, proportions kept."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = size / max(float((high - low).max()), 1e-6)
    placed = (((stroke - (low + high) / 2) * scale + CANVAS_SIDE / 2).astype(np.float32) for stroke in strokes)
    return Drawing(tuple(placed), (width,) * len(strokes))


def from_canvas(payload: object) -> Drawing:
    """Return the drawing in what the canvas tells of itself (`CanvasResult.json_data`).

    It comes from a visitor's browser: what is not a stroke of finite numbers is left out, and so is what is too much.
    """
    objects = payload.get("objects") if isinstance(payload, dict) else None
    strokes: list[Stroke] = []
    widths: list[float] = []
    points_left = MOST_POINTS
    for each in objects[:MOST_STROKES] if isinstance(objects, list) else ():
        stroke, width = _points(each, points_left), _width(each)
        if stroke is not None and width is not None:
            strokes.append(stroke)
            widths.append(width)
            points_left -= len(stroke)
    return Drawing(tuple(strokes), tuple(widths))


def _points(fabric_object: object, most: int) -> Stroke | None:
    """Return the points that a Fabric path bends towards: the first pair of numbers of each of its commands."""
    path = fabric_object.get("path") if isinstance(fabric_object, dict) else None
    if not isinstance(path, list) or not 0 < len(path) <= most:
        return None
    try:
        points = np.array([command[1:3] for command in path], np.float32)
    except (TypeError, ValueError, KeyError, OverflowError):
        return None
    if points.shape != (len(path), 2) or not np.isfinite(points).all() or np.abs(points).max() > _FURTHEST:
        return None
    return points


def _width(fabric_object: object) -> float | None:
    width = fabric_object.get("strokeWidth") if isinstance(fabric_object, dict) else None
    if not isinstance(width, int | float) or isinstance(width, bool) or not 0 < width <= _WIDEST:
        return None
    return float(width)


def _lengths(curve: Stroke) -> NDArray[np.float32]:
    """Return how far along a curve each of its points is, (n,)."""
    x_steps, y_steps = np.diff(curve, axis=0, prepend=curve[:1]).T
    lengths: NDArray[np.float32] = np.cumsum(np.hypot(x_steps, y_steps), dtype=np.float32)
    return lengths


def _thinned(curve: Stroke, joint: float) -> Stroke:
    """Return one point of a curve for each length of `joint`, and its last one."""
    passed = np.floor(_lengths(curve) / joint)
    kept = np.diff(passed, prepend=-1) > 0
    kept[-1] = True
    thinned: Stroke = curve[kept]
    return thinned


def _curve(stroke: Stroke, most_pieces: int) -> Stroke:
    """Return points along the curve that the canvas draws through a stroke: at most so many for each bend."""
    if len(stroke) < 3:
        return stroke
    middles = (stroke[1:-1] + stroke[2:]) / 2
    starts = np.concatenate([stroke[:1], middles[:-1]])
    longest = float(np.hypot(*(middles - starts).T).max())
    pieces = max(1, min(round(longest / _PIECE) + 1, most_pieces))
    share = (np.arange(1, pieces + 1, dtype=np.float32) / pieces)[:, None]
    bends = (
        (1 - share) ** 2 * starts[:, None] + 2 * share * (1 - share) * stroke[1:-1, None] + share**2 * middles[:, None]
    )
    return np.concatenate([stroke[:1], bends.reshape(-1, 2), stroke[-1:]])
