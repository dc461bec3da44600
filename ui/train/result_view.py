"""What a run came to: figures on the test images, digit by digit, over several seeds, and what to do next."""

from __future__ import annotations

import streamlit as st

from mnist_core import runs
from mnist_core.common.text import percent
from mnist_core.data.dataset import TEST_IMAGES
from mnist_core.evaluation.statistics import class_accuracies, wilson_interval
from mnist_core.figures import comparison_figures
from mnist_core.runs import comparison
from mnist_core.runs.results import Report
from mnist_core.training import links, presets
from mnist_core.training.early_stopping import best_epoch
from ui.components.live_chart import live_chart
from ui.session import cached_reads, navigation, state
from ui.train import drafts, export, starting
from ui.wording import duration


def show(run: runs.Run, report: Report) -> None:
    """Show the result of a run digit by digit, over several seeds, and how it was measured."""
    left, right = st.columns(2, gap="large")
    with left, cached_reads.show_errors():
        classes = class_accuracies(cached_reads.mnist().y_test, cached_reads.predictions(run))
        figure = comparison_figures.class_accuracy_figure([classes], [presets.label(run.config)])
        live_chart(figure, tools="hover", key=f"classes-{run.id}")
    with right:
        _seeds(run)
        _details(run, report)


def headline(run: runs.Run, report: Report) -> None:
    """Show the figures of a result, and the ways on from there."""
    _figures(run, report)
    _links_from_result(run)


def _figures(run: runs.Run, report: Report) -> None:
    low, high = wilson_interval(report.test_correct, TEST_IMAGES)
    epochs = cached_reads.epochs(run)
    best = best_epoch(epochs)
    with st.container(horizontal=True):
        st.metric(
            "Test accuracy",
            percent(report.test_accuracy, 2),
            help=f"The accuracy on {TEST_IMAGES:,} images that it never trained on. With other images of the same kind "
            "it would probably lie within the interval below (the 95% Wilson interval).",
            width="content",
            delta=f"{percent(low, 2)} to {percent(high, 2)}",
            delta_color="off",
            delta_arrow="off",
        )
        st.metric("Test loss", f"{report.test_loss:.4f}", width="content")
        st.metric("Mistakes", f"{TEST_IMAGES - report.test_correct:,}", width="content")
        if best is not None:
            st.metric(
                "Best epoch",
                f"{best.epoch} of {len(epochs)}",
                help=f"The epoch with the lowest validation loss, {best.validation_loss:.4f}. The weights that were "
                f"saved and tested are those of epoch {report.kept_epoch}.",
                width="content",
            )
        st.metric(
            "Training time",
            duration(report.training_seconds),
            help="Without validating and saving.",
            width="content",
            delta=f"{report.images_per_second:,.0f} images/s",
            delta_color="off",
            delta_arrow="off",
        )


def _links_from_result(run: runs.Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            navigation.EXPLORE,
            label="See its mistakes",
            icon=":material/search:",
            query_params={"run": run.id, "view": "mistakes"},
        )
        st.page_link(navigation.DRAW, label="Draw a digit for it", icon=":material/draw:", query_params={"run": run.id})
        next_steps(run)


def next_steps(run: runs.Run) -> None:
    """Offer what can be done with any run that has ended: take away what it made, or run its settings again."""
    with st.popover("Export", icon=":material/download:"):
        st.caption("A link to this run, for others to see:")
        export.link({"view": "watch", "run": run.id})
        st.caption("A link to its settings, for others to change:")
        export.link({"view": "setup", **links.to_query(run.config)})
        export.files(run)
    with st.popover("Run again", icon=":material/replay:"):
        st.button("Same seed", key="again-same", on_click=_start, args=(run, 0), help="Gives the same network again.")
        st.button("Next seed", key="again-next", on_click=_start, args=(run, 1), help="How much of it was luck?")
        seeds = st.number_input("More seeds", 2, 10, 4, key="again-seeds")
        st.button(f"Train with {seeds} more seeds", key="again-many", on_click=_start_many, args=(run, seeds))
        st.button("Change its settings", key="again-change", on_click=_change, args=(run,), icon=":material/tune:")


def _start(run: runs.Run, step: int) -> None:
    starting.start_and_watch(starting.next_seed(run.config) if step else run.config)


def _start_many(run: runs.Run, seeds: int) -> None:
    starting.start_and_watch(starting.next_seed(run.config), seeds)


def _change(run: runs.Run) -> None:
    drafts.load(run.config)
    state.go(view="setup")


def _seeds(run: runs.Run) -> None:
    """If the same settings were trained with several seeds, show mean and spread."""
    finished = [other for other in cached_reads.usable_runs() if other.status.state == "finished"]
    groups = comparison.group_by_settings(finished)
    alike = comparison.one_per_seed(groups.get(comparison.same_but_seed(run.config), []))
    if len(alike) < 2:
        return
    accuracies = [other.report.test_accuracy for other in alike if other.report]
    summary = comparison.seed_summary(accuracies)
    st.markdown(
        f"**With {summary.count} seeds**: {percent(summary.mean, 2)} on average, "
        f"± {percent(summary.standard_deviation or 0, 2)} (standard deviation), "
        f"from {percent(summary.lowest, 2)} to {percent(summary.highest, 2)}."
    )
    histories = [cached_reads.epochs(other) for other in alike]
    measured = any(event.validation_accuracy is not None for history in histories for event in history)
    value: comparison.EpochValue = "validation_accuracy" if measured else "accuracy"
    figure = comparison_figures.band_figure([histories], value, [presets.label(run.config)])
    live_chart(figure, tools="hover", key=f"seeds-{run.id}")


def _details(run: runs.Run, report: Report) -> None:
    with st.expander("Versions, machine and settings"):
        versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
        machine = report.machine
        memory = f", at most {report.peak_memory_mb:,.0f} MB used" if report.peak_memory_mb else ""
        st.markdown(
            f"- {versions}\n- {machine.get('cores')} cores, {machine.get('memory_gb')} GB of memory, "
            f"{machine.get('system')}{memory}\n- ended {report.finished}: {report.end_reason}, after {report.steps:,} "
            f"batches"
        )
        st.json(run.config.to_json(), expanded=False)
