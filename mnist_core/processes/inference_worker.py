"""What the inference process does: it keeps networks in memory, and answers what `inference` asks it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import psutil
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Ink, Probabilities
from mnist_core.common.errors import DigitLabError
from mnist_core.data.dataset import load_mnist
from mnist_core.drawing.nearest_example import Examples, learn_examples
from mnist_core.drawing.verdict import Verdict, is_like, judge, variants
from mnist_core.networks.insight.results import Insight
from mnist_core.networks.lean_keras import block_pandas

if TYPE_CHECKING:
    import keras

_CACHED_PARAMETERS = 30_000_000  # of all networks in memory, 120 MB; those that ship have 3.8 million together
_WATCH_SECONDS = 2


class InferenceError(DigitLabError):
    """A network that cannot be loaded or run; the message is fit for a page."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network reads in a drawing: ten probabilities, (10,), and whether they can honestly be believed."""

    probabilities: Probabilities
    verdict: Verdict


def run_name(model_file: Path) -> str:
    """Return the id of the run that a network is of."""
    return model_file.parent.name


def begin(server: int) -> None:
    """Prepare the inference process, before it is asked anything."""
    block_pandas()
    _end_with(server)


def _end_with(server: int) -> None:
    """Let the inference process end when the server has; one that was killed cannot say so."""

    def watch() -> None:
        while os.getppid() == server and psutil.pid_exists(server):
            time.sleep(_WATCH_SECONDS)
        os._exit(0)

    Thread(target=watch, daemon=True).start()


def load(model_files: Sequence[Path]) -> None:
    """Load what answers take; networks are also asked once about one image and about as many as a verdict needs."""
    from mnist_core.networks.insight import looking_inside  # noqa: F401

    paper = np.zeros((28, 28), np.uint8)
    for file in model_files:
        with suppress(InferenceError):  # whoever asks it will be told
            for images in (paper[None], variants(paper)):
                predict(file, images)
    _examples()


def predict(model_file: Path, images: Images) -> Probabilities:
    """Return the probabilities, (n, 10) float32, that a saved network gives for images (n, 28, 28) uint8.

    Raises `InferenceError` if the network is missing, cannot be read, or is not one for digits.
    """
    from mnist_core.networks import keras_model

    with _explain_unusable(model_file):
        return keras_model.predict(_model(model_file), images)


def read(model_file: Path, opinions: Sequence[Path], ink: Ink, digit: Images) -> Reading:
    """Answer `inference.read`."""
    answers = [predict(model_file, variants(digit))]
    for other in opinions:
        with suppress(InferenceError):  # an opinion less
            answers.append(predict(other, digit[None]))
    return Reading(answers[0][0], judge(ink, digit, answers, _examples()))


def resemble(_: None, images: Images, readings: Sequence[int]) -> NDArray[np.bool_]:
    """Answer `inference.resemble`; no network is asked."""
    pairs = zip(images, readings, strict=True)
    return np.array([is_like(image, reading, _examples()) for image, reading in pairs], bool)


def look_inside(model_file: Path, image: Images) -> Insight:
    """Answer `inference.look_inside`."""
    from mnist_core.networks.insight import looking_inside

    with _explain_unusable(model_file):
        return looking_inside.look_inside(_model(model_file), image)


@contextmanager
def _explain_unusable(model_file: Path) -> Iterator[None]:
    try:
        yield
    except ValueError:
        raise InferenceError(f"The network of {run_name(model_file)} cannot read images of 28 × 28 pixels.") from None


def _model(model_file: Path) -> keras.Model:
    """Return the network of a file, read anew if the file has changed."""
    try:
        version = model_file.stat().st_mtime_ns
    except OSError:
        name = run_name(model_file)
        raise InferenceError(f"The network of {name} is missing: it has no {model_file.name}.") from None
    models = _models()
    key = (model_file, version)
    models[key] = models.pop(key) if key in models else _load_model(model_file)
    while len(models) > 1 and sum(model.count_params() for model in models.values()) > _CACHED_PARAMETERS:
        del models[next(iter(models))]  # the one that was asked longest ago
    return models[key]


@cache
def _models() -> dict[tuple[Path, int], keras.Model]:
    """Return the networks in memory by file and version, in the order in which they were asked."""
    return {}


def _load_model(model_file: Path) -> keras.Model:
    import keras

    try:
        return keras.models.load_model(model_file, compile=False)
    except Exception as error:  # Keras raises many kinds for a torn file
        raise InferenceError(f"The network of {run_name(model_file)} cannot be loaded; its file is damaged.") from error


@cache
def _examples() -> Examples:
    """Learn what digits look like, in a second or two."""
    data = load_mnist()
    return learn_examples(data.x_train, data.y_train)
