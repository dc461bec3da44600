"""The training of a configuration as Keras code: the order of batches, learning rates, when to stop, what to keep."""

from __future__ import annotations

from textwrap import indent

from mnist_core.training.config import Metric, TrainingConfig

_VALIDATION_LOSS = "val_cross_entropy"

_SET_LEARNING_RATE = '''\
class SetLearningRate(keras.callbacks.Callback):
    """Gives the optimizer the learning rate of each step."""

    def on_train_batch_begin(self, batch, logs=None):
        optimizer = self.model.optimizer
        optimizer.learning_rate = rates[int(optimizer.iterations)]'''

_HALF_COSINE = '''\
def half_cosine(progress, start, end):
    """Go from start (progress 0) to end (progress 1), gently at both ends."""
    return end + (start - end) * (1 + np.cos(np.pi * progress)) / 2'''

_ONE_CYCLE = """\
steps = np.arange(EPOCHS * steps_per_epoch)
peak = max(0.3 * len(steps) - 1, 1e-9)
rising = half_cosine(steps / peak, 1 / 25, 1)
falling = half_cosine((steps - peak) / (steps[-1] - peak), 1, 1 / 250_000)
rates = LEARNING_RATE * np.where(steps <= peak, rising, falling)"""


def metrics(config: TrainingConfig) -> tuple[str, ...]:
    """Return what Keras should measure besides the loss."""
    if _watches(config, "training loss") and _training_loss(config) != "loss":
        return "accuracy", _training_loss(config)
    return ("accuracy",)


def training_words(config: TrainingConfig) -> str:
    """Return what the code of `training_code` does, in sentences."""
    sentences = ["The order of the images depends on the seed and the epoch alone."]
    if _warm_up_steps(config):
        sentences.append("At first the learning rate rises evenly from zero: the warm-up.")
    if config.schedule == "one-cycle":
        sentences.append(
            "The learning rate rises from 1/25 of its peak for 30% of all steps, then falls nearly to zero."
        )
    elif config.schedule == "cosine":
        sentences.append("The learning rate falls to zero along half a cosine.")
    elif config.schedule == "step":
        sentences.append(f"The learning rate is multiplied by {config.step_factor!r} after {_every_epochs(config)}.")
    if config.validation == "test":
        sentences.append("The test images are looked at after each epoch, but they decide nothing.")
    return " ".join(sentences)


def training_code(config: TrainingConfig) -> str:
    """Return code that trains `model` on `x_train` and `y_train`, as `loop.train` does."""
    definitions = [_batches(config)]
    statements = ["steps_per_epoch = int(np.ceil(len(x_train) / BATCH_SIZE))  # the last batch may be smaller"]
    callbacks: list[str] = []
    if config.schedule == "step" and not _warm_up_steps(config):
        definitions.append(_rate_of_epoch(config))
        callbacks.append("keras.callbacks.LearningRateScheduler(rate_of_epoch)")
    elif config.schedule != "constant" or _warm_up_steps(config):
        definitions += [_HALF_COSINE] if config.schedule == "one-cycle" else []
        definitions.append(_SET_LEARNING_RATE)
        statements.append(_rates(config))
        callbacks.append("SetLearningRate()")
    if config.keep == "best" or _watches(config, "validation loss"):
        definitions.append(_measure_validation_loss(config))
        callbacks.append("ValidationLoss()")
    if config.early_stopping == "target":
        definitions.append(_stop_at_target(config))
        callbacks.append("StopAtTarget()")
    callbacks += _early_stopping(config)
    listed = f"[{', '.join(callbacks)}]"
    if "\n" in listed or len(listed) > 80:  # then each in a line of its own
        statements.append("callbacks = [\n" + indent(",\n".join([*callbacks, ""]), "    ") + "]")
        listed = "callbacks"
    statements.append(_fit(config, listed if callbacks else ""))
    return "\n\n\n".join([*definitions, "\n".join(statements)])


def _batches(config: TrainingConfig) -> str:
    lines = [
        "def batches():",
        '    """Yield one batch of images and labels after the other, each epoch in a new order."""',
        "    for epoch in range(1, EPOCHS + 1):",
        "        order = np.random.default_rng([SEED, epoch]).permutation(len(x_train))",
        "        for start in range(0, len(order), BATCH_SIZE):",
        "            batch = order[start : start + BATCH_SIZE]",
        "            yield x_train[batch], y_train[batch]",
    ]
    if config.augmentation.active:
        lines.insert(4, "        generator = np.random.default_rng([SEED, epoch, 1])")
        digits = "y_train[batch].argmax(axis=1), " if config.label_smoothing else "y_train[batch], "
        known = digits if config.continental else ""
        lines[-1] = f"            yield augment(x_train[batch], {known}generator), y_train[batch]"
    return "\n".join(lines)


def _warm_up_steps(config: TrainingConfig) -> int:
    """Return over how many steps the rate rises, as `schedules` counts them."""
    if config.schedule == "one-cycle":
        return 0
    return min(round(config.warm_up_epochs * config.steps_per_epoch), config.steps)


def _rate_of_epoch(config: TrainingConfig) -> str:
    power = "**epoch" if config.step_epochs == 1 else f" ** (epoch // {config.step_epochs})"
    return f'''\
def rate_of_epoch(epoch, rate_before):
    """Multiply the learning rate by {config.step_factor!r} after {_every_epochs(config)}."""
    return LEARNING_RATE * {config.step_factor!r}{power}'''


def _every_epochs(config: TrainingConfig) -> str:
    return "every epoch" if config.step_epochs == 1 else f"every {config.step_epochs} epochs"


def _rates(config: TrainingConfig) -> str:
    """Return code for the learning rates of all steps, by the formulas of `schedules`."""
    warm_up = _warm_up_steps(config)
    if config.schedule == "one-cycle":
        return _ONE_CYCLE
    lines = ["steps = np.arange(EPOCHS * steps_per_epoch)"]
    if warm_up:
        lines = [
            f"warm_up = round({config.warm_up_epochs!r} * steps_per_epoch)",
            "steps = np.arange(EPOCHS * steps_per_epoch) - warm_up  # 0 when the warm-up is over",
        ]
    if warm_up == config.steps:  # nothing comes after the warm-up
        return "warm_up = EPOCHS * steps_per_epoch\nrates = LEARNING_RATE * (np.arange(1, warm_up + 1) / warm_up)"
    if config.schedule == "cosine":
        lines.append("rates = LEARNING_RATE * (1 + np.cos(np.pi * (steps / (steps[-1] + 1)))) / 2")
    elif config.schedule == "step":
        period = "steps_per_epoch" if config.step_epochs == 1 else f"({config.step_epochs} * steps_per_epoch)"
        lines.append(f"rates = LEARNING_RATE * {config.step_factor!r} ** (steps // {period})")
    else:
        lines.append("rates = np.full(len(steps), LEARNING_RATE)")
    if warm_up:
        lines.append("rates[:warm_up] = LEARNING_RATE * (np.arange(1, warm_up + 1) / warm_up)")
    return "\n".join(lines)


def _measure_validation_loss(config: TrainingConfig) -> str:
    """Return a callback that measures what Digit Lab calls validation loss, by the formula of `metrics`.

    Keras adds penalties to its own, and in some networks it sees how much smaller than 1e-7 a probability is.
    """
    of_label = (
        "(y_val * probabilities).sum(axis=1)"
        if config.label_smoothing
        else "probabilities[np.arange(len(y_val)), y_val]"
    )
    return f'''\
class ValidationLoss(keras.callbacks.Callback):
    """Measures the loss that decides: no penalties, no probability counts as less than 1e-7."""

    def on_epoch_end(self, epoch, logs=None):
        probabilities = self.model.predict(x_val, batch_size=1000, verbose=0)
        of_label = {of_label}
        logs["{_VALIDATION_LOSS}"] = -np.log(np.clip(of_label, 1e-7, 1)).mean()'''


def _stop_at_target(config: TrainingConfig) -> str:
    side, condition = "below", f"< {config.stop_target!r}:"
    if config.stop_metric.endswith("accuracy"):
        side, condition = "above", f"> np.float32({config.stop_target!r}):  # Keras measures in 32 bits"
    return f'''\
class StopAtTarget(keras.callbacks.Callback):
    """Ends training once the {config.stop_metric} is {side} {config.stop_target!r}."""

    def on_epoch_end(self, epoch, logs=None):
        if logs["{_monitored(config)}"] {condition}
            self.model.stop_training = True'''


def _watches(config: TrainingConfig, metric: Metric) -> bool:
    return config.early_stopping != "never" and config.stop_metric == metric


def _monitored(config: TrainingConfig) -> str:
    """Return what Keras calls the metric that early stopping watches."""
    return {
        "training accuracy": "accuracy",
        "training loss": _training_loss(config),
        "validation accuracy": "val_accuracy",
        "validation loss": _VALIDATION_LOSS,
    }[config.stop_metric]


def _training_loss(config: TrainingConfig) -> str:
    """Return what Keras calls the mean cross-entropy of an epoch's batches, without penalties."""
    if config.label_smoothing:
        return "categorical_crossentropy"
    return "sparse_categorical_crossentropy" if config.l2 else "loss"


def _early_stopping(config: TrainingConfig) -> list[str]:
    """Return Keras's `EarlyStopping`, for the patience of the configuration and for the weights that it keeps."""
    patient, keeps_best = config.early_stopping == "patience", config.keep == "best"
    one_for_both = patient and keeps_best and config.stop_metric == "validation loss"
    callbacks = []
    if patient:
        epochs = "an epoch" if config.patience == 1 else f"{config.patience} epochs in a row"
        comments = [f"Ends training after {epochs} without a better {config.stop_metric}."]
        comments += ["Then restores the weights with the lowest."] if one_for_both else []
        mode = "max" if config.stop_metric.endswith("accuracy") else "min"
        callbacks.append(
            _keras_callback(comments, _monitored(config), mode, str(config.patience), restores=one_for_both)
        )
    if keeps_best and not one_for_both:
        comments = ["Never ends training early, but restores the weights with the lowest validation loss."]
        callbacks.append(_keras_callback(comments, _VALIDATION_LOSS, "min", "EPOCHS", restores=True))
    return callbacks


def _keras_callback(comments: list[str], watched: str, mode: str, patience: str, *, restores: bool) -> str:
    arguments = [f'monitor="{watched}"', f'mode="{mode}"', f"patience={patience}"]
    arguments += ["restore_best_weights=True"] if restores else []
    lines = [f"# {comment}" for comment in comments]
    return "\n".join([*lines, "keras.callbacks.EarlyStopping(", *(f"    {each}," for each in arguments), ")"])


def _fit(config: TrainingConfig, callbacks: str) -> str:
    arguments = ["batches()", "steps_per_epoch=steps_per_epoch", "epochs=EPOCHS", "shuffle=False"]
    if config.validation != "none":
        names = "(x_test, y_test)" if config.validation == "test" else "(x_val, y_val)"
        arguments += [f"validation_data={names}", "validation_batch_size=1000"]
    arguments += [f"callbacks={callbacks}"] if callbacks else []
    return "\n".join(["model.fit(", *(f"    {each}," for each in arguments), ")"])
