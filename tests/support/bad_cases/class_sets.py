"""Class sets to import."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mnist_core.drawing.class_sets import archive, contents, sets
from mnist_core.drawing.class_sets.drawings import ClassSetError, new_drawing, to_line
from mnist_core.drawing.strokes import Drawing
from tests.support.bad_cases.damage import damaged, dumped, names, titles
from tests.support.bad_cases.settings import settings_files
from tests.support.bad_cases.trials import CaseKind, Home
from tests.support.strategies import json_values


@cache
def _good_line() -> dict[str, Any]:
    drawn = Drawing((np.array([[10, 10], [200, 300]], np.float32),), (26.0,))
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 10:18] = 255
    return json.loads(to_line(new_drawing(7, image, drawn)))


_heads = st.builds(
    lambda title, changes: {"format": sets.FORMAT, "version": 1, "title": title, **changes},
    titles,
    st.just({}) | st.dictionaries(st.sampled_from(["format", "version", "title", "drawings"]), json_values, max_size=1),
).map(dumped)
_lines = st.builds(
    lambda *changes: dumped({**_good_line(), **dict(changes)}),
    st.tuples(st.just("id"), st.uuids().map(lambda each: each.hex) | st.just("0" * 32) | names),
    st.tuples(st.just("label"), st.integers(-1, 10)),
    st.tuples(
        st.sampled_from(["time", "canvas", "widths", "strokes", "image", "version", "more", "more", "more"]),
        json_values | names,
    ),
)
_class_sets = st.builds(lambda *lines: b"\n".join(lines), _heads, _lines, _lines, _lines | st.binary(max_size=100))
class_set_files = _class_sets | damaged(_class_sets) | st.binary(max_size=200) | settings_files


def _answer_class_set(content: bytes, home: Home) -> Sequence[str]:
    try:
        read = archive.read_file(content)
        into = sets.open_set(home.handwriting, read.title)
        archive.merge(read, into)
    except ClassSetError as error:
        return [str(error)]
    kept = contents.read_contents(into)
    assert len(kept.drawings) == len(read.drawings)
    assert len(archive.read_file(archive.export_set(into, kept.drawings)).drawings) == len(kept.drawings)
    home.clear()
    return read.problems


KINDS = (CaseKind("class sets to import", class_set_files, _answer_class_set),)
