"""Maps made as large as an image, by NumPy's interpolation of one line at a time."""

from __future__ import annotations

import numpy as np


def interpolated(maps: np.ndarray, start: float, step: float) -> np.ndarray:
    """Interpolate square maps (n, side, side) along rows, then columns, to (n, 28, 28); beyond them, they are zero.

    The first value stands at pixel `start`, the next one `step` pixels on.
    """
    framed = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
    places = start + step * np.arange(-1, maps.shape[-1] + 1)
    across = np.array([[np.interp(range(28), places, row) for row in each] for each in framed])
    down = np.array([[np.interp(range(28), places, column) for column in each.T] for each in across])
    return down.swapaxes(1, 2)
