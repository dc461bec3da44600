"""Fixtures that several test modules share.

No test touches the user's own runs: each test session has its own runs folder, which child processes inherit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mnist_core import runs
from mnist_core.common.arrays import Ink
from mnist_core.common.server import (
    HANDWRITING_DIR_VARIABLE,
    PUBLIC_VARIABLE,
    RUNS_DIR_VARIABLE,
    SPARE_VARIABLE,
)
from mnist_core.data.dataset import Mnist, load_mnist
from mnist_core.processes import worker
from mnist_core.training.config import TrainingConfig

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

MakeConfig = Callable[..., TrainingConfig]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark browser tests, and run them first: their files take longest, and must not be left for the end."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
    items.sort(key=lambda item: "browser" not in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
def own_runs_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The runs folder that the project uses by default while tests run; class sets have one, too."""
    folder = tmp_path_factory.mktemp("default-runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RUNS_DIR_VARIABLE, str(folder))
        patch.setenv(HANDWRITING_DIR_VARIABLE, str(tmp_path_factory.mktemp("default-handwriting")))
        patch.delenv(PUBLIC_VARIABLE, raising=False)
        patch.setenv(SPARE_VARIABLE, "0")  # or each test with a Train page would start TensorFlow
        yield folder


@pytest.fixture(scope="session")
def mnist() -> Mnist:
    """All of MNIST."""
    return load_mnist()


@pytest.fixture(scope="session")
def test_digits(mnist: Mnist) -> Ink:
    """Every twentieth image of the test set, (500, 28, 28)."""
    return mnist.x_test[::20]


@pytest.fixture(scope="session")
def tiny_config() -> MakeConfig:
    """A function that makes a configuration which trains in about a second; keywords change its settings."""

    def make(**settings: Any) -> TrainingConfig:
        tiny = {"preset": "tiny", "notation": "4C3-P2-10", "train_size": 500, "batch_size": 50, "epochs": 2}
        settings = {**tiny, "learning_rate": 0.01, **settings}
        return TrainingConfig(**settings)

    return make


@pytest.fixture
def queued(tmp_path: Path, tiny_config: MakeConfig) -> Path:
    """A run that was just created."""
    return runs.create_run(tmp_path / "runs", tiny_config())


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory, tiny_config: MakeConfig) -> Path:
    """The directory of one tiny finished run. Copy it before changing anything in it."""
    path = runs.create_run(tmp_path_factory.mktemp("trained") / "runs", tiny_config())
    run = worker.execute(path)
    assert run.status.state == "finished", run.status.message
    return path
