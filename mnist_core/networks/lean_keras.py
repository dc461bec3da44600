"""Keras without the libraries that it loads only so that users may hand it tables, which nobody here does.

Without pandas, TensorFlow and Keras load in two thirds of the time and hold 70 MB less, in each process.
"""

from __future__ import annotations

import sys
from typing import Any

_FOR_TABLES = ("pandas", "sklearn", "scipy")  # the last two are there if somebody installed them for something else


def block_pandas() -> None:
    """Let these libraries look as if they were not installed, for the rest of this process; before Keras is loaded.

    What is loaded already stays. For processes that do nothing else than train or predict.
    """
    modules: dict[str, Any] = sys.modules
    for name in _FOR_TABLES:
        modules.setdefault(name, None)
