"""Draw: a digit on the canvas or in a photo, read at once, and why."""

import streamlit as st

from ui import draw, navigation, state
from ui.draw import VIEWS

navigation.require_app()

st.title("Draw a digit", anchor=False)
view = state.bound_view(list(VIEWS), "canvas")
st.segmented_control(
    "View",
    list(VIEWS),
    format_func=lambda name: VIEWS[name].label,
    required=True,
    label_visibility="collapsed",
    **view.widget,
)
draw.show(VIEWS[view.value])
