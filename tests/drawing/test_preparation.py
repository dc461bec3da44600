"""From ink to 28 × 28: held against MNIST itself, and against any array."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from PIL import Image, ImageDraw

from mnist_core import runs
from mnist_core.common.arrays import Ink
from mnist_core.data.dataset import Mnist
from mnist_core.drawing.preparation import NoInkError, centre, crop, fit, prepare, resized
from mnist_core.evaluation import metrics
from mnist_core.processes import inference
from mnist_core.runs.results import read_predictions

CANVAS = 280


Point = tuple[float, float]  # column, row


# Mean absolute differences of grey levels, 0 to 255, over the 784 pixels, after moving by one pixel at most (a centre
# of mass may round the other way). For two different test digits it is 37 on average.
SAME = 5.0  # the same pixels, each enlarged: only a digit that ends in a faint row, which is cut away, differs at all


SAME_ON_AVERAGE = 0.1


SMOOTHED = 20.0  # enlarged with soft edges: ink grows by a part of a pixel on every side


SMOOTHED_ON_AVERAGE = 8.0


REDRAWN = 20.0  # strokes drawn again at another size, on another grid


def paste(ink: Ink, row: int, column: int, height: int = CANVAS, width: int = CANVAS) -> Ink:
    """Return paper with the ink on it, its top left corner at (row, column)."""
    paper = np.zeros((height, width), np.uint8)
    paper[row : row + ink.shape[0], column : column + ink.shape[1]] = ink
    return paper


def enlarge(ink: Ink, factor: int) -> Ink:
    """Make each pixel a square of `factor` × `factor`."""
    return ink.repeat(factor, axis=0).repeat(factor, axis=1)


def thickened(ink: Ink, pixels: int) -> Ink:
    """Let each pixel take the largest level among those at most so many rows and columns away."""
    side = 2 * pixels + 1
    framed = np.pad(ink, pixels)
    height, width = ink.shape
    moved = [framed[row : row + height, column : column + width] for row in range(side) for column in range(side)]
    return np.maximum.reduce(moved)


def draw(points: list[Point], width: float, scale: float = 1.0) -> Ink:
    """Draw one stroke with a round pen on a canvas of 280 × 280, times `scale`."""
    side = int(np.ceil(CANVAS * scale))
    picture = Image.new("L", (side, side))
    pen = ImageDraw.Draw(picture)
    radius = width * scale / 2
    scaled = [(column * scale, row * scale) for column, row in points]
    pen.line(scaled, fill=255, width=max(1, round(2 * radius)))
    for column, row in scaled:
        pen.ellipse((column - radius, row - radius, column + radius, row + radius), fill=255)
    return np.asarray(picture)


SEVEN: list[Point] = [(80, 70), (200, 75), (130, 210)]


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean absolute difference of two prepared digits, the smallest over moves by one pixel at most."""
    padded = np.pad(other.astype(float), 1)
    moves = [padded[row : row + 28, column : column + 28] for row in range(3) for column in range(3)]
    return min(float(np.abs(one - moved).mean()) for moved in moves)


def centre_of_mass(ink: Ink) -> tuple[float, float]:
    """Return (row, column), summed up pixel by pixel."""
    rows, columns = np.indices(ink.shape)
    return float((rows * ink.astype(float)).sum() / ink.sum()), float((columns * ink.astype(float)).sum() / ink.sum())


def extent(ink: Ink) -> tuple[int, int]:
    """Return height and width of the ink, whatever its level."""
    rows, columns = np.nonzero(ink)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


ink_arrays = st_numpy.arrays(np.uint8, st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=60))


sparse_ink_arrays = st_numpy.arrays(
    np.uint8, st_numpy.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=60), fill=st.just(np.uint8(0))
)


@st.composite
def strokes(draw_value: st.DrawFn) -> tuple[list[Point], float]:
    """Draw the points and the pen width of a stroke about as large as people draw digits."""
    place = st.integers(30, 250)
    points = draw_value(st.lists(st.tuples(place, place), min_size=2, max_size=6))
    assume(max(np.ptp(np.array(points), axis=0)) >= 100)
    return [(float(column), float(row)) for column, row in points], draw_value(st.integers(14, 30))


# Against MNIST


def test_a_test_digit_enlarged_and_pasted_anywhere_comes_back(test_digits: Ink) -> None:
    generator = np.random.default_rng(0)
    differences = []
    for digit in test_digits:
        row, column = generator.integers(0, CANVAS - 196 + 1, 2)
        differences.append(difference(digit, prepare(paste(enlarge(digit, 7), row, column))))
    assert max(differences) <= SAME
    assert np.mean(differences) <= SAME_ON_AVERAGE


@pytest.mark.parametrize(
    "smoothing", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS], ids=lambda it: it.name
)
def test_a_test_digit_enlarged_smoothly_comes_back(test_digits: Ink, smoothing: Image.Resampling) -> None:
    generator = np.random.default_rng(1)
    differences = []
    for digit in test_digits:
        row, column = generator.integers(0, CANVAS - 196 + 1, 2)
        large = np.asarray(Image.fromarray(digit).resize((196, 196), smoothing))
        differences.append(difference(digit, prepare(paste(large, row, column))))
    assert max(differences) <= SMOOTHED
    assert np.mean(differences) <= SMOOTHED_ON_AVERAGE


def test_a_test_digit_is_left_as_it_is(test_digits: Ink) -> None:
    prepared = [prepare(digit) for digit in test_digits]
    assert max(difference(digit, it) for digit, it in zip(test_digits, prepared, strict=True)) <= SAME
    # Not even moved, but for faint edges that weigh in where MNIST put the centre.
    assert np.mean([np.array_equal(digit, it) for digit, it in zip(test_digits, prepared, strict=True)]) >= 0.75


def test_different_digits_differ_by_more_than_the_tolerances(test_digits: Ink) -> None:
    """The control: comparing a digit with its neighbour must not pass for coming back."""
    neighbours = [difference(one, other) for one, other in itertools.pairwise(test_digits)]
    assert np.mean(neighbours) > 30
    assert np.mean([it <= SMOOTHED for it in neighbours]) < 0.1


def test_prepared_test_digits_are_twenty_long_and_centred(test_digits: Ink) -> None:
    for digit in test_digits:
        prepared = prepare(paste(enlarge(digit, 5), 40, 90))
        assert max(extent(prepared)) == 20
        assert_centred(prepared)


def assert_centred(prepared: Ink) -> None:
    """The centre of mass must lie within half a pixel of (14, 14), but where a border of the picture holds it back."""
    for position, lines in zip(centre_of_mass(prepared), (prepared, prepared.T), strict=True):
        held_back = (position < 14 and lines[-1].any()) or (position > 14 and lines[0].any())
        assert held_back or abs(position - 14) <= 0.5 + 1e-9


@pytest.mark.parametrize("smoothing", [Image.Resampling.NEAREST, Image.Resampling.BICUBIC], ids=lambda it: it.name)
@pytest.mark.parametrize(
    ("network", "thicker", "squeezed"),
    [
        ("fast", 0, 0.8),  # has seen MNIST as it is and nothing else
        ("champion", 0.25, 0.85),  # has seen strokes of any thickness
    ],
)
def test_digits_drawn_anywhere_are_read_as_well_as_before(
    mnist: Mnist, network: str, thicker: float, squeezed: float, smoothing: Image.Resampling
) -> None:
    """Enlarged to any size, put anywhere, even with thicker strokes, they are read within 0.3 points as well.

    `thicker` is what each edge gains, in pixels of MNIST; `squeezed` is more than is read without any preparation.
    """
    images, labels = mnist.x_test[::2], mnist.y_test[::2]
    model_file = runs.BUNDLED_RUNS / network / "model.keras"
    generator = np.random.default_rng(2)

    def drawn(digit: Ink) -> Ink:
        side = int(generator.integers(CANVAS // 2, CANVAS * 3 // 4))
        row, column = generator.integers(0, CANVAS - side + 1, 2)
        large = np.asarray(Image.fromarray(digit).resize((side, side), smoothing))
        return paste(thickened(large, round(thicker * side / 28)), row, column)

    canvases = [drawn(digit) for digit in images]
    original = metrics.accuracy(labels, read_predictions(model_file.parent)[::2])  # before: the images as they are
    prepared = inference.predict(model_file, np.stack([prepare(canvas) for canvas in canvases]))
    assert metrics.accuracy(labels, prepared) >= original - 0.003
    # The control, on every tenth image: it is the preparation that does it.
    unprepared = inference.predict(model_file, np.stack([resized(canvas, 28, 28) for canvas in canvases[::5]]))
    assert metrics.accuracy(labels[::5], unprepared) < squeezed


# Shape and place


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (200, 200, (20, 20)),
        (200, 100, (20, 10)),
        (100, 200, (10, 20)),
        (60, 21, (20, 7)),
        (1, 200, (1, 20)),
        (200, 1, (20, 1)),
        (5, 4, (20, 16)),
        (1, 1, (20, 20)),
        (20, 3, (20, 3)),
    ],
)
def test_proportions_are_kept(height: int, width: int, expected: tuple[int, int]) -> None:
    prepared = prepare(paste(np.full((height, width), 255, np.uint8), 30, 50))
    assert extent(prepared) == expected
    assert set(np.unique(prepared)) == {0, 255}
    assert prepared.shape == (28, 28)
    assert prepared.dtype == np.uint8
    assert_centred(prepared)


def test_a_block_sits_in_the_middle() -> None:
    rows, columns = np.nonzero(prepare(paste(np.full((20, 20), 255, np.uint8), 0, 0)))
    assert {rows.min(), columns.min()} <= {4, 5}  # 14 − 9.5 lies between the two


def test_a_stroke_is_not_turned_or_mirrored() -> None:
    prepared = prepare(draw(SEVEN, 20))
    rows, columns = np.nonzero(prepared)
    top, bottom = columns[rows <= rows.min() + 2], columns[rows >= rows.max() - 2]
    assert top.min() == columns.min()
    assert top.max() == columns.max()
    assert bottom.max() - bottom.min() < 6
    assert bottom.mean() < 14


def test_a_thin_frame_of_grey_comes_from_averaging() -> None:
    """100 × 100, half of each square of 5 × 5 inked: grey, neither black nor white."""
    ink = np.zeros((100, 100), np.uint8)
    ink[:, ::5] = ink[:, 1::5] = 255
    ink[:, -1] = 255
    prepared = prepare(ink)
    assert set(np.unique(prepared[prepared > 0])) == {102, 153}  # two and three columns of five


def test_ink_all_at_one_end_stops_at_the_border_and_is_not_cut() -> None:
    for turns in range(4):
        ink = np.full((20, 20), 40, np.uint8)
        ink[:2, :] = 255
        ink = np.rot90(ink, turns).copy()
        prepared = prepare(ink)
        assert extent(prepared) == (20, 20)
        assert prepared.sum() == ink.sum()
        assert_centred(prepared)


def test_faint_shadows_do_not_say_where_a_digit_ends() -> None:
    clean = draw(SEVEN, 20)
    shadowed = clean.copy()
    shadowed[:30] = shadowed[:, 250:] = 20
    assert np.array_equal(prepare(shadowed), prepare(clean))


def test_the_given_ink_is_not_changed() -> None:
    ink = draw(SEVEN, 20).copy()
    before = ink.copy()
    prepared = prepare(ink)
    prepared[:] = 7
    assert np.array_equal(ink, before)


def test_ink_not_contiguous_or_not_writable_is_read_alike() -> None:
    ink = draw(SEVEN, 20)
    expected = prepare(ink.copy())
    turned = np.asfortranarray(ink)
    spread = np.zeros((2 * CANVAS, 2 * CANVAS), np.uint8)
    spread[::2, ::2] = ink
    frozen = ink.copy()
    frozen.setflags(write=False)
    for same in (turned, spread[::2, ::2], frozen):
        assert np.array_equal(prepare(same), expected)


# Any array


@settings(max_examples=300, deadline=None)
@given(ink_arrays | sparse_ink_arrays)
def test_any_array_is_prepared_or_has_no_ink(ink: Ink) -> None:
    try:
        prepared = prepare(ink)
    except NoInkError:
        assert ink.max() < 64
        return
    assert prepared.shape == (28, 28)
    assert prepared.dtype == np.uint8
    assert prepared.any()
    fitted = fit(crop(ink))
    assert max(fitted.shape) == 20
    assert prepared.sum() == fitted.sum()  # nothing is cut off
    if max(crop(ink).shape) >= 20:
        assert prepared.max() <= ink.max()  # averages stay within what they average
    for axis in (0, 1):
        position = centre_of_mass(prepared)[axis]
        start = 14 - centre_of_mass(fitted)[axis]
        if 0.5 <= start <= 28 - fitted.shape[axis] - 0.5:  # the border is out of the way
            assert abs(position - 14) <= 0.5 + 1e-9


@settings(max_examples=200, deadline=None)
@given(ink_arrays | sparse_ink_arrays, st.data())
def test_position_makes_no_difference(ink: Ink, data: st.DataObject) -> None:
    assume(ink.max() >= 64)
    height = ink.shape[0] + data.draw(st.integers(0, 100))
    width = ink.shape[1] + data.draw(st.integers(0, 100))
    row = data.draw(st.integers(0, height - ink.shape[0]))
    column = data.draw(st.integers(0, width - ink.shape[1]))
    assert np.array_equal(prepare(paste(ink, row, column, height, width)), prepare(ink))


@settings(max_examples=150, deadline=None)
@given(strokes(), st.floats(0.5, 3))
def test_size_makes_little_difference(stroke: tuple[list[Point], float], scale: float) -> None:
    points, width = stroke
    assert difference(prepare(draw(points, width)), prepare(draw(points, width, scale))) <= REDRAWN


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 499), st.integers(1, 12))
def test_enlarging_pixels_makes_no_difference_at_all(test_digits: Ink, index: int, factor: int) -> None:
    digit = test_digits[index]
    assume(max(crop(digit).shape) == 20)  # 20 × factor comes down to 20 without a remainder
    assert np.array_equal(prepare(enlarge(digit, factor)), prepare(digit))


# Nothing to read


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_an_empty_array_has_no_ink(shape: tuple[int, int]) -> None:
    with pytest.raises(NoInkError):
        prepare(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("level", [0, 1, 10, 20])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (CANVAS, CANVAS)])
def test_blank_and_faint_canvases_have_no_ink(level: int, shape: tuple[int, int]) -> None:
    with pytest.raises(NoInkError, match="no ink yet"):
        prepare(np.full(shape, level, np.uint8))


def test_a_dot_is_ink() -> None:
    assert prepare(paste(np.full((1, 1), 255, np.uint8), 100, 7)).max() == 255


def test_specks_that_vanish_are_no_ink() -> None:
    """Two specks far apart average out to nothing: a black picture must not reach a network."""
    ink = np.zeros((4000, 4000), np.uint8)
    ink[0, 0] = ink[-1, -1] = 255
    with pytest.raises(NoInkError):
        prepare(ink)


@pytest.mark.parametrize("shape", [(), (28,), (28, 28, 1), (1, 28, 28), (28, 28, 4)])
def test_ink_of_another_rank_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"Ink must be \(height, width\) uint8") as caught:
        prepare(np.full(shape, 255, np.uint8))
    assert not isinstance(caught.value, NoInkError)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64, np.bool_, np.uint16])
def test_ink_of_another_type_is_refused(dtype: type) -> None:
    with pytest.raises(ValueError, match=r"Ink must be \(height, width\) uint8") as caught:
        prepare(np.ones((28, 28), dtype))
    assert not isinstance(caught.value, NoInkError)


def test_the_steps_together_are_prepare() -> None:
    ink = draw(SEVEN, 20)
    assert np.array_equal(centre(fit(crop(ink))), prepare(ink))
    assert crop(ink).shape == extent(ink)
