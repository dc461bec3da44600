"""How well recorded pen strokes are read: `python -m benchmarks.drawing STROKES.npz [--run ID] [--sheet FILE.png]`.

The strokes go exactly the way of those drawn on the page: placed on the canvas, drawn with its brush, prepared, and
read by a network. Prints accuracy by digit and by writer, the worst writers first; the sheet shows every failure.

STROKES.npz holds `points` (n, 2) with y downwards, `stroke_starts` (the first point of each stroke), `digit_starts`
(the first stroke of each digit), `labels` and, if known, `writers`, one for each digit.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mnist_core import runs
from mnist_core.common.arrays import Probabilities
from mnist_core.common.server import runs_dir
from mnist_core.drawing import preparation, strokes
from mnist_core.drawing.strokes import Stroke
from mnist_core.evaluation import metrics
from mnist_core.evaluation.statistics import wilson_interval
from mnist_core.processes import inference

_WORST = 10  # writers that are listed
_COLUMNS, _TILE, _LINE = 20, 56, 18  # of the sheet, in pixels


@dataclass(frozen=True)
class Recorded:
    """Digits as somebody wrote them: strokes, label and writer of each."""

    strokes: list[list[Stroke]]
    labels: NDArray[np.uint8]
    writers: NDArray[np.integer]


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    recorded = read_strokes(options.strokes)
    run = runs.find_run(options.run, runs_dir())
    digits = prepared(recorded.strokes, options.brush, options.size)
    probabilities = inference.predict(run.model_file, digits)
    print(report(recorded, probabilities, f"{options.strokes.name}, {run.id}, brush {options.brush:g} px"))
    if options.sheet:
        sheet(recorded, digits, probabilities).save(options.sheet, optimize=True)


def read_strokes(path: Path) -> Recorded:
    """Read a file of recorded strokes."""
    with np.load(path) as held:
        points = held["points"].astype(np.float32)
        stroke_starts, digit_starts = held["stroke_starts"], held["digit_starts"]
        labels = held["labels"]
        writers = held["writers"] if "writers" in held else np.zeros(len(labels), np.uint8)
    every = [points[first:end] for first, end in pairwise([*stroke_starts, len(points)])]
    return Recorded([every[first:end] for first, end in pairwise([*digit_starts, len(every)])], labels, writers)


def prepared(digits: Sequence[Sequence[Stroke]], brush: float, size: float) -> NDArray[np.uint8]:
    """Return what a network is given of each digit, (n, 28, 28) uint8."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = ((one, brush, size) for one in digits)
        return np.stack(list(pool.map(_prepare, jobs, chunksize=100)))


def _prepare(job: tuple[Sequence[Stroke], float, float]) -> NDArray[np.uint8]:
    one, brush, size = job
    return preparation.prepare(strokes.drawing_of(one, brush, size).ink())


def report(recorded: Recorded, probabilities: Probabilities, title: str) -> str:
    """Return the tables as Markdown."""
    right = probabilities.argmax(axis=1) == recorded.labels
    low, high = wilson_interval(int(right.sum()), len(right))
    lines = [
        f"{title}: **{right.mean():.2%}** of {len(right):,} digits are read right",
        f"(95% interval {low:.2%} to {high:.2%}).",
        "",
        "| digit | read right | of | most often misread as |",
        "|---|---|---|---|",
    ]
    counts = metrics.confusion_matrix(recorded.labels, probabilities)
    for digit in range(10):
        others = np.where(np.arange(10) == digit, 0, counts[digit])
        of_digit = max(int(counts[digit].sum()), 1)
        misread = f"{others.argmax()} ({others.max()} times)" if others.any() else ""
        lines.append(f"| {digit} | {counts[digit, digit] / of_digit:.2%} | {counts[digit].sum()} | {misread} |")
    by_writer = {int(writer): right[recorded.writers == writer] for writer in np.unique(recorded.writers)}
    shares = np.array([each.mean() for each in by_writer.values()])
    lines += [
        "",
        f"{len(by_writer)} writers: from {shares.min():.1%} to {shares.max():.1%}, median {np.median(shares):.1%}.",
        "",
        "| writer | read right | of |",
        "|---|---|---|",
    ]
    worst = sorted(by_writer, key=lambda writer: by_writer[writer].mean())[:_WORST]
    lines += [f"| {writer} | {by_writer[writer].mean():.1%} | {len(by_writer[writer])} |" for writer in worst]
    return "\n".join(lines)


def sheet(recorded: Recorded, digits: NDArray[np.uint8], probabilities: Probabilities) -> Image.Image:
    """Return a picture of all failures as the network saw them: label > reading, and the writer."""
    readings = probabilities.argmax(axis=1)
    failures = np.flatnonzero(readings != recorded.labels)
    failures = failures[np.lexsort((readings[failures], recorded.labels[failures]))]
    rows = max(1, -(-len(failures) // _COLUMNS))
    paper = Image.new("L", (_COLUMNS * (_TILE + 6), rows * (_TILE + _LINE)), 40)
    pen = ImageDraw.Draw(paper)
    for place, index in enumerate(failures):
        left, top = place % _COLUMNS * (_TILE + 6), place // _COLUMNS * (_TILE + _LINE)
        paper.paste(Image.fromarray(digits[index]).resize((_TILE, _TILE), Image.Resampling.NEAREST), (left, top))
        words = f"{recorded.labels[index]} > {readings[index]}  w{recorded.writers[index]}"
        pen.text((left + 1, top + _TILE + 1), words, fill=255)
    return paper


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Read recorded pen strokes as the page would.")
    parser.add_argument("strokes", type=Path, metavar="STROKES.npz")
    parser.add_argument("--run", default="champion", metavar="ID", help="the network (default: champion)")
    parser.add_argument("--brush", type=float, default=strokes.BRUSH_WIDTH, metavar="PIXELS", help="width of the pen")
    parser.add_argument("--size", type=float, default=240, metavar="PIXELS", help="longer side of each digit")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="where to draw the failures")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
