"""Explore: the digits, and what a network makes of them."""

import streamlit as st

from ui import navigation, state
from ui.explore import views as explore_views
from ui.state import Params

navigation.require_app()

VIEWS = {
    "digits": ("All digits", explore_views.digits_view),
    "mistakes": ("Mistakes", explore_views.mistakes_view),
    "confusion": ("Confusion matrix", explore_views.confusion_view),
}

st.title("Explore the digits", anchor=False)
view = state.bound_choice(Params.VIEW, list(VIEWS), "digits")
st.segmented_control(
    "View",
    list(VIEWS),
    format_func=lambda name: VIEWS[name][0],
    required=True,
    label_visibility="collapsed",
    **view.widget,
)
VIEWS[view.value][1]()
