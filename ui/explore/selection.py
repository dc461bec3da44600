"""Which images a view of the Explore page is about, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mnist_core import runs
from mnist_core.common.arrays import Indices
from mnist_core.data.dataset import Split
from ui.session.bound import Bound, bound_choice
from ui.session.state import Params

SIZES = (25, 100, 400)


@dataclass(frozen=True)
class Selection:
    """A list of images of one split, as the URL asks for it."""

    split: Split
    indices: Indices  # all of them, in the order in which they are shown
    what: str  # in words, in the plural: “mistakes labelled 4”
    run: runs.Run | None = None  # whose answers are looked at, if one run's
    caption: Callable[[int], tuple[str, ...]] | None = None  # short lines below an image, asked only for those shown
    back: str = "the list"  # what one goes back to from one of them
    page_size: int = 100  # images on a page, one of `SIZES`, until the visitor chooses another

    @property
    def size(self) -> Bound[str]:
        """The number of images on a page as the URL has it, bound to its widget."""
        return bound_choice(Params.SIZE, [str(size) for size in SIZES], str(self.page_size))

    @property
    def heading(self) -> str:
        """What they are, to stand before a count: “Mistakes labelled 4”."""
        return self.what[:1].upper() + self.what[1:]

    def position(self, index: int) -> int | None:
        """Return where an image stands in the list, counted from 0; None if it is not in it."""
        found = (self.indices == index).nonzero()[0]
        return int(found[0]) if len(found) else None
