"""The views of the Explore page, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ui.explore import (
    class_sets_view,
    confusion_view,
    epochs_view,
    gallery_view,
    glance_view,
    labels_view,
    mistakes_view,
    one_digit,
    scores_view,
    two_networks_view,
)
from ui.explore.selection import Selection
from ui.session import cached_reads, views
from ui.session.state import Params


@dataclass(frozen=True)
class View(views.View):
    """A view, and, if it has a list of images, which ones the URL asks for."""

    selection: Callable[[], Selection] | None = None


VIEWS = {
    "digits": View("All digits", gallery_view.show, gallery_view.selection),
    "glance": View("At a glance", glance_view.show, glance_view.selection),
    "mistakes": View("Mistakes", mistakes_view.show, mistakes_view.selection),
    "confusion": View("Confusion matrix", confusion_view.show, confusion_view.selection),
    "scores": View("Scores", scores_view.show),
    "epochs": View("Epochs", epochs_view.show, epochs_view.selection),
    "two": View("Two networks", two_networks_view.show, two_networks_view.selection),
    "labels": View("Labels", labels_view.show, labels_view.selection),
    "handwriting": View("Our handwriting", class_sets_view.show),
}


def show(view: View) -> None:
    """Show a view, or the one image of its list that the URL names; say what is wrong if a run cannot be read."""
    if view.selection is None or Params.INDEX not in st.query_params:
        with cached_reads.show_errors():
            view.show()
        return
    chosen = Selection("test", np.arange(len(cached_reads.mnist().y_test)), "test images")
    with cached_reads.show_errors():
        chosen = view.selection()
    one_digit.show(chosen)
