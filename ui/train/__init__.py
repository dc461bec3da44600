"""The views of the Train page, in their order."""

from __future__ import annotations

from ui.glossary import view as glossary
from ui.session.views import View
from ui.train import compare_view, published_view, run_view, setup_view

VIEWS = {
    "setup": View("Set up", setup_view.show),
    "watch": View("Monitor", run_view.show),
    "compare": View("Compare", compare_view.show),
    "published": View("Published networks", published_view.show),
    "words": View("Glossary", glossary.show),
}
