"""The views of the Draw page, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ui import readers
from ui.draw import canvas_view, photo_view


@dataclass(frozen=True)
class View:
    """A view: what it is called, and what shows it."""

    label: str
    show: Callable[[], None]


VIEWS = {
    "canvas": View("On the canvas", canvas_view.show),
    "photo": View("From a photo", photo_view.show),
}


def show(view: View) -> None:
    """Show a view; say what is wrong if a run cannot be read."""
    with readers.telling():
        view.show()
