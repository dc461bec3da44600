"""Streamlit glue that the pages share. No TensorFlow, no file formats: those are `mnist_core`'s."""

# Plotly asks whether pandas is loaded, and fails if another visitor's thread is in the middle of loading it.
import pandas  # noqa: F401
import pyarrow

pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # Arrow's own takes 4 MB for the first small table
