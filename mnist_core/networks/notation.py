"""The notation for network architectures, and its reader.

    32C3-P2-64C3-P2-D0.5-10

reads: 32 filters of 3 × 3, 2 × 2 max pooling, 64 filters of 3 × 3, pooling, dropout of one half, ten classes.

| token     | layer                      | options                                                       |
|-----------|----------------------------|---------------------------------------------------------------|
| `32C3`    | convolution, 32 of 3 × 3   | `S2` stride; `:same` padding; `:tanh`, `:elu`, … activation   |
| `P2`      | max pooling 2 × 2          | `S1` stride (default: the pool size); `:same` padding         |
| `A2`      | average pooling 2 × 2      | as max pooling                                                |
| `GAP`     | global average pooling     |                                                               |
| `D0.5`    | dropout of half the values |                                                               |
| `BN`      | batch normalization        |                                                               |
| `128`     | dense layer of 128 units   | `:tanh`, `:elu`, … activation                                 |

Hidden layers are ReLU and padding is `valid` unless said otherwise. Images are flattened before the first dense
layer. The last token is always `10`: the ten digits, as softmax probabilities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mnist_core.common.errors import DigitLabError
from mnist_core.common.text import one_line
from mnist_core.networks.layers import (
    CLASS_COUNT,
    INPUT_SHAPE,
    OUTPUT,
    Activation,
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    Layer,
    LayerError,
    LayerSummary,
    Padding,
    Pool,
    Shape,
    summarize_layer,
)

# Softmax is missing: it belongs to the last layer alone, which always has it.
ACTIVATIONS: tuple[Activation, ...] = ("relu", "tanh", "sigmoid", "elu", "gelu", "silu", "linear")

MAX_LAYERS = 40
MAX_FILTERS = 1024
MAX_UNITS = 4096
MAX_WINDOW = 28  # side of a kernel or pool, and stride
MAX_PARAMETERS = 20_000_000
MAX_CHARACTERS = 400  # that `inspect_notation` reads
_MOST_QUOTED = 40  # characters of a token in a message


class ArchitectureError(DigitLabError, ValueError):
    """A notation that cannot be built.

    `token` is the offending text, `position` its number counted from 1, and `start` its first character in the
    notation counted from 0, so that a page can point at it.
    """

    def __init__(self, message: str, *, token: str, position: int, start: int) -> None:
        super().__init__(f"Token {position}, “{one_line(token, _MOST_QUOTED)}”: {message}")
        self.token = token
        self.position = position
        self.start = start


@dataclass(frozen=True)
class InspectedToken:
    """One token of a notation that may have mistakes, and what can be told about it.

    `layer` is what the token says by itself, or None if it cannot be read; next to an `error` its numbers may be out of
    bounds. `summary` is None where a mistake, here or before, leaves open what the layer does.
    """

    text: str
    start: int  # of its first character in the notation, counted from 0
    layer: Layer | None = None
    summary: LayerSummary | None = None
    error: str | None = None


@dataclass(frozen=True)
class Inspection:
    """All that can be told about a notation. `error` is its first mistake, as `parse_architecture` raises it."""

    tokens: tuple[InspectedToken, ...]
    error: ArchitectureError | None


def parse_architecture(notation: str) -> Architecture:
    """Read and validate a notation.

    Raises `ArchitectureError` at the first token that cannot be read or built, saying what would be accepted.
    """
    layers: list[Layer] = []
    for position, token in enumerate(_read(notation), start=1):
        if token.layer is None or token.error is not None:
            raise _error_at(token, position)
        layers.append(token.layer)
    return Architecture(tuple(layers))


def inspect_notation(notation: str) -> Inspection:
    """Read as much of any text as can be read; never raises.

    The texts of the tokens, joined by hyphens, are the notation without white space around its tokens. What goes beyond
    `MAX_LAYERS` tokens or `MAX_CHARACTERS` characters is not read: it is all in the last token, which is a mistake.
    """
    tokens: list[InspectedToken] = []
    error: ArchitectureError | None = None
    for position, token in enumerate(_read(notation), start=1):
        too_long = token.start + len(token.text) > MAX_CHARACTERS
        if too_long:
            token = InspectedToken(token.text, token.start, error=f"at most {MAX_CHARACTERS} characters are accepted.")
        if error is None and token.error is not None:
            error = _error_at(token, position)
        if too_long or position > MAX_LAYERS:
            tokens.append(replace(token, text=notation[token.start :].rstrip()))
            break
        tokens.append(token)
    return Inspection(tuple(tokens), error)


class _TokenError(ValueError):
    """What is wrong with a token; `_error_at` adds which one it is."""


def _error_at(token: InspectedToken, position: int) -> ArchitectureError:
    return ArchitectureError(token.error or "", token=token.text, position=position, start=token.start)


def _read(notation: str) -> Iterator[InspectedToken]:
    """Yield what can be told about each token; stops after one token too many."""
    if not notation.strip():
        yield InspectedToken("", 0, error="an architecture is needed, such as 32C3-P2-10.")
        return
    shape: Shape | None = INPUT_SHAPE  # None: not known, because of a mistake
    parameters = 0
    tokens = _tokens(notation)
    for position, (text, start) in enumerate(tokens[: MAX_LAYERS + 1], start=1):
        layer: Layer | None = None
        summary: LayerSummary | None = None
        error: str | None = None
        try:
            if position > MAX_LAYERS:
                raise _TokenError(f"at most {MAX_LAYERS} layers are accepted.")
            is_last = position == len(tokens)
            layer = OUTPUT if is_last and text == str(CLASS_COUNT) else _read_layer(text)
            _check_numbers(layer)
            if is_last and layer != OUTPUT:
                raise _TokenError(
                    f"the last layer must be {CLASS_COUNT}, one output for each digit. Add -{CLASS_COUNT}."
                )
            if shape is not None:
                summary = summarize_layer(layer, shape)
                parameters += summary.parameters
                if parameters > MAX_PARAMETERS:
                    raise _TokenError(
                        f"brings the network to {parameters:,} parameters; at most {MAX_PARAMETERS:,} are accepted. "
                        f"Use fewer filters or units, or pool before the dense layer."
                    )
        except (LayerError, _TokenError) as problem:
            error = str(problem)
        shape = None if summary is None or error is not None else summary.output_shape
        yield InspectedToken(text, start, layer, summary, error)


def _tokens(notation: str) -> list[tuple[str, int]]:
    """Split at hyphens into `(token, start)`, without the white space around tokens."""
    tokens = []
    offset = 0
    for piece in notation.split("-"):
        tokens.append((piece.strip(), offset + len(piece) - len(piece.lstrip())))
        offset += len(piece) + 1
    return tokens


_ACCEPTED = (
    "expected a convolution such as 32C3, max pooling P2, average pooling A2, dropout D0.5, "
    "batch normalization BN, global average pooling GAP, or a dense layer such as 128."
)
# ASCII digits only, and few enough that no number can be absurdly long.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("conv", re.compile(r"([0-9]{1,6})C([0-9]{1,6})(?:S([0-9]{1,6}))?((?::[a-z]+)*)")),
    ("pool", re.compile(r"([PA])([0-9]{1,6})(?:S([0-9]{1,6}))?((?::[a-z]+)*)")),
    ("dropout", re.compile(r"D([0-9]{0,6}(?:\.[0-9]{1,6})?)")),
    ("dense", re.compile(r"([0-9]{1,6})((?::[a-z]+)*)")),
    ("batch norm", re.compile(r"BN")),
    ("global pool", re.compile(r"GAP")),
)


def _read_layer(token: str) -> Layer:
    """Return what a token says; its numbers may be out of bounds."""
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(token)
        if match is None:
            continue
        if kind == "conv":
            filters, size, stride, options = match.groups()
            padding, activation = _read_options(options, allow_padding=True, allow_activation=True)
            return Conv(int(filters), int(size), int(stride or "1"), padding, activation)
        if kind == "pool":
            letter, size, stride, options = match.groups()
            padding, _ = _read_options(options, allow_padding=True, allow_activation=False)
            return Pool("max" if letter == "P" else "average", int(size), int(stride or size), padding)
        if kind == "dropout":
            return Dropout(float(match[1] or "0"))
        if kind == "dense":
            _, activation = _read_options(match[2], allow_padding=False, allow_activation=True)
            return Dense(int(match[1]), activation)
        return BatchNorm() if kind == "batch norm" else GlobalAveragePool()
    raise _TokenError(("nothing stands between two hyphens; " if not token else "is not a layer; ") + _ACCEPTED)


def _check_numbers(layer: Layer) -> None:
    match layer:
        case Conv():
            _check_bounds(layer.filters, MAX_FILTERS, "the number of filters")
            _check_bounds(layer.size, MAX_WINDOW, "the kernel size")
            _check_bounds(layer.stride, MAX_WINDOW, "the stride")
        case Pool():
            _check_bounds(layer.size, MAX_WINDOW, "the pool size")
            _check_bounds(layer.stride, MAX_WINDOW, "the stride")
        case Dropout():
            if not 0 < layer.rate < 1:
                raise _TokenError("the dropout rate must lie between 0 and 1, as in D0.5.")
        case Dense():
            _check_bounds(layer.units, MAX_UNITS, "the number of units")


def _check_bounds(value: int, high: int, what: str) -> None:
    if not 1 <= value <= high:
        raise _TokenError(f"{what} must be a whole number from 1 to {high:,}.")


def _read_options(text: str, *, allow_padding: bool, allow_activation: bool) -> tuple[Padding, Activation]:
    """Read `:same:tanh` into padding and activation; each may be given once, in either order."""
    padding: Padding = "valid"
    activation: Activation = "relu"
    seen: set[str] = set()
    for word in text.split(":")[1:]:
        kind = "padding" if word in ("same", "valid") else "activation"
        if kind == "padding" and allow_padding and kind not in seen:
            padding = "same" if word == "same" else "valid"
        elif word in ACTIVATIONS and allow_activation and kind not in seen:
            activation = next(name for name in ACTIVATIONS if name == word)
        else:
            accepted = (("same", "valid") if allow_padding else ()) + (ACTIVATIONS if allow_activation else ())
            raise _TokenError(
                f"“:{word[:_MOST_QUOTED]}” does not fit here; each option once, of: {', '.join(accepted)}."
            )
        seen.add(kind)
    return padding, activation
