"""Which runs can be laid behind the curves of another one."""

from __future__ import annotations

import shutil
from pathlib import Path

from mnist_core import runs
from mnist_core.runs.status import write_status
from tests.support.opening import open_page
from tests.support.run_directories import MakeConfig

BEGUN = "20260101-000000000-begun"
AGAIN = "20260101-000000001-again"


def test_only_runs_that_have_begun_are_offered(own_folders: Path, tiny_config: MakeConfig) -> None:
    for name in (BEGUN, AGAIN):
        shutil.copytree(runs.BUNDLED_RUNS / "fast", own_folders / name)
    write_status(own_folders / AGAIN, "queued")  # it was continued, and waits for its turn with its curves
    waiting = runs.create_run(own_folders, tiny_config())
    app = open_page("train", run="chollet", ghosts=f"{waiting.name},{AGAIN},{BEGUN}")
    (offered,) = app.multiselect
    assert offered.value == [AGAIN, BEGUN]
    assert len(offered.options) == 2 + len(list(runs.BUNDLED_RUNS.iterdir())) - 1  # all that ship but the one shown
