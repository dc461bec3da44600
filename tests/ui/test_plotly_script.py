"""The script that draws the charts, which `.ci/plotly` builds for the kinds of traces that our figures have."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import plotly

from mnist_core.common.server import PROJECT
from ui.components.live_chart import PLOTLY

SCRIPT = PROJECT / "static" / PLOTLY
BANNER = re.compile(r"plotly\.js v([\d.]+)")


def test_its_name_holds_its_version_and_a_hash_of_its_content() -> None:
    content = SCRIPT.read_bytes()
    (version,) = BANNER.findall(content[:300].decode())
    assert f"plotly-{version}-{hashlib.sha256(content).hexdigest()[:8]}.min.js" == PLOTLY


def test_figures_are_checked_for_the_version_that_draws_them() -> None:
    whole = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    with whole.open(encoding="utf-8") as lines:
        assert BANNER.findall(lines.read(300)) == BANNER.findall(SCRIPT.read_text(encoding="utf-8")[:300])


def test_its_licence_comes_with_it() -> None:
    assert "MIT" in SCRIPT.read_text(encoding="utf-8")[:300]
