"""The set at a glance: the test images as a map, how many of each digit there are, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from mnist_core.common import pictures
from mnist_core.common.text import percent
from mnist_core.data import statistics
from mnist_core.data.dataset import CLASSES, Split
from mnist_core.data.statistics import ClassImages, Duplicates, PixelHistogram, Summary
from mnist_core.figures import data_figures
from mnist_core.runs import Run
from ui.components.live_chart import live_chart
from ui.explore import pickers
from ui.explore.map_chart import KINDS, map_chart
from ui.explore.selection import Selection
from ui.pickers.runs import pick_run
from ui.session import cached_reads
from ui.session.bound import Bound, bound_choice
from ui.session.state import Params
from ui.wording import count

_COLORS = {"digit": "Digit", "answer": "Right or wrong"}
_SPLITS: dict[Split, str] = {"train": "60,000 training images", "test": "10,000 test images"}
_NEARLY_FULL = 240  # the grey level from which on a pixel counts as nearly full ink

# Ten columns, five on a phone.
_CLASS_STYLE = """<style>
.class-pictures { display: grid; grid-template-columns: repeat(10, 1fr); gap: 6px; }
.class-pictures figure { margin: 0; text-align: center; font-weight: 600; }
.class-pictures img { display: block; width: 100%; image-rendering: pixelated; background: #000; border-radius: 6px; }
.class-pictures img + img { margin-top: 6px; }
@media (max-width: 640px) { .class-pictures { grid-template-columns: repeat(5, 1fr); } }
</style>"""


@dataclass(frozen=True)
class _Statistics:
    classes: ClassImages
    grey_levels: PixelHistogram
    ink: Summary


def show() -> None:
    """Show the map of the test set beside the balance of classes, then mean images, ink and grey levels of a split."""
    run = _show_map_controls()
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_map(run)
    with right:
        _show_balance()
    st.header("What the images are like", anchor=False)
    split = bound_choice(Params.SPLIT, list(_SPLITS), "train")
    st.segmented_control(
        "Images",
        list(_SPLITS),
        format_func=_SPLITS.__getitem__,
        required=True,
        label_visibility="collapsed",
        **split.widget,
    )
    measured = _statistics(split.value)
    st.html(_class_pictures(measured.classes))
    st.caption(
        "Above, the mean of all images of a digit; below, their standard deviation: bright where they differ most."
    )
    left, right = st.columns(2, gap="large")
    with left:
        _show_ink(measured.ink)
    with right:
        _show_grey_levels(measured.grey_levels)


def selection() -> Selection:
    """Return all test images: each of them is on the map."""
    usable = cached_reads.usable_runs()
    everything = np.arange(len(cached_reads.mnist().y_test))
    return Selection("test", everything, "test images", pickers.network_in_url() if usable else None, back="the map")


def _show_map_controls() -> Run | None:
    """Show what can be chosen about the map; return the network whose answers colour it, if one does."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label, options, chosen in (("Map", KINDS, _map_kind()), ("Colour", _COLORS, _map_color())):
            st.segmented_control(label, list(options), format_func=options.__getitem__, required=True, **chosen.widget)
        return pick_run("Network", cached_reads.usable_runs()) if _map_color().value == "answer" else None


def _map_kind() -> Bound[str]:
    return bound_choice(Params.MAP, list(KINDS), "neighbours")


def _map_color() -> Bound[str]:
    return bound_choice(Params.COLOR, list(_COLORS), "digit")


def _show_map(run: Run | None) -> None:
    predicted = None
    with cached_reads.show_errors():
        if run is not None:
            predicted = cached_reads.predictions(run).argmax(axis=1)
    map_chart(_map_kind().value, predicted, pickers.open_image, key="map")


def _show_balance() -> None:
    data = cached_reads.mnist()
    train, test = (statistics.class_balance(labels) for labels in (data.y_train, data.y_test))
    most, least = int(train.counts.argmax()), int(train.counts.argmin())
    st.markdown(
        f"**{len(data.y_train) + len(data.y_test):,} digits**: {len(data.y_train):,} for training, "
        f"{len(data.y_test):,} for testing. {_about_duplicates(_duplicates())}"
    )
    live_chart(data_figures.balance_figure(train, test), tools="hover", key="balance")
    st.caption(
        f"The proportion of each digit in each set. Of the training digits, {most} is the most frequent "
        f"({train.counts[most]:,} images) and {least} the rarest ({train.counts[least]:,})."
    )


def _about_duplicates(found: Duplicates) -> str:
    if not len(found):
        return "No image occurs twice, neither within a set nor in both: no two are the same in every pixel."
    return (
        "Some images are the same in every pixel: "
        f"{count(len(found.between), 'pair')} of a training and a test image, "
        f"{count(len(found.within_train), 'pair')} within the training set, "
        f"{count(len(found.within_test), 'pair')} within the test set."
    )


def _class_pictures(classes: ClassImages) -> str:
    """Return, as HTML, the mean image of each digit and, below it, the standard deviation of its pixels."""
    strongest = np.nanmax(classes.deviation)
    figures = [
        f"<figure><figcaption>{digit}</figcaption>"
        + _picture(classes.mean[digit], f"Mean of the images labelled {digit}")
        + _picture(classes.deviation[digit] * (255 / strongest), f"Standard deviation of the images labelled {digit}")
        + "</figure>"
        for digit in CLASSES
    ]
    return f"{_CLASS_STYLE}<div class='class-pictures'>{''.join(figures)}</div>"


def _picture(levels: NDArray[np.float64], words: str) -> str:
    pixels = np.nan_to_num(levels).round().astype(np.uint8)
    return f"<img src='{pictures.data_uri(pictures.png(pixels))}' alt='{words}' title='{words}'>"


def _show_ink(ink: Summary) -> None:
    most, least = int(np.nanargmax(ink.median)), int(np.nanargmin(ink.median))
    st.markdown("**How much ink**")
    live_chart(data_figures.ink_figure(ink), tools="hover", key="ink")
    st.caption(
        "The mean of the pixels, in percent of full ink. Half of the images lie within the box, all of them within the "
        "whiskers. "
        f"The median is highest for {most} ({ink.median[most]:.1f}%) and lowest for {least} ({ink.median[least]:.1f}%)."
    )


def _show_grey_levels(grey_levels: PixelHistogram) -> None:
    st.markdown("**How grey the pixels are**")
    live_chart(data_figures.grey_level_figure(grey_levels), tools="hover", key="grey-levels")
    st.caption(
        f"{percent(grey_levels.share(0, 0), 1)} of the pixels are blank paper, "
        f"{percent(grey_levels.share(_NEARLY_FULL, 255), 1)} nearly full ink ({_NEARLY_FULL} and more); "
        "what lies between is mostly the soft edges of strokes. The axis is logarithmic."
    )


@st.cache_resource(show_spinner=False)
def _duplicates() -> Duplicates:
    data = cached_reads.mnist()
    return statistics.duplicates(data.x_train, data.x_test)


@st.cache_resource(show_spinner=False)
def _statistics(split: Split) -> _Statistics:
    images, labels = cached_reads.mnist().split(split)
    return _Statistics(
        statistics.class_images(images, labels),
        statistics.pixel_histogram(images),
        statistics.summary_by_class(statistics.ink(images), labels),
    )
