"""The words and their small live figures, as Streamlit's own test runner sees them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ui.glossary import view
from ui.glossary.terms import TERMS, Term

REQUIRED = (
    "convolution",
    "padding and stride",
    "pooling",
    "activation",
    "dropout",
    "normalization",
    "softmax",
    "parameters",
    "one-hot",
    "cross-entropy",
    "back-propagation",
    "gradient norm",
    "optimizer",
    "learning rate",
    "schedule",
    "batch",
    "epoch",
    "seed",
    "validation",
    "overfitting",
    "augmentation",
    "L2",
    "label smoothing",
)
WITHOUT_FIGURE = ("dense layer", "parameters", "gradient norm", "seed", "augmentation")
WITHOUT_CHART = ("epoch",)  # its example is a sum
NAMES = [term.name for term in TERMS]
EXAMPLES = [term for term in TERMS if term.figure is not None]


@pytest.fixture(autouse=True, scope="module")
def no_cached_files_of_other_tests() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def explained(*names: str) -> AppTest:
    """A page that explains some words, each with a control of its own, and one more with all of them."""

    def script(names: list[str]) -> None:
        from ui.glossary import view

        for name in names:
            view.explain(name)
        if len(names) > 1:
            view.explain(*names)

    app = AppTest.from_function(script, args=(list(names),), default_timeout=60).run()
    assert not app.exception
    return app


def opened(app: AppTest, *names: str) -> AppTest:
    app.session_state[f"words-{'-'.join(names)}"] = True
    app.run()
    assert not app.exception
    return app


def glossary() -> AppTest:
    def script() -> None:
        from ui.glossary import view

        view.show()

    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    return app


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(element.proto.json)["figure"] for element in app.get("bidi_component")]


def texts(app: AppTest) -> str:
    return "\n".join(text.value for kind in (app.markdown, app.caption) for text in kind)


def shown_by(app: AppTest) -> object:
    """What an example shows besides its controls: the chart or, where there is none, the sum."""
    return charts(app) or texts(app)


def controls(app: AppTest) -> list[Any]:
    """All controls of an example; the pills that choose a word are not among them."""
    groups = [group for group in app.button_group if not group.key.endswith("-word")]
    return [*groups, *app.selectbox, *app.slider, *app.select_slider]


def move(control: Any) -> None:
    """Set a control to its last option or, if it is there already, to its first."""
    if control.type == "slider":
        control.set_value(control.min if control.value == control.max else control.max)
    elif control.type == "select_slider":
        control.set_value(json.loads(control.options[-1]))  # as text: 4096, 1.0
    else:
        control.set_value(control.options[0] if control.value == control.options[-1] else control.options[-1])


def test_every_word_that_a_learner_needs_is_there_once() -> None:
    assert set(REQUIRED) <= set(NAMES)
    assert (
        len(NAMES) == len(set(NAMES)) == len({term.title for term in TERMS}) == len({term.question for term in TERMS})
    )
    assert {term.name for term in TERMS if term.figure is None} == set(WITHOUT_FIGURE)


@pytest.mark.parametrize("term", TERMS, ids=NAMES)
def test_a_text_is_neither_a_stub_nor_a_lecture(term: Term) -> None:
    assert 80 <= len(term.text) <= 700
    sentences = term.text.replace("?", ".").replace("2.718…", "e").split(". ")
    assert 2 <= len(sentences) <= 8
    assert term.text.endswith(".")
    assert term.question.startswith(("What is ", "What are "))
    assert term.question.endswith("?")


@pytest.mark.parametrize("term", TERMS, ids=NAMES)
def test_a_control_opens_into_text_and_example(term: Term) -> None:
    app = explained(term.name)
    assert not controls(app), "the example of a closed popover costs nothing"
    assert not charts(app)
    opened(app, term.name)
    assert [text.value for text in app.markdown].count(f"**{term.title}**  \n{term.text}") == 1
    assert bool(controls(app)) == (term.figure is not None)
    assert len(charts(app)) == (term.figure is not None and term.name not in WITHOUT_CHART)


@pytest.mark.parametrize("term", EXAMPLES, ids=[term.name for term in EXAMPLES])
def test_each_control_of_an_example_changes_it(term: Term) -> None:
    app = opened(explained(term.name), term.name)
    shown = [shown_by(app)]
    assert 1 <= len(controls(app)) <= 3
    for index in range(len(controls(app))):
        move(controls(app)[index])
        app.run()
        assert not app.exception
        assert shown_by(app) not in shown, controls(app)[index].label
        shown.append(shown_by(app))


@pytest.mark.parametrize("term", EXAMPLES, ids=[term.name for term in EXAMPLES])
def test_an_example_takes_its_sliders_to_both_ends(term: Term) -> None:
    app = opened(explained(term.name), term.name)
    for end in ("min", "max"):
        for slider in app.slider:
            slider.set_value(getattr(slider, end))
        app.run()
        assert not app.exception
        assert not {"nan", "inf"} & set(re.findall(r"\w+", texts(app)))


def test_several_words_share_a_control() -> None:
    app = opened(explained("batch", "pooling", "seed", "epoch"), "batch", "pooling", "seed", "epoch")
    pills = next(group for group in app.button_group if group.key.endswith("-word"))
    assert list(pills.options) == ["batch", "pooling", "seed", "epoch"]


def test_a_word_that_nobody_explains_is_the_page_authors_mistake() -> None:
    with pytest.raises(ValueError, match=r"convultion.*convolution"):
        view.explain("convultion")
    with pytest.raises(ValueError, match="Nothing"):
        view.explain()


def test_the_glossary_shows_all_words_and_finds_some() -> None:
    app = glossary()
    shown = [text.value for text in app.markdown]
    assert shown == [f"**{term.title}**  \n{term.text}" for term in TERMS]
    assert len(app.expander) == len(EXAMPLES)
    assert not controls(app)
    app.text_input[0].set_value(" Like a BALL ").run()
    assert [text.value.split("**")[1] for text in app.markdown] == ["Optimizer"]
    app.text_input[0].set_value("<script>").run()
    assert not app.markdown
    assert "No entry" in app.info[0].value


def test_all_examples_can_be_open_in_the_glossary() -> None:
    app = glossary()
    for term in EXAMPLES:
        app.session_state[f"glossary-{term.name}"] = True
    app.run()
    assert not app.exception
    assert len(charts(app)) == len(EXAMPLES) - len(WITHOUT_CHART)


def set_slider(app: AppTest, label: str, value: float) -> AppTest:
    next(slider for slider in [*app.slider, *app.select_slider] if slider.label == label).set_value(value).run()
    assert not app.exception
    return app


def test_what_examples_say_is_right() -> None:
    def example(name: str) -> AppTest:
        return opened(explained(name), name)

    assert "costs **2.30**" in texts(example("cross-entropy"))
    assert "costs **0.69**" in texts(set_slider(example("cross-entropy"), "Probability given to the right digit", 50))
    assert "28 × 28 becomes **13 × 13**" in texts(example("padding and stride"))
    assert "28 × 28 becomes **26 × 26**" in texts(set_slider(example("padding and stride"), "Stride", 1))
    assert "784 values become **49**" in texts(set_slider(example("pooling"), "Side of a square", 4))
    assert "5 × 469 = **2,345 steps**" in texts(example("epoch"))
    assert "the last batch has the 96 that remain" in texts(example("epoch"))
    assert "learns from 30,000 digits" in texts(set_slider(example("validation"), "Validation split", 50))
    assert "2.72 times as much" in texts(example("softmax"))
    assert "Equal scores" in texts(set_slider(example("softmax"), "Score of the 9", 4.0))
    assert "**91.0%** for the 3, 1.0%" in texts(example("label smoothing"))
    assert "best weight is **1.00**" in texts(set_slider(example("L2"), "Strength of L2", 1.0))
    assert "**Not there yet**" in texts(example("learning rate"))
    assert "**Good**" in texts(set_slider(example("learning rate"), "Learning rate", 0.1))
    assert "**Too high**" in texts(set_slider(example("learning rate"), "Learning rate", 0.21))
    assert "**0 of 196** values" in texts(set_slider(example("dropout"), "Rate", 0.0))


def test_the_frames_of_a_convolution_move_together() -> None:
    def frames(row: int, column: int) -> list[tuple[float, float]]:
        app = opened(explained("convolution"), "convolution")
        set_slider(set_slider(app, "Window, row", row), "Window, column", column)
        return [(shape["x0"], shape["y1"]) for shape in charts(app)[0]["layout"]["shapes"]]

    (x, y), (result_x, result_y) = frames(1, 1)
    assert frames(11, 6) == [(x + 5, y - 10), (result_x + 5, result_y - 10)]
