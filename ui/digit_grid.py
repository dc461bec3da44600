"""Many digits at once: one picture for all of them, a button for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from mnist_core import pictures
from mnist_core.dataset import Images
from ui.components import source

_component = st.components.v2.component(
    "digit_lab_digit_grid",
    html='<div class="digit-grid"></div>',
    css=source("digit_grid.css"),
    js=source("digit_grid.js"),
)


@dataclass(frozen=True)
class Tile:
    """One digit of a grid: its index in the data set, what it is called, and short lines below it."""

    index: int
    label: str
    caption: tuple[str, ...] = ()


def digit_grid(images: Images, tiles: Sequence[Tile], *, key: str) -> int | None:
    """Show images (n, 28, 28) in as many columns as fit; return the index of the digit that was just clicked."""
    sheet = pictures.montage(images)
    result = _component(
        key=key,
        data={
            "sprite": pictures.data_uri(pictures.png(sheet)),
            "columns": pictures.MONTAGE_COLUMNS,
            "rows": sheet.shape[0] // images.shape[1],
            "captions": any(tile.caption for tile in tiles),
            "tiles": [{"index": tile.index, "label": tile.label, "caption": list(tile.caption)} for tile in tiles],
        },
        on_opened_change=lambda: None,
    )
    opened = result.get("opened")
    return opened if isinstance(opened, int) and opened in {tile.index for tile in tiles} else None
