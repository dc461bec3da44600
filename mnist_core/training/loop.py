"""Training: one configuration, real data, events on the way. Importing this module loads TensorFlow.

Batches are run in short sequences inside one compiled TensorFlow function. That saves memory and time over
`model.fit` (pixels stay uint8 until they are used), gives the loss of each single batch, and can stop between two
sequences. What a network learns is the same: same layers, optimizer and loss, the last small batch included.

With one seed, one configuration and one machine, two runs give the same weights, bit for bit: TensorFlow's
deterministic kernels are switched on, and random numbers depend on the seed and the epoch alone, so that even a run
that was continued from a checkpoint ends with the weights it would have had. On another machine or another TensorFlow
the last digits of sums may differ, and training amplifies that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_core.common.arrays import Images, Labels
from mnist_core.data.augmentation import augment
from mnist_core.data.dataset import Mnist
from mnist_core.evaluation.metrics import accuracy, cross_entropy
from mnist_core.networks.keras_model import build_model, predict
from mnist_core.training.checkpoints import BestWeights, Checkpoint, CheckpointError
from mnist_core.training.config import TrainingConfig
from mnist_core.training.early_stopping import best_epoch, reason_to_stop
from mnist_core.training.events import (
    LONGEST_SEQUENCE,
    BatchesDone,
    Continued,
    EndReason,
    EpochDone,
    Event,
    KeptWeights,
    Progress,
    TrainingDivergedError,
)
from mnist_core.training.optimizers import build_optimizer
from mnist_core.training.schedules import learning_rates

# A sequence of batches should take about this long: short enough for live curves and for a prompt stop.
_SEQUENCE_SECONDS = 0.2


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
    on_checkpoint: Callable[[keras.Model, Checkpoint], None] = lambda model, checkpoint: None,
    start: Checkpoint | None = None,
) -> TrainingResult:
    """Train a network and return it; go on from `start` if that is given.

    `on_checkpoint` gets the model after each epoch, and what is needed to go on from there if the process died.
    `should_stop` is asked several times a second. A stopped run keeps the weights with the lowest validation loss so
    far, the current ones included, if validation images were held out of training; otherwise the current weights, since
    choosing among them on the test set would flatter the result.

    `seconds` count training only, neither validation nor what callbacks do. Raises `TrainingDivergedError` when the
    loss is no longer finite, `CheckpointError` if `start` belongs to another network.
    """
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    images, labels, validation = split(config, data)
    model = build_model(config.architecture, config.scaling, config.l2)
    trainer = _EpochTrainer(model, config, images, labels, on_event, should_stop)
    epochs: list[EpochDone] = []
    best: BestWeights | None = None
    if start is not None:
        trainer.restore(start)
        epochs, best = list(start.epochs), start.best
        on_event(Continued(start.progress.steps))
    progress = trainer.progress
    end_reason = reason_to_stop(config, epochs)

    while end_reason is None and progress.epochs_completed < config.epochs:
        if should_stop():
            end_reason = "stopped"
            break
        epochs.append(trainer.run(progress.epochs_completed + 1, validation))
        on_event(epochs[-1])
        if config.holds_out and best_epoch(epochs) is epochs[-1]:
            best = BestWeights(epochs[-1].epoch, progress.steps, tuple(model.get_weights()))
        if not epochs[-1].complete:
            end_reason = "stopped"
            break
        on_checkpoint(model, Checkpoint(replace(progress), tuple(epochs), trainer.variables(), best))
        end_reason = reason_to_stop(config, epochs)

    kept = KeptWeights(epochs[-1].epoch if epochs else 0, progress.steps, "last")
    if best is not None and (config.keep == "best" or end_reason == "stopped"):
        model.set_weights(best.weights)
        kept = best.kept
    if (
        not all(np.isfinite(weights).all() for weights in model.get_weights())
        or not np.isfinite(predict(model, images[:1000])).all()
    ):
        raise TrainingDivergedError(_diverged(kept.epoch))
    return TrainingResult(model, end_reason or "all epochs done", progress, kept)


def split(config: TrainingConfig, data: Mnist) -> tuple[Images, Labels, tuple[Images, Labels] | None]:
    """Return training images, their labels, and what to validate on.

    A random share is drawn by the seed; which images it holds does not depend on anything else that is random.
    """
    order = np.arange(config.train_size)
    if config.validation == "random":
        order = np.random.default_rng([config.seed, 0]).permutation(config.train_size)
    end = config.train_size - config.validation_size
    training, held_out = np.sort(order[:end]), np.sort(order[end:])
    validation = None
    if config.holds_out:
        validation = data.x_train[held_out], data.y_train[held_out]
    elif config.validation == "test":
        validation = data.x_test, data.y_test
    return data.x_train[training], data.y_train[training], validation


def _diverged(epoch: int) -> str:
    return f"The loss is no longer a finite number (epoch {epoch}): training has diverged. Try a lower learning rate."


class _EpochTrainer:
    """Runs epochs, sequence of batches by sequence of batches, and keeps count."""

    def __init__(
        self,
        model: keras.Model,
        config: TrainingConfig,
        images: Images,  # (n, 28, 28)
        labels: Labels,  # (n,)
        on_event: Callable[[Event], None],
        should_stop: Callable[[], bool],
    ) -> None:
        self.progress = Progress()
        self._model = model
        self._config = config
        self._images = images
        self._labels = labels
        self._on_event = on_event
        self._should_stop = should_stop
        self._rates = learning_rates(config).astype(np.float32)
        self._optimizer = build_optimizer(config)
        self._optimizer.build(model.trainable_variables)
        self._train_batches = _compile(model, self._optimizer, config.label_smoothing)
        self._sequence_length = 1

    def variables(self) -> tuple[NDArray[Any], ...]:
        """Return copies of all variables: weights, running statistics, random states, those of the optimizer."""
        return tuple(np.asarray(variable.numpy()) for variable in self._all_variables())

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to the state of a checkpoint. Raises `CheckpointError` if that belongs to another network."""
        variables = self._all_variables()
        if [tuple(variable.shape) for variable in variables] != [array.shape for array in checkpoint.variables]:
            raise CheckpointError("The checkpoint belongs to another network or optimizer. Run it again.")
        for variable, array in zip(variables, checkpoint.variables, strict=True):
            variable.assign(array)
        self.progress = replace(checkpoint.progress)

    def run(self, epoch: int, validation: tuple[Images, Labels] | None) -> EpochDone:
        """Train on all images in an order that depends on seed and epoch, then validate."""
        order = np.random.default_rng([self._config.seed, epoch]).permutation(len(self._images))
        changes = np.random.default_rng([self._config.seed, epoch, 1])
        loss_sum = 0.0
        correct = done = 0
        while done < len(order):
            batches = _next_batches(order[done:], self._config.batch_size, self._sequence_length)
            losses, hits, norms = self._time(batches, changes)
            if not (np.isfinite(losses).all() and np.isfinite(norms).all()):
                raise TrainingDivergedError(_diverged(epoch))
            done += batches.size
            correct += int(hits.sum())
            for loss in losses.tolist():  # one by one: the sum must not depend on how batches are grouped
                loss_sum += loss * batches.shape[1]
            self.progress.steps += len(batches)
            self.progress.images += batches.size
            self._on_event(
                BatchesDone(
                    epoch=epoch,
                    step=self.progress.steps,
                    images=self.progress.images,
                    loss=tuple(losses.tolist()),
                    accuracy=tuple((hits / batches.shape[1]).tolist()),
                    seconds=self.progress.seconds,
                    gradient_norm=tuple(norms.tolist()),
                )
            )
            if self._should_stop():
                break
        complete = done == len(order)
        self.progress.epochs_completed += complete
        validation_loss, validation_accuracy = _validate(self._model, validation)
        if validation_loss is not None and not np.isfinite(validation_loss):
            raise TrainingDivergedError(_diverged(epoch))
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

    def _all_variables(self) -> list[Any]:
        return [*self._model.variables, *self._optimizer.variables]

    def _time(
        self, batches: NDArray[np.intp], changes: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
        """Train on a sequence of batches, count its seconds, and adapt the length of the next."""
        started = time.perf_counter()
        first = self.progress.steps
        chosen = batches.ravel()
        images = augment(self._images[chosen], self._labels[chosen], self._config.augmentation, changes)
        losses, hits, norms = self._train_batches(
            images.reshape(*batches.shape, 28, 28, 1),
            self._labels[batches].astype(np.int32),
            self._rates[first : first + len(batches)],
        )
        losses, hits, norms = losses.numpy(), hits.numpy(), norms.numpy()
        seconds = time.perf_counter() - started
        self.progress.seconds += seconds
        fitting = int(_SEQUENCE_SECONDS / max(seconds / len(batches), 1e-6))
        # Grow gently: the first sequence also compiles and says little about the next.
        self._sequence_length = max(1, min(fitting, 2 * self._sequence_length, LONGEST_SEQUENCE))
        return losses, hits, norms


def _next_batches(indices: NDArray[np.intp], batch_size: int, count: int) -> NDArray[np.intp]:
    """Return up to `count` full batches, (count, batch_size), or the last small one, (1, rest)."""
    if len(indices) < batch_size:
        return indices[np.newaxis]
    count = min(count, len(indices) // batch_size)
    return indices[: count * batch_size].reshape(count, batch_size)


def _validate(model: keras.Model, validation: tuple[Images, Labels] | None) -> tuple[float | None, float | None]:
    """Return loss and accuracy on the validation images, if there are any."""
    if validation is None:
        return None, None
    images, labels = validation
    probabilities = predict(model, images)
    return cross_entropy(labels, probabilities), accuracy(labels, probabilities)


def _compile(model: keras.Model, optimizer: keras.optimizers.Optimizer, label_smoothing: float) -> Any:
    """Return a function that trains on a sequence of batches.

    It takes images (steps, batch, 28, 28, 1) uint8, labels (steps, batch) int32 and learning rates (steps,) float32,
    and returns losses, numbers of hits and norms of gradients, (steps,) each.
    """
    signature = [
        tf.TensorSpec([None, None, 28, 28, 1], tf.uint8),
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None], tf.float32),
    ]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def train_batches(images: Any, labels: Any, rates: Any) -> Any:
        steps = tf.shape(rates)[0]
        losses = tf.TensorArray(tf.float32, size=steps)
        hits = tf.TensorArray(tf.int32, size=steps)
        norms = tf.TensorArray(tf.float32, size=steps)
        for step in tf.range(steps):
            optimizer.learning_rate.assign(rates[step])
            with tf.GradientTape() as tape:
                probabilities = model(images[step], training=True)
                loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(labels[step], probabilities))
                target = loss
                if label_smoothing:
                    wanted = tf.one_hot(labels[step], 10)
                    target = tf.reduce_mean(
                        keras.losses.categorical_crossentropy(wanted, probabilities, label_smoothing=label_smoothing)
                    )
                if model.losses:
                    target += tf.add_n(model.losses)
            gradients = tape.gradient(target, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            predicted = tf.argmax(probabilities, axis=-1, output_type=tf.int32)
            losses = losses.write(step, loss)
            hits = hits.write(step, tf.math.count_nonzero(predicted == labels[step], dtype=tf.int32))
            norms = norms.write(step, tf.linalg.global_norm(gradients))
        return losses.stack(), hits.stack(), norms.stack()

    return train_batches
