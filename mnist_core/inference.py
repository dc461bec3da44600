"""Predictions, looks inside and doubts from the inference process: one per server, long-lived, with models cached.

The server process never loads TensorFlow. A function is sent to a `loky` worker, which loads it once; a worker that
died is replaced, and the question asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool, ShutdownExecutorError

from mnist_core import doubt
from mnist_core.dataset import Images, load_mnist
from mnist_core.doubt import Verdict
from mnist_core.drawing import Ink
from mnist_core.evaluation import Probabilities
from mnist_core.insight import Insight
from mnist_core.likeness import Examples, learn_examples

if TYPE_CHECKING:
    import keras

_CACHED_MODELS = 64  # each a few MB at most: more than are ever asked one after the other
_ATTEMPTS = 3

# One for the whole process. loky's own `get_reusable_executor` keeps one for each thread, and each visitor is a thread.
_lock = Lock()
_executor: Any = None
_DEATHS = (BrokenProcessPool, ShutdownExecutorError)


class InferenceError(Exception):
    """A network that cannot be loaded or run; the message is fit for a page."""


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
    return cast(Probabilities, _answer(_predict, model_file, images))


def look_inside(model_file: Path, image: Images) -> Insight:
    """Return what a saved network made of an image, (28, 28) uint8, and what speaks for each of the ten digits.

    Some 50 to 150 ms for the networks that ship. Raises `InferenceError` as `predict` does.
    """
    return cast(Insight, _answer(_look_inside, model_file, image))


def judge(ink: Ink, digit: Images, answers: Sequence[Probabilities]) -> Verdict:
    """Return what `doubt.judge` says of a drawing; the inference process knows the examples that this takes.

    Raises `InferenceError` if it cannot answer.
    """
    return cast(Verdict, _call("Whether this is a digit", _judge, ink, digit, answers))


def _answer(function: Callable[[str, int, Images], Any], model_file: Path, images: Images) -> Any:
    """Let the inference process call a function with a saved network's file, the version of that file, and images."""
    name = model_file.parent.name
    try:
        version = model_file.stat().st_mtime_ns
    except OSError:
        raise InferenceError(f"The network of {name} is missing: it has no {model_file.name}.") from None
    try:
        return _call(f"What {name} reads", function, str(model_file), version, images)
    except _ModelUnreadableError as error:
        raise InferenceError(f"The network of {name} cannot be loaded; its file is damaged.") from error
    except _ModelUnusableError as error:
        raise InferenceError(f"The network of {name} cannot read images of 28 × 28 pixels.") from error


def _call(subject: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Let the inference process call a function; the subject is what an error speaks of."""
    for _ in range(_ATTEMPTS):
        with suppress(_ProcessDiedError):  # the next attempt starts a new process
            return _wait(subject, *_submit(function, *arguments))
    raise InferenceError("The inference process ends again and again; the machine may be out of memory.")


def _wait(subject: str, executor: Any, future: Future[Any]) -> Any:
    try:
        return future.result()
    except (_ModelUnreadableError, _ModelUnusableError):
        raise
    except _DEATHS as error:
        _forget(executor)
        raise _ProcessDiedError from error
    except Exception as error:  # TensorFlow has many kinds, lack of memory among them
        raise InferenceError(f"{subject} could not be answered ({type(error).__name__}).") from error


def _submit(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Future[Any]]:
    """Send a function to the inference process, started if there is none; return its executor and the answer."""
    global _executor
    with _lock:
        if _executor is None:
            _executor = ProcessPoolExecutor(max_workers=1, timeout=None, env={"TF_CPP_MIN_LOG_LEVEL": "2"})
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


class _ProcessDiedError(Exception):
    """The inference process ended before it could answer."""


class _ModelUnreadableError(Exception):
    """Keras could not load the file. Raised in the inference process, where the cause is known."""


class _ModelUnusableError(Exception):
    """The network is not one for digits."""


def _load(model_files: list[Path]) -> None:
    from mnist_core.insight import looking_inside  # noqa: F401

    paper = np.zeros((28, 28), np.uint8)
    for file in model_files:
        with suppress(_ModelUnreadableError, _ModelUnusableError, OSError):  # whoever asks it will be told
            for images in (paper[None], doubt.variants(paper)):
                _predict(str(file), file.stat().st_mtime_ns, images)
    _examples()


def _judge(ink: Ink, digit: Images, answers: Sequence[Probabilities]) -> Verdict:
    """Judge a drawing; this runs in the inference process."""
    return doubt.judge(ink, digit, answers, _examples())


@cache
def _examples() -> Examples:
    """Learn what digits look like, in a second or two; this runs in the inference process."""
    data = load_mnist()
    return learn_examples(data.x_train, data.y_train)


def _predict(model_file: str, version: int, images: Images) -> Probabilities:
    """Predict; this runs in the inference process."""
    from mnist_core import network

    with _telling_unusable():
        return network.predict(_load_model(model_file, version), images)


def _look_inside(model_file: str, version: int, image: Images) -> Insight:
    """Look inside; this runs in the inference process."""
    from mnist_core.insight import looking_inside

    with _telling_unusable():
        return looking_inside.look_inside(_load_model(model_file, version), image)


@contextmanager
def _telling_unusable() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise _ModelUnusableError(str(error)) from None


@lru_cache(maxsize=_CACHED_MODELS)
def _load_model(model_file: str, version: int) -> keras.Model:
    """Load a model; this runs in the inference process. `version` changes when the file does."""
    import keras

    try:
        return keras.models.load_model(model_file, compile=False)
    except Exception as error:  # Keras raises many kinds for a torn file
        raise _ModelUnreadableError(str(error)) from None
