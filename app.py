"""Digit Lab: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from ui import navigation, readers

STYLE = Path(__file__).parent / "ui" / "style.css"

st.set_page_config(page_title="Digit Lab", page_icon="static/logo.svg", layout="wide", initial_sidebar_state=220)
st.logo("static/logo.svg", size="large")
st.html(STYLE)
page = navigation.declare()
readers.start_inference()
with st.sidebar:
    st.caption("Convolutional networks and handwritten digits: train them, question them, draw for them.")
page.run()
