"""The views of the Draw page, in their order."""

from __future__ import annotations

from ui.draw import canvas_view, photo_view
from ui.session.views import View

VIEWS = {
    "canvas": View("On the canvas", canvas_view.show),
    "photo": View("From a photo", photo_view.show),
}
