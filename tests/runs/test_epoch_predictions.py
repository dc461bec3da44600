"""The answers after each epoch: stored small, read back, and removed where a run goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.runs import epoch_predictions
from mnist_core.runs.results import read_predictions

IMAGES = 10_000


def answers(seed: int, sharpness: float = 3.0) -> np.ndarray:
    """Answers to 10,000 images as a network gives them: (10000, 10) float32, rows sum to 1."""
    logits = np.random.default_rng(seed).normal(size=(IMAGES, 10)) * sharpness
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def test_answers_come_back_in_half_precision(tmp_path: Path) -> None:
    written = {epoch: answers(epoch) for epoch in (1, 2, 10)}
    for epoch in (10, 1, 2):
        epoch_predictions.write(tmp_path, epoch, written[epoch])
    found = epoch_predictions.read(tmp_path)
    assert found.epochs == (1, 2, 10)
    assert found.probabilities.dtype == np.float16
    assert sum(file.stat().st_size for file in (tmp_path / "epochs").iterdir()) < 3 * 220_000
    for position, epoch in enumerate(found.epochs):
        kept = found.at(position)
        assert kept.dtype == np.float32
        np.testing.assert_allclose(kept, written[epoch], rtol=2**-10, atol=1e-6)
        np.testing.assert_array_equal(found.readings[position], written[epoch].argmax(axis=1))


def test_an_epoch_is_replaced_when_a_run_goes_on(tmp_path: Path) -> None:
    epoch_predictions.write(tmp_path, 1, answers(1))
    epoch_predictions.write(tmp_path, 1, answers(2))
    np.testing.assert_array_equal(epoch_predictions.read(tmp_path).readings[0], answers(2).argmax(axis=1))


@given(st.lists(st.floats(0, 1, width=32), min_size=10, max_size=10))
@settings(deadline=None)
def test_rounding_never_changes_the_reading(shares: list[float]) -> None:
    probabilities = np.array([shares], np.float32)
    half = epoch_predictions.halved(probabilities)
    assert half.argmax() == probabilities.argmax()
    assert np.abs(half.astype(np.float32) - probabilities).max() <= 2**-10


def test_rounding_keeps_the_reading_of_two_nearly_equal_digits() -> None:
    probabilities = np.zeros((1, 10), np.float32)
    probabilities[0, 3], probabilities[0, 8] = 0.49999, 0.50001  # both are 0.5 in half precision
    assert probabilities.astype(np.float16).argmax() == 3
    assert epoch_predictions.halved(probabilities).argmax() == 8


def test_later_epochs_are_removed_where_a_run_goes_on(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        epoch_predictions.write(tmp_path, epoch, answers(epoch))
    epoch_predictions.cut(tmp_path, 2)
    assert epoch_predictions.read(tmp_path).epochs == (1, 2)
    epoch_predictions.cut(tmp_path / "never-trained", 0)


@pytest.mark.fault(id="damaged-epochs")
@pytest.mark.parametrize("damage", ["torn", "garbage", "shape", "dtype", "nan", "name", "folder"])
def test_damaged_epochs_are_left_out(tmp_path: Path, damage: str) -> None:
    for epoch in (1, 2, 3):
        epoch_predictions.write(tmp_path, epoch, answers(epoch))
    file = tmp_path / "epochs" / "0002.npz"
    whole = file.read_bytes()
    if damage == "torn":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "garbage":
        file.write_bytes(b"not a zip file")
    elif damage == "shape":
        np.savez(file, test_probabilities=np.zeros((9_999, 10), np.float16))
    elif damage == "dtype":
        np.savez(file, test_probabilities=np.zeros((IMAGES, 10), np.float32))
    elif damage == "nan":
        np.savez(file, test_probabilities=np.full((IMAGES, 10), np.nan, np.float16))
    elif damage == "name":
        np.savez(file, other=answers(2).astype(np.float16))
    else:
        file.unlink()
        file.mkdir()
    found = epoch_predictions.read(tmp_path)
    assert (found.epochs, found.missing) == ((1, 3), (2,))
    np.testing.assert_array_equal(found.readings[1], answers(3).argmax(axis=1))


def test_training_keeps_the_answers_after_each_epoch(trained_run: Path) -> None:
    found = epoch_predictions.read(trained_run)
    assert found.epochs == (1, 2)
    kept = read_predictions(trained_run)  # of the weights after the last epoch
    np.testing.assert_array_equal(found.readings[-1], kept.argmax(axis=1))
    np.testing.assert_allclose(found.at(1), kept, rtol=2**-10, atol=1e-6)
    assert (found.readings[0] != found.readings[1]).any()


def test_a_run_without_answers_of_epochs_has_none(tmp_path: Path) -> None:
    found = epoch_predictions.read(tmp_path)
    assert len(found) == 0
    assert found.readings.shape == (0, IMAGES)
