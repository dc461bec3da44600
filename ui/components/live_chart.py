"""Plotly charts that can change while one looks at them, and can tell which of their points was clicked.

`st.plotly_chart` makes a new chart for each new figure, which loses zoom, hover and hidden traces. This component keeps
one node and updates it. All charts of the app are drawn by it, also those that never change: Plotly is nearly 5 MB of
script, and a second copy of it, Streamlit's own, would take a browser another half second.
"""

from __future__ import annotations

import base64
import gzip
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np
import plotly
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
    """Publish the picture of some images, (n, 28, 28), as `name`.png, unless it is there (a second for 10,000 images).

    None if the server's folder cannot be written to. What has once been published under a name stays.
    """
    try:
        file = _publish(
            f"{name}.png",
            lambda path: path.write_bytes(pictures.png(pictures.montage(images, columns=_SHEET_COLUMNS))),
        )
    except OSError:
        return None
    return DigitSheet(file, _SHEET_COLUMNS, "".join(map(str, labels.tolist())))


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
) -> None:
    """Show or update the chart `key`; a figure may hold arrays, or be what `as_json` made of it.

    `tools` says what a visitor can do with it: zoom, with Plotly's bar of tools, or only read values, or neither.

    With `digits`, pointing at a point whose `customdata` is a whole number shows the digit of that number, its label
    and, if the point has one, its `text`. A click on such a point calls `on_click` with the number before the page runs
    again. Where nothing can point, a tap shows the digit, and a tap on what it shows is the click.
    """
    config: dict[str, Any] = {
        "displaylogo": False,
        "showSendToCloud": False,
        "displayModeBar": tools == "zoom" and "hover",
        "staticPlot": tools == "none",
    }
    try:
        script = _publish_plotly()
    except OSError:  # the project's folder cannot be written: a chart that flickers is better than none
        import pandas  # noqa: F401  Plotly asks whether it is loaded, and fails while another thread is loading it

        st.plotly_chart(as_json(figure), key=f"{key}-plain", config=config)  # a copy: Plotly writes to what it checks
        return

    def tell() -> None:
        clicked = st.session_state[key].get("clicked")  # from the browser, so it could be anything
        if on_click is not None and isinstance(clicked, int) and (digits is None or 0 <= clicked < len(digits.labels)):
            on_click(clicked)

    _component(
        key=key,
        data={
            "figure": as_json(figure),
            "plotly": script,
            "config": config,
            "digits": asdict(digits) if digits else None,
            "clicks": on_click is not None,
        },
        on_clicked_change=tell,
    )


def load_ahead() -> None:
    """Have the browser load Plotly once it has nothing else to do: the first chart comes half a second sooner."""
    with suppress(OSError):  # see `live_chart`
        _ahead(key="plotly-ahead", data={"plotly": _publish_plotly()})


def _publish_plotly() -> str:
    """Publish the script as a compressed file: Streamlit would compress a plain one again for each visitor."""
    installed = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return _publish(
        f"plotly-{plotly.__version__}.min.js.gz",
        lambda path: path.write_bytes(gzip.compress(installed.read_bytes(), mtime=0)),
    )


def _publish(name: str, make: Callable[[Path], Any]) -> str:
    """Put a file where the server serves files from, unless it is there, and return its address. Raises `OSError`."""
    with _lock:
        if not (_STATIC_FOLDER / name).exists():
            with replacing(_STATIC_FOLDER / name) as beside:
                make(beside)
    return f"app/static/{name}"
