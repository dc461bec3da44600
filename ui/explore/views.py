"""The three views of the Explore page: digits, mistakes, confusion matrix."""

from __future__ import annotations

import streamlit as st

from mnist_core import evaluation, pictures, presets, runs
from mnist_core.dataset import CLASSES, Images, Labels, Split
from mnist_core.evaluation import Indices, Probabilities
from mnist_core.figures import answer_figures
from ui import readers, state
from ui.digit_grid import Tile, digit_grid
from ui.run_picker import pick_run
from ui.state import Params

_PAGE_SIZE = 100
_ALL = "all"
_SPLIT_WORDS: dict[Split, str] = {"test": "10,000 test images", "train": "60,000 training images"}


def digits_view() -> None:
    """Show the images of a split and a class, page by page; a click opens one."""
    data = readers.mnist()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = state.bound_choice(Params.SPLIT, list(_SPLIT_WORDS), "test")
        st.segmented_control(
            "Images",
            list(_SPLIT_WORDS),
            format_func=lambda name: _SPLIT_WORDS[name],
            required=True,
            **chosen.widget,
        )
        digit = _pick_digit("Digit")
    split = chosen.value
    images, labels = data.split(split)
    selected = evaluation.of_class(labels, digit)
    shown = _page(selected, f"{split} images" if digit is None else f"{split} images labelled {digit}")
    tiles = [Tile(int(index), f"{split} image {index}, labelled {labels[index]}") for index in shown]
    opened = digit_grid(images[shown], tiles, key=f"digits-{split}")
    if opened is not None:
        _open_digit(images, labels, opened, split)


def mistakes_view() -> None:
    """Show every test image that a network misread, its most confident mistakes first."""
    data = readers.mnist()
    run, probabilities = _pick_predictions()
    digit = _pick_digit("True digit")
    wrong = evaluation.mistakes(data.y_test, probabilities)
    if not len(wrong):
        st.success("This network made no mistake on the test images.")
        return
    selected = wrong if digit is None else wrong[data.y_test[wrong] == digit]
    shown = _page(selected, "mistakes" if digit is None else f"mistakes on digits labelled {digit}")
    tiles = []
    for index in shown:
        (reading, confidence), *_ = evaluation.ranking(probabilities[index])
        label = f"Test image {index}: labelled {data.y_test[index]}, read as {reading} with {confidence:.0%} confidence"
        tiles.append(Tile(int(index), label, (f"{data.y_test[index]} → {reading}", f"{confidence:.0%}")))
    st.caption("Below each image: true digit → what the network read, and how sure it was. Click one to open it.")
    opened = digit_grid(data.x_test[shown], tiles, key="mistakes")
    if opened is not None:
        _open_digit(data.x_test, data.y_test, opened, "test", run, probabilities[opened])


def confusion_view() -> None:
    """Show which digits a network takes for which."""
    data = readers.mnist()
    _, probabilities = _pick_predictions()
    matrix = evaluation.confusion_matrix(data.y_test, probabilities)
    correct = int(matrix.trace())
    figure, words = st.columns([3, 2], gap="large")
    with figure:
        st.plotly_chart(answer_figures.confusion_figure(matrix), config={"displayModeBar": False})
    with words:
        st.metric("Test accuracy", f"{correct / matrix.sum():.2%}")
        st.metric("Mistakes", f"{matrix.sum() - correct:,} of {matrix.sum():,}")
        st.markdown(
            "A row holds all test images of one digit, a column what the network read. The diagonal is right; "
            "the stronger the colour beside it, the more often the two digits are confused."
        )
        confused = evaluation.most_confused(matrix)
        if confused:
            st.markdown("Most often confused:")
            st.markdown("\n".join(f"- {true} read as {read}: {count} times" for true, read, count in confused))


def _pick_predictions() -> tuple[runs.Run, Probabilities]:
    """Let the visitor choose a network, and return it with its stored predictions; end the page if there is none."""
    run = pick_run("Network", readers.usable_runs())
    if run is None:
        st.stop()
    return run, readers.predictions(run)


def _pick_digit(label: str) -> int | None:
    """Let the visitor choose a class; None means all of them. The choice is in the URL."""
    options = [_ALL, *map(str, CLASSES)]
    chosen = state.bound_choice(Params.DIGIT, options, _ALL)
    st.segmented_control(label, options, format_func=str.capitalize, required=True, **chosen.widget)
    return None if chosen.value == _ALL else int(chosen.value)


def _page(selected: Indices, what: str) -> Indices:
    """Show where one is and the way to other pages; return the indices of this page."""
    pages = max(1, -(-len(selected) // _PAGE_SIZE))
    page = state.read_number(Params.PAGE, 1, pages, default=1)
    start = (page - 1) * _PAGE_SIZE
    end = min(start + _PAGE_SIZE, len(selected))
    with st.container(horizontal=True, vertical_alignment="center"):
        count = f"{len(selected):,} {what}" if pages == 1 else f"{start + 1:,}–{end:,} of {len(selected):,} {what}"
        st.markdown(f"**{count}**", width="content")
        if pages > 1:
            for label, icon, target in (
                ("Previous", ":material/chevron_left:", page - 1),
                ("Next", ":material/chevron_right:", page + 1),
            ):
                st.button(
                    label,
                    icon=icon,
                    disabled=not 1 <= target <= pages,
                    on_click=state.write,
                    kwargs={"page": target},
                    key=f"page-{label}",
                )
    return selected[start:end]


@st.dialog("One digit")
def _open_digit(
    images: Images,
    labels: Labels,
    index: int,
    split: Split,
    run: runs.Run | None = None,
    answer: Probabilities | None = None,
) -> None:
    st.image(pictures.enlarged(images[index], 8), width=224)
    st.markdown(f"{split.capitalize()} image **{index:,}**, labelled **{labels[index]}**")
    if run is None or answer is None:
        return
    (reading, confidence), *others = evaluation.ranking(answer)
    st.markdown(
        f"The network ({presets.label(run.config)}) read **{reading}** with {confidence:.1%} confidence; then "
        + " and ".join(f"{digit} with {share:.1%}" for digit, share in others)
        + "."
    )
    st.plotly_chart(answer_figures.probability_figure(answer), config={"displayModeBar": False})
