"""Train: set up a network, watch it learn, compare runs."""

import streamlit as st

from ui import train
from ui.session import navigation, state, views
from ui.session.state import Params

navigation.require_app()

state.has_navigated()  # this is where it was to go
st.title("Train a network", anchor=False)
views.choose(train.VIEWS, "watch" if Params.RUN in st.query_params else "setup").show()
