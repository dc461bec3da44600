"""Streamlit glue that the pages share. No TensorFlow, no file formats: those are `mnist_core`'s."""

import pyarrow
from plotly.validator_cache import ValidatorCache

pyarrow.set_memory_pool(pyarrow.system_memory_pool())  # Arrow's own takes 4 MB for the first small table

# What Plotly checks figures by, 9 MB: Streamlit has it loaded for a theme. Ours are checked by the tests instead, see
# `mnist_core/figures/style.py`. Should Plotly need it after all, it reads it again.
ValidatorCache._json_cache = None
