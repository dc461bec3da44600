"""Export: links to copy, and files: settings, scripts, curves, the network itself."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from mnist_core import runs
from mnist_core.training.config import TrainingConfig
from mnist_core.training.export.files import config_json, curves_csv, keras_script, notebook
from ui.session import cached_reads


def link(query: Mapping[str, str]) -> None:
    """Show the address of the Train page with this query, with a button that copies it."""
    address = (st.context.url or "").split("?")[0]
    st.code(f"{address}?{urlencode(query)}", language=None, wrap_lines=True)


def configuration(config: TrainingConfig, *, name: str, key: str, test_accuracy: float | None = None) -> None:
    """Offer settings as a Keras script, as a notebook and as JSON; the first two tell what accuracy to expect."""
    stem = "digit-lab-" + "".join(letter if letter.isalnum() else "-" for letter in name)
    with st.container(horizontal=True):
        st.download_button(
            "Python",
            lambda: keras_script(config, test_accuracy),
            f"{stem}.py",
            "text/x-python",
            key=f"{key}-script",
            icon=":material/code:",
            on_click="ignore",
            help="A Keras script that trains this network in the same way, without Digit Lab.",
        )
        st.download_button(
            "Notebook",
            lambda: notebook(config, test_accuracy),
            f"{stem}.ipynb",
            "application/x-ipynb+json",
            key=f"{key}-notebook",
            icon=":material/menu_book:",
            on_click="ignore",
            help="The same, step by step, as a Jupyter notebook.",
        )
        st.download_button(
            "JSON",
            lambda: config_json(config),
            f"{stem}.json",
            "application/json",
            key=f"{key}-json",
            icon=":material/data_object:",
            on_click="ignore",
            help="The settings, to load them again here.",
        )


def files(run: runs.Run) -> None:
    """Offer what a run has made: its network, its curves, its settings; and show its script."""
    expected = None
    if run.report is not None and run.report.end_reason != "stopped":  # a script trains to the end
        expected = run.report.test_accuracy
    configuration(run.config, name=run.id, key="run", test_accuracy=expected)
    with st.container(horizontal=True):
        model = run.model_file
        if model.is_file():
            st.download_button(
                "Network",
                lambda: model.read_bytes(),
                f"{run.id}.keras",
                key="run-model",
                icon=":material/download:",
                on_click="ignore",
                help="The trained network as a .keras file, for `keras.models.load_model`.",
            )
        st.download_button(
            "Curves",
            lambda: curves_csv(cached_reads.events(run), run.config),
            f"{run.id}.csv",
            "text/csv",
            key="run-curves",
            icon=":material/table:",
            on_click="ignore",
            help="Every batch and every epoch as CSV. For a picture, use the camera above a chart.",
        )
    with st.expander("Copy the Python script"):
        st.code(keras_script(run.config, expected), language="python", height=320)
