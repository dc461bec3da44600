"""What every test of a page needs: folders of its own, and no inference process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner import script_runner

from mnist_core import runs
from mnist_core.common.server import HANDWRITING_DIR_VARIABLE, RUNS_DIR_VARIABLE
from mnist_core.processes import inference


@pytest.fixture(scope="session", autouse=True)
def packages_are_scanned_once() -> Iterator[None]:
    """Streamlit's test runner looks for components in all installed packages each time it starts: half a second."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda *args, **kwargs: found)
        yield


@pytest.fixture(scope="session", autouse=True)
def keras_is_none_of_its_business() -> Iterator[None]:
    """Streamlit resets Keras after each script where it is loaded: here by other tests, in the server never."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(script_runner, "_clean_problem_modules", lambda: None)
        yield


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty folders of runs and class sets, and no inference process.

    What is cached is known by its path, so it may stay.
    """
    monkeypatch.setenv(RUNS_DIR_VARIABLE, str(tmp_path / "runs"))
    monkeypatch.setenv(HANDWRITING_DIR_VARIABLE, str(tmp_path / "handwriting"))
    monkeypatch.setattr(inference, "warm_up", lambda files: None)
    return tmp_path / "runs"


@pytest.fixture
def nothing_cached() -> Iterator[None]:
    """No cached files of other tests, and none left behind."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def nothing_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing_cached: None) -> None:
    """A project without trained runs."""
    for module in (runs, runs.listing, runs.run):
        monkeypatch.setattr(module, "BUNDLED_RUNS", tmp_path / "none")
