"""Checkpoints: what is written comes back to the last bit, and what is damaged is said to be so."""

from __future__ import annotations

import io
import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.training.checkpoints import (
    BestWeights,
    Checkpoint,
    CheckpointError,
    has_checkpoint,
    read_checkpoint,
    remove_checkpoint,
    write_checkpoint,
)
from mnist_core.training.events import EpochDone, KeptWeights, Progress

FILE = "checkpoint.npz"
EPOCHS = (
    EpochDone(1, 10, True, 1 / 3, 0.1 + 0.2, 2 / 3, 0.7, 1.1),
    EpochDone(2, 20, True, 1e-300, 1.0, None, None, 1e10 / 3),
)
VARIABLES = (
    np.random.default_rng(0).normal(size=(3, 3, 1, 4)).astype(np.float32),
    np.array([np.pi, -0.0, 5e-324]),
    np.array([0, 2**32 - 1], np.uint32),  # the state of a random generator
    np.array(17, np.int64),  # steps that an optimizer counts
    np.empty((0, 5), np.float32),
)
BEST = BestWeights(1, 10, VARIABLES[:2])
CHECKPOINT = Checkpoint(Progress(2, 20, 1000, 2.2), EPOCHS, VARIABLES, BEST)


def assert_same_arrays(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert [(array.dtype, array.shape, array.tobytes()) for array in one] == [
        (array.dtype, array.shape, array.tobytes()) for array in other
    ]


def assert_same(one: Checkpoint, other: Checkpoint) -> None:
    assert (one.progress, one.epochs) == (other.progress, other.epochs)
    assert_same_arrays(one.variables, other.variables)
    assert (one.best is None) == (other.best is None)
    if one.best and other.best:
        assert (one.best.epoch, one.best.step) == (other.best.epoch, other.best.step)
        assert_same_arrays(one.best.weights, other.best.weights)


def is_sentence(text: str) -> bool:
    return len(text) > 20 and text[-1] == "." and "Traceback" not in text


@pytest.mark.parametrize("best", [BEST, None], ids=["best weights", "none"])
def test_a_checkpoint_comes_back_to_the_last_bit(best: BestWeights | None, tmp_path: Path) -> None:
    assert not has_checkpoint(tmp_path)
    write_checkpoint(tmp_path, replace(CHECKPOINT, best=best))
    assert has_checkpoint(tmp_path)
    assert_same(read_checkpoint(tmp_path), replace(CHECKPOINT, best=best))
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_a_loss_that_is_no_number_comes_back(tmp_path: Path) -> None:
    write_checkpoint(
        tmp_path, replace(CHECKPOINT, epochs=(replace(EPOCHS[0], loss=math.nan, validation_loss=math.inf),))
    )
    (epoch,) = read_checkpoint(tmp_path).epochs
    assert math.isnan(epoch.loss)
    assert epoch.validation_loss == math.inf


def test_best_weights_say_what_a_report_says_of_them() -> None:
    assert BEST.kept == KeptWeights(epoch=1, step=10, rule="lowest validation loss")


def test_a_new_checkpoint_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, CHECKPOINT)
    later = Checkpoint(Progress(3, 30, 1500, 3.3), (*EPOCHS, EPOCHS[0]), VARIABLES[:1], None)
    write_checkpoint(tmp_path, later)
    assert_same(read_checkpoint(tmp_path), later)


def test_a_write_that_fails_leaves_the_old_checkpoint_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint(tmp_path, CHECKPOINT)

    def fail(file: io.BufferedWriter, **arrays: object) -> None:
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint(tmp_path, Checkpoint(Progress(), (), (), None))
    assert_same(read_checkpoint(tmp_path), CHECKPOINT)
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_a_checkpoint_can_be_removed_and_removed_again(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, CHECKPOINT)
    remove_checkpoint(tmp_path)
    remove_checkpoint(tmp_path)
    assert not has_checkpoint(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_somebody_reads_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_use(path: Path) -> None:
        raise PermissionError(13, "The process cannot access the file")  # as Windows says

    write_checkpoint(tmp_path, CHECKPOINT)
    monkeypatch.setattr(Path, "unlink", in_use)
    remove_checkpoint(tmp_path)
    assert has_checkpoint(tmp_path)


def test_a_missing_checkpoint_means_that_no_epoch_was_done(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CheckpointError, match="before its first epoch") as caught:
            read_checkpoint(path)
        assert is_sentence(str(caught.value))


def archive(state: object, **arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, state=np.array(json.dumps(state)), **arrays)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


PLAIN = {"progress": {}, "epochs": [], "variables": 0, "best": None}
STRANGE = {
    "empty": b"",
    "garbage": b"garbage " * 100,
    "one array that is no archive": npy(np.zeros(3)),
    "pickle": npy(np.array([{"a": 1}], object)),
    "no state": archive(PLAIN).replace(b"state", b"stare"),
    "state that is no object": archive([1, 2]),
    "state of another version": archive({**PLAIN, "progress": {"weeks": 3}}),
    "epochs of another version": archive({**PLAIN, "epochs": [{"epoch": 1}]}),
    "missing variables": archive({**PLAIN, "variables": 2}, variable_0=np.zeros(3)),
    "missing best weights": archive({**PLAIN, "best": {"epoch": 1, "step": 2, "weights": 1}}),
    "best of another version": archive({**PLAIN, "best": {"weights": 0}}),
    "pickle inside": archive({**PLAIN, "variables": 1}, variable_0=np.array([{"a": 1}], object)),
}


def test_the_plainest_checkpoint_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(archive(PLAIN))
    assert read_checkpoint(tmp_path) == Checkpoint(Progress(), (), (), None)


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE)
def test_a_damaged_or_foreign_checkpoint_gives_a_sentence(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged") as caught:
        read_checkpoint(tmp_path)
    assert is_sentence(str(caught.value))
    assert (tmp_path / FILE).read_bytes() == content


def test_a_checkpoint_that_is_a_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert not has_checkpoint(tmp_path)
    with pytest.raises(CheckpointError):
        read_checkpoint(tmp_path)


@pytest.fixture(scope="module")
def written() -> bytes:
    """The bytes of a good checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        write_checkpoint(Path(folder), CHECKPOINT)
        return (Path(folder) / FILE).read_bytes()


@pytest.mark.fault(id="damaged-checkpoint")
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_torn_or_changed_checkpoint_is_never_taken_for_another(data: st.DataObject, written: bytes) -> None:
    content = bytearray(written)
    del content[data.draw(st.just(len(content)) | st.integers(0, len(content) - 1)) :]
    for place, value in data.draw(
        st.dictionaries(st.integers(0, len(content)), st.integers(0, 255), max_size=3)
    ).items():
        content[place : place + 1] = bytes([value])[: len(content) - place]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE).write_bytes(content)
        try:
            assert_same(read_checkpoint(Path(folder)), CHECKPOINT)
        except CheckpointError as error:
            assert is_sentence(str(error))
