"""The panel that shows the preparation, in Streamlit's own test runner, with a network that says what it is told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.common.arrays import Ink, Probabilities
from mnist_core.drawing.ink_changes import changed
from mnist_core.drawing.preparation import bounds, prepare
from mnist_core.drawing.preparation_steps import NONE, Switches, steps
from mnist_core.drawing.strokes import CANVAS_SIDE
from mnist_core.processes.inference_worker import InferenceError
from tests.support.opening import texts

WAYS = 5  # with all steps, as chosen, and without each of three


def seven() -> Ink:
    ink = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    ink[60:85, 70:190] = ink[60:260, 165:190] = 255
    return ink


def given(ink: Ink, switches: Switches) -> Ink:
    """What a network is given of a drawing."""
    return steps(ink, switches)[-1].picture


class Network:
    """A network that gives these answers, one for each way to prepare, and keeps what it was asked."""

    def __init__(self, *answers: tuple[int, float]) -> None:
        self.answers = answers or ((7, 0.99),) * WAYS
        self.asked: list[Ink] = []

    def __call__(self, images: Ink) -> Probabilities:
        self.asked.append(images)
        probabilities = np.zeros((len(images), 10), np.float32)
        for row, (digit, share) in zip(probabilities, self.answers, strict=True):
            row[:] = (1 - share) / 9
            row[digit] = share
        return probabilities


def panel(ink, predict):  # only its source is run, where no name of this module is known
    from mnist_core.drawing.preparation import bounds
    from ui.draw import preparation

    preparation.show(ink, bounds(ink), predict)


def open_panel(predict: Callable[[Ink], Probabilities], ink: Ink | None = None) -> AppTest:
    kwargs = {"ink": seven() if ink is None else ink, "predict": predict}
    app = AppTest.from_function(panel, default_timeout=60, kwargs=kwargs).run()
    assert not app.exception
    return app


def switch(app: AppTest, label: str) -> AppTest:
    next(toggle for toggle in app.toggle if toggle.label == label).set_value(False)
    app.run()
    assert not app.exception
    return app


def click(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


def slide(app: AppTest, **values: int) -> AppTest:
    for name, value in values.items():
        app.slider(f"preparation-{name}").set_value(value)
    app.run()
    assert not app.exception
    return app


def slider_values(app: AppTest) -> dict[str, Any]:
    return {slider.key.removeprefix("preparation-"): slider.value for slider in app.slider}


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def test_the_network_is_asked_once_for_all_that_is_shown() -> None:
    network = Network()
    open_panel(network)
    (images,) = network.asked
    ways = [Switches(), NONE, Switches(crop=False), Switches(fit=False), Switches(centre=False)]
    assert np.array_equal(images, [given(seven(), way) for way in ways])
    assert np.array_equal(images[0], prepare(seven()))


@pytest.mark.parametrize(
    ("label", "switches", "title"),
    [
        ("Crop", Switches(crop=False), "Not cropped."),
        ("Fit into 20 × 20", Switches(fit=False), "Not fitted."),
        ("Centre by mass", Switches(centre=False), "Not centred."),
    ],
)
def test_each_step_can_be_switched_off(label: str, switches: Switches, title: str) -> None:
    network = Network()
    app = open_panel(network)
    assert title not in html(app)
    switch(app, label)
    images = network.asked[-1]
    assert np.array_equal(images[0], prepare(seven()))
    assert np.array_equal(images[1], given(seven(), switches))
    assert title in html(app)
    assert "With your choice of steps" in html(app)


def test_all_steps_can_be_switched_off() -> None:
    network = Network()
    app = open_panel(network)
    for label in ("Crop", "Fit into 20 × 20", "Centre by mass"):
        switch(app, label)
    assert np.array_equal(network.asked[-1][1], given(seven(), NONE))
    assert "Without any step" in html(app)


def test_the_sliders_change_the_drawing_before_it_is_prepared() -> None:
    network = Network()
    app = open_panel(network)
    slide(app, right=60, down=-20, size=50, rotation=15, thickness=4)
    expected = changed(seven(), 60, -20, 0.5, 15, 4)
    assert np.array_equal(network.asked[-1][0], prepare(expected))
    assert np.array_equal(network.asked[-1][1], given(expected, NONE))
    click(app, "Reset")
    assert slider_values(app) == {"right": 0, "down": 0, "size": 100, "rotation": 0, "thickness": 0}
    assert np.array_equal(network.asked[-1], network.asked[0])


@pytest.mark.parametrize(("down", "right"), [(0, 0), (-60, -70), (70, 130)])
def test_one_click_makes_it_small_and_puts_it_into_a_corner(down: int, right: int) -> None:
    network = Network()
    ink = changed(seven(), right=right, down=down)
    app = open_panel(network, ink)
    slide(app, rotation=30)
    click(app, "Small, in a corner")
    values = slider_values(app)
    assert (values["size"], values["rotation"], values["thickness"]) == (40, 0, 0)
    small = changed(ink, values["right"], values["down"], 0.4)
    assert small.sum() == pytest.approx(ink.sum() * 0.16, rel=0.05)  # nothing has left the canvas
    for lines in bounds(small):
        assert (lines.start + lines.stop) / 2 == pytest.approx(
            0.75 * CANVAS_SIDE, abs=0.1 * CANVAS_SIDE
        )  # or as far as it goes
    assert np.array_equal(network.asked[-1][0], prepare(small))


def test_another_reading_without_the_steps_is_said() -> None:
    app = open_panel(Network((7, 0.98), (2, 0.6), (7, 0.9), (1, 0.5), (7, 0.8)))
    assert "With all steps, it is read as **7**; without any step, as **2**" in texts(app)
    lines = [line for line in html(app).splitlines() if "Without this step" in line]
    said = ("still 7, 90.0%", "read as 1, 50.0%", "still 7, but only 80.0%")
    assert all(f"Without this step: {words}<" in line for words, line in zip(said, lines, strict=True))
    assert ["is-worse" in line for line in lines] == [False, True, True]


def test_a_network_that_is_much_less_sure_is_said() -> None:
    app = open_panel(Network((7, 0.98), (7, 0.6), *((7, 0.9),) * 3))
    assert "both times, but without any step the network is much less confident: 60.0% instead of 98.0%" in texts(app)


def test_a_drawing_that_needs_no_help_gets_a_hint() -> None:
    app = open_panel(Network())
    assert "Read as **7** both times: this drawing is much like MNIST as it is. Make it small" in texts(app)
    assert "what you left out makes no difference" in texts(switch(app, "Crop"))


def test_ink_that_has_left_the_canvas_can_be_brought_back() -> None:
    network = Network()
    app = open_panel(network, changed(seven(), right=130))
    slide(app, right=CANVAS_SIDE // 2)
    assert "No ink is left on the canvas" in texts(app)
    assert len(network.asked) == 1
    click(app, "Reset")
    assert "No ink is left" not in texts(app)
    assert "Read as **7**" in texts(app)


def test_strokes_thinned_to_nothing_are_said() -> None:
    thin = np.zeros((CANVAS_SIDE, CANVAS_SIDE), np.uint8)
    thin[50:250, 160:170] = 255
    app = slide(open_panel(Network(), thin), thickness=-10)
    assert "No ink is left on the canvas" in texts(app)


def test_a_network_that_cannot_answer_is_said() -> None:
    def broken(images: Ink) -> Probabilities:
        raise InferenceError("The network of tiny cannot be loaded; its file is damaged.")

    app = open_panel(broken)
    assert "The network of tiny cannot be loaded" in app.error[0].value
    assert len(app.slider) == 5
