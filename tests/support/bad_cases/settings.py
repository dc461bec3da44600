"""Settings and networks from outside: in links, as files, on the command line, as notation."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import strategies as st

from mnist_core.networks.notation import ArchitectureError, inspect_notation, parse_architecture
from mnist_core.training import links
from mnist_core.training.config import ConfigError, TrainingConfig, name_of, options
from mnist_core.training.export.files import read_config
from tests.support.bad_cases.damage import damaged, dumped, names
from tests.support.bad_cases.trials import CaseKind, Home
from tests.support.strategies import hostile_texts, json_values, notations, queries_of_settings

SETTINGS = [name for name in links.setting_names() if name != "v"]


def _answer_link(query: dict[str, str], home: Home) -> Sequence[str]:
    linked = links.from_query(query)
    assert links.from_query(links.to_query(linked.config)).config == linked.config
    inspect_notation(linked.notation)
    return linked.notes


# Values of settings: some fit some of them.
_fitting = (
    st.sampled_from([option for key in SETTINGS for option in options(name_of(key))])
    | st.sampled_from([0, 1, 2.0, 0.5, 100, 1000, 1e-6, "10", "32C3-P2-10", "validation loss"])
    | st.floats(0, 1)
)
_json_of_settings = st.builds(
    lambda changes, more: {**TrainingConfig().to_json(), **changes, **more},
    st.dictionaries(st.sampled_from([*SETTINGS, "config_version"]), _fitting | json_values | hostile_texts, max_size=3),
    st.just({}) | st.dictionaries(st.text(max_size=20) | hostile_texts, json_values, max_size=1),
)

settings_files = (
    _json_of_settings.map(dumped)
    | json_values.map(dumped)
    | damaged(_json_of_settings.map(dumped))
    | st.binary(max_size=200)
    | st.sampled_from([b"[" * 100_000, b"9" * 10_000, b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{" * 5_000, b""])
)


def _answer_settings_file(content: bytes, home: Home) -> Sequence[str]:
    try:
        config = read_config(content)
    except ConfigError as error:
        return [str(error)]
    assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    return []


_assignments = st.builds(
    "{}{}{}".format,
    st.sampled_from(SETTINGS) | st.text(max_size=20) | hostile_texts,
    st.sampled_from(["=", "=", "=", " = ", "", ":"]),
    _fitting.map(str) | st.floats().map(repr) | hostile_texts | st.text(max_size=30) | json_values.map(json.dumps),
)


def _answer_assignment(text: str, home: Home) -> Sequence[str]:
    try:
        TrainingConfig().with_settings([text])
    except ConfigError as error:
        return [str(error)]
    return []


def _answer_notation(text: str, home: Home) -> Sequence[str]:
    inspection = inspect_notation(text)
    assert all(text.startswith(token.text, token.start) for token in inspection.tokens)
    try:
        parse_architecture(text)
    except ArchitectureError as error:
        return [str(error)]
    return []


KINDS = (
    CaseKind("links to settings", queries_of_settings, _answer_link),
    CaseKind("settings as JSON files", settings_files, _answer_settings_file),
    CaseKind("settings on the command line", _assignments, _answer_assignment),
    CaseKind("notation of networks", notations | hostile_texts | names, _answer_notation),
)
