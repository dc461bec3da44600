"""Digit Lab's core: data, networks, training runs and their evaluation. Useful without Streamlit."""

__version__ = "0.1.0"
