"""The notation: what it means, that it comes back as it was written, and what its reader says to mistakes."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings

from mnist_core.networks.layers import (
    OUTPUT,
    Architecture,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    GlobalAveragePool,
    Layer,
    Pool,
    format_architecture,
    summarize,
)
from mnist_core.networks.notation import (
    ACTIVATIONS,
    MAX_CHARACTERS,
    MAX_LAYERS,
    MAX_PARAMETERS,
    ArchitectureError,
    inspect_notation,
    parse_architecture,
)
from tests.support.networks import PUBLISHED_PARAMETERS, architectures
from tests.support.strategies import notations


def assert_points_at_token(notation: str, error: ArchitectureError) -> None:
    """Token, position and start must agree with each other and with the notation."""
    printable = "".join(letter if letter.isprintable() else " " * letter.isspace() for letter in error.token)
    quoted = " ".join(printable.split())[:40].rstrip()  # on one line, and absurdly long tokens are cut
    assert str(error).startswith(f"Token {error.position}, “{quoted}”: ")
    assert notation[error.start : error.start + len(error.token)] == error.token
    assert 0 <= error.start <= len(notation)
    if notation.strip():
        assert notation.split("-")[error.position - 1].strip() == error.token
        assert notation[: error.start].count("-") == error.position - 1


def test_a_notation_is_read_into_layers() -> None:
    assert parse_architecture("32C3-P2-A3S1:same-D0.5-BN-GAP-128:elu-10").layers == (
        Conv(32, 3, 1, "valid", "relu"),
        Pool("max", 2, 2, "valid"),
        Pool("average", 3, 1, "same"),
        Dropout(0.5),
        BatchNorm(),
        GlobalAveragePool(),
        Dense(128, "elu"),
        Dense(10, "softmax"),
    )


@settings(max_examples=300, deadline=None)
@given(architectures())
def test_formatting_and_parsing_returns_the_same_architecture(architecture: Architecture) -> None:
    notation = format_architecture(architecture)
    assert str(architecture) == notation
    assert parse_architecture(notation) == architecture
    assert format_architecture(parse_architecture(notation)) == notation


@pytest.mark.parametrize(
    ("notation", "shortest"),
    [
        ("32C3S1:valid:relu-10", "32C3-10"),
        ("8C3:tanh:same-10", "8C3:same:tanh-10"),
        ("P2S2:valid-10", "P2-10"),
        ("P2S1-10", "P2S1-10"),
        ("D.5-10", "D0.5-10"),
        ("D0.250-10", "D0.25-10"),
        ("D00.1-10", "D0.1-10"),
        ("D0.000001-10", "D0.000001-10"),
        ("D0.999999-10", "D0.999999-10"),
        ("128:relu-010-10", "128-10-10"),
        (" 32C3 -\tP2 - 10\n", "32C3-P2-10"),
    ],
)
def test_the_shortest_notation_is_written(notation: str, shortest: str) -> None:
    assert format_architecture(parse_architecture(notation)) == shortest


def test_only_the_last_ten_is_the_output() -> None:
    assert parse_architecture("10-10").layers == (Dense(10, "relu"), Dense(10, "softmax"))


LAYERS = ["32C3", "P2", "A2", "D0.5", "BN", "GAP", "128"]  # an example of each kind, for who knows none
PADDINGS = ["same", "valid"]


@pytest.mark.parametrize(
    ("notation", "token", "position", "start", "accepted"),
    [
        # What is no layer at all
        ("", "", 1, 0, ["32C3-P2-10"]),
        ("  \n", "", 1, 0, ["32C3-P2-10"]),
        ("conv-10", "conv", 1, 0, LAYERS),
        ("32C3-pool-10", "pool", 2, 5, LAYERS),
        ("32c3-10", "32c3", 1, 0, LAYERS),
        ("32C3 P2 10", "32C3 P2 10", 1, 0, LAYERS),
        ("32C3–P2–10", "32C3–P2–10", 1, 0, LAYERS),
        ("３２C3-10", "３２C3", 1, 0, LAYERS),
        ("32C-10", "32C", 1, 0, LAYERS),
        ("32C3S-10", "32C3S", 1, 0, LAYERS),
        ("32C3.5-10", "32C3.5", 1, 0, LAYERS),
        ("32C3:-10", "32C3:", 1, 0, LAYERS),
        ("BN:relu-10", "BN:relu", 1, 0, LAYERS),
        ("GAP2-10", "GAP2", 1, 0, LAYERS),
        ("D0.5:same-10", "D0.5:same", 1, 0, LAYERS),
        ("P2--10", "", 2, 3, LAYERS),
        ("-10", "", 1, 0, LAYERS),
        ("P2-10-", "", 3, 6, LAYERS),
        # Numbers out of bounds
        ("P2-0C3-10", "0C3", 2, 3, ["filters", "1", "1,024"]),
        ("P2-1025C3-10", "1025C3", 2, 3, ["filters", "1", "1,024"]),
        ("32C0-10", "32C0", 1, 0, ["kernel size", "1", "28"]),
        ("32C29:same-10", "32C29:same", 1, 0, ["kernel size", "1", "28"]),
        ("32C3S0-10", "32C3S0", 1, 0, ["stride", "1", "28"]),
        ("32C3S29-10", "32C3S29", 1, 0, ["stride", "1", "28"]),
        ("P0-10", "P0", 1, 0, ["pool size", "1", "28"]),
        ("A29:same-10", "A29:same", 1, 0, ["pool size", "1", "28"]),
        ("P2S0-10", "P2S0", 1, 0, ["stride", "1", "28"]),
        ("A2S29-10", "A2S29", 1, 0, ["stride", "1", "28"]),
        ("0-10", "0", 1, 0, ["units", "1", "4,096"]),
        ("4097-10", "4097", 1, 0, ["units", "1", "4,096"]),
        ("P2-D-10", "D", 2, 3, ["between 0 and 1", "D0.5"]),
        ("D0-10", "D0", 1, 0, ["between 0 and 1", "D0.5"]),
        ("D1-10", "D1", 1, 0, ["between 0 and 1", "D0.5"]),
        ("D50-10", "D50", 1, 0, ["between 0 and 1", "D0.5"]),
        # Options
        ("32C3:foo-10", "32C3:foo", 1, 0, [":foo", *PADDINGS, *ACTIVATIONS]),
        ("32C3:softmax-10", "32C3:softmax", 1, 0, [":softmax", *PADDINGS, *ACTIVATIONS]),
        ("32C3:same:same-10", "32C3:same:same", 1, 0, [":same", "once", *PADDINGS]),
        ("32C3:same:valid-10", "32C3:same:valid", 1, 0, [":valid", "once", *PADDINGS]),
        ("32C3:relu:tanh-10", "32C3:relu:tanh", 1, 0, [":tanh", "once", *ACTIVATIONS]),
        ("P2:relu-10", "P2:relu", 1, 0, [":relu", *PADDINGS]),
        ("128:same-10", "128:same", 1, 0, [":same", *ACTIVATIONS]),
        ("10:softmax", "10:softmax", 1, 0, [":softmax", *ACTIVATIONS]),
        # What cannot follow
        ("128-32C3-10", "32C3", 2, 4, ["feature maps", "dense layers", "D", "BN"]),
        ("GAP-P2-10", "P2", 2, 4, ["feature maps", "dense layers", "D", "BN"]),
        ("P2-GAP-GAP-10", "GAP", 3, 7, ["feature maps", "dense layers", "D", "BN"]),
        ("P14-8C3-10", "8C3", 2, 4, ["3 × 3", "2 × 2", "smaller window", ":same"]),
        ("P2-P2-P2-P2-P2-10", "P2", 5, 12, ["2 × 2", "1 × 1", "smaller window", ":same"]),
        # The last layer
        ("32C3-P2", "P2", 2, 5, ["10", "-10"]),
        ("P2-128", "128", 2, 3, ["10", "-10"]),
        ("P2-10:linear", "10:linear", 2, 3, ["10", "-10"]),
        ("P2-010", "010", 2, 3, ["10", "-10"]),
        # Too much
        ("4096-4096-4096-10", "4096", 3, 10, ["36,777,984", "20,000,000", "fewer"]),
        ("4096-4096-10", "10", 3, 10, ["20,037,642", "20,000,000", "fewer"]),
        ("BN-" * 40 + "10", "10", 41, 120, ["at most 40 layers"]),
        ("BN-" * 41 + "10", "BN", 41, 120, ["at most 40 layers"]),
        ("BN-" * 40 + "BN", "BN", 41, 120, ["at most 40 layers"]),
        # White space around tokens is not part of them
        ("  32C3 -  pool - 10", "pool", 2, 10, LAYERS),
        ("\t0C3-10", "0C3", 1, 1, ["filters"]),
    ],
)
def test_an_error_names_the_token_its_place_and_what_is_accepted(
    notation: str, token: str, position: int, start: int, accepted: list[str]
) -> None:
    with pytest.raises(ArchitectureError) as caught:
        parse_architecture(notation)
    error = caught.value
    assert (error.token, error.position, error.start) == (token, position, start)
    assert_points_at_token(notation, error)
    explanation = str(error).removeprefix(f"Token {position}, “{token}”: ")
    assert [word for word in accepted if word not in explanation] == []


def test_the_first_mistake_is_reported() -> None:
    with pytest.raises(ArchitectureError) as caught:
        parse_architecture("P2-0C3-what-128")
    assert caught.value.position == 2


def test_limits_themselves_are_accepted() -> None:
    assert len(parse_architecture("BN-" * (MAX_LAYERS - 1) + "10").layers) == MAX_LAYERS
    largest = parse_architecture("4096-4080-10")
    assert largest.parameters == 785 * 4096 + 4097 * 4080 + 4081 * 10 <= MAX_PARAMETERS
    for token in ("1024C1", "1C28", "1C28S28", "P28", "A28S28:same", "P1", "4096", "1"):
        parse_architecture(f"{token}-10")


def test_an_error_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        parse_architecture("what")


@settings(max_examples=500, deadline=None)
@given(notations)
@example("-" * 10)
@example("10\x00")
@example("²C³-10")
@example("\ud800-10")
@example("9" * 5000)
@example("D" + "0" * 5000 + ".5-10")
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        architecture = parse_architecture(text)
    except ArchitectureError as error:
        assert_points_at_token(text, error)
    else:
        assert architecture.layers[-1] == OUTPUT
        assert parse_architecture(format_architecture(architecture)) == architecture
        assert architecture.parameters <= MAX_PARAMETERS
        assert all(min(layer.output_shape) >= 1 for layer in summarize(architecture))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("-" * 50_000, id="hyphens"),
        pytest.param("BN-" * 20_000 + "10", id="layers"),
        pytest.param("1" * 50_000, id="digits"),
        pytest.param("32C3" + ":a" * 25_000, id="unknown options"),
        pytest.param("32C3" + ":same" * 10_000 + "!", id="repeated options"),
        pytest.param("D" + "0" * 25_000 + "." + "0" * 25_000, id="zeros"),
        pytest.param(" " * 50_000 + "x", id="white space"),
        pytest.param("9C" * 25_000, id="repeated letters"),
    ],
)
def test_long_text_is_refused_quickly(text: str) -> None:
    started = time.process_time()
    with pytest.raises(ArchitectureError):
        parse_architecture(text)
    assert time.process_time() - started < 1


def test_inspection_tells_all_it_can_about_a_mistake() -> None:
    inspection = inspect_notation(" 32C3-P2 - 64Q3-P2-2000C3-D0.5-10")
    tokens = inspection.tokens
    assert [token.text for token in tokens] == ["32C3", "P2", "64Q3", "P2", "2000C3", "D0.5", "10"]
    assert [token.start for token in tokens] == [1, 6, 11, 16, 19, 26, 31]
    pool = Pool("max", 2, 2)
    assert [token.layer for token in tokens] == [Conv(32, 3), pool, None, pool, Conv(2000, 3), Dropout(0.5), OUTPUT]
    before = [token.summary.output_shape for token in tokens if token.summary is not None]
    assert before == [(26, 26, 32), (13, 13, 32)]
    assert all(token.summary is None for token in tokens[2:])
    assert [place for place, token in enumerate(tokens) if token.error is not None] == [2, 4]
    assert (tokens[2].error or "").startswith("is not a layer; expected a convolution")
    assert "from 1 to 1,024" in (tokens[4].error or "")
    assert inspection.error is not None
    assert (inspection.error.token, inspection.error.position, inspection.error.start) == ("64Q3", 3, 11)


@pytest.mark.parametrize(
    ("token", "layer"),
    [
        ("0C3", Conv(0, 3)),
        ("32C99S0:same", Conv(32, 99, 0, "same")),
        ("P0", Pool("max", 0, 0)),
        ("A2S99", Pool("average", 2, 99)),
        ("D1", Dropout(1)),
        ("D", Dropout(0)),
        ("5000:tanh", Dense(5000, "tanh")),
        ("32C3:foo", None),
        ("", None),
    ],
)
def test_numbers_out_of_bounds_are_read_and_refused(token: str, layer: Layer | None) -> None:
    inspected = inspect_notation(f"P2-{token}-10").tokens[1]
    assert inspected.layer == layer
    assert inspected.summary is None
    assert inspected.error is not None


def test_a_layer_that_cannot_follow_is_the_only_mistake() -> None:
    tokens = inspect_notation("128-32C3-P2-BN-10").tokens
    assert [token.error is None for token in tokens] == [True, False, True, True, True]
    assert [token.summary is None for token in tokens] == [False, True, True, True, True]
    assert all(token.layer is not None for token in tokens)


def test_the_layer_that_is_too_large_shows_why() -> None:
    tokens = inspect_notation("4096-4096-4096-10").tokens
    summary = tokens[2].summary
    assert summary is not None
    assert summary.arithmetic == "4,096×4,096 + 4,096 = 16,781,312"
    assert [token.error is None for token in tokens] == [True, True, False, True]
    assert tokens[3].summary is None


def assert_as_parsed(text: str) -> None:
    inspection = inspect_notation(text)
    try:
        architecture = parse_architecture(text)
    except ArchitectureError as error:
        found = inspection.error
        assert found is not None
        expected = (str(error), error.token, error.position, error.start)
        assert (str(found), found.token, found.position, found.start) == expected
        first = next(place for place, token in enumerate(inspection.tokens, start=1) if token.error is not None)
        assert first == error.position
        assert all(token.summary is not None for token in inspection.tokens[: first - 1])
        assert all(token.summary is None for token in inspection.tokens[first:])
    else:
        assert inspection.error is None
        assert tuple(token.layer for token in inspection.tokens) == architecture.layers
        assert tuple(token.summary for token in inspection.tokens) == summarize(architecture)


@settings(max_examples=500, deadline=None)
@given(notations | architectures().map(str))
@example("")
@example("  ")
@example("-" * 39)
@example("BN-" * 40 + "10")
@example("BN-" * 39 + "10")
@example("4096-4096-10")
@example("\ud800-10")
def test_inspecting_agrees_with_parsing_on_any_text(text: str) -> None:
    assert_as_parsed(text)
    tokens = inspect_notation(text).tokens
    if text.strip() and len(tokens) <= MAX_LAYERS:
        assert [token.text for token in tokens] == [piece.strip() for piece in text.split("-")]
    assert all(text.startswith(token.text, token.start) for token in tokens)


@pytest.mark.parametrize("notation", PUBLISHED_PARAMETERS)
def test_inspecting_agrees_with_parsing_on_published_networks(notation: str) -> None:
    assert_as_parsed(notation)


def test_what_is_too_much_is_kept_in_the_last_token() -> None:
    many = inspect_notation("BN-" * 45 + "10 ").tokens
    assert len(many) == MAX_LAYERS + 1
    assert many[-1].text == "BN-BN-BN-BN-BN-10"
    assert many[-1].error == "at most 40 layers are accepted."

    text = "64C3:same:tanh-" * 30 + "10"
    assert len(text) > MAX_CHARACTERS
    long = inspect_notation(text).tokens
    assert "-".join(token.text for token in long) == text
    assert [token.error is None for token in long] == [True] * 26 + [False]
    assert long[-1].start == 26 * len("64C3:same:tanh-")
    assert long[-1].error == "at most 400 characters are accepted."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("-" * 1_000_000, id="hyphens"),
        pytest.param("32C3-" * 200_000, id="layers"),
        pytest.param("1" * 1_000_000, id="digits"),
        pytest.param("32C3" + ":same" * 200_000, id="options"),
        pytest.param(" " * 1_000_000 + "x", id="white space"),
    ],
)
def test_long_text_is_inspected_quickly(text: str) -> None:
    started = time.process_time()
    inspection = inspect_notation(text)
    assert time.process_time() - started < 1
    assert len(inspection.tokens) <= MAX_LAYERS + 1
    assert inspection.error is not None
    assert len(str(inspection.error)) < 400
