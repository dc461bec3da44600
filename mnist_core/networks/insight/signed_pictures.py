"""Numbers as colours: black is zero, white or teal positive, amber negative, as in the glossary's examples."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnist_core.common import pictures
from mnist_core.common.arrays import Images
from mnist_core.networks.insight.occlusion import Effects
from mnist_core.networks.insight.results import Scaled

WHITE, TEAL, AMBER = (255, 255, 255), (45, 212, 191), (251, 191, 36)
_GAMMA = 0.7
_BACKDROP = 0.45  # of the brightness of a digit that is coloured


def sheet(scaled: Scaled, columns: int) -> bytes:
    """Return maps, (n, height, width), as one PNG, side by side in rows of `columns`; what is left over is transparent.

    Maps without negative numbers go from black to white, others from amber over black to teal. Small numbers are made a
    little brighter than their share, so that they can be seen.
    """
    colors = np.zeros((256, 3))
    shares = (np.arange(1, 128)[:, None] / 127) ** _GAMMA
    colors[129:] = shares * (TEAL if is_signed(scaled) else WHITE)
    colors[127:0:-1] = shares * AMBER
    places = (scaled.steps.astype(np.int16) + 128).astype(np.uint8)  # in the palette, of which 128 is zero
    picture = Image.fromarray(pictures.montage(places, columns)).convert("P")
    picture.putpalette(colors.round().astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", transparency=0)  # -128 is no step: `montage` fills the last row with it
    return buffer.getvalue()


def is_signed(scaled: Scaled) -> bool:
    """Whether some of the numbers are negative."""
    return bool((scaled.steps < 0).any())


def colored(image: Images, effects: Effects, full: float) -> NDArray[np.uint8]:
    """Return an image, (28, 28), in dim grey under the colours of effects, (28, 28), as (28, 28, 3) uint8.

    Teal is positive, amber negative; `full` and beyond are opaque.
    """
    opacity = np.clip(np.abs(effects) / full, 0, 1)[..., None]
    color = np.where(effects[..., None] > 0, np.array(TEAL), np.array(AMBER))
    return np.asarray((_BACKDROP * image[..., None] * (1 - opacity) + color * opacity).round(), np.uint8)
