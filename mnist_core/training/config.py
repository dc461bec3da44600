"""Everything a training run depends on, in one frozen object that is checked when it is made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from mnist_core.common.errors import DigitLabError
from mnist_core.common.text import one_line
from mnist_core.data.augmentation import Augmentation
from mnist_core.networks.layers import Architecture, Scaling
from mnist_core.networks.notation import MAX_CHARACTERS, ArchitectureError, parse_architecture

CONFIG_VERSION = 2
_KEYS = {"notation": "architecture"}  # older than its name here
_MOST_QUOTED = 60  # characters of a foreign value in a message

Optimizer = Literal["adam", "adamw", "nadam", "rmsprop", "sgd", "momentum", "nesterov", "adagrad", "adadelta"]
Schedule = Literal["constant", "cosine", "step", "one-cycle"]
Validation = Literal["last", "random", "test", "none"]
EarlyStopping = Literal["never", "target", "patience"]
Metric = Literal["training accuracy", "training loss", "validation accuracy", "validation loss"]
WeightsToKeep = Literal["last", "best"]

HOLDING_OUT: tuple[Validation, ...] = ("last", "random")  # what keeps part of the training images for validation


class ConfigError(DigitLabError, ValueError):
    """A setting that cannot be used; the message names it and says what is accepted."""


def _setting(default: Any, *, low: float | None = None, high: float | None = None) -> Any:
    """Declare a field whose value must lie within `low` and `high`, both included."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of one run. Creating one with a value out of bounds raises `ConfigError`."""

    preset: str = "custom"  # where the settings came from; a label without effect on training
    notation: str = "32C3-P2-64C3-P2-D0.5-10"  # of the network; files, links and `--set` call it `architecture`
    scaling: Scaling = "0-1"  # what the first layer makes of pixels 0-255

    optimizer: Optimizer = "adam"
    learning_rate: float = _setting(0.001, low=1e-6, high=10.0)
    momentum: float = _setting(0.9, low=0.0, high=0.999)  # used by "momentum" and "nesterov"
    weight_decay: float = _setting(0.004, low=0.0, high=1.0)  # used by "adamw"
    schedule: Schedule = "constant"  # how the rate changes from step to step, see `schedules`
    warm_up_epochs: float = _setting(0.0, low=0.0, high=20.0)  # the rate rises from zero; "one-cycle" has its own
    step_epochs: int = _setting(3, low=1, high=100)  # used by "step": the rate falls after every so many epochs …
    step_factor: float = _setting(0.5, low=0.01, high=1.0)  # … to this share
    batch_size: int = _setting(128, low=1, high=4096)
    epochs: int = _setting(5, low=1, high=100)

    train_size: int = _setting(60_000, low=100, high=60_000)  # the first images of the training set, as stored
    validation: Validation = "last"  # the last share of these images, a random share, the test set, or nothing
    validation_share: float = _setting(0.1, low=0.01, high=0.5)  # used by "last" and "random"
    rotation: float = _setting(0.0, low=0.0, high=45.0)  # augmentation, see `augmentation`: degrees to either side
    shift: float = _setting(0.0, low=0.0, high=6.0)  # pixels
    zoom: float = _setting(0.0, low=0.0, high=0.5)  # share
    shear: float = _setting(0.0, low=0.0, high=45.0)  # degrees
    elastic: float = _setting(0.0, low=0.0, high=4.0)  # pixels
    thickness: float = _setting(0.0, low=0.0, high=1.0)  # share of a pixel
    continental: float = _setting(0.0, low=0.0, high=1.0)  # share of 1s with an upstroke and of 7s with a bar

    l2: float = _setting(0.0, low=0.0, high=0.1)  # added to the loss: this times the sum of squared kernel weights
    label_smoothing: float = _setting(0.0, low=0.0, high=0.5)  # share of the target spread over all ten digits
    early_stopping: EarlyStopping = "never"
    stop_metric: Metric = "validation loss"  # what early stopping looks at after each epoch
    stop_target: float = _setting(0.99, low=0.0, high=10.0)  # "target": above it for accuracies, below it for losses
    patience: int = _setting(3, low=1, high=100)  # "patience": so many epochs without a new best
    keep: WeightsToKeep = "last"  # weights of the last epoch, or of the epoch with the lowest validation loss
    seed: int = _setting(1, low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        for setting in fields(self):
            object.__setattr__(self, setting.name, checked(setting.name, getattr(self, setting.name)))
        if len(self.preset) > 60:
            raise ConfigError("preset: the name may have at most 60 characters.")
        if len(self.notation) > MAX_CHARACTERS:
            raise ConfigError(f"architecture: the notation may have at most {MAX_CHARACTERS} characters.")
        try:
            parse_architecture(self.notation)
        except ArchitectureError as error:
            raise ConfigError(f"architecture: {error}") from error
        if self.keep == "best" and not self.holds_out:
            raise ConfigError(
                "keep: “best” needs images to choose by that are neither for training nor for testing. "
                "Set validation to “last” or “random”, or keep to “last”."
            )
        if self.early_stopping != "never" and self.stop_metric.startswith("validation") and not self.holds_out:
            raise ConfigError(
                f"stop_metric: to stop by the {self.stop_metric}, images must be held out of training for it; the test "
                "images would flatter the result. Set validation to “last” or “random”, or monitor the training "
                "accuracy."
            )

    @property
    def architecture(self) -> Architecture:
        """The architecture, read from its notation."""
        return parse_architecture(self.notation)

    @property
    def augmentation(self) -> Augmentation:
        """How training images are changed at random before the network sees them."""
        return Augmentation(
            self.rotation, self.shift, self.zoom, self.shear, self.elastic, self.thickness, self.continental
        )

    @property
    def holds_out(self) -> bool:
        """Whether part of the training images is kept for validation."""
        return self.validation in HOLDING_OUT

    @property
    def validation_size(self) -> int:
        """Images held out of training, by the rule of Keras's `validation_split`."""
        if not self.holds_out:
            return 0
        return self.train_size - int(self.train_size * (1 - self.validation_share))

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch; the last one may be smaller."""
        return -(-(self.train_size - self.validation_size) // self.batch_size)

    @property
    def steps(self) -> int:
        """Batches of all epochs together."""
        return self.epochs * self.steps_per_epoch

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values, with the version of this format."""
        return {"config_version": CONFIG_VERSION, **{key_of(name): value for name, value in asdict(self).items()}}

    @classmethod
    def from_json(cls, values: object) -> TrainingConfig:
        """Read what `to_json` wrote. Raises `ConfigError` for anything else, or for a newer version."""
        if not isinstance(values, dict):
            raise ConfigError("The configuration must be a JSON object.")
        settings = dict(values)
        version = settings.pop("config_version", None)
        if version == 1:
            settings = _from_version_1(settings)
        elif version != CONFIG_VERSION:
            raise ConfigError(f"The configuration has version {_shown(version)}; readable are 1 and {CONFIG_VERSION}.")
        return cls(**_by_name(settings))

    def with_settings(self, assignments: list[str]) -> TrainingConfig:
        """Apply settings written as `name=value`, as the command line takes them. Raises `ConfigError`."""
        changes: dict[str, Any] = {}
        for assignment in assignments:
            name, separator, text = assignment.partition("=")
            if not separator:
                raise ConfigError(
                    f"“{one_line(assignment, _MOST_QUOTED)}” is not of the form name=value, such as epochs=3."
                )
            changes[name.strip()] = _parse_value(text.strip())
        return replace(self, **_by_name(changes))


def keys() -> list[str]:
    """Return what files, links and `--set` call the settings, in the order in which they are declared."""
    return [key_of(setting.name) for setting in fields(TrainingConfig)]


def key_of(name: str) -> str:
    """Return what files, links and `--set` call a setting."""
    return _KEYS.get(name, name)


def name_of(key: str) -> str:
    """Return the name of the setting that files, links and `--set` call `key`."""
    return next((name for name, other in _KEYS.items() if other == key), key)


def checked(name: str, value: object) -> Any:
    """Return a value as the type that a setting declares, within its bounds. Raises `ConfigError`."""
    fitting = _checked_type(name, value, _hints()[name])
    _check_bounds(name, fitting, *bounds(name))
    return fitting


def read_text(name: str, text: str) -> Any:
    """Return the value that a text such as `0.5` or `adam` means for a setting, whatever its bounds.

    Raises `ConfigError` if it means none.
    """
    return _checked_type(name, _parse_value(text) if _hints()[name] is not str else text, _hints()[name])


def options(name: str) -> tuple[str, ...]:
    """Return what a setting with named choices can be; nothing for others."""
    hint = _hints()[name]
    return get_args(hint) if get_origin(hint) is Literal else ()


def bounds(name: str) -> tuple[float | None, float | None]:
    """Return the lowest and the highest accepted value of a numeric setting; `(None, None)` for others."""
    return _bounds()[name]


@cache
def _bounds() -> dict[str, tuple[float | None, float | None]]:
    return {each.name: (each.metadata.get("low"), each.metadata.get("high")) for each in fields(TrainingConfig)}


@cache
def _hints() -> dict[str, Any]:
    return get_type_hints(TrainingConfig)


def _from_version_1(settings: dict[str, Any]) -> dict[str, Any]:
    """Version 1 knew one kind of early stopping: `stop_above_accuracy`, or None."""
    others = {name: value for name, value in settings.items() if name != "stop_above_accuracy"}
    target = settings.get("stop_above_accuracy")
    if target is None:
        return others
    return {**others, "early_stopping": "target", "stop_metric": "training accuracy", "stop_target": target}


def _by_name(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings by their names, given by their keys. Raises `ConfigError` for a key that there is not."""
    known = keys()
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise ConfigError(
            f"“{one_line(str(unknown[0]), _MOST_QUOTED)}” is not a setting. Settings are: {', '.join(known)}."
        )
    return {name_of(key): value for key, value in settings.items()}


def _parse_value(text: str) -> Any:
    """Numbers and `null` become values; everything else stays text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _checked_type(name: str, value: Any, hint: Any) -> Any:
    """Return `value` as the type the field declares (whole floats as int, ints as float), or raise `ConfigError`."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(
                f"{key_of(name)}: {_shown(value)} is not accepted; choose one of {', '.join(get_args(hint))}."
            )
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        if hint is float and number:
            return float(value)
        if hint is int and number and float(value).is_integer():
            return int(value)
        if hint is str and (isinstance(value, str) or (number and isinstance(value, int))):
            return str(value)
    except (OverflowError, ValueError):
        raise ConfigError(f"{key_of(name)}: this number is far too large.") from None
    kind = {int: "a whole number", float: "a number", str: "text"}[hint]
    raise ConfigError(f"{key_of(name)}: {_shown(value)} is not {kind}.")


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python does not write out numbers of thousands of digits
        return "this value"
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…"


def _check_bounds(name: str, value: Any, low: float | None, high: float | None) -> None:
    if low is None or high is None:
        return
    if not low <= value <= high:  # also catches NaN
        raise ConfigError(f"{key_of(name)}: {_number(value)} is out of bounds; accepted are {low:,} to {high:,}.")


def _number(value: float) -> str:
    return f"{value:,}" if abs(value) < 1e15 else f"{value:.3g}"
