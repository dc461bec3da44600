"""Fixtures of class sets: a folder for them, a set, and a public server with little room."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnist_core.common.server import PUBLIC_VARIABLE
from mnist_core.drawing.class_sets import sets
from mnist_core.drawing.class_sets.sets import ClassSet
from tests.support.drawings_to_keep import NARROW


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "handwriting"


@pytest.fixture
def class_4b(folder: Path) -> ClassSet:
    return sets.open_set(folder, "Class 4b")


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sets, "PUBLIC", NARROW)
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
