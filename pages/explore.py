"""Explore: the digits, and what networks make of them."""

import streamlit as st

from ui import explore
from ui.session import navigation, views

navigation.require_app()

st.title("Explore the digits", anchor=False)
explore.show(views.choose(explore.VIEWS, "digits"))
