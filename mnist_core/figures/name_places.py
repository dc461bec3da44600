"""Where the names of dots have room in a plot, beside each other, the dots and their error bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# What dots and the names beside them take up, in shares of the plot of a phone, about 330 × 270 pixels.
_CHARACTER_WIDTH = 0.022
_NAME_HEIGHT = 0.06
_DOT_RADIUS = 0.02

Values = NDArray[np.float64]


def name_places(names: Sequence[str], x: Values, y: Values, low: Values, high: Values) -> list[str] | None:
    """Return on which side of the dots at (x, y) their names have room, in Plotly's words; None if one has none.

    `low` and `high` are the ends of the error bars. All are shares of the plot, (n,).
    """
    bars = [x - _DOT_RADIUS, np.minimum(low, y - _DOT_RADIUS), x + _DOT_RADIUS, np.maximum(high, y + _DOT_RADIUS)]
    bodies = [_Box(*bar) for bar in np.stack(bars, axis=-1).tolist()]
    taken, places = list(bodies), []
    for name, body, centre in zip(names, bodies, y.tolist(), strict=True):
        width = len(name) * _CHARACTER_WIDTH
        sides = {"right": body.right, "left": body.left - width}
        heights = {"middle": centre - _NAME_HEIGHT / 2, "top": centre, "bottom": centre - _NAME_HEIGHT}
        beside = {
            f"{height} {side}": _Box(left, bottom, left + width, bottom + _NAME_HEIGHT)
            for height, bottom in heights.items()
            for side, left in sides.items()
        }
        others = [box for box in taken if box is not body]
        free = [place for place, box in beside.items() if box.is_inside() and not any(map(box.overlaps, others))]
        if not free:
            return None
        places.append(free[0])
        taken.append(beside[free[0]])
    return places


class _Box(NamedTuple):
    """A part of a plot, in shares of its width and height from the lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: _Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top

    def is_inside(self) -> bool:
        return min(self.left, self.bottom) >= 0 and max(self.right, self.top) <= 1
