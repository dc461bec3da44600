"""Draw: a digit on the canvas, read at once."""

import streamlit as st

from mnist_core import picture_files
from ui import navigation, readers
from ui.draw import canvas
from ui.draw.reading import show_reading
from ui.run_picker import pick_run

navigation.require_app()

st.title("Draw a digit", anchor=False)
left, right = st.columns([2, 3], gap="large")

with left:
    st.caption("One digit, large, anywhere in the black field.")
    drawn = st.container()
    brush = st.slider("Brush width", 8, 40, 22, help="In pixels of the canvas, which has 280 × 280.", width=280)
    st.button("Clear", icon=":material/delete:", on_click=canvas.clear, width=280)
    with drawn:
        try:
            ink = canvas.canvas(brush)
        except picture_files.PictureError as error:
            ink = None
            st.error(str(error), icon=":material/error:")

with right:
    answer = st.container()
    run = pick_run("Network", readers.usable_runs())
    if run is not None:
        with answer:
            show_reading(run, ink)
