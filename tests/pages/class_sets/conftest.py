"""What tests of our handwriting on the pages need: class sets of their own, and stand-ins for networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnist_core.common.server import class_sets_dir
from mnist_core.processes import inference
from mnist_core.processes.inference_worker import InferenceError

WRONG = 4  # what the stand-in for a network reads instead of a 9


@pytest.fixture
def handwriting(own_folders: Path) -> Path:
    """The folder of class sets of this test's own."""
    return class_sets_dir()


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch, nothing_cached: None) -> list[tuple[str, int]]:
    """Networks that read the label in the first pixel, but each 9 as a 4; which were asked, and about how many."""
    questions: list[tuple[str, int]] = []

    def predict(model: Path, images: np.ndarray) -> np.ndarray:
        questions.append((model.parent.name, len(images)))
        if model.parent.name == "garcia":
            raise InferenceError("The network of garcia cannot be loaded; its file is damaged.")
        labels = images[:, 0, 0].astype(int)
        return np.eye(10, dtype=np.float32)[np.where(labels == 9, WRONG, labels)]

    monkeypatch.setattr(inference, "predict", predict)
    return questions
