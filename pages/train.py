"""Train: choose a network and its settings, start it, watch it learn."""

import streamlit as st

from mnist_core import runs
from ui import navigation, readers, train_button
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
        train_button.train_button(config)

with view, st.container(key="chosen-run" if Params.RUN in st.query_params else "example-run"):
    run = pick_run("Run", readers.all_runs(), fallback=train_button.last_started() or st.session_state[Keys.PRESET])
    if run is not None:
        run_view(run)
    for problem in runs.unreadable_runs(runs.runs_dir()).values():
        st.caption(f":material/error: {problem}")
