"""The rules of the verdict, one by one with answers made by hand, and all together with a network that ships."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from mnist_core import runs
from mnist_core.common.arrays import Images, Ink, Probabilities
from mnist_core.data.dataset import Mnist
from mnist_core.drawing import preparation, strokes
from mnist_core.drawing import verdict as verdicts
from mnist_core.drawing.nearest_example import Examples, learn_examples
from mnist_core.drawing.preparation import crop
from mnist_core.drawing.verdict import Verdict, coarse, judge, variants
from mnist_core.networks import keras_model

SHIPS = runs.BUNDLED_RUNS / "fast"


@pytest.fixture(scope="module")
def examples(mnist: Mnist) -> Examples:
    return learn_examples(mnist.x_train, mnist.y_train)


def has_several_digits(ink: Ink) -> bool:
    return verdicts.has_several_digits(coarse(crop(ink)))


def count_pieces(ink: Ink) -> int:
    return verdicts.count_pieces(coarse(crop(ink)))


def answers(*readings: int, confidence: float = 0.97) -> Probabilities:
    """Return the answers of a network that reads these digits, with the rest spread evenly; (n, 10)."""
    rows = np.full((len(readings), 10), (1 - confidence) / 9, np.float32)
    rows[np.arange(len(readings)), readings] = confidence
    return rows


def drawn(*lines: Sequence[tuple[float, float]], width: float = 24) -> Ink:
    """Draw straight strokes on the canvas."""
    dense = [
        np.concatenate([np.linspace(a, b, 12) for a, b in itertools.pairwise(line)]).astype(np.float32)
        for line in lines
    ]
    return strokes.rasterise(dense, [width] * len(dense))


SEVEN = [(90, 80), (240, 80), (140, 280)]
UPRIGHT = [(100, 60), (100, 280)]


class TestVariants:
    def test_the_first_is_the_digit_itself(self, mnist: Mnist) -> None:
        found = variants(mnist.x_test[0])
        assert found.shape == (7, 28, 28) and found.dtype == np.uint8
        assert np.array_equal(found[0], mnist.x_test[0])

    def test_the_others_are_turned_slanted_and_squeezed_in_place(self) -> None:
        y, x = np.mgrid[-14:14, -14:14]
        blob = (255 * np.exp(-((x / 2) ** 2) / 2 - (y / 3.5) ** 2 / 2)).round().astype(np.uint8)
        measured = [moments(each) for each in variants(blob)]
        for middle, _, _, _ in measured:
            assert middle == pytest.approx((14, 14), abs=0.05)
        _, wide, tall, _ = measured[0]
        turned_left, turned_right, slanted, slanted_back, narrow, low = measured[1:]
        # The angle of the long axis of a bar, from its second moments.
        angles = [np.degrees(0.5 * np.arctan2(2 * m[3], m[2] - m[1])) for m in (turned_left, turned_right)]
        assert sorted(angles) == pytest.approx([-12, 12], abs=0.5)
        # A shear by s moves the mean column of each row by s for each row: covariance / variance of the rows.
        assert sorted(m[3] / m[2] for m in (slanted, slanted_back)) == pytest.approx([-0.3, 0.3], abs=0.01)
        assert narrow[1] / wide == pytest.approx(0.75**2, abs=0.03) and narrow[2] == pytest.approx(tall, rel=0.03)
        assert low[2] / tall == pytest.approx(0.75**2, abs=0.03) and low[1] == pytest.approx(wide, rel=0.03)


def moments(image: Images) -> tuple[tuple[float, float], float, float, float]:
    """Return the centre (column, row) of an image's ink, its variances across and down, and their covariance."""
    y, x = np.mgrid[:28, :28]
    weights = image / image.sum()
    middle = float((weights * x).sum()), float((weights * y).sum())
    dx, dy = x - middle[0], y - middle[1]
    across, down, both = (float((weights * product).sum()) for product in (dx * dx, dy * dy, dx * dy))
    return middle, across, down, both


class TestRules:
    def judge(self, examples: Examples, *of_networks: Probabilities, ink: Ink | None = None) -> Verdict:
        ink = drawn(SEVEN) if ink is None else ink
        return judge(crop(ink), preparation.prepare(ink), of_networks, examples)

    def test_clear(self, examples: Examples) -> None:
        verdict = self.judge(examples, answers(*[7] * 7))
        assert verdict.kind == "clear"
        assert "7" in verdict.sentence and verdict.sentence.endswith(".")

    @pytest.mark.parametrize("ink", [np.zeros((336, 336), np.uint8), np.full((10, 10), 31, np.uint8)])
    def test_blank(self, ink: Ink, examples: Examples) -> None:
        assert judge(ink, None, [], examples).kind == "blank"

    def test_ink_needs_a_digit_and_an_answer(self, examples: Examples) -> None:
        ink = drawn(SEVEN)
        for digit, of_networks in ((None, [answers(7)]), (preparation.prepare(ink), [])):
            with pytest.raises(ValueError, match="at least one network"):
                judge(ink, digit, of_networks, examples)

    def test_what_is_like_no_training_image_is_no_digit_however_sure(self, examples: Examples) -> None:
        cross = drawn([(80, 80), (260, 260)], [(260, 80), (80, 260)])
        for reading in range(10):
            verdict = self.judge(examples, answers(*[reading] * 7, confidence=1.0), ink=cross)
            assert verdict.kind == "no digit"
        dot = drawn([(150, 150), (151, 150)])
        assert self.judge(examples, answers(*[1] * 7), ink=dot).kind == "no digit"

    def test_a_seven_read_as_an_eight_is_no_eight(self, examples: Examples) -> None:
        assert self.judge(examples, answers(*[8] * 7)).kind == "no digit"

    def test_unsure_when_the_variants_are_read_otherwise(self, examples: Examples) -> None:
        # The mean probability of 7 is 0.97 × share + 0.03 / 9 × (1 - share): 0.556 for 4 of 7, 0.694 for 5 of 7.
        verdict = self.judge(examples, answers(7, 7, 7, 7, 1, 1, 9))
        assert verdict.kind == "unsure"
        assert "7" in verdict.sentence and "1" in verdict.sentence and "9" not in verdict.sentence
        assert self.judge(examples, answers(7, 7, 7, 7, 7, 1, 1)).kind == "clear"

    def test_the_reading_is_that_of_the_digit_itself(self, examples: Examples) -> None:
        """Even if all variants are read as another digit."""
        verdict = self.judge(examples, answers(7, 1, 1, 1, 1, 1, 1))
        assert verdict.kind == "unsure" and "this 7 is also read as 1" in verdict.sentence

    def test_unsure_when_the_network_itself_is(self, examples: Examples) -> None:
        assert self.judge(examples, answers(*[7] * 7, confidence=0.59)).kind == "unsure"
        assert self.judge(examples, answers(*[7] * 7, confidence=0.91)).kind == "clear"
        verdict = self.judge(examples, np.concatenate([answers(7, confidence=0.89), answers(*[7] * 6)]))
        assert verdict.kind == "unsure"
        assert verdict.sentence.startswith("Uncertain: 89.0% is not much, and it may be a ")

    def test_a_face_in_a_circle_is_no_nought(self, examples: Examples) -> None:
        turn = np.linspace(0, 2 * np.pi, 40)
        face = [(168 + 110 * np.cos(a), 168 + 130 * np.sin(a)) for a in turn]
        eyes = [[(130, 120), (132, 122)], [(206, 120), (208, 122)]]
        mouth = [(120, 210), (168, 235), (216, 210)]
        assert self.judge(examples, answers(*[0] * 7), ink=drawn(face, width=20)).kind == "clear"
        verdict = self.judge(examples, answers(*[0] * 7), ink=drawn(face, *eyes, mouth, width=20))
        assert verdict.kind == "no digit"
        assert "no digit is made of 4 pieces" in verdict.sentence

    def test_pieces_are_counted_where_ink_does_not_touch(self) -> None:
        lines = [[(60, 60 + 50 * place), (200, 60 + 50 * place)] for place in range(5)]
        for count in range(1, 6):
            ink = drawn(*lines[:count], width=12)
            assert count_pieces(ink) == count_pieces(ink.repeat(3, axis=0).repeat(3, axis=1)) == count
        assert count_pieces(drawn(*lines, [(60, 60), (60, 260)], width=12)) == 1

    def test_hardly_any_digit_of_mnist_has_many_pieces(self, mnist: Mnist) -> None:
        assert sum(count_pieces(image) > 3 for image in mnist.x_test[:1000]) <= 2

    @pytest.mark.parametrize(
        ("others", "kind"),
        [([7], "clear"), ([2], "unsure"), ([7, 2], "clear"), ([2, 3, 7], "unsure"), ([2, 7, 7], "clear")],
    )
    def test_unsure_when_most_others_are_sure_of_another_digit(
        self, others: list[int], kind: str, examples: Examples
    ) -> None:
        verdict = self.judge(examples, answers(*[7] * 7), *(answers(other) for other in others))
        assert verdict.kind == kind
        unsure = (answers(other, confidence=0.59) for other in others)
        assert self.judge(examples, answers(*[7] * 7), *unsure).kind == "clear"

    def test_several_digits_come_before_similarity_and_doubt(self, examples: Examples) -> None:
        pair = drawn(UPRIGHT, [(220, 60), (220, 280)])
        assert self.judge(examples, answers(*[1] * 7, confidence=0.2), ink=pair).kind == "several"


class TestSeveralDigits:
    @pytest.mark.parametrize(
        "lines",
        [
            [UPRIGHT, [(200, 60), (200, 280)]],
            [[(60, 280), (150, 60)], [(120, 280), (210, 60)]],  # they lean, and stand above each other's feet
            [UPRIGHT, [(200, 150), (200, 280)]],  # one larger than the other
            [[(60, 40), (60, 150)], [(62, 200), (60, 310)]],  # one above the other
            [UPRIGHT, [(160, 60), (160, 280)], [(220, 60), (220, 280)]],
        ],
    )
    def test_pieces_as_large_as_digits_are_several(self, lines: list[list[tuple[float, float]]]) -> None:
        for width in (8, 24, 32):
            ink = drawn(*lines, width=width)
            assert has_several_digits(ink)
            assert has_several_digits(ink[::4, ::4])
            assert has_several_digits(ink.repeat(3, axis=0).repeat(3, axis=1))

    @pytest.mark.parametrize(
        "lines",
        [
            [SEVEN],
            [
                [(200, 90), (110, 90), (110, 160), (200, 190), (190, 260), (100, 270)],
                [(235, 80), (290, 76)],
            ],  # a 5's bar
            [[(100, 120), (100, 280), (220, 280)], [(120, 60), (220, 60)]],  # the bar above
            [[(120, 60), (60, 190), (230, 190)], [(170, 130), (170, 300)]],  # a 4 in two strokes
            [UPRIGHT, [(160, 270), (162, 272)]],  # a dot beside it
        ],
    )
    def test_one_digit_in_parts_is_one(self, lines: list[list[tuple[float, float]]]) -> None:
        for width in (8, 24, 40):
            ink = drawn(*lines, width=width)
            assert not has_several_digits(ink)
            assert not has_several_digits(np.ascontiguousarray(ink[::4, ::4]))

    def test_a_hair_is_found_in_a_large_picture(self) -> None:
        ink = np.zeros((1200, 1200), np.uint8)
        ink[100:1100, 305] = ink[100:1100, 901] = 255
        assert has_several_digits(ink)

    def test_hardly_any_digit_of_mnist_is_two(self, mnist: Mnist) -> None:
        found = [has_several_digits(enlarged(image)) for image in mnist.x_test[:1000]]
        assert np.mean(found) <= 0.005

    def test_any_two_digits_of_mnist_side_by_side_are_two(self, mnist: Mnist) -> None:
        for left, right in zip(mnist.x_test[:100], mnist.x_test[100:200], strict=True):
            assert has_several_digits(np.hstack([enlarged(left), enlarged(right)]))


def enlarged(image: Images) -> Ink:
    """Return an image 4 times as large, with soft edges."""
    return np.asarray(Image.fromarray(image).resize((112, 112), Image.Resampling.BILINEAR))


class TestWithANetwork:
    """What ships is measured in full by `benchmarks/verdict.py`; this is a sample, with a network of the project."""

    def kinds(self, inks: Sequence[Ink], examples: Examples) -> list[str]:
        import keras

        digits = [preparation.prepare(ink) for ink in inks]
        model = keras.models.load_model(SHIPS / "model.keras", compile=False)
        read = keras_model.predict(model, np.concatenate([variants(digit) for digit in digits])).reshape(-1, 7, 10)
        return [
            judge(crop(ink), digit, [answer], examples).kind
            for ink, digit, answer in zip(inks, digits, read, strict=True)
        ]

    def test_digits_are_clear(self, mnist: Mnist, examples: Examples) -> None:
        kinds = self.kinds(list(mnist.x_test[:500]), examples)
        assert kinds.count("clear") >= 0.95 * len(kinds)

    def test_scribbles_are_not(self, examples: Examples) -> None:
        generator = np.random.default_rng(1)
        scribbles = [drawn(generator.uniform(60, 280, (12, 2)).tolist(), width=20) for _ in range(60)]
        kinds = self.kinds(scribbles, examples)
        assert kinds.count("clear") <= 0.1 * len(kinds)


def test_a_verdict_takes_no_more_than_5_ms(examples: Examples) -> None:
    ink = drawn(SEVEN)
    digit = preparation.prepare(ink)
    seconds = []
    for _ in range(30):
        started = time.process_time()
        variants(digit)
        judge(crop(ink), digit, [answers(*[7] * 7)], examples)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.005
