"""Train: choose a network and its settings, start it, watch it learn."""

import streamlit as st

from mnist_core import jobs, runs
from ui import navigation, readers, state
from ui.run_picker import pick_run
from ui.run_view import run_view
from ui.settings_form import settings_form
from ui.state import Keys, Params

navigation.require_app()

st.title("Train a network", anchor=False)
settings, view = st.columns([1, 2], gap="large")

with settings:
    main, action, more = st.container(), st.container(), st.container()
    config = settings_form(main, more)
    with action:
        pressed = st.button(
            "Train", type="primary", icon=":material/play_arrow:", width="stretch", disabled=config is None
        )
        if pressed and config is not None:
            try:
                state.write(run=jobs.start(config, runs.runs_dir()))
            except OSError as error:
                st.error(f"The run could not be started: {error.strerror or error}.", icon=":material/error:")

with view, st.container(key="chosen-run" if Params.RUN in st.query_params else "example-run"):
    run = pick_run("Run", readers.all_runs(), fallback=st.session_state[Keys.PRESET])
    if run is not None:
        run_view(run)
