"""Files that were damaged on their way, and names that lead elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import strategies as st

from tests.support.strategies import hostile_texts

names = st.lists(
    st.sampled_from(
        [
            "..",
            "/",
            "\\",
            ".",
            "{elsewhere}/",
            "evil",
            "link/",
            "con",
            "nul.txt",
            "C:",
            "\0",
            "~",
            "%2e%2e%2f",
            "-",
            "A",
        ]
    )
    | st.sampled_from(
        ["a" * 300, "0" * 20, "0" * 32, ".deleted/", "．．／", "\n", "\ud800", "🙂", " ", "set.json", "x"]
    )
    | st.sampled_from(["é", "$HOME", "`id`", "../../", "|", "<img src=x onerror=alert(1)>"]),
    max_size=5,
).map("".join)
titles = names | st.text(max_size=80) | hostile_texts


def damaged(contents_of_files: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Cut files off, change a few of their bytes, or put something behind them."""
    nothing: list[tuple[float, int]] = []
    changes = st.just(nothing) | st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4)
    return st.builds(
        _with_damage,
        contents_of_files,
        st.sampled_from([1.0] * 8 + [0.99]) | st.floats(0, 1),
        changes,
        st.just(b"") | st.binary(max_size=20),
    )


def _with_damage(content: bytes, share: float, changes: Sequence[tuple[float, int]], more: bytes) -> bytes:
    left = bytearray(content[: round(share * len(content))])
    for place, value in changes:
        if left:
            # Where files of most kinds say what they are: near their beginning.
            left[round(place**3 * (len(left) - 1))] = value
    return bytes(left) + more


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()
