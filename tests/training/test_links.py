"""Links to settings: they give back exactly what was linked, and anything at all can be opened."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.networks.notation import parse_architecture
from mnist_core.training.config import ConfigError, TrainingConfig, bounds, key_of, options
from mnist_core.training.links import LinkedSettings, combine, from_query, setting_names, to_query
from mnist_core.training.presets import DEFAULT_PRESET, PRESETS
from tests.support.strategies import HOSTILE, queries_of_settings

NAMES = [setting.name for setting in fields(TrainingConfig)]
WHOLE_NUMBERS = {"step_epochs", "batch_size", "epochs", "train_size", "patience", "seed"}
NETWORKS = ["10", "4C3-P2-10", " 32C3 - P2 - 10 ", "BN-D0.5-16:tanh-10", "10".rjust(400), "8C3:same:gelu-GAP-10"]


@st.composite
def configs(draw: st.DrawFn) -> TrainingConfig:
    """Draw a preset with any of its settings changed."""
    original = PRESETS[draw(st.sampled_from(list(PRESETS)))].config
    values: dict[str, Any] = {"validation": original.validation}
    for name in draw(st.sets(st.sampled_from([name for name in NAMES if name != "preset"]))):
        low, high = bounds(name)
        if name == "notation":
            values[name] = draw(st.sampled_from(NETWORKS))
        elif name in WHOLE_NUMBERS:
            values[name] = draw(st.integers(int(low or 0), int(high or 0)))
        elif options(name):
            values[name] = draw(st.sampled_from(options(name)))
        else:
            values[name] = draw(st.floats(low, high))
    if values["validation"] in ("test", "none"):  # then nothing can be chosen by validation
        values |= {"keep": "last", "stop_metric": draw(st.sampled_from(["training accuracy", "training loss"]))}
    return replace(original, **values)


def typed(config: TrainingConfig) -> list[tuple[str, type, object]]:
    return [(name, type(getattr(config, name)), getattr(config, name)) for name in NAMES]


def shortened(text: str) -> str:
    """The name of a test that takes a long text."""
    return ascii(text[:20])


def through_an_address(query: dict[str, str]) -> dict[str, str]:
    return dict(parse_qsl(urlencode(query), keep_blank_values=True))


def assert_without_markup(linked: LinkedSettings) -> None:
    """Outside of quotation marks notes are our own words; inside, nothing is left that could mean anything."""
    for note in linked.notes:
        quotes = re.findall("“([^”]*)”", note)
        for quoted in quotes:
            assert len(quoted) <= 30
            assert all(letter.isalnum() or letter in " .,+-" for letter in quoted)
            assert "www." not in quoted.lower()
        ours = re.sub("“[^”]*”", "“”", note)
        assert re.fullmatch(r"[A-Za-z0-9 .,:’“”+-]*", ours), ours
        assert len(note) < 200


# There and back


def test_the_query_of_the_example() -> None:
    config = replace(PRESETS["chollet"].config, epochs=3, learning_rate=0.01)
    assert to_query(config) == {"v": "2", "preset": "chollet", "epochs": "3", "learning_rate": "0.01"}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_linked_by_its_name_alone(name: str) -> None:
    assert to_query(PRESETS[name].config) == {"v": "2", "preset": name}
    assert from_query({"v": "2", "preset": name}) == LinkedSettings(
        PRESETS[name].config, PRESETS[name].config.notation, ()
    )


@settings(max_examples=300, deadline=None)
@given(configs())
def test_a_link_gives_back_exactly_what_was_linked(config: TrainingConfig) -> None:
    linked = from_query(through_an_address(to_query(config)))
    assert typed(linked.config) == typed(config)
    assert linked.notation == config.notation
    assert linked.notes == ()


@settings(max_examples=200, deadline=None)
@given(configs())
def test_a_link_holds_only_what_differs_from_the_preset(config: TrainingConfig) -> None:
    original = PRESETS[config.preset].config
    different = {name for name in NAMES if getattr(config, name) != getattr(original, name)}
    query = to_query(config)
    assert set(query) == {"v", "preset"} | set(map(key_of, different))
    assert set(query) <= set(setting_names())
    assert all(isinstance(text, str) for text in query.values())


@settings(max_examples=50, deadline=None)
@given(configs(), st.text(max_size=60).filter(lambda name: name not in PRESETS))
def test_settings_of_an_unknown_preset_get_the_default_name(config: TrainingConfig, label: str) -> None:
    linked = from_query(to_query(replace(config, preset=label)))
    assert linked.config == replace(config, preset=DEFAULT_PRESET)
    assert linked.notes == ()


def test_a_link_names_settings_and_the_version() -> None:
    assert set(setting_names()) == {"v", *map(key_of, NAMES)}


# Whatever an address may hold


def test_an_empty_query_means_the_default_preset() -> None:
    config = PRESETS[DEFAULT_PRESET].config
    assert from_query({}) == LinkedSettings(config, config.notation, ())


@pytest.mark.parametrize("version", ["1", "3", "", "two", "<b>2</b>", "2.0", "9" * 10_000], ids=shortened)
def test_a_link_of_another_version_is_read_with_a_note(version: str) -> None:
    linked = from_query({"v": version, "preset": "tiny", "epochs": "4"})
    assert linked.config == replace(PRESETS["tiny"].config, epochs=4)
    assert len(linked.notes) == 1
    assert "another version" in linked.notes[0]
    assert_without_markup(linked)


@pytest.mark.parametrize("name", ["", "Chollet", "custom", "<b>x</b>", "__class__", "www.example.org"])
def test_an_unknown_preset_is_the_default_one(name: str) -> None:
    linked = from_query({"preset": name, "epochs": "4"})
    assert linked.config == replace(PRESETS[DEFAULT_PRESET].config, epochs=4)
    assert len(linked.notes) == 1
    assert linked.notes[0].startswith("There is no preset called “")
    assert DEFAULT_PRESET in linked.notes[0]
    assert_without_markup(linked)


@pytest.mark.parametrize("name", ["Epochs", "__init__", "self", "stop_above_accuracy", *HOSTILE], ids=shortened)
def test_an_unknown_name_is_ignored_with_a_note(name: str) -> None:
    linked = from_query({"preset": "tiny", name: "3"})
    assert linked.config == PRESETS["tiny"].config
    assert len(linked.notes) == 1
    assert linked.notes[0].endswith("is not a setting, so it was ignored.")
    assert_without_markup(linked)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "0", 1),
        ("epochs", "1000", 100),
        ("epochs", "-1e18", 1),
        ("patience", "1e9", 100),
        ("seed", "-1", 0),
        ("learning_rate", "0", 1e-6),
        ("learning_rate", "11", 10.0),
        ("learning_rate", "Infinity", 10.0),
        ("learning_rate", "-1e999", 1e-6),
        ("zoom", "-0.5", 0.0),
        ("shift", "7", 6.0),
        ("validation_share", "0.9", 0.5),
    ],
)
def test_a_value_out_of_bounds_is_clamped_with_a_note(name: str, text: str, value: Any) -> None:
    linked = from_query({"preset": "tiny", name: text})
    assert typed(linked.config) == typed(replace(PRESETS["tiny"].config, **{name: value}))
    assert len(linked.notes) == 1
    assert "out of bounds" in linked.notes[0]
    assert f"so it is {value}." in linked.notes[0]
    assert_without_markup(linked)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("epochs", "many"),
        ("epochs", ""),
        ("epochs", "2.5"),
        ("epochs", "Infinity"),
        pytest.param("epochs", "9" * 10_000, id="epochs of 10,000 digits"),
        ("epochs", "true"),
        ("learning_rate", "NaN"),
        ("learning_rate", "[1]"),
        pytest.param("learning_rate", "9" * 10_000, id="learning rate of 10,000 digits"),
        ("optimizer", "Adam"),
        ("optimizer", "7"),
        ("scaling", "0-2"),
        ("stop_metric", "validation"),
        ("keep", "<b>best</b>"),
    ],
)
def test_a_meaningless_value_leaves_the_preset_one_with_a_note(name: str, text: str) -> None:
    linked = from_query({"preset": "champion", name: text})
    assert linked.config == PRESETS["champion"].config
    assert len(linked.notes) == 1
    assert f"so it is {getattr(linked.config, name)}." in linked.notes[0]
    assert_without_markup(linked)


@pytest.mark.parametrize("name", setting_names())
@pytest.mark.parametrize("text", HOSTILE, ids=shortened)
def test_hostile_values_do_no_harm(name: str, text: str) -> None:
    linked = from_query({name: text})
    assert linked.config.preset == DEFAULT_PRESET
    assert len(linked.notation) <= 400
    assert_without_markup(linked)


@settings(max_examples=400, deadline=None)
@given(queries_of_settings)
def test_any_query_can_be_opened(query: dict[str, str]) -> None:
    linked = from_query(query)
    assert isinstance(linked.config, TrainingConfig)
    assert len(linked.notes) <= 8
    assert_without_markup(linked)
    # What a link was corrected to can be linked itself.
    assert from_query(to_query(linked.config)).config == linked.config


@pytest.mark.parametrize(
    "notation", ["32C3-P2", "hello", "", "<b>10</b>", "2000C3-10", "P2-" * 50 + "10", "10-" * 133], ids=shortened
)
def test_a_faulty_network_stays_as_written_beside_the_preset_one(notation: str) -> None:
    linked = from_query({"preset": "tiny", "architecture": notation, "epochs": "4"})
    assert linked.notation == notation
    assert linked.config == replace(PRESETS["tiny"].config, epochs=4)
    assert linked.notes == ()  # the editor tells what is wrong


@pytest.mark.parametrize(
    "notation",
    ["10".rjust(401), "x" * 10_000, "10" + " " * 399, "10".ljust(400) + "-10"],
    ids=["padded before", "nonsense", "padded after", "valid if cut"],
)
def test_a_network_too_long_to_show_is_not_cut_into_another(notation: str) -> None:
    linked = from_query({"preset": "tiny", "architecture": notation})
    assert linked.config == PRESETS["tiny"].config
    assert linked.notation == linked.config.notation
    assert linked.notes == ("The network of the link is too long to be read, so it is that of tiny.",)


# Settings that go together


@pytest.mark.parametrize("validation", ["test", "none"])
def test_early_stopping_follows_when_no_images_are_held_out(validation: str) -> None:
    watching = replace(PRESETS["tiny"].config, early_stopping="patience", stop_metric="validation loss")
    config, note = combine(watching, {"validation": validation})
    assert config == replace(watching, validation=validation, stop_metric="training loss")  # type: ignore[arg-type]
    assert note == "As no images are held out of training, early stopping monitors the training loss."

    config, note = combine(replace(watching, stop_metric="validation accuracy"), {"validation": validation})
    assert config.stop_metric == "training accuracy"
    assert note == "As no images are held out of training, early stopping monitors the training accuracy."


@pytest.mark.parametrize("validation", ["test", "none"])
def test_the_choice_of_weights_yields_without_held_out_images(validation: str) -> None:
    best = replace(PRESETS["tiny"].config, keep="best")
    config, note = combine(best, {"validation": validation})
    # Early stopping is off, so what it would watch is left alone.
    assert config == replace(best, validation=validation, keep="last")  # type: ignore[arg-type]
    assert note == "As no images are held out of training, the last weights are saved."


def test_both_follow_when_both_chose_by_validation() -> None:
    both = replace(PRESETS["tiny"].config, keep="best", early_stopping="target", stop_metric="validation accuracy")
    config, note = combine(both, {"validation": "none", "epochs": 7})
    assert config == replace(both, validation="none", epochs=7, keep="last", stop_metric="training accuracy")
    assert note.startswith("As no images are held out of training, ")
    assert note.endswith(", early stopping monitors the training accuracy and the last weights are saved.")


@pytest.mark.parametrize(
    "changes", [{"keep": "best"}, {"early_stopping": "patience", "stop_metric": "validation accuracy"}]
)
def test_what_needs_held_out_images_gives_way_without_them(changes: dict[str, Any]) -> None:
    config, note = combine(replace(PRESETS["tiny"].config, validation="none"), changes)
    assert config.validation == "none"
    assert (config.keep, config.stop_metric.startswith("training")) == ("last", "stop_metric" in changes)
    assert note.startswith("As no images are held out of training, ")


@settings(max_examples=200, deadline=None)
@given(configs(), configs())
def test_settings_that_go_together_are_taken_as_they_are(before: TrainingConfig, after: TrainingConfig) -> None:
    assert combine(before, {name: getattr(after, name) for name in NAMES}) == (after, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0},
        {"epochs": "3"},
        {"keep": "nonsense"},
        {"stop_metric": "validation"},
        {"stop_metric": None},
        {"early_stopping": True},
        {"notation": "32C3"},
        {"notation": None},
        {"preset": "x" * 61},
    ],
)
@pytest.mark.parametrize("validation", ["last", "none"])
def test_a_value_that_is_wrong_by_itself_is_refused(changes: dict[str, Any], validation: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key_of(next(iter(changes)))}: "):
        combine(PRESETS["tiny"].config, {"validation": validation, **changes})
    demanding = replace(PRESETS["tiny"].config, keep="best", early_stopping="patience")
    with pytest.raises(ConfigError):
        combine(demanding, {"validation": validation, **changes})


def test_a_link_that_contradicts_itself_is_corrected_with_a_note() -> None:
    query = {"preset": "tiny", "validation": "test", "keep": "best", "early_stopping": "patience", "patience": "4"}
    linked = from_query(query)
    assert (linked.config.validation, linked.config.keep, linked.config.patience) == ("test", "last", 4)
    assert linked.config.stop_metric == "training loss"
    assert len(linked.notes) == 1
    assert_without_markup(linked)


def test_the_networks_of_these_tests_can_be_built() -> None:
    for notation in NETWORKS:
        parse_architecture(notation)
