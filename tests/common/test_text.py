"""Foreign text in our sentences: on one line, short, and where it is quoted."""

from __future__ import annotations

import pytest

from mnist_core.common.text import one_line
from mnist_core.networks.notation import ArchitectureError, parse_architecture
from mnist_core.training.config import ConfigError, TrainingConfig


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("as it stands", "as it stands"),
        (" too \t much\u00a0\n\n space \r\n", "too much space"),
        ("bell\a, null\0, turned\u202e", "bell, null, turned"),
        ("half a letter \ud800", "half a letter"),
        ("a" * 99, "a" * 20),
        ("a" * 19 + " b", "a" * 19),
        ("Größe 🙂 <b>", "Größe 🙂 <b>"),
        ("\n\0", ""),
    ],
)
def test_one_line_of_what_can_be_printed(text: str, line: str) -> None:
    assert one_line(text, 20) == line


def test_messages_quote_foreign_text_on_one_line() -> None:
    with pytest.raises(ArchitectureError, match=r"^Token 1, “3 C”: is not a layer; .*$"):
        parse_architecture("3\n\0 C-10")
    with pytest.raises(ArchitectureError, match=r"“:a{40}” does not fit here"):
        parse_architecture(f"8C3:{'a' * 5000}-10")
    with pytest.raises(ConfigError, match=r"^“a b” is not a setting\. Settings are: preset, .*$"):
        TrainingConfig.from_json({"config_version": 2, "a\nb": 1})
    with pytest.raises(ConfigError, match=r"^“a b” is not of the form name=value, such as epochs=3\.$"):
        TrainingConfig().with_settings(["a\nb"])


def test_numbers_of_many_digits_are_told_in_few() -> None:
    with pytest.raises(ConfigError, match=r"^epochs: 1e\+300 is out of bounds; accepted are 1 to 100\.$"):
        TrainingConfig.from_json({"config_version": 2, "epochs": 10**300})
    with pytest.raises(ConfigError, match=r"^seed: 2,147,483,648 is out of bounds"):
        TrainingConfig(seed=2**31)
