"""What training needs to go on after its process has died: `checkpoint.npz` in the run directory. No TensorFlow."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_core.common.atomic_files import replacing
from mnist_core.common.errors import DigitLabError
from mnist_core.training.events import EpochDone, KeptWeights, Progress

FILE_NAME = "checkpoint.npz"
Arrays = tuple[NDArray[Any], ...]


class CheckpointError(DigitLabError):
    """A checkpoint that is missing or cannot be read; the message is fit for a page."""


@dataclass(frozen=True)
class BestWeights:
    """The weights with the lowest validation loss so far, in Keras's order, and when that was."""

    epoch: int
    step: int
    weights: Arrays

    @property
    def kept(self) -> KeptWeights:
        """What a report says of a model that holds these weights."""
        return KeptWeights(self.epoch, self.step, "lowest validation loss")


@dataclass(frozen=True)
class Checkpoint:
    """The state of training after a whole epoch. `variables` are all those of the model, then of the optimizer."""

    progress: Progress
    epochs: tuple[EpochDone, ...]
    variables: Arrays
    best: BestWeights | None


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint of a run directory, written beside and renamed."""
    best = checkpoint.best
    state = {
        "progress": asdict(checkpoint.progress),
        "epochs": [asdict(epoch) for epoch in checkpoint.epochs],
        "variables": len(checkpoint.variables),
        "best": None if best is None else {"epoch": best.epoch, "step": best.step, "weights": len(best.weights)},
    }
    arrays = {f"variable_{number}": array for number, array in enumerate(checkpoint.variables)}
    arrays |= {f"best_{number}": array for number, array in enumerate(best.weights if best else ())}
    with replacing(path / FILE_NAME) as beside, beside.open("wb") as file:
        np.savez(file, state=np.array(json.dumps(state)), **arrays)  # type: ignore[arg-type]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the checkpoint of a run directory. Raises `CheckpointError`."""
    try:
        with np.load(path / FILE_NAME, allow_pickle=False) as archive:
            state = json.loads(str(archive["state"]))
            best = state["best"]
            return Checkpoint(
                Progress(**state["progress"]),
                tuple(EpochDone(**epoch) for epoch in state["epochs"]),
                tuple(archive[f"variable_{number}"] for number in range(state["variables"])),
                None
                if best is None
                else BestWeights(
                    best["epoch"],
                    best["step"],
                    tuple(archive[f"best_{number}"] for number in range(best["weights"])),
                ),
            )
    except FileNotFoundError:
        raise CheckpointError("The run ended before its first epoch was done: nothing to continue from.") from None
    except Exception as error:  # a damaged zip file raises many kinds
        raise CheckpointError("The run’s checkpoint is damaged, so it cannot continue. Run it again.") from error


def has_checkpoint(path: Path) -> bool:
    """Whether a run directory has a checkpoint to go on from."""
    return (path / FILE_NAME).is_file()


def remove_checkpoint(path: Path) -> None:
    """Delete the checkpoint of a run that needs none any more. One that cannot be deleted stays: it does no harm."""
    with suppress(OSError):  # on Windows, somebody may be reading it
        (path / FILE_NAME).unlink()
