"""Everything a training run depends on, in one frozen object that is checked when it is made."""

from __future__ import annotations

import json
import types
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from mnist_core.architecture import Architecture, ArchitectureError, parse_architecture

CONFIG_VERSION = 1

Scaling = Literal["0-1", "0-255"]
Optimizer = Literal["adam", "adamw", "rmsprop", "sgd", "momentum", "nesterov", "adagrad", "adadelta"]
Validation = Literal["last", "test", "none"]
KeptWeights = Literal["last", "best"]


class ConfigError(ValueError):
    """A setting that cannot be used; the message names it and says what is accepted."""


def _setting(default: Any, *, low: float | None = None, high: float | None = None) -> Any:
    """Declare a field whose value must lie within `low` and `high`, both included."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of one run. Creating one with a value out of bounds raises `ConfigError`."""

    preset: str = "custom"  # where the settings came from; a label without effect on training
    architecture: str = "32C3-P2-64C3-P2-D0.5-10"
    scaling: Scaling = "0-1"  # what the first layer makes of pixels 0-255
    optimizer: Optimizer = "adam"
    learning_rate: float = _setting(0.001, low=1e-6, high=10.0)
    batch_size: int = _setting(128, low=1, high=4096)
    epochs: int = _setting(5, low=1, high=100)
    train_size: int = _setting(60_000, low=100, high=60_000)  # the first images of the training set, as stored
    validation: Validation = "last"  # the last share of these images, the test set, or nothing
    validation_share: float = _setting(0.1, low=0.01, high=0.5)  # used with "last" only
    stop_above_accuracy: float | None = _setting(None, low=0.0, high=1.0)  # of an epoch of training; None: never
    keep: KeptWeights = "last"  # weights of the last epoch, or of the epoch with the lowest validation loss
    seed: int = _setting(1, low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self)).items():
            object.__setattr__(self, name, _checked_type(name, getattr(self, name), hint))
        for setting in fields(self):
            _check_bounds(setting.name, getattr(self, setting.name), *bounds(setting.name))
        if len(self.preset) > 60:
            raise ConfigError("preset: the name may have at most 60 characters.")
        try:
            parse_architecture(self.architecture)
        except ArchitectureError as error:
            raise ConfigError(f"architecture: {error}") from error
        if self.keep == "best" and self.validation != "last":
            raise ConfigError(
                "keep: “best” needs images to choose on that are neither trained nor tested on. "
                "Set validation to “last”, or keep to “last”."
            )

    @property
    def network(self) -> Architecture:
        """The architecture, read from its notation."""
        return parse_architecture(self.architecture)

    @property
    def validation_size(self) -> int:
        """Images held out of training, by the rule of Keras's `validation_split`."""
        if self.validation != "last":
            return 0
        return self.train_size - int(self.train_size * (1 - self.validation_share))

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch; the last one may be smaller."""
        return -(-(self.train_size - self.validation_size) // self.batch_size)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values, with the version of this format."""
        return {"config_version": CONFIG_VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, values: object) -> TrainingConfig:
        """Read what `to_json` wrote. Raises `ConfigError` for anything else, or for a newer version."""
        if not isinstance(values, dict):
            raise ConfigError("The configuration must be a JSON object.")
        settings = dict(values)
        version = settings.pop("config_version", None)
        if version != CONFIG_VERSION:
            raise ConfigError(f"The configuration has version {version!r}; this Digit Lab reads {CONFIG_VERSION}.")
        _check_names(settings)
        return cls(**settings)

    def with_settings(self, assignments: list[str]) -> TrainingConfig:
        """Apply settings written as `name=value`, as the command line takes them. Raises `ConfigError`."""
        changes: dict[str, Any] = {}
        for assignment in assignments:
            name, separator, text = assignment.partition("=")
            if not separator:
                raise ConfigError(f"“{assignment[:60]}” is not of the form name=value, such as epochs=3.")
            changes[name.strip()] = _parse_value(text.strip())
        _check_names(changes)
        return replace(self, **changes)


def bounds(name: str) -> tuple[float | None, float | None]:
    """Return the lowest and the highest accepted value of a numeric setting; `(None, None)` for others."""
    metadata = {setting.name: setting.metadata for setting in fields(TrainingConfig)}[name]
    return metadata.get("low"), metadata.get("high")


def _check_names(settings: dict[str, Any]) -> None:
    known = [setting.name for setting in fields(TrainingConfig)]
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise ConfigError(f"“{str(unknown[0])[:60]}” is not a setting. Settings are: {', '.join(known)}.")


def _parse_value(text: str) -> Any:
    """Numbers and `null` become values; everything else stays text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _checked_type(name: str, value: Any, hint: Any) -> Any:
    """Return `value` as the type the field declares (whole floats as int, ints as float), or raise `ConfigError`."""
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if type(None) in options and value in (None, "none"):
        return None
    expected = options[0]
    if get_origin(expected) is Literal:
        if value not in get_args(expected):
            raise ConfigError(
                f"{name}: {_shown(value)} is not accepted; choose one of {', '.join(get_args(expected))}."
            )
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        if expected is float and number:
            return float(value)
        if expected is int and number and float(value).is_integer():
            return int(value)
        if expected is str and (isinstance(value, str) or (number and isinstance(value, int))):
            return str(value)
    except (OverflowError, ValueError):
        raise ConfigError(f"{name}: this number is far too large.") from None
    kind = {int: "a whole number", float: "a number", str: "text"}[expected]
    raise ConfigError(f"{name}: {_shown(value)} is not {kind}.")


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python does not write out numbers of thousands of digits
        return "this value"
    return text if len(text) <= 60 else f"{text[:60]}…"


def _check_bounds(name: str, value: Any, low: float | None, high: float | None) -> None:
    if value is None or low is None or high is None:
        return
    if not low <= value <= high:  # also catches NaN
        raise ConfigError(f"{name}: {value:,} is out of bounds; accepted are {low:,} to {high:,}.")
