"""A run in other forms: Keras code as a script or a notebook, curves as CSV, settings as JSON."""
