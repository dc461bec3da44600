"""A list of images page by page; a click opens one."""

from __future__ import annotations

import streamlit as st

from mnist_core.dataset import Labels, Split
from mnist_core.evaluation import Indices
from mnist_core.label_errors import DISPUTED
from ui import readers, state
from ui.digit_grid import Tile, digit_grid
from ui.explore.selection import Selection
from ui.state import Params

SIZES = ("25", "100", "400")
DEFAULT_SIZE = "100"
_TILE_WIDTHS = {"25": 88, "100": 52, "400": 36}
_LEAST_WIDTH_WITH_CAPTION = 84


def browse(selection: Selection, key: str, default_size: str = DEFAULT_SIZE) -> None:
    """Show the images of a selection in a grid, page by page; a click puts the image's index into the URL.

    `default_size` is the number of images on a page, one of `SIZES`, until the visitor chooses another.
    """
    if not len(selection.indices):
        st.info(f"{selection.heading}: none.", icon=":material/info:")
        return
    images, labels = readers.mnist().split(selection.split)
    size = state.bound_choice(Params.SIZE, SIZES, default_size)
    shown = _page(selection, int(size.value), size, key)
    tiles = [_tile(selection, labels, int(index)) for index in shown]
    width = _TILE_WIDTHS[size.value]
    if selection.caption is not None:
        width = max(width, _LEAST_WIDTH_WITH_CAPTION)
    digit_grid(images[shown], tiles, _open, width=width, key=f"grid-{key}")
    if any(tile.marked for tile in tiles):
        st.caption(":orange[●] People do not agree on what this is: see *Labels*.")


def called(split: Split, labels: Labels, index: int) -> str:
    """Return what an image is called: “Test image 947, labelled 8”."""
    return f"{'Training' if split == 'train' else 'Test'} image {index:,}, labelled {labels[index]}"


def _tile(selection: Selection, labels: Labels, index: int) -> Tile:
    caption = selection.caption(index) if selection.caption else ()
    marked = selection.split == "test" and index in DISPUTED
    lines = [called(selection.split, labels, index), *caption]
    if marked:
        lines.append(DISPUTED[index].sentence)
    return Tile(index, "\n".join(lines), caption, marked)


def _open(index: int) -> None:
    state.choose(**{Params.INDEX.value: index})


def _page(selection: Selection, size: int, choice: state.Bound[str], key: str) -> Indices:
    """Show where one is and the way to other pages; return the indices of this page."""
    count = len(selection.indices)
    pages = -(-count // size)
    page = state.read_number(Params.PAGE, 1, pages, default=1)
    start = (page - 1) * size
    end = min(start + size, count)
    with st.container(horizontal=True, vertical_alignment="center", key=f"pager-{key}"):
        where = f"{count:,}" if pages == 1 else f"{start + 1:,}–{end:,} of {count:,}"
        st.markdown(f"{selection.heading}: **{where}**", width="stretch")
        if pages > 1:
            for label, icon, target, shortcut in (
                ("Previous", ":material/chevron_left:", page - 1, "Left"),
                ("Next", ":material/chevron_right:", page + 1, "Right"),
            ):
                st.button(
                    label,
                    icon=icon,
                    disabled=not 1 <= target <= pages,
                    on_click=state.choose,
                    kwargs={"page": target},
                    shortcut=shortcut,
                    key=f"page-{label}-{key}",
                )
        if count > int(SIZES[0]):
            st.segmented_control(
                "Images on a page", SIZES, required=True, label_visibility="collapsed", **choice.widget
            )
    return selection.indices[start:end]
