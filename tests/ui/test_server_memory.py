"""What the server does not hold in memory. Measured in a process of its own: what is loaded stays."""

from __future__ import annotations

import subprocess
import sys

# Streamlit has Plotly's checks loaded, the app lets go of them, and they are there again for who draws with Plotly.
FIGURES = """
from mnist_core.processes import inference
from ui.session import cached_reads
from plotly.validator_cache import ValidatorCache
def loaded():
    return ValidatorCache._json_cache is not None
before = loaded()
inference.warm_up = lambda files: None
cached_reads.prepare_server()
after = loaded()
import plotly.graph_objects as go
assert go.Figure(layout={"height": 100}).layout.height == 100
print(before, after, loaded())
"""


def test_what_plotly_checks_figures_by_is_not_kept() -> None:
    told = subprocess.run([sys.executable, "-c", FIGURES], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["True", "False", "True"]
