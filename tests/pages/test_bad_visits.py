"""Bad input on the pages: no traceback, no foreign markup, no stray file, and a clear message."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from streamlit.testing.v1 import AppTest

from mnist_core.training.config import TrainingConfig
from tests.support.bad_cases.trials import CaseKind, Home, tried
from tests.support.bad_visits import VISITS, foreign_markup, open_to_visitors

_CASES = 8


@pytest.mark.public(id="no-broken-page")
@pytest.mark.filterwarnings("ignore")  # Pillow and NumPy warn of what they are given
@pytest.mark.parametrize("kind", VISITS, ids=lambda kind: kind.name)
def test_no_page_breaks_on(kind: CaseKind, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    @settings(max_examples=_CASES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(kind.cases)
    def try_one(case: object) -> None:
        tried(kind, case, home)

    with open_to_visitors(home):
        try_one()


PICTURE = "![x](https://foreign.example/x.png)"


def test_no_file_brings_a_picture_from_elsewhere(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    settings_of_others = json.dumps({**TrainingConfig().to_json(), PICTURE: 1}).encode()
    with open_to_visitors(home):
        for kind in VISITS:
            if kind.name.startswith("settings"):
                (told,) = kind.answer(settings_of_others, home)
                assert PICTURE in told
            if kind.name.startswith("files of a run"):
                assert any(PICTURE in told for told in kind.answer(("config.json", settings_of_others), home))


@pytest.mark.parametrize(
    "shown",
    [
        "st.markdown('![x](https://foreign.example/x.png)')",
        "st.markdown('<img src=x onerror=alert(1)>', unsafe_allow_html=True)",
        "st.html('<img src=x onerror=alert(1)>')",
        "st.caption('[x](https://foreign.example)')",
        "st.button('[x](https://foreign.example)')",
        "st.error('a ![x](https://foreign.example/x.png)')",
    ],
)
def test_foreign_markup_is_found(shown: str) -> None:
    assert foreign_markup(AppTest.from_string(f"import streamlit as st\n{shown}", default_timeout=60).run())


@pytest.mark.parametrize(
    "shown",
    [
        "st.markdown('<img src=x onerror=alert(1)>')",  # shown as it stands
        "st.caption(r'\\!\\[x\\](https://foreign.example)')",
        "st.code('![x](https://foreign.example/x.png)')",
        "st.text_input('Name', '<img src=x onerror=alert(1)>')",
    ],
)
def test_text_that_means_nothing_is_no_markup(shown: str) -> None:
    assert not foreign_markup(AppTest.from_string(f"import streamlit as st\n{shown}", default_timeout=60).run())
