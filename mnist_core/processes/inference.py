"""Predictions, readings and looks inside from the inference process: one per server, long-lived, with models cached.

The server process never loads TensorFlow. A function of `inference_worker` is sent to a `loky` worker, which loads it
once; a worker that died is replaced, and the question asked again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, cast

import numpy as np
from loky import ProcessPoolExecutor
from loky.process_executor import BrokenProcessPool, ShutdownExecutorError
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Ink, Probabilities
from mnist_core.networks.insight.results import Insight
from mnist_core.processes import inference_worker
from mnist_core.processes.inference_worker import InferenceError, Reading

__all__ = ["InferenceError", "Reading", "look_inside", "predict", "read", "resemble", "warm_up"]

_log = logging.getLogger(__name__)
_ATTEMPTS = 3

# One for the whole process. loky's own `get_reusable_executor` keeps one for each thread, and each visitor is a thread.
_lock = Lock()
_executor: Any = None
_DEATHS = (BrokenProcessPool, ShutdownExecutorError)


def warm_up(model_files: Sequence[Path] = ()) -> Future[None]:
    """Start the inference process in the background, so that the first answer need not wait for what it loads.

    These networks are loaded, too, and asked once about one image and about the variants that a verdict needs.
    """
    _, future = _submit(inference_worker.load, list(model_files))
    return future


def predict(model_file: Path, images: Images) -> Probabilities:
    """Return the probabilities, (n, 10) float32, that a saved network gives for images (n, 28, 28) uint8.

    Raises `InferenceError` if the network is missing, cannot be read, or is not one for digits.
    """
    return cast(Probabilities, _ask(inference_worker.predict, model_file, images))


def read(model_file: Path, opinions: Sequence[Path], ink: Ink, digit: Images) -> Reading:
    """Return what a saved network reads in a drawing, and what `verdict.judge` says of that.

    `ink` is the drawing, cropped, (height, width) uint8, and `digit` what `preparation` made of it, (28, 28) uint8.
    Further networks are asked for their opinions; one that cannot answer is an opinion less. Raises as `predict` does.
    """
    return cast(Reading, _ask(inference_worker.read, model_file, opinions, ink, digit))


def resemble(images: Images, readings: Sequence[int]) -> NDArray[np.bool_]:
    """Return whether each of the images (n, 28, 28) uint8 is like a training image of the digit it is read as, (n,).

    Raises `InferenceError` if the inference process cannot answer.
    """
    return cast(NDArray[np.bool_], _ask(inference_worker.resemble, None, images, readings))


def look_inside(model_file: Path, image: Images) -> Insight:
    """Return what a saved network made of an image, (28, 28) uint8, and what speaks for each of the ten digits.

    Some 50 to 150 ms for the networks that ship. Raises `InferenceError` as `predict` does.
    """
    return cast(Insight, _ask(inference_worker.look_inside, model_file, image))


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
        who = inference_worker.run_name(model_file) if model_file else "The inference process"
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
                initializer=inference_worker.begin,
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


class _ProcessDiedError(Exception):
    """The inference process ended before it could answer."""
