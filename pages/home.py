"""Home: what one can do here, in three lines and three pictures."""

import streamlit as st

from ui.home import cards
from ui.session import navigation

navigation.require_app()

st.title("Digit Lab", anchor=False)
st.markdown("See how a convolutional network learns to read handwritten digits, on real data, step by step.")

for column, card in zip(st.columns(3, gap="medium"), cards.CARDS, strict=True):
    with column, st.container(border=True, height="stretch"):
        card()
