"""Explore: the digits, and what networks make of them."""

import streamlit as st

from ui import navigation, state
from ui.explore import VIEWS, one_digit
from ui.state import Params

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
chosen = VIEWS[view.value]
if chosen.selection is not None and Params.INDEX in st.query_params:
    one_digit.show(chosen.selection())
else:
    chosen.show()
