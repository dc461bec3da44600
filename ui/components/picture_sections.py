"""Many small pictures with words about them, in sections: one image a sheet, whatever the theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from mnist_core.common import pictures
from ui.components import source

_component = st.components.v2.component(
    "digit_lab_picture_sections",
    html='<div class="picture-sections"></div>',
    css=source("picture_sections.css"),
    js=source("picture_sections.js"),
)


@dataclass(frozen=True)
class Sheet:
    """Pictures of one size in rows of `columns`, all in one PNG, a `data:` URI; `ratio` is width by height of one."""

    sprite: str
    columns: int
    rows: int
    ratio: float


@dataclass(frozen=True)
class Tile:
    """One picture of each sheet of a section, one below the other: what they are called, and words below them.

    A `frame` is a square on it: left, top and side as shares of the width.
    """

    label: str
    title: str = ""
    lines: tuple[str, ...] = ()
    frame: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Section:
    """Tiles under a heading and a line that explains them, each at most `width` pixels wide.

    `per_row` is how many stand side by side in little room and in much.
    """

    sheets: tuple[Sheet, ...]
    tiles: tuple[Tile, ...]
    width: int
    per_row: tuple[int, int]
    title: str = ""
    aside: str = ""  # behind the title, in small
    note: str = ""
    large: bool = False


def sheet(png: bytes, count: int, columns: int, ratio: float = 1.0) -> Sheet:
    """Return a sheet of `count` pictures."""
    return Sheet(pictures.data_uri(png), columns, -(-count // columns), ratio)


def picture_sections(sections: Sequence[Section], *, key: str) -> None:
    """Show sections, one below the other."""
    _component(key=key, data={"sections": [asdict(section) for section in sections]})
