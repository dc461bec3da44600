"""Published networks: what their authors claimed, what came out here, and what one number can do."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from mnist_core.common.text import percent
from mnist_core.data.dataset import TEST_IMAGES
from mnist_core.evaluation.statistics import wilson_interval
from mnist_core.figures import comparison_figures
from mnist_core.training.presets import PRESETS
from ui.components.live_chart import live_chart
from ui.session import cached_reads, state
from ui.train import drafts

_RATES = {"garcia": "rate 0.001", "garcia-rate-1": "rate 1"}


def show() -> None:
    """Show the table of the five, and two runs that differ in their learning rate alone."""
    st.markdown(
        "Five published networks for MNIST, each trained here with the settings that its author gives. The results "
        "are those of the runs that ship with Digit Lab."
    )
    shipped = {run.id: run for run in cached_reads.bundled_runs()}
    rows = []
    for preset in PRESETS.values():
        if not preset.is_published:
            continue
        run = shipped.get(preset.name)
        measured = "not trained here"
        if run is not None and run.report is not None:
            low, high = wilson_interval(run.report.test_correct, TEST_IMAGES)
            accuracy, least, most = (percent(share, 2) for share in (run.report.test_accuracy, low, high))
            measured = f"{accuracy} ({least} to {most}), loss {run.report.test_loss:.3f}"
        rows.append(
            {
                "Preset": preset.name,
                "Network": f"`{preset.config.notation}`",
                "Parameters": f"{preset.config.architecture.parameters:,}",
                "Claimed by its author": preset.claim,
                "Measured here": measured,
                "What differs, and why": preset.differs,
            }
        )
    st.table(pd.DataFrame(rows).set_index("Preset"))
    st.caption("The accuracy on the 10,000 test images, and in brackets its 95% Wilson interval.")
    for preset in PRESETS.values():
        if preset.is_published:
            st.caption(f"**{preset.name}**: {preset.source}.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Start from", width="content")
        for preset in PRESETS.values():
            if preset.is_published:
                st.button(preset.name, key=f"start-{preset.name}", on_click=_start_from, args=(preset.name,))
    _one_number()


def _one_number() -> None:
    st.header("What one number can do", anchor=False)
    st.markdown(
        "The network of `garcia` uses Adadelta at Keras’s default learning rate of 0.001. Adadelta was made for a rate "
        "of 1, and the Keras example of 2016 that this network comes from used that in effect. Here are both: the same "
        "network, the same images in the same order, and only one number changed."
    )
    runs_by_id = {run.id: run for run in cached_reads.bundled_runs()}
    both = [runs_by_id[name] for name in _RATES if name in runs_by_id]
    histories = [cached_reads.epochs(run) for run in both]
    if len(both) == len(_RATES):
        left, right = st.columns(2)
        names = list(_RATES.values())
        with left:
            figure = comparison_figures.overlay_figure(histories, "accuracy", names)
            live_chart(figure, tools="hover", key="rate-accuracy")
        with right:
            figure = comparison_figures.overlay_figure(histories, "loss", names)
            live_chart(figure, tools="hover", key="rate-loss")
        first, second = (run.report.test_accuracy if run.report else 0.0 for run in both)
        st.markdown(f"After nine epochs: **{percent(first, 2)}** at rate 0.001, **{percent(second, 2)}** at rate 1.")
    st.button("Try other rates yourself", icon=":material/tune:", on_click=_start_from, args=("garcia",), key="try")


def _start_from(preset: str) -> None:
    drafts.load_preset(preset)
    state.go(view="setup")
