"""Pen strokes and the ink they leave, against a slow drawing of the same curve, and what hostile browsers tell."""

from __future__ import annotations

import math
import time
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from mnist_core.drawing.strokes import CANVAS_SIDE, Drawing, Stroke, drawing_of, from_canvas, rasterise

ZIGZAG = np.array([[60, 60], [250, 80], [90, 170], [240, 260], [80, 280]], np.float32)


def path_object(*points: tuple[float, float], width: float = 20) -> dict[str, Any]:
    """A stroke as Fabric writes it: a move, curves that bend towards points and end in the middles, and a line."""
    commands: list[list[object]] = [["M", *points[0]]]
    for point, following in pairwise(points[1:]):
        commands.append(["Q", *point, (point[0] + following[0]) / 2, (point[1] + following[1]) / 2])
    commands.append(["L", *points[-1]])
    return {"type": "Path", "strokeWidth": width, "path": commands}


def drawn_slowly(stroke: Stroke, width: float, side: int) -> np.ndarray:
    """Ink by the distance of each pixel from very many points of the curve."""
    points = [tuple(map(float, point)) for point in stroke]
    place, curve = points[0], [points[0]]
    for bend, following in pairwise(points[1:]):
        end = ((bend[0] + following[0]) / 2, (bend[1] + following[1]) / 2)
        for step in range(1, 151):
            t = step / 150
            curve.append(
                tuple(
                    (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c for a, b, c in zip(place, bend, end, strict=True)
                )
            )
        place = end
    for step in range(1, 151):
        curve.append(tuple(a + step / 150 * (b - a) for a, b in zip(place, points[-1], strict=True)))
    y, x = np.mgrid[:side, :side] + 0.5  # the middle of each pixel
    distance = np.full((side, side), np.inf)
    for column, row in curve:
        distance = np.minimum(distance, np.hypot(x - column, y - row))
    return 255 * np.clip(width / 2 - distance + 0.5, 0, 1)


@pytest.mark.parametrize("width", [10, 26, 41.5])
@pytest.mark.parametrize("points", [ZIGZAG, ZIGZAG[:2], ZIGZAG[:3], ZIGZAG[:1]], ids=["zigzag", "line", "bend", "dot"])
def test_ink_is_that_of_the_curve(points: Stroke, width: float) -> None:
    difference = np.abs(rasterise([points], [width]).astype(float) - drawn_slowly(points, width, CANVAS_SIDE))
    assert difference.mean() < 0.5
    assert (difference > 128).sum() <= 4  # no pixel that matters, but for a few at the edge


def test_strokes_add_up_and_an_empty_drawing_is_paper() -> None:
    one, other = ZIGZAG[:2], ZIGZAG[2:4]
    together = rasterise([one, other], [20, 30])
    assert_array_equal(together, np.maximum(rasterise([one], [20]), rasterise([other], [30])))
    assert_array_equal(Drawing().ink(), np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8))


def test_strokes_beyond_the_canvas_are_cut_off() -> None:
    ink = rasterise([np.array([[-500, 168], [900, 168]], np.float32)], [20])
    assert ink.shape == (CANVAS_SIDE, CANVAS_SIDE)
    assert (ink[168] == 255).all()


@pytest.mark.parametrize("width", [1e-9, 0.1, 0.25, 0.5, 1])
def test_a_pen_narrower_than_a_pixel_leaves_next_to_nothing(width: float) -> None:
    ink = rasterise([ZIGZAG[:1], ZIGZAG[2:3]], [width, width])
    assert ink.astype(int).sum() <= 2 * 4 * 255


@given(scale=st.floats(0.01, 100), right=st.floats(-1000, 1000), down=st.floats(-1000, 1000))
def test_recorded_strokes_are_placed_in_the_middle(scale: float, right: float, down: float) -> None:
    recorded = [ZIGZAG * np.float32(scale) + np.array([right, down], np.float32), ZIGZAG[:2] * np.float32(scale)]
    drawing = drawing_of(recorded, width=30, size=200)
    points = np.concatenate(drawing.strokes)
    assert (points.max(axis=0) - points.min(axis=0)).max() == pytest.approx(200, rel=1e-2)
    assert_allclose((points.max(axis=0) + points.min(axis=0)) / 2, CANVAS_SIDE / 2, atol=1)
    assert drawing.widths == (30, 30)


def test_what_the_canvas_tells_is_read() -> None:
    points = [(10.0, 20.0), (30.5, 40.0), (50.0, 45.0), (70.0, 20.0)]
    told = {"version": "7", "background": "#000000", "objects": [path_object(*points), path_object(points[0], width=7)]}
    drawing = from_canvas(told)
    assert_array_equal(drawing.strokes[0], np.array(points, np.float32))
    # Fabric writes a dot as a move and a line to the same place.
    assert_array_equal(drawing.strokes[1], np.array([points[0], points[0]], np.float32))
    assert drawing.widths == (20.0, 7.0)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "x",
        {},
        {"path": None, "strokeWidth": 20},
        {"path": [], "strokeWidth": 20},
        {"path": [["M"]], "strokeWidth": 20},
        {"path": [["M", "a", "b"]], "strokeWidth": 20},
        {"path": [["M", math.nan, 0]], "strokeWidth": 20},
        {"path": [["M", 1e30, 0]], "strokeWidth": 20},
        {"path": [["M", 10**400, 0]], "strokeWidth": 20},
        {"path": {"M": 1}, "strokeWidth": 20},
        {"path": [["M", 1, 1], 5], "strokeWidth": 20},
        {"path": [["M", 1, 1]], "strokeWidth": "20"},
        {"path": [["M", 1, 1]], "strokeWidth": True},
        {"path": [["M", 1, 1]], "strokeWidth": -1},
        {"path": [["M", 1, 1]], "strokeWidth": math.inf},
        {"path": [["M", 1, 1]]},
        {"path": [["M", 1, 1]] * 1_000_000, "strokeWidth": 20},
    ],
    ids=range(18),
)
def test_what_is_no_stroke_is_left_out(broken: object) -> None:
    good = path_object((10, 10), (20, 20))
    drawing = from_canvas({"objects": [broken, good]})
    assert len(drawing.strokes) == len(drawing.widths) == 1


def test_there_is_an_end_to_strokes_and_points() -> None:
    many = from_canvas({"objects": [path_object((10, 10), (20, 20))] * 10_000})
    assert len(many.strokes) <= 100
    long = path_object(*[(float(i % 300), 10.0) for i in range(4000)])
    drawing = from_canvas({"objects": [long] * 50})
    assert sum(map(len, drawing.strokes)) <= 5000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["objects", "path", "strokeWidth", "type", "x"]), inner, max_size=4)
    ),
    max_leaves=30,
)


@settings(max_examples=150, deadline=None)
@given(JSON | st.builds(lambda objects: {"objects": objects}, st.lists(JSON, max_size=5)))
def test_anything_else_is_no_drawing(told: object) -> None:
    drawing = from_canvas(told)
    assert all(np.isfinite(stroke).all() for stroke in drawing.strokes)
    assert drawing.ink().shape == (CANVAS_SIDE, CANVAS_SIDE)


WORST = {
    "many points": [path_object(*[(float(i * 7919 % 336), float(i * 104729 % 336)) for i in range(4_990)], width=48)],
    "far away": [path_object(*[(float(i * 7919 % 1300) - 650, 650.0 * (-1) ** i) for i in range(4_990)], width=48)],
    "many strokes": [path_object(*[(float(i * 31 % 336), float(j)) for i in range(49)], width=48) for j in range(100)],
}


@pytest.mark.public(id="may-draw")
@pytest.mark.parametrize("objects", WORST.values(), ids=WORST)
def test_no_drawing_keeps_the_server_busy(objects: list[dict[str, Any]]) -> None:
    started = time.thread_time()
    drawing = from_canvas({"objects": objects})
    assert drawing.strokes
    drawing.ink()
    assert time.thread_time() - started < 2  # seconds of the processor; it was 19 when only points were counted
