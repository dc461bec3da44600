"""Explore: the digits, and what networks make of them."""

import streamlit as st

from ui import explore, navigation, state
from ui.explore import VIEWS

navigation.require_app()

st.title("Explore the digits", anchor=False)
view = state.bound_view(list(VIEWS), "digits")
st.segmented_control(
    "View",
    list(VIEWS),
    format_func=lambda name: VIEWS[name].label,
    required=True,
    label_visibility="collapsed",
    **view.widget,
)
explore.show(VIEWS[view.value])
