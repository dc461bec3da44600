"""Digit Lab: `streamlit run app.py`."""

from pathlib import Path
from typing import Literal

import streamlit as st

from ui.components import connection, focus, recovery, translation, visitor
from ui.components.live_chart import load_ahead
from ui.session import cached_reads, navigation, state

STYLE = Path(__file__).parent / "ui" / "style.css"
LOGO = str(Path(__file__).parent / "static" / "logo.svg")

page = navigation.declare()
state.catch_up()
sidebar: Literal["collapsed"] | int = "collapsed" if st.context.is_embedded else 220  # pixels
st.set_page_config(f"{page.title} · Digit Lab", page_icon=LOGO, layout="wide", initial_sidebar_state=sidebar)
st.logo(LOGO, size="large")
st.html(STYLE)
cached_reads.prepare_server()
visitor.recognise()
connection.watch()
with st.sidebar:
    navigation.show_menu()
    st.caption("Convolutional networks and handwritten digits: train, explore and draw.")
    translation.allow()
focus.follow(page.url_path)
page.run()
load_ahead()
recovery.watch()
