"""A network drawn to scale, from the image on the left to the ten digits on the right."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mnist_core.figures.style import (
    DIAGONAL_COLOR,
    NO_COLOR,
    QUIET_COLOR,
    TRAINING_COLOR,
    VALIDATION_COLOR,
    Figure,
    Layout,
    Trace,
)
from mnist_core.networks.layers import (
    INPUT_SHAPE,
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    Layer,
    LayerSummary,
    Pool,
    Shape,
    summarize,
)

Polygon = list[tuple[float, float]]

INPUT_COLOR = "#334155"
LABEL_COLOR = "#717d86"  # legible on white and on black

# Pixels of the figure. In less room than the width planned for, all of it shrinks but for its labels.
_HEIGHT = 220
_WIDTH = 660
_LABEL_HEIGHT = 56  # under the ground line
_GAP = 10

# Pixels of a feature map.
_DEPTH = 1.1
_COLUMN_HEIGHT = 2.6
_COLUMN_SIDE = 2.4
_MARK_SIDE = 0.7
_BACKWARD = (math.cos(math.radians(40)), math.sin(math.radians(40)))  # one pixel away from the viewer
_SEVEN = ((7.5, 22.0), (20.5, 22.0), (12.5, 6.0))  # the digit that is drawn on the input

_MANY_LAYERS = 9  # from here on labels are smaller, and their shapes stand on two lines
_OPACITY = {"front": 0.9, "top": 0.45, "side": 0.65}


@dataclass(frozen=True)
class _Scale:
    """Pixels of the figure for a pixel of a feature map, upward and to the right, and how widely labels are spaced."""

    up: float
    right: float
    spacing: float = 1


# The first at which all layers fit into the width is taken. Few layers have room around their labels, so that these
# stay apart on a phone too; many become narrow, then small.
_SCALES = (
    *(_Scale(up / 10, up / 10, spacing / 10) for spacing in range(18, 10, -2) for up in range(47, 33, -1)),
    *(_Scale(up / 10, up / 10) for up in range(47, 27, -1)),
    *(_Scale(2.8, 2.8 * percent / 100) for percent in range(98, 28, -2)),
    *(_Scale(up / 10, 0.3 * up / 10) for up in range(27, 9, -1)),
)


def layer_color(layer: Layer | None) -> str:
    """Return the colour of a kind of layer as `#rrggbb`; None is a layer that cannot be read."""
    match layer:
        case Conv():
            return TRAINING_COLOR
        case Pool() | GlobalAveragePool():
            return DIAGONAL_COLOR
        case Dense():
            return VALIDATION_COLOR
    return QUIET_COLOR


def compressed(count: int) -> float:
    """Return log2(1 + count), the measure in which channels and units are drawn: 1,024 are 10, 32 are 5."""
    return math.log2(1 + count)


def network_figure(architecture: Architecture) -> Figure:
    """Draw the layers of a network side by side on one ground line.

    Feature maps are blocks: their fronts have the height and width of the maps, each on one scale for all layers (the
    same scale, unless many layers have to fit), and their depth is the `compressed` number of channels. Flat values are
    columns as high as their `compressed` number. Dropout and batch normalization leave the shape as it is: they are
    thin marks, as high as what they act on.

    Each trace has in its `meta` the layer that it belongs to, counted from 0 (-1 is the image), and the face it draws.
    """
    pieces = _pieces(architecture)
    scale = next((scale for scale in _SCALES if sum(piece.slot(scale) for piece in pieces) <= _WIDTH), _SCALES[-1])
    traces: list[Trace] = []
    labels: list[Layout] = []
    left = 0.0
    for piece in pieces:
        slot = piece.slot(scale)
        traces += _drawing(piece, scale, left + (slot - piece.width(scale)) / 2)
        labels.append(_label(piece, left + slot / 2))
        left += slot
    axis = {"visible": False, "fixedrange": True, "constrain": "domain"}
    layers = ", ".join(" ".join(piece.label) for piece in pieces)
    layout = {
        "meta": {"words": f"The layers of the network and their outputs: {layers}."},
        "height": _HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "paper_bgcolor": NO_COLOR,
        "plot_bgcolor": NO_COLOR,
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "xaxis": {**axis, "range": [0, left], "constraintoward": "left"},
        "yaxis": {**axis, "range": [-_LABEL_HEIGHT, _HEIGHT - _LABEL_HEIGHT], "scaleanchor": "x"},
        "annotations": labels,
    }
    return {"data": traces, "layout": layout}


@dataclass(frozen=True)
class _Piece:
    """The image or a layer, as it is drawn. Lengths are in pixels of a feature map."""

    index: int  # of the layer; -1 is the image
    front: tuple[float, float]  # width, height
    depth: float
    color: str
    label: tuple[str, ...]  # its lines, the first one bold
    font_size: int
    hover: str

    def width(self, scale: _Scale) -> float:
        """Return the width of the drawing in pixels of the figure."""
        return self.front[0] * scale.right + self.depth * scale.up * _BACKWARD[0]

    def slot(self, scale: _Scale) -> float:
        """Return the width that drawing and label need, in pixels of the figure."""
        label = max(map(len, self.label)) * 0.57 * self.font_size
        return max(self.width(scale) + _GAP, (label + _GAP / 2) * scale.spacing)


def _pieces(architecture: Architecture) -> list[_Piece]:
    many = sum(not isinstance(layer, Dropout | BatchNorm) for layer in architecture.layers) >= _MANY_LAYERS
    font_size = 10 if many else 11
    hover = f"<b>Image</b><br>{_spaced(INPUT_SHAPE)}"
    pieces = [_Piece(-1, *_box(INPUT_SHAPE), INPUT_COLOR, ("image", *_lines(INPUT_SHAPE, many)), font_size, hover)]
    for index, (layer, summary) in enumerate(zip(architecture.layers, summarize(architecture), strict=True)):
        front, depth = _box(summary.output_shape)
        label: tuple[str, ...] = (summary.token.partition(":")[0],)  # options would take too much room
        if isinstance(layer, Dropout | BatchNorm):
            front, depth = (_MARK_SIDE, front[1]), 0
        else:
            label += _lines(summary.output_shape, many)
        pieces.append(_Piece(index, front, depth, layer_color(layer), label, font_size, _hover(summary)))
    return pieces


def _box(shape: Shape) -> tuple[tuple[float, float], float]:
    """Return the front, as width and height, and the depth of what is drawn for a shape."""
    if len(shape) == 3:
        return (shape[1], shape[0]), _DEPTH * compressed(shape[2])
    return (_COLUMN_SIDE, _COLUMN_HEIGHT * compressed(shape[0])), _COLUMN_SIDE


def _lines(shape: Shape, many: bool) -> tuple[str, ...]:
    if many and len(shape) == 3:
        return f"{shape[0]}×{shape[1]}", f"×{shape[2]}"
    return ("×".join(map(str, shape)),)


def _spaced(shape: Shape) -> str:
    return " × ".join(f"{size:,}" for size in shape)


def _hover(summary: LayerSummary) -> str:
    return (
        f"<b>{summary.name}</b> ({summary.token})<br>{_spaced(summary.output_shape)}<br>"
        f"parameters: {summary.arithmetic}<br>multiply-adds: {summary.multiply_adds:,}"
    )


def _drawing(piece: _Piece, scale: _Scale, left: float) -> list[Trace]:
    """Return the faces of a layer, or of the image with a digit on it."""
    right, top = left + piece.front[0] * scale.right, piece.front[1] * scale.up
    over, up = (piece.depth * scale.up * backward for backward in _BACKWARD)
    faces: dict[str, Polygon] = {"front": [(left, 0), (left, top), (right, top), (right, 0)]}
    if piece.depth:
        faces["top"] = [(left, top), (left + over, top + up), (right + over, top + up), (right, top)]
        faces["side"] = [(right, 0), (right, top), (right + over, top + up), (right + over, up)]
    red, green, blue = (int(piece.color[start : start + 2], 16) for start in (1, 3, 5))
    traces: list[Trace] = [
        {
            "type": "scatter",
            "x": [x for x, _ in corners + corners[:1]],
            "y": [y for _, y in corners + corners[:1]],
            "mode": "lines",
            "line": {"color": piece.color, "width": 1},
            "fill": "toself",
            "fillcolor": f"rgba({red}, {green}, {blue}, {_OPACITY[face]})",
            "hoveron": "fills",
            "hoverinfo": "text",
            "text": piece.hover,
            "meta": {"layer": piece.index, "face": face},
        }
        for face, corners in faces.items()
    ]
    if piece.index == -1:
        traces.append(
            {
                "type": "scatter",
                "x": [left + x * scale.right for x, _ in _SEVEN],
                "y": [y * scale.up for _, y in _SEVEN],
                "mode": "lines",
                "line": {"color": "#ffffff", "width": 1.6 * scale.right},
                "hoverinfo": "skip",
                "meta": {"layer": piece.index, "face": "digit"},
            }
        )
    return traces


def _label(piece: _Piece, center: float) -> Layout:
    """Return what stands under the ground line: what a layer is, and what shape leaves it."""
    first, *rest = piece.label
    return {
        "x": center,
        "y": 0,
        "yshift": -3,
        "yanchor": "top",
        "text": "<br>".join([f"<b>{first}</b>" if rest else first, *rest]),
        "showarrow": False,
        "font": {"size": piece.font_size, "color": LABEL_COLOR},
        "hovertext": piece.hover,
    }
