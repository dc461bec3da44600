"""Drawings that are no single digit, for `drawing.verdict`: letters, signs, scribbles, several digits.

Each is made of strokes, as if drawn on the page's canvas, and the same for the same number.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.arrays import Ink
from mnist_core.drawing import strokes

Line = NDArray[np.float64]  # (points, 2)

# Strokes in a square of 10 × 10, x to the right and y downwards; those after ~ are curves through their points.
LETTERS = {
    "A": "0,10 5,0 10,10 / 2,6 8,6",
    "C": "~9,2 7,.3 4,0 1,2 0,5 1,8 4,10 7,9.7 9,8",
    "E": "8,0 0,0 0,10 8,10 / 0,5 7,5",
    "F": "8,0 0,0 0,10 / 0,5 6,5",
    "H": "0,0 0,10 / 9,0 9,10 / 0,5 9,5",
    "J": "2,0 8,0 / ~6,0 6,4 6,7 5,9.5 3,10 1,9 0,7",
    "K": "0,0 0,10 / 8,0 0,6 / 2,4.5 8,10",
    "M": "0,10 1,0 5,7 9,0 10,10",
    "N": "0,10 0,0 8,10 8,0",
    "P": "0,10 0,0 / ~0,0 4,0 7,1 7.5,2.7 7,4.5 4,5.5 0,5.5",
    "R": "0,10 0,0 / ~0,0 4,0 7,1 7.5,2.7 7,4.5 4,5.5 0,5.5 / 3,5.5 8,10",
    "T": "0,0 9,0 / 4.5,0 4.5,10",
    "U": "~0,0 0,4 .3,7 1.5,9.3 4,10 6.5,9.3 7.7,7 8,4 8,0",
    "V": "0,0 4.5,10 9,0",
    "W": "0,0 2.5,10 5,3 7.5,10 10,0",
    "X": "0,0 8,10 / 8,0 0,10",
    "a": "~8,2 6,0 3,0 0,3 0,7 3,10 6,9 8,5 8,2 / 8,0 8,8 10,10",
    "e": "0,5 9,5 / ~9,5 8,1.5 5,0 2,1 0,5 1,8.5 5,10 8,9",
    "f": "~8,1 6,0 4,1 3.5,3 3.5,10 / 0,4 7,4",
    "h": "0,0 0,10 / ~0,6.5 2,4.5 4.5,4 6.5,5 7,7 7,10",
    "k": "0,0 0,10 / 6,3.5 0,7 / 2,6 7,10",
    "m": "0,2 0,10 / ~0,5 1.5,2.5 3.5,2.3 5,4 5,10 / ~5,5 6.5,2.5 8.5,2.3 10,4 10,10",
    "n": "0,0 0,10 / ~0,4 2,1 4.5,0 7,1 8,4 8,10",
    "r": "0,0 0,10 / ~0,5 1.5,1.5 4,0 6,.5",
    "t": "~3,0 3,8 4,9.7 6,10 7.5,9 / 0,3 7,3",
    "u": "~0,0 0,6 1.5,9.5 4,10 6.5,8.5 8,5 / 8,0 8,10",
    "w": "~0,0 0,6 1.2,9.5 3,9.5 5,6 5,2 / ~5,6 6.5,9.5 8.5,9.5 10,6 10,0",
    "x": "0,0 8,10 / 8,0 0,10",
}
# I, O, S, Z, B, Q, b, g, l, o, q, s and z are the same drawings as digits; these are nearly so.
LETTERS_LIKE_DIGITS = {
    "D": "0,0 0,10 / ~0,0 4,0 7,2 8,5 7,8 4,10 0,10",
    "G": "~9,2 7,.3 4,0 1,2 0,5 1,8 4,10 7,9.7 9,8 9,5.5 / 5.5,5.5 9.5,5.5",
    "L": "0,0 0,10 7,10",
    "Y": "0,0 4,5 / 8,0 4,5 4,10",
    "y": "0,0 4,5 / 8,0 2,10",
}
SIGNS = {
    "plus": "5,0 5,10 / 0,5 10,5",
    "hash": "3,0 2,10 / 7,0 6,10 / 0,3 10,3 / 0,7 10,7",
    "heart": "~5,3 3.5,.5 1,.5 0,3 1.5,6 5,10 8.5,6 10,3 9,.5 6.5,.5 5,3",
    "star": "2,10 5,0 8,10 0,4 10,4 2,10",
    "triangle": "0,10 5,0 10,10 0,10",
    "arrow": "0,5 10,5 / 7,2 10,5 7,8",
    "smiley": "~5,0 1.5,1.5 0,5 1.5,8.5 5,10 8.5,8.5 10,5 8.5,1.5 5,0 / 3,3 3,4 / 7,3 7,4 / ~3,6.5 5,8 7,6.5",
    "question mark": "~1,2 3,0 6,0 8,2 7,4.5 4.5,6 4.5,7.5 / 4.5,9.5 4.6,10",
    "house": "0,10 0,4 5,0 10,4 10,10 0,10",
}
DIGITS = {
    "0": "~4,0 1,1.5 0,5 1,8.5 4,10 7,8.5 8,5 7,1.5 4,0",
    "1": "3,0 3,10",
    "1 with an upstroke": "0,3 3,0 3,10",
    "1 with upstroke and foot": "0,2.5 3,0 3,10 / 0,10 6,10",
    "2": "~0,2.5 1.5,.5 4,0 6.5,1 7,3 5.5,5.5 0,10 / 0,10 7.5,10",
    "3": "~0,1.5 2,.2 4.5,0 6.5,1.2 6,3.5 3,4.7 / ~3,4.7 6.5,5.5 7.3,7.5 6,9.5 3,10 0,8.8",
    "4": "5,0 0,6.5 8,6.5 / 6,3 6,10",
    "4 closed": "6,10 6,0 0,7 8,7",
    "5": "1,0 .6,4.5 / ~.6,4.5 3,3.8 6,4.7 7,7 5.8,9.3 3,10 0,9 / 1,0 7,0",
    "6": "~6,0 3,1.5 1,4 0,7 1,9.3 3.5,10 6,9 6.5,7 5,5 2.5,5 .5,7",
    "7": "0,0 7,0 3,10",
    "7 with a bar": "0,0 7,0 3,10 / 2,5 7,5",
    "8": "~6.5,1.5 4,0 1.5,.7 1,2.8 3.5,4.8 6.5,6.5 7,8.7 4,10 1,9 .7,6.8 3.5,4.8 6,3.3 6.5,1.5",
    "9": "~6.5,2.5 5,.2 2,.2 .3,2.3 1,4.5 3.5,5.2 6,4 6.5,2.5 / ~6.5,2 6.3,6 5,10",
}


def written(text: str, number: int) -> Ink:
    """Return strokes, written as those above, as one hand would draw them: the hand is that of the number."""
    generator = np.random.default_rng(number)
    return _drawn(_warped(_lines(text), generator), generator)


def scribble(number: int) -> Ink:
    """Return a scribble: a tangle, a zigzag, a spiral, loops, scattered strokes, or a few curves."""
    generator = np.random.default_rng(number)
    return _drawn(SCRIBBLES[number % len(SCRIBBLES)](generator), generator)


def in_a_row(digits: Sequence[Ink], number: int, touching: bool = False) -> Ink:
    """Return pictures of digits, (28, 28) each, enlarged and set side by side, at different heights."""
    generator = np.random.default_rng(number)
    large = [each[:, each.any(axis=0)].repeat(4, axis=0).repeat(4, axis=1) for each in digits]
    gaps = [-8 if touching else int(generator.integers(8, 40)) for _ in large]
    paper = np.zeros((150, sum(each.shape[1] for each in large) + 40 * len(large)), np.uint8)
    left = 10
    for each, gap in zip(large, gaps, strict=True):
        top = int(generator.integers(0, 30))
        place = paper[top : top + each.shape[0], left : left + each.shape[1]]
        np.maximum(place, each, out=place)
        left += each.shape[1] + gap
    return paper


def _drawn(lines: Sequence[Line], generator: np.random.Generator) -> Ink:
    points = [line.astype(np.float32) for line in lines]
    return strokes.drawing_of(points, width=generator.uniform(16, 34), size=generator.uniform(150, 280)).ink()


def _lines(text: str) -> list[Line]:
    lines = []
    for stroke in text.split("/"):
        points = np.array([pair.split(",") for pair in stroke.replace("~", " ").split()], float)
        lines.append(_curve(points) if "~" in stroke else _polygon(points))
    return lines


def _polygon(points: Line) -> Line:
    """Return points close enough together that the canvas, which rounds corners, keeps them."""
    share = np.linspace(0, 1, 8, endpoint=False)[:, None]
    pieces = [start + (end - start) * share for start, end in itertools.pairwise(points)]
    return np.vstack([*pieces, points[-1:]])


def _curve(points: Line) -> Line:
    """Return a smooth curve through points: a Catmull-Rom spline."""
    around = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, 8, endpoint=False)[:, None]
    pieces = [
        (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3) / 2
        for a, b, c, d in zip(around, around[1:], around[2:], around[3:], strict=False)
    ]
    return np.vstack([*pieces, points[-1:]])


def _warped(lines: Sequence[Line], generator: np.random.Generator) -> list[Line]:
    """Return lines turned, slanted, stretched and bent, each stroke a little off its place."""
    angle, slant = np.radians(generator.uniform(-12, 12)), generator.uniform(-0.3, 0.3)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = rotation @ np.array([[np.exp(generator.uniform(-0.3, 0.3)), slant], [0, 1]])
    waves, phases = generator.uniform(0.2, 0.7, (2, 2)), generator.uniform(0, 2 * np.pi, 2)
    return [
        (line - 5 + np.sin((line - 5) @ waves + phases) / 2 + generator.normal(0, 0.25, 2)) @ matrix.T for line in lines
    ]


def tangle(generator: np.random.Generator) -> list[Line]:
    return [_curve(generator.uniform(0, 10, (generator.integers(8, 25), 2)))]


def zigzag(generator: np.random.Generator) -> list[Line]:
    turns = int(generator.integers(7, 16))
    points = np.stack([np.linspace(0, generator.uniform(6, 14), turns), np.arange(turns) % 2 * 10.0], axis=1)
    points += generator.normal(0, 0.7, points.shape)
    angle = generator.uniform(0, 2 * np.pi)
    return [_polygon(points) @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])]


def spiral(generator: np.random.Generator) -> list[Line]:
    angle = np.linspace(0, generator.uniform(2.2, 5) * 2 * np.pi, 150)
    return [np.stack([angle * np.cos(angle), angle * np.sin(angle) * generator.uniform(0.6, 1)], axis=1)]


def loops(generator: np.random.Generator) -> list[Line]:
    angle = np.linspace(0, 2 * np.pi * generator.uniform(3, 6), 200)
    return [np.stack([angle * generator.uniform(0.3, 1) + 3 * np.cos(angle), 3 * np.sin(angle)], axis=1)]


def scattered(generator: np.random.Generator) -> list[Line]:
    places = generator.uniform(0, 10, (generator.integers(4, 12), 2))
    return [_polygon(place + generator.normal(0, 2.5, (2, 2))) for place in places]


def curves(generator: np.random.Generator) -> list[Line]:
    return [_curve(generator.uniform(0, 10, (generator.integers(4, 8), 2))) for _ in range(generator.integers(2, 5))]


SCRIBBLES = (tangle, zigzag, spiral, loops, scattered, curves)
