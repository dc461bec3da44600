"""Predictions, readings and looks inside from the inference process: one per server, long-lived, with models cached.

The server process never loads TensorFlow. A function is sent to a `loky` worker, which loads it once; a worker that
died is replaced, and the question asked again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import psutil
from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool, ShutdownExecutorError
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Ink, Probabilities
from mnist_core.data.dataset import load_mnist
from mnist_core.drawing.nearest_example import Examples, learn_examples
from mnist_core.drawing.verdict import Verdict, is_like, judge, variants
from mnist_core.networks.insight.results import Insight
from mnist_core.networks.lean_keras import leave_out_tables

if TYPE_CHECKING:
    import keras

_log = logging.getLogger(__name__)
_CACHED_PARAMETERS = 30_000_000  # of all networks in memory, 120 MB; those that ship have 3.8 million together
_ATTEMPTS = 3
_WATCH_SECONDS = 2

# One for the whole process. loky's own `get_reusable_executor` keeps one for each thread, and each visitor is a thread.
_lock = Lock()
_executor: Any = None
_DEATHS = (BrokenProcessPool, ShutdownExecutorError)


class InferenceError(Exception):
    """A network that cannot be loaded or run; the message is fit for a page."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What a network reads in a drawing: ten probabilities, (10,), and whether they can honestly be believed."""

    probabilities: Probabilities
    verdict: Verdict


def warm_up(model_files: Sequence[Path] = ()) -> Future[None]:
    """Start the inference process in the background, so that the first answer need not wait for what it loads.

    These networks are loaded, too, and asked once about one image and about as many as a doubtful reader shows them.
    """
    _, future = _submit(_load, list(model_files))
    return future


def predict(model_file: Path, images: Images) -> Probabilities:
    """Return the probabilities, (n, 10) float32, that a saved network gives for images (n, 28, 28) uint8.

    Raises `InferenceError` if the network is missing, cannot be read, or is not one for digits.
    """
    return cast(Probabilities, _ask(_predict, model_file, images))


def read(model_file: Path, opinions: Sequence[Path], ink: Ink, digit: Images) -> Reading:
    """Return what a saved network reads in a drawing, and what `doubt.judge` says of that.

    `ink` is the drawing, (height, width) uint8, and `digit` what `drawing.prepare` made of it, (28, 28) uint8. Further
    networks are asked for their opinions; one that cannot answer is an opinion less. Raises as `predict` does.
    """
    return cast(Reading, _ask(_read, model_file, opinions, ink, digit))


def resemble(images: Images, readings: Sequence[int]) -> NDArray[np.bool_]:
    """Return whether each of the images (n, 28, 28) uint8 is like a training image of the digit it is read as, (n,).

    Raises `InferenceError` if the inference process cannot answer.
    """
    return cast(NDArray[np.bool_], _ask(_resemble, None, images, readings))


def look_inside(model_file: Path, image: Images) -> Insight:
    """Return what a saved network made of an image, (28, 28) uint8, and what speaks for each of the ten digits.

    Some 50 to 150 ms for the networks that ship. Raises `InferenceError` as `predict` does.
    """
    return cast(Insight, _ask(_look_inside, model_file, image))


def _ask(function: Callable[..., Any], model_file: Path | None, *arguments: Any) -> Any:
    """Let the inference process call a function with the file of a network, if one is asked, and further arguments."""
    for _ in range(_ATTEMPTS):
        with suppress(_ProcessDiedError):  # the next attempt starts a new process
            return _wait(model_file, *_submit(function, model_file, *arguments))
    raise InferenceError("The inference process ends again and again; the machine may be out of memory.")


def _wait(model_file: Path | None, executor: Any, future: Future[Any]) -> Any:
    try:
        return future.result()
    except InferenceError:
        raise
    except _DEATHS as error:
        _forget(executor)
        raise _ProcessDiedError from error
    except Exception as error:  # TensorFlow has many kinds, lack of memory among them
        _log.exception("A question to the inference process failed.")
        who = _name(model_file) if model_file else "The inference process"
        raise InferenceError(f"{who} could not answer. Try again; the server’s log tells why.") from error


def _submit(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Future[Any]]:
    """Send a function to the inference process, started if there is none; return its executor and the answer."""
    global _executor
    with _lock:
        if _executor is None:
            _executor = ProcessPoolExecutor(
                max_workers=1,
                timeout=None,
                env={"TF_CPP_MIN_LOG_LEVEL": "2"},
                initializer=_begin,
                initargs=(os.getpid(),),
            )
        executor = _executor
    try:
        return executor, executor.submit(function, *arguments)
    except (*_DEATHS, OSError) as error:  # OSError: no new process could be started
        _forget(executor)
        raise _ProcessDiedError from error


def _forget(executor: Any) -> None:
    """Let the next question start a new process, unless another thread did so already."""
    global _executor
    with _lock:
        if _executor is executor:
            _executor = None


def _begin(server: int) -> None:
    """Prepare the inference process, before it is asked anything."""
    leave_out_tables()
    _end_with(server)


def _end_with(server: int) -> None:
    """Let the inference process end when the server has; one that was killed cannot say so."""

    def watch() -> None:
        while os.getppid() == server and psutil.pid_exists(server):
            time.sleep(_WATCH_SECONDS)
        os._exit(0)

    Thread(target=watch, daemon=True).start()


class _ProcessDiedError(Exception):
    """The inference process ended before it could answer."""


def _name(model_file: Path) -> str:
    """Return the id of the run that a network is of."""
    return model_file.parent.name


# From here on, all runs in the inference process.


def _load(model_files: list[Path]) -> None:
    from mnist_core.networks.insight import looking_inside  # noqa: F401

    paper = np.zeros((28, 28), np.uint8)
    for file in model_files:
        with suppress(InferenceError):  # whoever asks it will be told
            for images in (paper[None], variants(paper)):
                _predict(file, images)
    _examples()


def _predict(model_file: Path, images: Images) -> Probabilities:
    from mnist_core.networks import keras_model

    with _telling_unusable(model_file):
        return keras_model.predict(_model(model_file), images)


def _read(model_file: Path, opinions: Sequence[Path], ink: Ink, digit: Images) -> Reading:
    answers = [_predict(model_file, variants(digit))]
    for other in opinions:
        with suppress(InferenceError):  # an opinion less
            answers.append(_predict(other, digit[None]))
    return Reading(answers[0][0], judge(ink, digit, answers, _examples()))


def _resemble(_: None, images: Images, readings: Sequence[int]) -> NDArray[np.bool_]:
    pairs = zip(images, readings, strict=True)
    return np.array([is_like(image, reading, _examples()) for image, reading in pairs], bool)


def _look_inside(model_file: Path, image: Images) -> Insight:
    from mnist_core.networks.insight import looking_inside

    with _telling_unusable(model_file):
        return looking_inside.look_inside(_model(model_file), image)


@contextmanager
def _telling_unusable(model_file: Path) -> Iterator[None]:
    try:
        yield
    except ValueError:
        raise InferenceError(f"The network of {_name(model_file)} cannot read images of 28 × 28 pixels.") from None


def _model(model_file: Path) -> keras.Model:
    """Return the network of a file, read anew if the file has changed."""
    try:
        version = model_file.stat().st_mtime_ns
    except OSError:
        raise InferenceError(f"The network of {_name(model_file)} is missing: it has no {model_file.name}.") from None
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
        raise InferenceError(f"The network of {_name(model_file)} cannot be loaded; its file is damaged.") from error


@cache
def _examples() -> Examples:
    """Learn what digits look like, in a second or two."""
    data = load_mnist()
    return learn_examples(data.x_train, data.y_train)
