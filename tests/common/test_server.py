"""What the environment tells of a server: folders, bounds, capacity, and who may change what."""

from __future__ import annotations

from pathlib import Path

import pytest

from mnist_core.common import server
from mnist_core.common.server import (
    CAPACITY_VARIABLE,
    HANDWRITING_DIR_VARIABLE,
    PROJECT,
    PUBLIC_VARIABLE,
    RUNS_DIR_VARIABLE,
    SPARE_VARIABLE,
)


@pytest.mark.parametrize(
    ("text", "capacity"),
    [
        ("3", 3),
        ("007", 7),
        ("", None),
        ("0", None),
        ("-1", None),
        ("1.5", None),
        ("many", None),
        ("²", None),
        ("٣", None),
    ],
)
def test_a_capacity_is_a_whole_number_from_one(
    text: str, capacity: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CAPACITY_VARIABLE, text)
    assert server.chosen_capacity() == capacity


@pytest.mark.parametrize(
    ("text", "spare"), [("1", True), (" 1 ", True), ("0", False), ("", None), ("yes", None), ("01", None)]
)
def test_a_spare_process_is_chosen_by_one_or_zero(
    text: str, spare: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SPARE_VARIABLE, text)
    assert server.chosen_spare() is spare


def test_without_variables_nothing_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (CAPACITY_VARIABLE, SPARE_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    assert server.chosen_capacity() is None
    assert server.chosen_spare() is None


@pytest.mark.parametrize(("text", "bound"), [("1", "public"), (" Yes ", "public"), ("0", "private"), ("", "private")])
def test_which_bound_holds_is_told_by_the_environment(text: str, bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PUBLIC_VARIABLE, text)
    assert server.bounds_here("private", "public") == bound


@pytest.mark.parametrize(
    ("public", "owner", "visitor", "may"),
    [
        ("", "a", "b", True),
        ("", "", "", True),
        ("1", "a", "a", True),
        ("1", "a", "b", False),
        ("1", "", "a", False),  # of nobody in particular: of no visitor either
        ("1", "", "", False),
        ("1", "a", "", False),
    ],
)
def test_on_a_public_server_only_the_owner_changes_things(
    public: str, owner: str, visitor: str, may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PUBLIC_VARIABLE, public)
    assert server.owns(owner, visitor) is may


def test_an_owner_is_known_by_32_hexadecimal_digits() -> None:
    assert server.owner_hash("") == "e3b0c44298fc1c149afbf4c8996fb924"  # SHA-256 of nothing, half of it
    assert len(server.owner_hash("ä" * 1000)) == 32


@pytest.mark.parametrize(
    ("variable", "usual"),
    [(RUNS_DIR_VARIABLE, PROJECT / "models" / "runs"), (HANDWRITING_DIR_VARIABLE, PROJECT / "handwriting")],
)
def test_folders_lie_where_their_variables_say(
    variable: str, usual: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = {RUNS_DIR_VARIABLE: server.runs_dir, HANDWRITING_DIR_VARIABLE: server.class_sets_dir}[variable]
    monkeypatch.setenv(variable, str(tmp_path))
    assert folder() == tmp_path
    monkeypatch.setenv(variable, "")
    assert folder() == usual
    monkeypatch.delenv(variable)
    assert folder() == usual
