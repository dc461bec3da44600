"""A list of images page by page; a click opens one."""

from __future__ import annotations

from functools import partial

import streamlit as st

from mnist_core.common.arrays import Indices, Labels
from mnist_core.data.dataset import Split
from mnist_core.evaluation.disputed_labels import DISPUTED
from ui.components.digit_grid import Tile, digit_grid
from ui.explore import pickers
from ui.explore.selection import SIZES, Selection
from ui.explore.stepping import show_steps
from ui.session import cached_reads, state
from ui.session.bound import Bound
from ui.session.state import Params

_TILE_WIDTHS = {25: 88, 100: 52, 400: 36}
_LEAST_WIDTH_WITH_CAPTION = 84


def browse(selection: Selection, key: str) -> None:
    """Show the images of a selection in a grid, page by page; a click puts the image's index into the URL."""
    if not len(selection.indices):
        st.info(f"{selection.heading}: none.", icon=":material/info:")
        return
    images, labels = cached_reads.mnist().split(selection.split)
    size = selection.size
    shown = _page(selection, size, key)
    tiles = [_tile(selection, labels, int(index)) for index in shown]
    width = _TILE_WIDTHS[int(size.value)]
    if selection.caption is not None:
        width = max(width, _LEAST_WIDTH_WITH_CAPTION)
    digit_grid(images[shown], tiles, pickers.open_image, width=width, key=f"grid-{key}")
    if any(tile.marked for tile in tiles):
        st.markdown(":small[:orange[●] Disputed label: fewer than three of five people agreed with it. See *Labels*.]")


def called(split: Split, labels: Labels, index: int) -> str:
    """Return what an image is called: “Test image 947, labelled 8”."""
    return f"{'Training' if split == 'train' else 'Test'} image {index:,}, labelled {labels[index]}"


def _tile(selection: Selection, labels: Labels, index: int) -> Tile:
    caption = selection.caption(index) if selection.caption else ()
    marked = selection.split == "test" and index in DISPUTED
    name = called(selection.split, labels, index)
    return Tile(index, f"{name}\n{DISPUTED[index].sentence}" if marked else name, caption, marked)


def _page(selection: Selection, size: Bound[str], key: str) -> Indices:
    """Show where one is and the way to other pages; return the indices of this page."""
    count, on_page = len(selection.indices), int(size.value)
    pages = -(-count // on_page)
    page = state.read_number(Params.PAGE, 1, pages, default=1)
    start = (page - 1) * on_page
    end = min(start + on_page, count)
    with st.container(horizontal=True, vertical_alignment="center", key=f"pager-{key}"):
        where = f"{count:,}" if pages == 1 else f"{start + 1:,}–{end:,} of {count:,}"
        st.markdown(f"{selection.heading}: **{where}**", width="stretch")
        if pages > 1:
            show_steps(
                partial(_turn, -1, pages) if page > 1 else None,
                partial(_turn, 1, pages) if page < pages else None,
                key=f"page-{key}",
            )
        if count > SIZES[0]:
            st.segmented_control(
                "Images on a page",
                [str(each) for each in SIZES],
                required=True,
                label_visibility="collapsed",
                **size.widget,
            )
    return selection.indices[start:end]


def _turn(step: int, pages: int) -> None:
    """Go on from the page that the visitor sees or has already asked for."""
    state.put_back()
    page = state.read_number(Params.PAGE, 1, pages, default=1) + step
    state.choose(**{Params.PAGE.value: min(max(page, 1), pages)})
