"""Streamlit glue that the pages share. No TensorFlow, no file formats: those are `mnist_core`'s."""

# Plotly asks whether pandas is loaded, and fails if another visitor's thread is in the middle of loading it.
import pandas  # noqa: F401
