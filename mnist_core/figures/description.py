"""What a figure shows, in words: screen readers say it, since they cannot see curves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MANY = 50  # more dots are counted, not told one by one
_PALE = 0.6  # traces that are paler only accompany others

Part = Mapping[str, Any]


def describe(traces: Iterable[Part], layout: Part) -> str:
    """Return what a figure is called, and where each trace that has something to tell begins, ends and reaches.

    Its name is that in its layout's `meta`, or else its title. Values are those, and written so, that hovering shows.
    As in all of a figure, what would be markup is written as entities.

    >>> line = {"type": "scatter", "x": [1, 2, 3], "y": [0.9, 0.97, 0.96], "name": "training"}
    >>> describe([line], {"title": {"text": "Accuracy"}, "xaxis": {"title": {"text": "Epoch"}}})
    'Accuracy, by epoch. training: 0.9 at 1, 0.96 at 3, between 0.9 and 0.97.'
    """
    told = "; ".join(filter(None, map(_trace, filter(_tells, traces))))
    return " ".join(f"{part}." for part in (_name(layout), told) if part)


def plain(text: str) -> str:
    """Return text without the tags that Plotly takes; its entities stay: names may be anybody's."""
    return re.sub(r"<[^>]*>", "", text.replace("<br>", " ")).strip()


def _name(layout: Part) -> str:
    name = layout.get("meta", {}).get("name", "")
    title, up, across = (_title(part) for part in (layout, layout.get("yaxis", {}), layout.get("xaxis", {})))
    called = title or up
    return name or (f"{called}, by {across[0].lower()}{across[1:]}" if called and across else called)


def _title(part: Part) -> str:
    return plain(part.get("title", {}).get("text", ""))


def _tells(trace: Part) -> bool:
    is_seen = trace.get("opacity", 1) >= _PALE
    return is_seen and (trace.get("hoverinfo") != "skip" or trace["type"] == "heatmap")


def _trace(trace: Part) -> str:
    name, values = trace.get("name", ""), _values(trace)
    if hovering := re.search(r"<extra>(.+?)</extra>", trace.get("hovertemplate", "")):
        name = hovering[1].replace("%{fullData.name}", name)
    return f"{plain(name)}: {values}" if name and values else values


def _values(trace: Part) -> str:
    """Return the values of a trace in words; nothing where there are none, or no words for this kind of trace."""
    match trace["type"]:
        case "heatmap":
            rows, columns = np.shape(trace["z"])
            return _extremes(range(columns), trace["z"][0], "") if rows == 1 else f"{rows} × {columns} values"
        case "box":
            return f"medians: {_extremes(trace['x'], trace['median'], '')}"
        case "scatter" | "scattergl" | "bar":
            return _points(trace)
    return ""


def _points(trace: Part) -> str:
    is_level = trace.get("orientation") == "h"
    across, up = ("y", "x") if is_level else ("x", "y")
    values, form = _told(trace, up)
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return ""
    if trace.get("mode") == "markers" and len(known) > _MANY:
        return f"{len(known):,} dots"
    places = trace.get(across, range(len(values)))
    places, values = [places[index] for index in known], values[known]
    if len(values) == 1:
        return _number(values[0], form) + ("" if is_level else f" at {_place(places[0])}")
    if trace["type"] == "bar":
        return _extremes(places, values, form)
    first, last, least, most = (_number(value, form) for value in (values[0], values[-1], values.min(), values.max()))
    ends = f"{first} at {_place(places[0])}, {last} at {_place(places[-1])}"
    return ends if {least, most} <= {first, last} else f"{ends}, between {least} and {most}"


def _told(trace: Part, up: str) -> tuple[NDArray[np.float64], str]:
    """Return what hovering would show of each point, and how it writes it."""
    shown = trace.get("hovertemplate", "")
    drawn = re.search(rf"%\{{{up}:?([^}}]*)\}}", shown)
    true = re.search(r"%\{customdata(?:\[0\])?:?([^}]*)\}", shown)
    found = drawn or true
    form = found[1].replace("~", "") if found else ""
    values = np.array(trace["customdata"] if found and not drawn else trace[up], np.float64)
    return values if values.ndim == 1 else values[:, 0], form


def _extremes(places: Sequence[Any], values: Any, form: str) -> str:
    values = np.asarray(values, np.float64)
    most, least = int(np.nanargmax(values)), int(np.nanargmin(values))
    return (
        f"highest for {_place(places[most])}, {_number(values[most], form)}; "
        f"lowest for {_place(places[least])}, {_number(values[least], form)}"
    )


def _number(value: float, form: str) -> str:
    if form in ("", ","):
        form = ",.0f" if abs(value) >= 1000 else ".3g"
    return format(float(value), form)


def _place(place: Any) -> str:
    return f"{place:.3g}" if isinstance(place, float | np.floating) else str(place)
