"""Many digits at once: one picture for all of them, a button for each.

`st.image` cannot be clicked, and a Streamlit button for each digit would be hundreds of elements on a page.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from mnist_core.common import pictures
from mnist_core.common.arrays import Images
from ui.components import source

_component = st.components.v2.component(
    "digit_lab_digit_grid",
    html='<div class="digit-grid"></div>',
    css=source("digit_grid.css"),
    js=source("tab_stop.js", "digit_grid.js"),
)


@dataclass(frozen=True)
class Tile:
    """One digit of a grid: its index in the data set, what it is called, short lines below it, and a mark on it.

    Who hears it hears what it is called and the lines below it, so these need not be said twice.
    """

    index: int
    label: str
    caption: tuple[str, ...] = ()
    marked: bool = False


def digit_grid(images: Images, tiles: Sequence[Tile], on_open: Callable[[int], Any], *, width: int, key: str) -> None:
    """Show images (n, 28, 28), each at least `width` pixels wide, in as many columns as fit.

    A click on one calls `on_open` with its index, before the page runs again.
    """
    sheet = pictures.montage(images)

    def tell() -> None:
        opened = st.session_state[key].get("opened")  # from the browser, so it could be anything
        if isinstance(opened, int) and opened in {tile.index for tile in tiles}:
            on_open(opened)

    _component(
        key=key,
        data={
            "sprite": pictures.data_uri(pictures.png(sheet)),
            "columns": pictures.MONTAGE_COLUMNS,
            "rows": sheet.shape[0] // images.shape[1],
            "width": width,
            "tiles": [
                {"index": tile.index, "label": tile.label, "caption": tile.caption, "marked": tile.marked}
                for tile in tiles
            ],
        },
        on_opened_change=tell,
    )
