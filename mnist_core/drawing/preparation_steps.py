"""The preparation of a drawing, told step by step, and what comes of it when a step is left out."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_core.common.arrays import Box, Ink
from mnist_core.drawing import preparation
from mnist_core.drawing.preparation import IMAGE_SIZE


@dataclass(frozen=True)
class Switches:
    """Which steps are taken. With none of them, the canvas is only squeezed to 28 × 28, as simple demos do."""

    crop: bool = True
    fit: bool = True
    centre: bool = True


ALL = Switches()
NONE = Switches(crop=False, fit=False, centre=False)


@dataclass(frozen=True)
class Step:
    """One step: what it is called, what it does in one line, and the picture after it, (height, width) uint8."""

    title: str
    line: str
    picture: Ink


def steps(ink: Ink, switches: Switches = ALL, box: Box | None = None) -> tuple[Step, Step, Step, Step]:
    """Return the drawing as it is, then after each step, or after what is done in place of a step left out.

    The last picture is (28, 28); with all steps it is `preparation.prepare(ink)`. `box` is the `bounds` of the ink,
    where they are known already. Raises what `prepare` raises.
    """
    box = box or preparation.bounds(ink)
    cropped = ink[box] if switches.crop else ink
    fitted = preparation.fit(cropped) if switches.fit else preparation.resized(cropped, IMAGE_SIZE, IMAGE_SIZE)
    return (
        Step("Drawn", "Your ink, anywhere on the canvas.", ink),
        Step("Cropped", "The paper around it is cut away: where you draw no longer matters.", cropped)
        if switches.crop
        else Step("Not cropped", "The paper around it counts as part of the digit.", cropped),
        Step("Fitted", "Scaled so that its longer side has 20 pixels: how large you draw no longer matters.", fitted)
        if switches.fit
        else Step("Not fitted", "Squeezed to 28 × 28 pixels, whatever its proportions.", fitted),
        Step(
            "Centred",
            "Its centre of mass, the dot, goes to the middle of the 28 × 28 pixels, unless the border stops it.",
            preparation.centre(fitted),
        )
        if switches.centre
        else Step(
            "Not centred", "Its frame goes to the middle; its centre of mass, the dot, may not.", _framed(fitted)
        ),
    )


def _framed(ink: Ink) -> Ink:
    """Put a picture of at most 28 × 28 in the middle of 28 × 28. Raises `NoInkError` if all is paper."""
    if not ink.any():
        raise preparation.NoInkError
    height, width = ink.shape
    return preparation.placed(ink, (IMAGE_SIZE - height) // 2, (IMAGE_SIZE - width) // 2)
