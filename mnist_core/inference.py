"""Predictions from the inference process: one per server, long-lived, with its models cached.

The server process never loads TensorFlow. A function is sent to a `loky` worker, which loads it once; a worker that
died is replaced, and the question asked again.
"""

from __future__ import annotations

from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loky import get_reusable_executor
from loky.process_executor import BrokenProcessPool

from mnist_core.dataset import Images
from mnist_core.evaluation import Probabilities

if TYPE_CHECKING:
    import keras

_CACHED_MODELS = 8


class InferenceError(Exception):
    """A network that cannot be loaded or run; the message is fit for a page."""


def warm_up() -> Future[None]:
    """Start the inference process in the background, so that the first prediction need not wait for TensorFlow."""
    future: Future[None] = _executor().submit(_load_tensorflow)
    return future


def predict(model_file: Path, images: Images) -> Probabilities:
    """Return the probabilities, (n, 10) float32, that a saved network gives for images (n, 28, 28) uint8.

    Raises `InferenceError` if the network is missing or cannot be read.
    """
    try:
        version = model_file.stat().st_mtime_ns
    except OSError:
        raise InferenceError(
            f"The network of {model_file.parent.name} is missing: it has no {model_file.name}."
        ) from None
    arguments = (str(model_file), version, images)
    try:
        return _ask(*arguments)
    except BrokenProcessPool:
        return _ask(*arguments)  # the executor starts a new process


def _ask(model_file: str, version: int, images: Images) -> Probabilities:
    try:
        answer: Probabilities = _executor().submit(_predict, model_file, version, images).result()
        return answer
    except _ModelUnreadableError as error:
        name = Path(model_file).parent.name
        raise InferenceError(f"The network of {name} cannot be loaded; its file is damaged.") from error


def _executor() -> Any:
    return get_reusable_executor(max_workers=1, timeout=None, env={"TF_CPP_MIN_LOG_LEVEL": "2"})


class _ModelUnreadableError(Exception):
    """Keras could not load the file. Raised in the inference process, where the cause is known."""


def _load_tensorflow() -> None:
    from mnist_core import network  # noqa: F401


def _predict(model_file: str, version: int, images: Images) -> Probabilities:
    """Predict; this runs in the inference process."""
    from mnist_core.network import predict as predict_here

    return predict_here(_load_model(model_file, version), images)


@lru_cache(maxsize=_CACHED_MODELS)
def _load_model(model_file: str, version: int) -> keras.Model:
    """Load a model; this runs in the inference process. `version` changes when the file does."""
    import keras

    try:
        return keras.models.load_model(model_file, compile=False)
    except Exception as error:  # Keras raises many kinds for a torn file
        raise _ModelUnreadableError(str(error)) from None
