"""What tests of our handwriting on the pages need: class sets of their own, and stand-ins for networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnist_core import inference
from mnist_core.handwriting import class_sets
from ui import explore
from ui.explore import handwriting_view

WRONG = 4  # what the stand-in for a network reads instead of a 9


@pytest.fixture(autouse=True)
def handwriting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of class sets of this test's own, and the view on the Explore page."""
    monkeypatch.setenv(class_sets.HANDWRITING_DIR_VARIABLE, str(tmp_path / "handwriting"))
    monkeypatch.setitem(explore.VIEWS, "handwriting", explore.View("Our handwriting", handwriting_view.show))
    return tmp_path / "handwriting"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, nothing_cached: None) -> list[tuple[str, int]]:
    """Networks that read the label in the first pixel, but each 9 as a 4; which were asked, and about how many."""
    questions: list[tuple[str, int]] = []

    def predict(model: Path, images: np.ndarray) -> np.ndarray:
        questions.append((model.parent.name, len(images)))
        if model.parent.name == "garcia":
            raise inference.InferenceError("The network of garcia cannot be loaded; its file is damaged.")
        labels = images[:, 0, 0].astype(int)
        return np.eye(10, dtype=np.float32)[np.where(labels == 9, WRONG, labels)]

    monkeypatch.setattr(inference, "predict", predict)
    return questions
