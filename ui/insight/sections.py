"""What a network looked at, as pictures with the words that explain them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mnist_core.common import pictures
from mnist_core.common.arrays import Images, Probabilities
from mnist_core.common.text import percent
from mnist_core.data.dataset import CLASSES
from mnist_core.networks.insight import signed_pictures
from mnist_core.networks.insight.occlusion import WINDOW, Effects, Occlusion
from mnist_core.networks.insight.results import GradCam, Insight, LayerView, Scaled
from mnist_core.networks.layers import OUTPUT, Conv, Dense, GlobalAveragePool, Pool, Shape
from ui.components.picture_sections import Section, Sheet, Tile, sheet

FEW_MAPS = 16  # of each layer, at first
_COLUMNS = 16  # of a sheet
_MAPS_PER_ROW = (8, 16)
_STRIP_COLUMNS = 32  # of the units of a dense layer
_FULL = 0.5  # effects that are at least as strong as this, in logarithms of odds, have full colour
_NOTEWORTHY = 0.005  # change of a probability


def evidence_section(insight: Insight, image: Images, digit: int) -> Section:
    """Return the pictures of what in an image, (28, 28) uint8, speaks for a digit and what against it."""
    side = image.shape[0]
    tiles, colored = [], []
    for title, occlusion, changed, note in (
        (
            "Erase ink",
            insight.erased,
            "Without the ink in the frame",
            f"Occlusion: each place in turn is covered by {WINDOW} × {WINDOW} pixels of paper. Teal ink counts for "
            f"{digit}, amber ink against it.",
        ),
        (
            "Add ink",
            insight.inked,
            "With ink all over the frame",
            f"The same with a window of ink. Where it is teal, more ink would harm {digit}; "
            "where it is amber, it would help.",
        ),
    ):
        colored.append(_colored(image, occlusion.effects[digit], _FULL))
        row, column = occlusion.places[digit].tolist()
        frame = (column / side, row / side, WINDOW / side)
        outcome = _outcome(insight.probabilities, occlusion, digit, changed)
        tiles.append(Tile(f"{title}: {outcome}", title, (outcome, note), frame))
    if insight.grad_cam is not None:
        heat = insight.grad_cam.heat[digit]
        colored.append(_colored(image, heat, 0.0))
        outcome, note = _grad_cam_words(insight.grad_cam, digit)
        tiles.append(Tile(f"Grad-CAM: {outcome}", "Grad-CAM", (outcome, note)))
    png = pictures.png(np.hstack(colored))
    return Section((sheet(png, len(tiles), len(tiles)),), tuple(tiles), width=260, per_row=(2, 3), large=True)


def layer_sections(insight: Insight, most: int) -> list[Section]:
    """Return the maps of each layer, `most` at most, from the image to the ten probabilities."""
    sections: list[Section] = []
    unseen = insight.weights  # the weights of the first layer that has any, until it has come
    for number, view in enumerate(insight.layers, start=1):
        weights = None
        if isinstance(view.layer, Conv | Dense):
            weights, unseen = unseen, None
        title = f"{number}. {view.summary.name}"
        if isinstance(view.layer, Conv | Pool):
            sections.append(_maps_section(view, weights, title, most))
        elif view.layer == OUTPUT:
            sections.append(_output_section(view, insight.probabilities, weights, title))
        else:
            sections += _unit_sections(view, weights, title, most)
    return sections


def has_more_maps(insight: Insight, most: int) -> bool:
    """Whether a layer has more than `most` maps, or its first layer more than `most` pictures of weights."""
    counts = [len(view.maps.steps) for view in insight.layers if isinstance(view.layer, Conv | Pool)]
    return max([*counts, 0 if insight.weights is None else len(insight.weights.steps)], default=0) > most


def _colored(image: Images, effects: Effects, least: float) -> Images:
    return signed_pictures.colored(image, effects, max(float(np.abs(effects).max()), least, 1e-9))


def _outcome(before: Probabilities, occlusion: Occlusion, digit: int, changed: str) -> str:
    """Return what the window that matters most does, in numbers."""
    after = occlusion.answers[digit]
    was, would_be = float(before[digit]), float(after[digit])
    is_read = int(before.argmax()) == digit
    if (int(after.argmax()) == digit) != is_read:
        moves = "falls" if is_read else "rises"
        return f"{changed}, {digit} {moves} from {percent(was)} to {percent(would_be)}, and it reads {after.argmax()}."
    if abs(would_be - was) < _NOTEWORTHY:
        keeps = "still has" if is_read else "has only"
        return f"No single place decides: {changed[0].lower()}{changed[1:]}, {digit} {keeps} {percent(would_be)}."
    still = "still " if after.argmax() == before.argmax() else ""
    return f"{changed}, {digit} goes from {percent(was)} to {percent(would_be)}; it {still}reads {after.argmax()}."


def _grad_cam_words(grad_cam: GradCam, digit: int) -> tuple[str, str]:
    if not grad_cam.heat[digit].any():
        outcome = f"No evidence for {digit} was found in this way."
    else:
        outcome = f"Teal shows where the last convolution found what raises the score of {digit}."
    values = f"{grad_cam.side} × {grad_cam.side} values"
    note = f"Computed by gradients, from {values}: only a hint. Where it disagrees with erasing, trust erasing."
    return outcome, note


def _maps_section(view: LayerView, weights: Scaled | None, title: str, most: int) -> Section:
    shape = view.summary.output_shape
    height, width = view.maps.steps.shape[1:]
    shown = min(most, len(view.maps.steps))
    sheets = [_sheet(view.maps, shown)]
    if weights is not None:
        sheets.insert(0, _sheet(weights, shown))
    seen = "the whole image" if (view.field or 28) >= 28 else f"{view.field} × {view.field} pixels"
    aside = f"{_share(shown, shape, 'map')} of {height} × {width} · receptive field: {seen}"
    tiles = tuple(Tile(f"Map {place + 1}: {_strongest(view.maps, place)}") for place in range(shown))
    side = 60 if width >= 10 else 44
    return Section(tuple(sheets), tiles, side, _MAPS_PER_ROW, title, aside, _maps_note(view, weights is not None))


def _maps_note(view: LayerView, with_filters: bool) -> str:
    before = view.input_shape[-1]
    match view.layer:
        case Conv(size=size) if with_filters:
            note = (
                f"Above each map is its filter: {size} × {size} weights that slide over the digit, teal positive, "
                "amber negative. The map is bright where the digit looks like the filter."
            )
        case Conv():
            note = f"Each map combines all {before:,} maps before it, and is bright where it finds its own combination."
        case Pool("max", size):
            note = (
                f"Of {size} × {size} values, the largest is kept. The maps shrink: what was found is kept, but not "
                "exactly where."
            )
        case Pool("average", size):
            note = f"Of {size} × {size} values, the mean is kept. The maps shrink, and fine detail is lost."
        case _:
            raise TypeError(f"{view.layer!r} makes no maps.")
    return note


def _unit_sections(view: LayerView, weights: Scaled | None, title: str, most: int) -> Iterator[Section]:
    """Yield what the units look for, if that is a picture, and how strongly each has found it, as one strip."""
    units = len(view.maps.steps)
    aside = _share(units, view.summary.output_shape, "unit" if isinstance(view.layer, Dense) else "number")
    if weights is not None:
        shown = min(most, len(weights.steps))
        note = (
            "What the first units look for, weight by weight: ink on teal counts for a unit, ink on amber against it."
        )
        tiles = tuple(Tile(f"Weights of unit {place + 1}") for place in range(shown))
        yield Section((_sheet(weights, shown),), tiles, 60, _MAPS_PER_ROW, title, aside, note)
        title = aside = ""
    columns = min(units, _STRIP_COLUMNS)
    png = signed_pictures.sheet(view.maps, columns)
    strip = Sheet(pictures.data_uri(png), 1, 1, columns / -(-units // columns))
    tile = Tile(f"{aside or title}: {_strongest(view.maps, None)}")
    yield Section((strip,), (tile,), 10 * columns, (1, 1), title, aside, _units_note(view))


def _units_note(view: LayerView) -> str:
    if isinstance(view.layer, GlobalAveragePool):
        note = "Each map becomes one number, its mean: what was found counts, where it was does not."
    else:
        note = (
            f"There are no positions any more: each square is a unit that weighs all {_inputs(view):,} values before "
            "it. A bright one has found what it looks for."
        )
    return note


def _output_section(view: LayerView, probabilities: Probabilities, weights: Scaled | None, title: str) -> Section:
    shares = Scaled(np.rint(127 * probabilities).astype(np.int8)[:, None, None], 1.0)  # white is certain
    note = (
        f"Ten units weigh all {_inputs(view):,} values before them; softmax turns their scores into probabilities. "
        "White is 100%."
    )
    tiles = tuple(
        Tile(f"{digit}: {percent(share)}", lines=(str(digit),))
        for digit, share in zip(CLASSES, probabilities.tolist(), strict=True)
    )
    if weights is None:
        return Section((_sheet(shares, len(CLASSES)),), tiles, 28, (10, 10), title, "", note)
    sheets = (_sheet(weights, len(CLASSES)), replace(_sheet(shares, len(CLASSES)), ratio=3.0))
    note += " Their weights are shown as pictures: ink on teal counts for the digit, ink on amber against it."
    return Section(sheets, tiles, 90, (5, 10), title, "", note)


def _sheet(maps: Scaled, shown: int) -> Sheet:
    first = Scaled(maps.steps[:shown], maps.peak)
    height, width = maps.steps.shape[1:]
    return sheet(signed_pictures.sheet(first, _COLUMNS), shown, _COLUMNS, width / height)


def _share(shown: int, shape: Shape, noun: str) -> str:
    total = shape[-1]
    nouns = noun if total == 1 else f"{noun}s"
    return f"{total:,} {nouns}" if shown == total else f"the first {shown:,} of {total:,} {nouns}"


def _strongest(maps: Scaled, place: int | None) -> str:
    steps = maps.steps if place is None else maps.steps[place]
    return f"largest value {int(steps.max()) * maps.peak / 127:.3g}"


def _inputs(view: LayerView) -> int:
    return int(np.prod(view.input_shape))
