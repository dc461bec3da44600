"""Train: set up a network, watch it learn, compare runs."""

import streamlit as st

from ui import address, navigation, readers, state, views, words
from ui.run_picker import pick_run
from ui.state import Params
from ui.train import starting
from ui.train.published_view import published_view
from ui.train.run_view import run_view
from ui.train.runs_view import runs_view
from ui.train.setup_view import setup_view
from ui.views import View

navigation.require_app()


def watch() -> None:
    run = pick_run("Run", readers.all_runs(), fallback=starting.last_started())
    if run is not None:
        run_view(run)
        address.show({"run": run.id}, ["run"])


VIEWS = {
    "setup": View("Set up", setup_view),
    "watch": View("Monitor", watch),
    "compare": View("Compare", runs_view),
    "published": View("Published networks", published_view),
    "words": View("Glossary", words.glossary),
}

state.went()  # this is where it was to go
st.title("Train a network", anchor=False)
views.choose(VIEWS, "watch" if Params.RUN in st.query_params else "setup").show()
