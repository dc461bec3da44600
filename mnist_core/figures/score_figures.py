"""Scores as Plotly figures."""

from __future__ import annotations

import numpy as np

from mnist_core.evaluation.scores import Calibration
from mnist_core.figures.style import QUIET_COLOR, TRAINING_COLOR, VALIDATION_COLOR, Figure, Trace, styled

_MODEST_COLOR = "#5086fb"
_MOST_LEVEL_BINS = 10  # with more, counts are written upwards: else they would touch on a phone
_COUNTS_END, _ACCURACIES_START = 0.28, 0.34  # where the lower panel ends and the upper one begins, of the height
_COUNT_TICKS = {1: "1", 10: "10", 100: "100", 1000: "1,000", 10_000: "10,000"}


def reliability_figure(result: Calibration) -> Figure:
    """Draw a reliability diagram: above, the accuracy of each bin against the diagonal; below, its number of images.

    The gap between accuracy and mean confidence stands out, by its colour in its direction. Counts stand on a
    logarithmic axis: of a good network, one bin holds nearly all images.
    """
    filled = np.flatnonzero(result.count)
    low, high = 100 * result.edges[filled], 100 * result.edges[filled + 1]
    count, confidence, accuracy = result.count[filled], 100 * result.confidence[filled], 100 * result.accuracy[filled]
    gap = confidence - accuracy
    bars = {
        "x": (low + high) / 2,
        "width": (high - low) * 0.92,
        "customdata": np.stack([low, high, count, confidence, accuracy], axis=-1),
    }
    gaps = {**bars, "y": np.abs(gap), "base": np.minimum(accuracy, confidence)}
    hover = (
        "confidence %{customdata[0]:.3~g}% to %{customdata[1]:.3~g}%: %{customdata[2]:,} images<br>"
        "mean confidence %{customdata[3]:.1f}%, accuracy %{customdata[4]:.1f}%<extra></extra>"
    )
    above = {"type": "bar", "hovertemplate": hover}
    below = {"type": "bar", "hovertemplate": hover, "xaxis": "x2", "yaxis": "y2"}
    directions = (("overconfident", gap > 0, VALIDATION_COLOR), ("underconfident", gap < 0, _MODEST_COLOR))
    gap_traces = [
        {
            **above,
            **{part: values[side] for part, values in gaps.items()},
            "name": name,
            "marker": {"color": color},
            "showlegend": True,
        }
        for name, side, color in directions
    ]
    traces: list[Trace] = [
        {**above, **bars, "y": accuracy, "name": "accuracy", "marker": {"color": TRAINING_COLOR}},
        *gap_traces,
        {
            "type": "scatter",
            "x": [0, 100],
            "y": [0, 100],
            "mode": "lines",
            "line": {"color": QUIET_COLOR, "dash": "dash"},
            "name": "ideal",
            "hoverinfo": "skip",
        },
        {
            **below,
            **bars,
            "y": count,
            "text": [f"{images:,}" for images in count.tolist()],
            "textposition": "outside",
            "textangle": 0 if result.bins <= _MOST_LEVEL_BINS else -90,
            "textfont": {"size": 10},
            "constraintext": "none",
            "cliponaxis": False,
            "marker": {"color": QUIET_COLOR},
            "showlegend": False,
        },
    ]
    bins = zip(low, high, accuracy, strict=True)
    told = "; ".join(f"from {least:.3g}% to {most:.3g}%: {right:.1f}% right" for least, most, right in bins)
    across = {"domain": [0, 1], "range": [0, 100], "fixedrange": True}
    layout = {
        "meta": {"words": f"Accuracy of predictions by their confidence. {told[:1].upper()}{told[1:]}."},
        "barmode": "overlay",
        "legend": {"orientation": "h", "x": 0, "yref": "container", "y": 1, "yanchor": "top"},
        "xaxis": {**across, "anchor": "y", "matches": "x2", "showticklabels": False},
        "xaxis2": {**across, "anchor": "y2", "title": {"text": "Confidence, %"}},
        "yaxis": {
            "anchor": "x",
            "domain": [_ACCURACIES_START, 1],
            "title": {"text": "Accuracy, %"},
            "range": [0, 102],
            "fixedrange": True,
        },
        "yaxis2": {
            "anchor": "x2",
            "domain": [0, _COUNTS_END],
            "title": {"text": "Images"},
            "type": "log",
            "range": [np.log10(0.6), np.log10(max(1, result.count.max())) + 1.1],
            "tickvals": list(_COUNT_TICKS),
            "ticktext": list(_COUNT_TICKS.values()),
            "fixedrange": True,
        },
    }
    return styled(traces, layout, height=480, top=56)
