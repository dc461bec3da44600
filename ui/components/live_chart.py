"""Plotly charts that can change while one looks at them, and can tell which of their points was clicked.

`st.plotly_chart` makes a new chart for each new figure, which loses zoom, hover and hidden traces. This component keeps
one node and updates it. All charts of the app are drawn by it, also those that never change: Plotly is a large script,
of which `.ci/plotly` builds the part that they need; Streamlit's own copy of all of it would be fetched and run beside.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core.common import pictures
from mnist_core.common.arrays import Images, Labels
from mnist_core.common.atomic_files import replacing
from mnist_core.common.server import PROJECT
from mnist_core.figures.style import Figure
from ui.components import source

_lock = Lock()  # the first visitors of a fresh server come at once
_STATIC_FOLDER = PROJECT / "static"
PLOTLY = "plotly-4.1.1-6e66faee.min.js"  # there; `.ci/plotly` builds it
_SHEET_COLUMNS = 100
_TYPED = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")

_HTML = """
<div class="live-chart-frame">
  <div class="live-chart"></div>
  <button type="button" class="live-chart-digit" tabindex="-1" hidden>
    <canvas width="28" height="28"></canvas><span></span>
  </button>
</div>
"""

_component = st.components.v2.component(
    "digit_lab_live_chart",
    html=_HTML,
    css=source("live_chart.css"),
    js=source("tab_stop.js", "live_chart.js"),
    isolate_styles=False,  # Plotly puts its own styles into the document
)
_ahead = st.components.v2.component(
    "digit_lab_plotly_ahead", html="<span hidden></span>", js=source("tab_stop.js", "live_chart.js")
)


@dataclass(frozen=True)
class DigitSheet:
    """One large picture of many digits in rows, which a browser fetches once, and what is written below each."""

    address: str
    columns: int
    labels: str  # one character a digit


def digit_sheet(name: str, images: Images, labels: Labels) -> DigitSheet | None:
    """Publish the picture of some images, (n, 28, 28), unless it is there (a second for 10,000 images).

    Its file is called `name` and a hash of the images. None if the server's folder cannot be written to.
    """
    file = f"{name}-{hashlib.sha256(images.tobytes()).hexdigest()[:8]}.png"
    try:
        with _lock:
            if not (_STATIC_FOLDER / file).exists():
                with replacing(_STATIC_FOLDER / file) as beside:
                    beside.write_bytes(pictures.png(pictures.montage(images, columns=_SHEET_COLUMNS)))
    except OSError:
        return None
    return DigitSheet(_address(file), _SHEET_COLUMNS, "".join(map(str, labels.tolist())))


def as_json(figure: Figure) -> Figure:
    """Return a figure of JSON values, so that several viewers can share it.

    NumPy's arrays become what Plotly's script calls typed arrays. Numbers that are not finite become null, but within
    arrays, where it takes NaN for a gap.
    """
    return {name: _json(part) for name, part in figure.items()}


def _json(value: Any) -> Any:
    match value:
        case dict():
            return as_json(value)
        case list() | tuple():
            return [_json(part) for part in value]
        case np.ndarray():
            return _typed_array(value)
        case np.generic():
            return _json(value.item())
        case float() if not math.isfinite(value):
            return None
    return value


def _typed_array(array: NDArray[Any]) -> Any:
    """Return an array as Plotly's script takes it in its binary form, or as a list if there is none for it."""
    if array.dtype == np.int64 and np.all(array == array.astype(np.int32)):
        array = array.astype(np.int32)  # the longest whole numbers of that form
    if not array.size or array.ndim not in (1, 2) or array.dtype.name not in _TYPED:
        return _json(array.tolist())
    content = base64.b64encode(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).decode("ascii")
    shape = {"shape": ", ".join(map(str, array.shape))} if array.ndim == 2 else {}
    return {"dtype": f"{array.dtype.kind}{array.dtype.itemsize}", "bdata": content, **shape}


def live_chart(
    figure: Figure,
    *,
    key: str,
    tools: Literal["zoom", "hover", "none"] = "zoom",
    digits: DigitSheet | None = None,
    on_click: Callable[[int], Any] | None = None,
    patient: bool = False,
) -> None:
    """Show or update the chart `key`; a figure may hold arrays, or be what `as_json` made of it.

    `tools` says what a visitor can do with it: zoom, with Plotly's bar of tools, or only read values, or neither.

    With `digits`, pointing at a point whose `customdata` is a whole number shows the digit of that number, its label
    and, if the point has one, its `text`. A click on such a point calls `on_click` with the number before the page runs
    again. Where nothing can point, a tap shows the digit, and a tap on what it shows is the click.

    A `patient` chart leaves the line to all else that its page still waits for.
    """
    config: dict[str, Any] = {
        "displaylogo": False,
        "showSendToCloud": False,
        "displayModeBar": tools == "zoom" and "hover",
        "staticPlot": tools == "none",
    }

    def tell() -> None:
        clicked = st.session_state[key].get("clicked")  # from the browser, so it could be anything
        if on_click is not None and isinstance(clicked, int) and (digits is None or 0 <= clicked < len(digits.labels)):
            on_click(clicked)

    _component(
        key=key,
        data={
            "figure": as_json(figure),
            "plotly": _address(PLOTLY),
            "config": config,
            "digits": asdict(digits) if digits else None,
            "clicks": on_click is not None,
            "patient": patient,
        },
        on_clicked_change=tell,
    )


def load_ahead() -> None:
    """Have the browser load Plotly once it and the line have nothing else to do: the first chart comes sooner."""
    _ahead(key="plotly-ahead", data={"plotly": _address(PLOTLY)})


def _address(file: str) -> str:
    """Return the address that a file in the static folder is served under."""
    return f"app/static/{file}"
