"""The words and their small live figures, as Streamlit's own test runner sees them."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from ui.lessons import LESSONS
from ui.words import TERMS

REQUIRED = (
    "convolution",
    "pooling",
    "dropout",
    "softmax",
    "cross-entropy",
    "back-propagation",
    "batch",
    "epoch",
    "optimizer",
    "overfitting",
    "normalization",
    "one-hot",
)


def lesson(term: str) -> None:
    from ui.lessons import LESSONS

    LESSONS[term]("key")


def glossary() -> None:
    from ui import words

    words.glossary()


def explained() -> None:
    from ui import words

    words.explain("batch", "epoch", "softmax", "pooling")


def run(script: object, **arguments: str) -> AppTest:
    app = AppTest.from_function(script, kwargs=arguments, default_timeout=60).run()
    assert not app.exception
    return app


def figures(app: AppTest) -> list[str]:
    return [chart.proto.spec for chart in app.get("plotly_chart")] + [text.value for text in app.markdown]


@pytest.mark.parametrize("term", TERMS)
def test_a_text_is_neither_a_stub_nor_a_lecture(term: str) -> None:
    assert 100 < len(TERMS[term]) < 700
    assert TERMS[term].endswith(".")


def test_every_word_that_a_learner_needs_is_there() -> None:
    assert set(REQUIRED) <= set(TERMS)
    assert set(LESSONS) <= set(TERMS)


@pytest.mark.parametrize("term", LESSONS)
def test_a_lesson_answers_its_control(term: str) -> None:
    app = run(lesson, term=term)
    before = figures(app)
    assert before
    if app.toggle:
        app.toggle[0].set_value(True).run()
    elif app.selectbox:
        app.selectbox[0].select_index(2).run()
    elif app.select_slider:
        app.select_slider[0].set_value(512).run()
    elif app.slider:
        app.slider[0].set_value(app.slider[0].max).run()
    else:
        group = app.button_group[0]
        group.set_value(group.options[0] if group.value != group.options[0] else group.options[1]).run()
    assert not app.exception
    assert figures(app) != before


def test_the_glossary_shows_all_and_finds_some() -> None:
    app = run(glossary)
    assert sum(text.value == f"**{term.capitalize()}**" for text in app.markdown for term in TERMS) == len(TERMS)
    app.text_input[0].set_value("rolling like a ball").run()
    assert [text.value for text in app.markdown if text.value.startswith("**")] == ["**Optimizer**"]
    app.text_input[0].set_value("<script>").run()
    assert app.info


def test_closed_explanations_cost_nothing() -> None:
    app = run(explained)
    assert not app.markdown
    assert not app.get("plotly_chart")
