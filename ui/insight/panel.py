"""What a network looked at in one digit: what speaks for a reading, and what each layer made of the image."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Images, Probabilities
from mnist_core.common.text import percent
from mnist_core.data.dataset import CLASSES
from mnist_core.networks.insight.results import MOST_MAPS, Insight
from mnist_core.networks.layers import BatchNorm, Dropout
from mnist_core.processes import inference
from mnist_core.processes.inference import InferenceError
from ui.components.picture_sections import picture_sections
from ui.insight.sections import FEW_MAPS, evidence_section, has_more_maps, layer_sections
from ui.session import cached_reads, state
from ui.session.bound import bound_choice
from ui.session.state import Params

_KEPT = 32  # answers; about 0.15 MB each for the networks that ship, some 2 MB for the largest


def show(run: runs.Run, image: Images, key: str, labelled: int | None = None) -> None:
    """Show what a run's network looked at in an image, (28, 28) uint8; `labelled` is its label, if it has one.

    It takes about a tenth of a second of the one inference process: call it only where a visitor looks at it.
    """
    try:
        with st.spinner("Looking inside the network …", show_time=False):
            insight = _insight(run, image)
    except InferenceError as error:
        st.error(str(error), icon=":material/error:")
        return
    digit = _ask(insight.probabilities, labelled)
    picture_sections([evidence_section(insight, image, digit)], key=f"{key}-evidence")
    st.subheader("Layer by layer", anchor=False)
    st.caption(_introduction(run))
    most = FEW_MAPS
    if has_more_maps(insight, FEW_MAPS) and st.toggle(
        f"Show up to {MOST_MAPS} maps per layer instead of {FEW_MAPS}", key=f"{key}-all-maps"
    ):
        most = MOST_MAPS
    sections = layer_sections(insight, most)
    picture_sections(sections, key=f"{key}-layers")


def _ask(probabilities: Probabilities, labelled: int | None) -> int:
    """Let the visitor choose a digit, at first the one that is read, and return it."""
    reading = int(probabilities.argmax())
    asked = bound_choice(Params.ASKED, [str(digit) for digit in CLASSES], str(reading))
    widget = {**asked.widget, "on_change": _write_asked, "args": (str(reading), asked.widget["key"])}
    st.pills("Evidence for …", [str(digit) for digit in CLASSES], required=True, **widget)
    digit = int(asked.value)
    words = [f"The network reads **{reading}** ({percent(float(probabilities[reading]))})."]
    if digit != reading:
        words.append(f"It gives **{digit}** a probability of {percent(float(probabilities[digit]))}.")
    if labelled is not None and labelled != reading:
        words.append(f"The label says **{labelled}**: look at the evidence for both.")
    st.markdown(" ".join(words))
    return digit


def _write_asked(reading: str, key: str) -> None:
    """Put a digit into the URL; the one that is read goes without saying, and follows the next image."""
    digit = st.session_state[key]
    state.choose(**{Params.ASKED.value: None if digit == reading else digit})


def _introduction(run: runs.Run) -> str:
    words = (
        "What each layer passes on to the next. Black is 0, and the brighter, the larger: all pictures of a layer are "
        "on one scale, and in the same order for every digit. Where some values are negative, teal is positive and "
        "amber negative."
    )
    if any(isinstance(layer, Dropout | BatchNorm) for layer in run.config.architecture.layers):
        words += " Dropout does nothing after training, and batch normalization only rescales: they are left out."
    return words


def _insight(run: runs.Run, image: Images) -> Insight:
    return _kept_insight(str(run.model_file), cached_reads.version(run.model_file), image)


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _kept_insight(model_file: str, version: tuple[int, int], image: Images) -> Insight:
    return inference.look_inside(Path(model_file), image)
