"""Bad input of every kind: refused or corrected in a sentence, and no file where none belongs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.bad_cases import KINDS
from tests.support.bad_cases.trials import CaseKind, Home, tried, unclear

_CASES = 100


@pytest.mark.public(id="no-file-names")
@pytest.mark.public(id="no-broken-page")
@pytest.mark.public(id="no-insides")
@pytest.mark.filterwarnings("ignore")  # Pillow and NumPy warn of what they are given
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_harm_comes_of(kind: CaseKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    monkeypatch.chdir(home.elsewhere)  # what is written to a relative path is found there

    @settings(max_examples=_CASES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(kind.cases)
    def try_one(case: object) -> None:
        home.clear()
        tried(kind, case, home)

    try_one()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "no sentence",
        "It is damaged.\nTry again.",
        "One. Two. Three. Four.",
        "ValueError: that is bad.",
        "It is a NoneType.",
        f"The file {tempfile.gettempdir()}/x is damaged.",
        f"The file {Path.home()}/x is damaged.",
        "It is damaged \x1b[31m.",
        f"It is {'very ' * 200}long.",
    ],
)
def test_what_is_no_clear_message_is_found(message: str) -> None:
    assert unclear(message) is not None


@pytest.mark.parametrize(
    "message",
    [
        "The file is empty: choose another one.",
        "epochs: 0 is out of bounds; accepted are 1 to 100.",
        "“ValueError. One. Two. Three.” is not a setting.",
        "Line 2 is left out. The id is not 32 hexadecimal digits.",
    ],
)
def test_clear_messages_are_taken(message: str) -> None:
    assert unclear(message) is None


def test_a_file_elsewhere_or_under_a_foreign_name_is_found(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.strays() == []
    for stray in (
        home.elsewhere / "new",
        home.elsewhere / "secret.txt",
        home.runs.parent / "new",
        home.runs / "BAD",
        home.runs / "good" / "evil.exe",
        home.handwriting / "Class 4b",
    ):
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_text("x")
        assert len(home.strays()) == 1, stray
        stray.unlink()
        if stray.name == "secret.txt":
            stray.write_text("Nobody may read this.")
    assert home.strays() == []
