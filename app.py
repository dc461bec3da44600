"""Digit Lab: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from ui.components import connection, visitor
from ui.components.live_chart import load_ahead
from ui.session import cached_reads, navigation, state

STYLE = Path(__file__).parent / "ui" / "style.css"
LOGO = str(Path(__file__).parent / "static" / "logo.svg")

page = navigation.declare()
state.catch_up()
st.set_page_config(f"{page.title} · Digit Lab", page_icon=LOGO, layout="wide", initial_sidebar_state=220)
st.logo(LOGO, size="large")
st.html(STYLE)
cached_reads.prepare_server()
visitor.recognise()
connection.watch()
with st.sidebar:
    navigation.show_menu()
    st.caption("Convolutional networks and handwritten digits: train, explore and draw.")
page.run()
load_ahead()
