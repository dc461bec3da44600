"""A Plotly chart that changes while one looks at it.

`st.plotly_chart` makes a new chart for each new figure, which loses zoom, hover and hidden traces. This component keeps
one node and updates it. For figures that do not change, `st.plotly_chart` stays right.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from threading import Lock
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st

from mnist_core.files import replacing
from ui.components import source

_lock = Lock()  # the first visitors of a fresh server come at once
_STATIC_FOLDER = Path(__file__).resolve().parent.parent / "static"

_component = st.components.v2.component(
    "digit_lab_live_chart",
    html='<div class="live-chart"></div>',
    css=source("live_chart.css"),
    js=source("live_chart.js"),
    isolate_styles=False,  # Plotly puts its own styles into the document
)


def as_data(figure: go.Figure) -> dict[str, Any]:
    """Return a figure as the browser gets it, so that several viewers can share it."""
    data: dict[str, Any] = json.loads(figure.to_json())
    return data


def live_chart(figure: go.Figure | dict[str, Any], *, key: str) -> None:
    """Show or update the chart `key`; a figure may be given as `as_data` makes it."""
    try:
        script = _publish_plotly()
    except OSError:  # the project's folder cannot be written: a chart that flickers is better than none
        st.plotly_chart(figure, key=f"{key}-plain")
        return
    data = figure if isinstance(figure, dict) else as_data(figure)
    _component(key=key, data={"figure": data, "plotly": f"app/static/{script}"})


def _publish_plotly() -> str:
    """Put the installed Plotly script where the server serves files from, and return its name."""
    name = f"plotly-{plotly.__version__}.min.js"
    with _lock:
        if not (_STATIC_FOLDER / name).exists():
            with replacing(_STATIC_FOLDER / name) as beside:
                shutil.copyfile(Path(plotly.__file__).parent / "package_data" / "plotly.min.js", beside)
    return name
