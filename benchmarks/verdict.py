"""How often the verdict of the Draw page is right: `python -m benchmarks.verdict [--run ID …] [--strokes FILE.npz]`.

Prints how many good digits are called clear, and how many letters, scribbles, several digits and the like are not. Half
of each group is what the thresholds were chosen on, the other half is the check: training images of MNIST from which
`champion` does not learn, templates of letters, scribbles, and writers of recorded strokes (see `drawing.py`) are dealt
in turn. Of several networks, the first one's reading is judged and the others are asked for theirs. `--choose` prints
thresholds of similarity chosen anew on the first halves; that needs strokes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import not_digits
from benchmarks.drawing import read_strokes
from mnist_core import runs
from mnist_core.common.arrays import Images, Ink, Labels, Probabilities
from mnist_core.common.server import runs_dir
from mnist_core.data.dataset import load_mnist
from mnist_core.drawing import preparation, strokes
from mnist_core.drawing.nearest_example import Examples, learn_examples, similarity
from mnist_core.drawing.verdict import CERTAIN, KINDS, Verdict, judge, variants
from mnist_core.processes import inference

HELD_OUT = 3_000  # the last training images
HANDS = 40  # for each template
SCRIBBLES = 1_200
ROWS = 400  # of several digits
CALLED_CLEAR = 0.975  # of the well-read strokes, when thresholds are chosen: a little more than the 97% aimed at


@dataclass(frozen=True)
class Plan:
    """How to make a drawing: its group, its name, its label (None for no digit), and whether thresholds may see it."""

    group: str
    name: str
    label: int | None
    choose: bool
    make: Callable[..., Ink]
    arguments: tuple[object, ...]


@dataclass(frozen=True)
class Case:
    """A drawing, what the network is given of it, and what networks answer to its variants, (7, 10) each."""

    plan: Plan
    ink: Ink
    digit: Ink
    answers: tuple[Probabilities, ...] = ()

    @property
    def reading(self) -> int:
        return int(self.answers[0][0].argmax())


def main() -> None:
    options = _options()
    data = load_mnist()
    plans = [*drawn_plans(), *mnist_plans(data.x_train[-HELD_OUT:], data.y_train[-HELD_OUT:])]
    if options.strokes:
        plans += stroke_plans(options.strokes)
    with ProcessPoolExecutor() as pool:
        drawn = list(pool.map(execute, plans, chunksize=50))
    networks = [runs.find_run(name, runs_dir()).path / "model.keras" for name in options.run]
    images = np.concatenate([variants(case.digit) for case in drawn])
    answers = [inference.predict(network, images).reshape(len(drawn), -1, 10) for network in networks]
    cases = [Case(case.plan, case.ink, case.digit, tuple(each)) for case, *each in zip(drawn, *answers, strict=True)]
    examples = learn_examples(data.x_train[:-HELD_OUT], data.y_train[:-HELD_OUT])
    if options.choose:
        print("LIKE =", choose([case for case in cases if case.plan.choose], examples))
    print_table(cases, examples, options.each)


def drawn_plans() -> Iterator[Plan]:
    """Yield plans of all that is made of strokes."""
    for group, templates in (
        ("digits from templates", not_digits.DIGITS),
        ("letters", not_digits.LETTERS),
        ("letters much like digits", not_digits.LETTERS_LIKE_DIGITS),
        ("signs", not_digits.SIGNS),
    ):
        for place, (name, text) in enumerate(templates.items()):
            label = int(name[0]) if templates is not_digits.DIGITS else None
            for hand in range(HANDS):
                yield Plan(group, name, label, place % 2 == 0, not_digits.written, (text, 1000 * place + hand))
    kinds = len(not_digits.SCRIBBLES)
    for number in range(SCRIBBLES):
        name = not_digits.SCRIBBLES[number % kinds].__name__
        yield Plan("scribbles", name, None, number // kinds % 2 == 0, not_digits.scribble, (number,))
    yield Plan("blank", "", None, False, np.zeros, ((strokes.CANVAS_SIDE,) * 2, np.uint8))


def mnist_plans(images: Images, labels: Labels) -> Iterator[Plan]:
    """Yield plans of MNIST digits, one by one and in rows of two and three."""
    for place, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        yield Plan("MNIST digits", "", label, place % 2 == 0, np.array, (image,))
    generator = np.random.default_rng(0)
    for number in range(ROWS):
        row = list(images[generator.choice(len(images), 2 + number % 2)])
        for group, touching in (("several digits", False), ("several that touch", True)):
            yield Plan(group, f"{len(row)}", None, number % 4 < 2, not_digits.in_a_row, (row, number, touching))


def stroke_plans(path: Path) -> Iterator[Plan]:
    """Yield plans of recorded digits; those of every second writer are to choose on."""
    recorded = read_strokes(path)
    for lines, label, writer in zip(recorded.strokes, recorded.labels.tolist(), recorded.writers.tolist(), strict=True):
        yield Plan("recorded strokes", f"{writer}", label, writer % 2 == 0, _ink_of, (lines,))


def _ink_of(lines: list[strokes.Stroke]) -> Ink:
    return strokes.drawing_of(lines).ink()


def execute(plan: Plan) -> Case:
    ink = plan.make(*plan.arguments)
    if not ink.any():
        return Case(plan, ink, ink[:28, :28])
    return Case(plan, preparation.crop(ink), preparation.prepare(ink))


def choose(cases: list[Case], examples: Examples) -> tuple[float, ...]:
    """Return thresholds of similarity: of each digit the same share falls below, in MNIST or the strokes.

    That share is the largest with which `CALLED_CLEAR` of the strokes that are read right are still called clear.
    """
    right = [case for case in cases if case.plan.label == case.reading and case.answers[0][0].any()]
    values = np.array([similarity(case.digit, case.reading, examples) for case in right])
    certain = np.array([case.answers[0].mean(axis=0)[case.reading] >= CERTAIN for case in right])
    labels, groups = (np.array([getattr(case.plan, name) for case in right]) for name in ("label", "group"))
    recorded = groups == "recorded strokes"
    for share in np.arange(0.1, 0, -0.001):
        like = np.array(
            [
                min(
                    np.quantile(values[(labels == digit) & (groups == group)], share)
                    for group in ("MNIST digits", "recorded strokes")
                )
                for digit in range(10)
            ]
        ).round(3)
        if np.mean((values >= like[labels])[recorded] & certain[recorded]) >= CALLED_CLEAR:
            break
    return tuple(like.tolist())


def print_table(cases: list[Case], examples: Examples, each: bool) -> None:
    """Print how the drawings of each group are judged, on the half that thresholds were chosen on and on the other."""
    started = time.perf_counter()
    verdicts = [judge(case.ink, case.digit, case.answers, examples) for case in cases]
    seconds = (time.perf_counter() - started) / len(cases)
    columns = ["drawings", "half", "of", *KINDS, "read right", "clear of these", "read right of the clear"]
    print("|", " | ".join(columns), "|")
    print("|---" * len(columns) + "|")
    for group in dict.fromkeys(case.plan.group for case in cases):
        for half in (True, False):
            chosen = [i for i, case in enumerate(cases) if case.plan.group == group and case.plan.choose == half]
            if not chosen:
                continue
            kinds = [verdicts[i].kind for i in chosen]
            cells = [f"{kinds.count(kind) / len(kinds):.1%}" for kind in KINDS]
            if cases[chosen[0]].plan.label is not None:
                right = np.array([cases[i].reading == cases[i].plan.label for i in chosen])
                clear = np.array(kinds) == "clear"
                cells += [f"{share:.2%}" for share in (right.mean(), clear[right].mean(), right[clear].mean())]
            else:
                cells += ["", "", ""]
            print("|", " | ".join([group, "chosen on" if half else "checked on", f"{len(chosen):,}", *cells]), "|")
    print(f"\nA verdict takes {1000 * seconds:.2f} ms without the network.")
    if each:
        print_each(cases, verdicts)


def print_each(cases: list[Case], verdicts: list[Verdict]) -> None:
    """Print the share called clear of each letter, sign, hand and writer, the largest first."""
    names: dict[tuple[str, str], list[bool]] = {}
    for case, verdict in zip(cases, verdicts, strict=True):
        names.setdefault((case.plan.group, case.plan.name), []).append(verdict.kind == "clear")
    for (group, name), clear in sorted(names.items(), key=lambda item: (item[0][0], -np.mean(item[1]))):
        print(f"{group}: {name}: {np.mean(clear):.0%} of {len(clear)} are called clear")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How often the verdict of the Draw page is right.")
    parser.add_argument("--run", nargs="+", default=["champion"], metavar="ID", help="networks (default: champion)")
    parser.add_argument("--strokes", type=Path, metavar="STROKES.npz", help="recorded digits, as drawing.py takes them")
    parser.add_argument("--choose", action="store_true", help="print thresholds chosen on the first halves")
    parser.add_argument("--each", action="store_true", help="print also the share of each letter, sign and writer")
    options = parser.parse_args()
    if options.choose and not options.strokes:
        parser.error("--choose needs --strokes")
    return options


if __name__ == "__main__":
    main()
