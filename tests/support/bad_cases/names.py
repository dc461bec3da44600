"""Names of runs, of class sets and of what was deleted, in links; titles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import strategies as st

from mnist_core import runs
from mnist_core.drawing.class_sets import contents, sets
from mnist_core.drawing.class_sets import trash as class_sets_trash
from mnist_core.drawing.class_sets.drawings import ClassSetError
from mnist_core.runs import ids, trash
from mnist_core.runs.reading import RunError
from mnist_core.training.config import ConfigError, TrainingConfig
from tests.support.bad_cases.damage import names
from tests.support.bad_cases.trials import CaseKind, Home
from tests.support.strategies import hostile_texts


def _answer_name(name: str, home: Home) -> Sequence[str]:
    name = name.replace("{elsewhere}", str(home.elsewhere))
    (home.runs / "link").symlink_to(home.elsewhere, target_is_directory=True)
    run = runs.create_run(home.runs, TrainingConfig())
    class_set = sets.open_set(home.handwriting, "Class 4b")
    told = []
    actions: list[Callable[[], object]] = [
        lambda: sets.find_set(name, home.handwriting),
        lambda: sets.open_set(home.handwriting, name),
        lambda: class_sets_trash.restore(home.handwriting, name),
        lambda: class_sets_trash.delete_drawing(class_set, name),
        lambda: contents.withdraw(class_set, name),
        lambda: runs.create_run(home.runs, replace(TrainingConfig(), preset=name)),
        lambda: runs.rename(run, name),
        lambda: trash.restore(name, home.runs),
    ]
    for action in actions:
        try:
            action()
        except (ClassSetError, RunError, ConfigError) as error:
            told.append(str(error))
    # Pages ask for a run only by what can be an id; on the command line, anything can be typed.
    for ask in (lambda: runs.find_run(name, home.runs), lambda: runs.create_run(home.runs, TrainingConfig(), name)):
        try:
            ask()
        except RunError as error:
            told += [str(error)] if ids.is_run_id(name) else []
    (home.runs / "link").unlink()
    assert not home.strays()
    home.clear()
    return told


KINDS = (CaseKind("names, titles and ids", names | hostile_texts | st.text(max_size=100), _answer_name),)
