"""Streamlit glue that the pages share. No TensorFlow, no file formats: those are `mnist_core`'s."""
