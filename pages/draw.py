"""Draw: a digit on the canvas or in a photo, read at once, and why."""

import streamlit as st

from ui import draw
from ui.session import navigation, views

navigation.require_app()

st.title("Draw a digit", anchor=False)
views.choose(draw.VIEWS, "canvas").show()
