"""What Hypothesis draws in several test modules."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mnist_core.training.config import TrainingConfig, options
from mnist_core.training.links import setting_names
from mnist_core.training.presets import PRESETS
from tests.support.networks import architectures

# For tests that also take a fixture, which no example changes, and for slow machines.
no_limits = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Anything that a JSON file can hold, and numbers and texts that break careless readers.
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
) | st.sampled_from([10**400, -(10**400), 2**63, -1, 0, float("inf"), float("-inf"), float("nan"), "\ud800", "1"])

# Texts that mean something to browsers, to Markdown, to file systems or to careless readers of numbers.
HOSTILE = [
    "",
    " ",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](https://example.org)",
    "![](https://example.org/x.png)",
    "see www.example.org",
    "https://example.org",
    "**bold** _thin_ `code` ~~no~~",
    "$x$ :red[text] :material/home: :smile:",
    "# title\n- item\n1. item\n| a | b |",
    "&lt;b&gt;",
    '"; DROP TABLE runs; --',
    "../../etc/passwd",
    "“quoted”",
    "\x00\x1b[31m\u202eabc\ud800",
    "null",
    "true",
    "[1]",
    '{"a": 1}',
    "[" * 10_000,
    "9" * 10_000,
    "0." + "1" * 10_000,
    "x" * 10_000,
    "-1e999",
    "NaN",
    "1_000",
    "0x10",
    "١٢",
    "1,5",
]
hostile_texts = st.sampled_from(HOSTILE)


@st.composite
def _damaged_notations(draw: st.DrawFn) -> str:
    """Draw a valid notation with a few characters put in, taken out or changed."""
    characters = list(str(draw(architectures())))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(characters)))
        characters[place : place + draw(st.integers(0, 2))] = draw(st.sampled_from(["", "-", "0", "9", "S", "C", ":"]))
    return "".join(characters)


# Texts where a network is asked for: anything, what looks like one, and what was one.
notations = (
    st.text(max_size=60) | st.text(alphabet="0123456789CPADSBNG.:-relutanhsmvd \t", max_size=40) | _damaged_notations()
)

# Queries of links to settings: known names and others, with values that fit, nearly fit or do not.
queries_of_settings = st.dictionaries(
    st.sampled_from(setting_names()) | st.text(max_size=20),
    st.sampled_from(list(PRESETS))
    | st.sampled_from([option for setting in fields(TrainingConfig) for option in options(setting.name)])
    | st.floats().map(repr)
    | st.integers().map(str)
    | hostile_texts
    | st.text(max_size=50),
    max_size=15,
)
