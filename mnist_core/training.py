"""Training: one configuration, real data, events on the way. Importing this module loads TensorFlow.

Batches are run in short sequences inside one compiled TensorFlow function. That saves memory and time over
`model.fit` (pixels stay uint8 until they are used), gives the loss of each single batch, and can stop between two
sequences. What a network learns is the same: same layers, optimizer and loss, the last small batch included.

With one seed, one configuration and one machine, two runs give the same weights, bit for bit: TensorFlow's
deterministic kernels are switched on. On another machine or another TensorFlow the last digits of sums may differ, and
training amplifies that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_core.config import TrainingConfig
from mnist_core.dataset import Images, Labels, Mnist
from mnist_core.evaluation import accuracy, cross_entropy
from mnist_core.events import BatchesDone, EndReason, EpochDone, Event, KeptWeights, Progress, TrainingDivergedError
from mnist_core.network import build_model, build_optimizer, predict

# A sequence of batches should take about this long: short enough for live curves and for a prompt stop.
_SEQUENCE_SECONDS = 0.2
_LONGEST_SEQUENCE = 64


@dataclass(frozen=True)
class TrainingResult:
    """A trained model and how it came about."""

    model: keras.Model
    end_reason: EndReason
    progress: Progress
    kept: KeptWeights


def train(
    config: TrainingConfig,
    data: Mnist,
    on_event: Callable[[Event], None] = lambda event: None,
    should_stop: Callable[[], bool] = lambda: False,
    on_checkpoint: Callable[[keras.Model], None] = lambda model: None,
) -> TrainingResult:
    """Train a network and return it.

    `on_checkpoint` gets the model whenever, after an epoch, it holds weights worth keeping if the process died now.
    `should_stop` is asked several times a second. A stopped run keeps the weights with the lowest validation loss so
    far, the current ones included, if validation images were held out of training; otherwise the current weights, since
    choosing among them on the test set would flatter the result.

    `seconds` count training only, neither validation nor what callbacks do. Raises `TrainingDivergedError` when the
    loss is no longer finite.
    """
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    order = np.random.default_rng(config.seed)
    images, labels, validation = _split(config, data)
    model = build_model(config.network, config.scaling)
    epoch_trainer = _EpochTrainer(model, config, images, labels, on_event, should_stop)
    progress = epoch_trainer.progress
    best: _Snapshot | None = None
    end_reason: EndReason = "all epochs done"
    epoch = 0

    while progress.epochs_completed < config.epochs:
        if should_stop():
            end_reason = "stopped"
            break
        epoch = progress.epochs_completed + 1
        summary = epoch_trainer.run(epoch, order.permutation(len(images)), validation)
        on_event(summary)
        improved = False
        if config.validation == "last" and summary.validation_loss is not None:
            improved = best is None or summary.validation_loss < best.validation_loss
            if improved:
                best = _Snapshot(summary.validation_loss, epoch, progress.steps, model.get_weights())
        if not summary.complete:
            end_reason = "stopped"
            break
        if config.keep == "last" or improved:
            on_checkpoint(model)
        if config.stop_above_accuracy is not None and summary.accuracy > config.stop_above_accuracy:
            end_reason = "training accuracy reached"
            break

    kept = KeptWeights(epoch, progress.steps, "last")
    if best is not None and (config.keep == "best" or end_reason == "stopped"):
        model.set_weights(best.weights)
        kept = KeptWeights(best.epoch, best.step, "lowest validation loss")
    if (
        not all(np.isfinite(weights).all() for weights in model.get_weights())
        or not np.isfinite(predict(model, images[:1000])).all()
    ):
        raise TrainingDivergedError(_diverged(epoch))
    return TrainingResult(model, end_reason, progress, kept)


def _diverged(epoch: int) -> str:
    return f"The loss is no longer a finite number (epoch {epoch}). Try a lower learning rate."


@dataclass(frozen=True)
class _Snapshot:
    """Weights and how they did."""

    validation_loss: float
    epoch: int
    step: int
    weights: list[NDArray[np.float32]]


@dataclass
class _EpochTrainer:
    """Runs epochs, sequence of batches by sequence of batches, and keeps count."""

    model: keras.Model
    config: TrainingConfig
    images: Images  # (n, 28, 28)
    labels: Labels  # (n,)
    on_event: Callable[[Event], None]
    should_stop: Callable[[], bool]
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self._train_batches = _compile(self.model, build_optimizer(self.config), self.images, self.labels)
        self._sequence_length = 1

    def run(self, epoch: int, order: NDArray[np.intp], validation: tuple[Images, Labels] | None) -> EpochDone:
        """Train on the images in `order`, then validate."""
        loss_sum = 0.0
        correct = done = 0
        while done < len(order):
            batches = _next_batches(order[done:], self.config.batch_size, self._sequence_length)
            losses, hits = self._time(batches)
            if not np.isfinite(losses).all():
                raise TrainingDivergedError(_diverged(epoch))
            done += batches.size
            correct += int(hits.sum())
            loss_sum += float(losses.sum()) * batches.shape[1]
            self.progress.steps += len(batches)
            self.progress.images += batches.size
            self.on_event(
                BatchesDone(
                    epoch=epoch,
                    step=self.progress.steps,
                    images=self.progress.images,
                    loss=tuple(losses.tolist()),
                    accuracy=tuple((hits / batches.shape[1]).tolist()),
                    seconds=self.progress.seconds,
                )
            )
            if self.should_stop():
                break
        complete = done == len(order)
        self.progress.epochs_completed += complete
        validation_loss, validation_accuracy = _validate(self.model, validation)
        return EpochDone(
            epoch=epoch,
            step=self.progress.steps,
            complete=complete,
            loss=loss_sum / done,
            accuracy=correct / done,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            seconds=self.progress.seconds,
        )

    def _time(self, batches: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Train on a sequence of batches, count its seconds, and adapt the length of the next."""
        started = time.perf_counter()
        losses, hits = self._train_batches(batches)
        losses, hits = losses.numpy(), hits.numpy()
        seconds = time.perf_counter() - started
        self.progress.seconds += seconds
        fitting = int(_SEQUENCE_SECONDS / max(seconds / len(batches), 1e-6))
        # Grow gently: the first sequence also compiles and says little about the next.
        self._sequence_length = max(1, min(fitting, 2 * self._sequence_length, _LONGEST_SEQUENCE))
        return losses, hits


def _split(config: TrainingConfig, data: Mnist) -> tuple[Images, Labels, tuple[Images, Labels] | None]:
    """Return training images, their labels, and what to validate on."""
    end = config.train_size - config.validation_size
    validation = None
    if config.validation == "last":
        validation = data.x_train[end : config.train_size], data.y_train[end : config.train_size]
    elif config.validation == "test":
        validation = data.x_test, data.y_test
    return data.x_train[:end], data.y_train[:end], validation


def _next_batches(indices: NDArray[np.intp], batch_size: int, count: int) -> NDArray[np.int32]:
    """Return up to `count` full batches, (count, batch_size), or the last small one, (1, rest)."""
    if len(indices) < batch_size:
        return indices[np.newaxis].astype(np.int32)
    count = min(count, len(indices) // batch_size)
    return indices[: count * batch_size].reshape(count, batch_size).astype(np.int32)


def _validate(model: keras.Model, validation: tuple[Images, Labels] | None) -> tuple[float | None, float | None]:
    """Return loss and accuracy on the validation images, if there are any."""
    if validation is None:
        return None, None
    images, labels = validation
    probabilities = predict(model, images)
    return cross_entropy(labels, probabilities), accuracy(labels, probabilities)


def _compile(model: keras.Model, optimizer: keras.optimizers.Optimizer, images: Images, labels: Labels) -> Any:
    """Return a function from image indices, (steps, batch) int32, to losses and numbers of hits, (steps,) each."""
    all_images = tf.constant(images[..., np.newaxis])  # (n, 28, 28, 1) uint8
    all_labels = tf.constant(labels.astype(np.int32))
    optimizer.build(model.trainable_variables)
    loss_function = keras.losses.sparse_categorical_crossentropy

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])  # type: ignore[untyped-decorator]
    def train_batches(indices: Any) -> Any:
        steps = tf.shape(indices)[0]
        losses = tf.TensorArray(tf.float32, size=steps)
        hits = tf.TensorArray(tf.int32, size=steps)
        for step in tf.range(steps):
            batch_labels = tf.gather(all_labels, indices[step])
            with tf.GradientTape() as tape:
                probabilities = model(tf.gather(all_images, indices[step]), training=True)
                loss = tf.reduce_mean(loss_function(batch_labels, probabilities))
            optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
            predicted = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
            losses = losses.write(step, loss)
            hits = hits.write(step, tf.math.count_nonzero(predicted == batch_labels, dtype=tf.int32))
        return losses.stack(), hits.stack()

    return train_batches
