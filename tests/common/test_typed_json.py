"""What values read from JSON count as what a dataclass declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from mnist_core.common.typed_json import has_declared_types, is_of

LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Thing:
    number: int
    share: float
    name: str
    right: bool
    shares: tuple[float, ...]
    maybe: float | None
    table: dict[str, Any]


GOOD: dict[str, Any] = {
    **{"number": 1, "share": 0.5, "name": "a", "right": True},
    **{"shares": (1, 0.5), "maybe": None, "table": {"a": [1]}},
}


def test_what_is_declared_is_accepted() -> None:
    assert has_declared_types(Thing(**GOOD))
    assert has_declared_types(Thing(**{**GOOD, "share": 1, "maybe": 2, "shares": (), "number": -LARGEST}))


BAD: dict[str, Sequence[object]] = {
    "number": (0.5, 1.0, "1", None, True, LARGEST + 1, -LARGEST - 2, 10**400),
    "share": ("0.5", None, False, LARGEST + 1, 10**400, []),
    "name": (1, None, []),
    "right": (1, 0, None, "true"),
    "shares": ([0.5], 0.5, ("a",), (None,), (True,), ((0.5,),), (10**400,)),
    "maybe": ("", True, (), 10**400),
    "table": ([], None, "{}"),
}


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values in BAD.items() for value in values],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_not_declared_is_refused(field: str, value: object) -> None:
    assert not has_declared_types(Thing(**{**GOOD, field: value}))


def test_single_values_are_judged_alike() -> None:
    assert is_of(3, int)
    assert is_of(3, float)
    assert is_of(float("nan"), float)
    assert not is_of(3.0, int)
    assert not is_of(True, int)
