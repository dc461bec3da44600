"""Train: set up a network, watch it learn, compare runs."""

import streamlit as st

from ui import address, navigation, readers, state, words
from ui.run_picker import pick_run
from ui.state import Params
from ui.train import starting
from ui.train.published_view import published_view
from ui.train.run_view import run_view
from ui.train.runs_view import runs_view
from ui.train.setup_view import setup_view

navigation.require_app()


def watch() -> None:
    run = pick_run("Run", readers.all_runs(), fallback=starting.last_started())
    if run is not None:
        run_view(run)
        address.show({"run": run.id}, ["run"])


VIEWS = {
    "setup": ("Set up", setup_view),
    "watch": ("Watch", watch),
    "compare": ("Compare", runs_view),
    "published": ("Published networks", published_view),
    "words": ("Words", words.glossary),
}

state.went()  # this is where it was to go
st.title("Train a network", anchor=False)
view = state.bound_view(list(VIEWS), "watch" if Params.RUN in st.query_params else "setup")
st.segmented_control(
    "View",
    list(VIEWS),
    format_func=lambda name: VIEWS[name][0],
    required=True,
    label_visibility="collapsed",
    **view.widget,
)
VIEWS[view.value][1]()
