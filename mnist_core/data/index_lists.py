"""Lists of indices, as people type them: `5, 17, 100-120`."""

from __future__ import annotations

import re

import numpy as np

from mnist_core.common.arrays import Indices
from mnist_core.common.errors import DigitLabError

MAX_CHARACTERS = 2_000  # some four hundred indices; more are ranges
_TOKEN = re.compile(r"([0-9]+)(?:[-–]([0-9]+))?")
_MAX_DIGITS = 12  # Python refuses to read thousands of them
_SHOWN_CHARACTERS = 24  # of a wrong token in a message


class IndicesError(DigitLabError, ValueError):
    """A list of indices cannot be read. The message, for the visitor, names the wrong part and what would be right.

    It repeats what was typed: a page that shows it as Markdown escapes it first.
    """


def parse_indices(text: str, count: int) -> Indices:
    """Read a list of indices such as `5, 17, 100-120 947` for a set of `count` images.

    Commas, semicolons, blanks or new lines stand between them; a range includes both its ends. The order is kept,
    an index that comes again is left out. Without any index the result is empty.
    Raises `IndicesError` if a part is no index or range, or lies outside 0 … `count` - 1, or if the text is longer
    than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise IndicesError(f"The list has {len(text):,} characters, {MAX_CHARACTERS:,} are allowed. Use ranges: 0-499.")
    fresh = np.ones(count, bool)
    parts = [np.empty(0, np.intp)]
    for token in re.split(r"[,;\s]+", re.sub(r"\s*([-–])\s*", r"\1", text)):
        if token:
            first, last = _range(token, count)
            parts.append(first + np.flatnonzero(fresh[first : last + 1]))
            fresh[first : last + 1] = False
    return np.concatenate(parts)


def _range(token: str, count: int) -> tuple[int, int]:
    shown = token if len(token) <= _SHOWN_CHARACTERS else token[:_SHOWN_CHARACTERS] + "…"
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise IndicesError(f"“{shown}” is no index. Give numbers from 0 to {count - 1:,} and ranges such as 100-120.")
    ends = [end for end in match.groups() if end is not None]
    if any(len(end) > _MAX_DIGITS or int(end) >= count for end in ends):
        raise IndicesError(f"“{shown}” is too large: indices go from 0 to {count - 1:,}.")
    first, last = int(ends[0]), int(ends[-1])
    if first > last:
        raise IndicesError(f"“{shown}” runs backwards: the smaller number of a range comes first, {last}-{first}.")
    return first, last
