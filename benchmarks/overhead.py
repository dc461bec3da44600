"""What the page costs: `chollet` trained from it, watched in a browser, beside its plain Keras script.

    python -m benchmarks.overhead [--epochs 4] [--rounds 3]

In each round, a headless browser presses *Train* on the page and watches the live curves until the run has ended; then
the plain script trains in a process of its own, with nothing else running. Both take the full data, 54,000 images to
train on and 6,000 to validate. What counts is the clock on the wall from the end of one epoch to the end of the next,
so that nothing is hidden: for the plain script between the ends of epochs in `model.fit`, for the page between the
times at which the run wrote its answers to the 10,000 test images after each epoch, with validation, those answers,
saving the network and the checkpoint, and the browser. First epochs, which compile, are not counted. The last line
is for orientation: the seconds of training alone, as the page tells them. Ten minutes or so on two cores.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
from dataclasses import replace

from playwright.sync_api import Browser

from benchmarks.measuring import (
    new_tab,
    opened_browser,
    output_of,
    print_conditions,
    print_table,
    say,
    served,
    wait_for_end,
    wait_until_idle,
)
from mnist_core.data.dataset import load_mnist
from mnist_core.runs import epoch_predictions
from mnist_core.runs.event_log import read_events
from mnist_core.training.events import EpochDone
from mnist_core.training.presets import PRESETS
from tests.support.steps import start_run, wait_for_points

PRESET = "chollet"
BAR = 1.10


def from_the_page(browser: Browser, epochs: int, images: int) -> tuple[list[float], list[float]]:
    """Train from the page; return the seconds of each epoch after the first: on the wall, and of training alone."""
    with served() as server:
        page = new_tab(browser)
        page.goto(f"{server.url}/train")
        wait_until_idle(server)  # the inference process has loaded what it needs
        path = server.runs_dir / start_run(page, server.url, images=images, epochs=epochs)
        wait_for_points(page, 1)
        run = wait_for_end(path)
        if run.status.state != "finished":
            raise RuntimeError(f"The run did not come to its end: {run.status.message}")
        page.context.close()
        written = [file.stat().st_mtime for file in sorted((path / epoch_predictions.FOLDER).glob("*.npz"))]
        trained = [event.seconds for event in read_events(path) if isinstance(event, EpochDone)]
    return differences(written), differences(trained)


def as_a_script(epochs: int, images: int) -> list[float]:
    """Train with the plain script in a process of its own; return the seconds of each epoch after the first."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.overhead",
        "--script",
        "--epochs",
        str(epochs),
        "--images",
        str(images),
    ]
    seconds: list[float] = json.loads(output_of(command).splitlines()[-1])
    return seconds


def script(epochs: int, images: int) -> list[float]:
    """Do that in this process."""
    from benchmarks.plain_keras import PlainScript

    data, config = load_mnist(), replace(PRESETS[PRESET].config, train_size=images)
    share = config.validation_share
    return differences(PlainScript(config).fit(data.x_train[:images], data.y_train[:images], epochs, share))


def differences(moments: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(moments)]


def main() -> None:
    options = _options()
    if options.script:
        print(json.dumps(script(options.epochs, options.images)))
        return
    page: list[float] = []
    alone: list[float] = []
    plain: list[float] = []
    rows = []
    with opened_browser() as browser:
        for number in range(1, options.rounds + 1):
            watched, trained = from_the_page(browser, options.epochs, options.images)
            page, alone = page + watched, alone + trained
            plain += (scripted := as_a_script(options.epochs, options.images))
            rows.append([number, _listed(watched), _listed(scripted)])
            say(f"round {number}: page {rows[-1][1]}, plain {rows[-1][2]}")
    print_table(["round", "from the page, s per epoch", "plain script, s per epoch"], rows)
    ours, theirs = statistics.median(page), statistics.median(plain)
    print(
        f"\n- Median: {ours:.2f} s from the page, {theirs:.2f} s as a script: {ours / theirs:.2f} × (bar: {BAR:.2f})."
    )
    print(f"- Of these, the page tells {statistics.median(alone):.2f} s as training alone.")
    print_conditions("tensorflow", "keras", "streamlit")


def _listed(seconds: list[float]) -> str:
    return ", ".join(f"{each:.2f}" for each in seconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=4, help="of each run; the first is not counted")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=60_000, help="fewer only to try the program")
    parser.add_argument("--script", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error("--epochs must be at least 2, since the first is not counted")
    return options


if __name__ == "__main__":
    main()
