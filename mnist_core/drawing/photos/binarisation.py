"""From a picture of paper to ink: light that is uneven, ink darker or lighter than the paper, and a threshold.

What is paper is estimated for each place by a morphological closing: lines narrower than a quarter of the picture are
painted over with the paper beside them, while shadows, which are broader, stay. Divided by it, the picture has one
light all over. Where ink begins is then found by Otsu's method.

By hand: OpenCV has closing and Otsu's threshold, for 18 MB in the server and 150 MB of the disk; scikit-image has them
too, on top of SciPy. Neither says which of paper and ink is the darker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mnist_core.common.arrays import Ink

Levels = NDArray[np.uint8]  # (height, width), 0 = black, 255 = white

INK_LEVEL = 128  # what is at least as dark is within a line, what is less its soft edge
LEAST_CONTRAST = 0.08  # fainter traces are the grain of paper and the back of the page
_AWAY_FROM_PAPER = 1.5  # times the threshold that usual ink has; what only just exceeds it is the end of the grain
_NOISE = 5.0  # standard deviations of the paper that are no ink yet

_SMOOTHED_SIDE = 1200  # pixels of a picture that is blurred by one
_THUMBNAIL_SIDE = 192  # on which paper is estimated: light changes slowly
_WIDEST_STROKE = 0.5  # of the longer side of a small picture
_WINDOWS = (3, 5, 7, 9, 13, 17, 25, 35, 47)  # pixels of the thumbnail
_NEARLY_ALL = 0.9  # of the contrast that a window about twice as large finds
_BLACK = 16  # a level that tells nothing about the light
_LEAST_ROOM = 100  # levels from paper to white: on light paper nothing can be written in a lighter ink
_BINS = 256


@dataclass(frozen=True)
class Contrast:
    """How much each pixel stands out from its paper, (height, width) float32: 0 = paper, 1 = as far as can be."""

    values: NDArray[np.float32]
    ink_is_dark: bool


def contrast(levels: Levels) -> Contrast:
    """Return how much darker than the paper each pixel is, or how much lighter, whichever the lines of the picture are.

    Darker is counted as a share of the paper's level, lighter as a share of what is left to white, which is the same in
    light and in shadow. Raises `ValueError` if `levels` is not a (height, width) uint8 array with pixels.
    """
    if levels.ndim != 2 or levels.dtype != np.uint8 or not levels.size:
        raise ValueError(f"Levels must be (height, width) uint8, not {levels.shape} {levels.dtype}.")
    levels = _smoothed(levels)
    small = _thumbnail(levels)
    lines = _lines(small)
    light_all_over = small + lines.depth if lines.are_dark else small - lines.depth
    paper = _enlarged(light_all_over, levels.shape)
    values = (1 - levels / np.maximum(paper, 1)) if lines.are_dark else _lighter(levels, paper)
    return Contrast(values - np.median(values).clip(None, 0.5), lines.are_dark)


def automatic_threshold(found: Contrast) -> float:
    """Return the contrast from which on a pixel is ink, by Otsu's method: at least `LEAST_CONTRAST`, and 1 without ink.

    The threshold that divides the levels into two groups with the largest variance between them. All paper far from
    any ink is left out: it would outweigh a few thin lines.

    Source: N. Otsu (1979), IEEE Transactions on Systems, Man, and Cybernetics 9, 62-66.
    """
    values = found.values
    noise = 1.4826 * float(np.median(np.abs(values)))  # of a normal distribution; ink, being rare, hardly counts
    least = min(max(LEAST_CONTRAST, _NOISE * noise), 1.0)
    near = _dilated(values > least, max(2, round(0.01 * max(values.shape))))
    if not near.any():
        return 1.0
    counts, edges = np.histogram(values[near].clip(0, 1), _BINS, (0, 1))
    threshold = max(least, float(edges[_otsu(counts)]))
    above = values[values > threshold]
    is_ink = above.size > 0 and float(np.median(above)) >= _AWAY_FROM_PAPER * threshold
    return threshold if is_ink else 1.0


def ink(found: Contrast, threshold: float) -> Ink:
    """Return the ink, (height, width) uint8: 128 and more where the contrast is at least the threshold, 0 to 1.

    The level rises with the contrast, so that edges stay soft, up to 255 at the median of all ink. From a threshold of
    1 on, nothing is ink: that is what `automatic_threshold` gives where nothing stands out.
    """
    if threshold >= 1:
        return np.zeros(found.values.shape, np.uint8)
    above = found.values[found.values >= threshold]
    if not above.size:
        return np.zeros(found.values.shape, np.uint8)
    full = max(float(np.median(above)), threshold + 0.01)
    none = max(2 * threshold - full, 0.0)  # as far below the threshold as full ink is above it, but no paper
    level = np.interp(found.values, [none, threshold, full], [0, INK_LEVEL - 0.5, 255])
    return level.round().astype(np.uint8)


def _lighter(levels: Levels, paper: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much lighter than a dark board the levels are: as a share of what is left to white in the same light.

    How much light falls on a place is told by the board itself, unless it is black, as on a screen.
    """
    light = np.minimum((paper + _BLACK) / (np.percentile(paper, 95) + _BLACK), 1)
    left: NDArray[np.float32] = (levels - paper) / np.maximum(255 * light - paper, _LEAST_ROOM * light)
    return left


@dataclass(frozen=True)
class _Lines:
    """All lines up to some width, (height, width) of the thumbnail: how far each pixel is from the paper around it."""

    are_dark: bool
    depth: NDArray[np.float32]


def _lines(levels: NDArray[np.float32]) -> _Lines:
    """Return the lines of a picture, and whether they are darker than the paper.

    Windows of growing size are tried. Lines vanish in the first that is wider than they are, long before the paper
    between them does; grain and the edges of shadows have as much of dark as of light.
    """
    widest = max(3, int(_WIDEST_STROKE * max(levels.shape)))
    windows = [window for window in _WINDOWS if window <= widest]
    tried = [(_Lines(True, _filled(levels, each)), _Lines(False, _filled(-levels, each))) for each in windows]
    energies = np.array([[float(np.square(lines.depth).sum()) for lines in pair] for pair in tried])  # dark, light
    kind = _kind_by_border(levels)
    if kind is None:
        gains = np.diff(energies, axis=0, prepend=0) / np.array(windows)[:, None] ** 3
        kind = int(gains.sum(axis=0).argmax())
    last = 0
    while last + 2 < len(windows) and energies[last, kind] < _NEARLY_ALL * energies[last + 2, kind]:
        last += 1
    return tried[min(last + 1, len(windows) - 1)][kind]


def _kind_by_border(levels: NDArray[np.float32]) -> int | None:
    """Return 0 for dark lines, 1 for light ones, if the border has one level that most of the picture has: paper."""
    low, high = float(levels.min()), float(levels.max())
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    paper = float(np.median(border))
    alike = (high - low) / 4
    if np.mean(abs(border - paper) <= alike) < 0.9 or np.mean(abs(levels - paper) <= alike) < 0.6:
        return None
    return int(paper <= (low + high) / 2)


def _filled(levels: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Return how much a closing lightens each pixel: what is darker than all around it and narrower than the window."""
    return -_highest(-_highest(levels, window), window) - levels


def _highest(levels: NDArray[np.float32], window: int) -> NDArray[np.float32]:
    """Return the highest level in a square window, of odd size, around each pixel."""
    highest = np.pad(levels, window // 2, constant_values=-np.inf)
    for axis in (0, 1):
        covered = 1
        while covered < window:  # two windows side by side, or overlapping, make a larger one
            further = min(covered, window - covered)
            length = highest.shape[axis] - further
            one, other = (np.take(highest, np.arange(length) + start, axis=axis) for start in (0, further))
            highest = np.maximum(one, other)
            covered += further
    return highest


def _otsu(counts: NDArray[np.intp]) -> int:
    """Return the first bin of the upper group."""
    weights = counts.astype(np.float64)
    lower = np.cumsum(weights)[:-1]
    upper = weights.sum() - lower
    sums = np.cumsum(weights * np.arange(len(weights)))
    difference = sums[:-1] / np.maximum(lower, 1) - (sums[-1] - sums[:-1]) / np.maximum(upper, 1)
    between = lower * upper * np.square(difference)
    return round(float(np.flatnonzero(between == between.max()).mean())) + 1


def _smoothed(levels: Levels) -> Levels:
    """Blur a large picture by about a pixel, which takes the grain out and leaves lines."""
    radius = max(levels.shape) / _SMOOTHED_SIDE
    if radius < 0.5:
        return levels
    return np.asarray(Image.fromarray(levels).filter(ImageFilter.GaussianBlur(radius)))


def _thumbnail(levels: Levels) -> NDArray[np.float32]:
    height, width = levels.shape
    scale = min(1.0, _THUMBNAIL_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(levels).convert("F").resize(size, Image.Resampling.BOX))


def _enlarged(paper: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    if paper.shape == shape:
        return paper
    return np.asarray(Image.fromarray(paper).resize(shape[::-1], Image.Resampling.BILINEAR))


def _dilated(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Return the mask with all that is within `radius` of it in either direction."""
    for axis in (0, 1):
        grown = mask.astype(np.int32)
        padding = [(0, 0), (0, 0)]
        padding[axis] = (radius + 1, radius)
        sums = np.pad(grown, padding).cumsum(axis=axis)
        length = mask.shape[axis]
        window = 2 * radius + 1
        upper = np.take(sums, np.arange(window, window + length), axis=axis, mode="clip")
        mask = upper > np.take(sums, np.arange(length), axis=axis)
    return mask
