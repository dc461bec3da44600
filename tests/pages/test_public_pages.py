"""What pages show and offer to strangers on a public server: text of others as text, and nothing to change in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest

from mnist_core import runs
from mnist_core.common.server import PUBLIC_VARIABLE, owner_hash
from mnist_core.drawing.class_sets import contents, sets
from mnist_core.drawing.class_sets.drawings import new_drawing
from mnist_core.drawing.strokes import Drawing
from mnist_core.processes import limits
from mnist_core.runs.status import write_status
from mnist_core.training.links import setting_names
from tests.support.bad_cases.trials import Home
from tests.support.bad_visits import VIEWS, every_element, foreign_markup, open_to_visitors, visit
from tests.support.drawn import drawn
from tests.support.run_directories import MakeConfig, broken_off
from ui.session.state import Params

HOSTILE_TITLE = "<img src=x onerror=alert(1)>![](//foreign.example/x.png)"
assert len(HOSTILE_TITLE) <= min(runs.MAX_TITLE, sets.MAX_TITLE)
HOSTILE_VALUES = [HOSTILE_TITLE, "[x](javascript:alert(1))", "</style><script>alert(1)</script>", ":red[x] $x$ `x`"]
RUN = "20260101-000000000-some"
OWNER = "a" * 32  # the secret of a browser
TO_CHANGE = {"Stop", "Cancel", "Name", "Delete", "Continue", "Delete the set", "Delete it"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """The folders of a public server."""
    monkeypatch.setenv(PUBLIC_VARIABLE, "1")
    made = Home(tmp_path / "home")
    with open_to_visitors(made):
        yield made


def finished_run(home: Home, name: str = RUN) -> Path:
    path = home.runs / name
    shutil.copytree(runs.BUNDLED_RUNS / "chollet", path)
    (path / "owner.txt").write_text(owner_hash(OWNER))
    return path


def hostile_set(home: Home) -> sets.ClassSet:
    class_set = sets.open_set(home.handwriting, HOSTILE_TITLE, owner_hash(OWNER))
    line = Drawing((np.array([[10, 10], [200, 300]], np.float32),), (26.0,))
    contents.keep(class_set, new_drawing(7, np.eye(28, dtype=np.uint8) * 255, line))
    return class_set


def charts(app: AppTest) -> list[str]:
    """Return all that is told to Plotly, as JSON. It takes some HTML in names and titles for its own."""
    plain = [element.proto.spec for element in every_element(app) if element.type == "plotly_chart"]
    told = [each.proto.json for each in app.get("bidi_component") if '"figure"' in each.proto.json]
    return [*plain, *(json.dumps(json.loads(each)["figure"]) for each in told)]


def offered(app: AppTest) -> set[str]:
    return {getattr(element, "label", "") for element in every_element(app)} & TO_CHANGE


@pytest.mark.public(id="no-markup")
@pytest.mark.parametrize(
    ("page", "view"), [(page, view) for page, views in VIEWS.items() for view in views], ids=lambda part: part or "all"
)
def test_titles_of_others_are_shown_as_they_stand(page: str, view: str, home: Home) -> None:
    runs.rename(finished_run(home), HOSTILE_TITLE)
    class_set = hostile_set(home)
    chosen = "fast" if view == "watch" else RUN  # there, the curves of others can be laid under one's own
    query = {"run": chosen, "other": RUN, "beside": RUN, "compare": f"{RUN},fast", "ghosts": RUN, "set": class_set.id}
    for more in ({}, {"index": "3"}) if page == "explore" else ({},):
        app = visit(page, {**query, **({"view": view} if view else {}), **more})
        assert not foreign_markup(app)
        for chart in charts(app):
            assert drawn(json.loads(chart))  # Plotly takes it: also what pages change in a figure
        assert "<img" not in (told := "\n".join(charts(app)).replace("\\u003c", "<"))
        assert "&lt;img" in told or view not in ("compare", "watch")


@pytest.mark.public(id="no-markup")
@pytest.mark.parametrize("page", ["train", "explore", "draw"])
@pytest.mark.parametrize("value", HOSTILE_VALUES)
def test_what_an_address_holds_is_no_markup(page: str, value: str, home: Home) -> None:
    everything = {name: value for name in (*setting_names(), *Params, "unknown", value) if name != Params.VIEW}
    assert not foreign_markup(visit(page, everything))  # `visit` has looked already; this says what is meant


@pytest.mark.public(id="may-look")
def test_a_stranger_is_offered_nothing_of_a_run_that_ended(home: Home) -> None:
    finished_run(home)
    for view in ("watch", "compare"):
        app = visit("train", {"view": view, "run": RUN, "compare": RUN})
        assert offered(app) == set()
        app.session_state["visitor"] = OWNER
        app.run()
        assert offered(app) == ({"Name", "Delete"} if view == "compare" else set())


@pytest.mark.public(id="no-change-to-others")
def test_a_stranger_is_offered_nothing_of_a_run_that_may_go_on(home: Home, tiny_config: MakeConfig) -> None:
    training = finished_run(home)
    write_status(training, "running", "Training", pid=os.getpid())
    interrupted = broken_off(home.runs, tiny_config(), owner_hash(OWNER))
    for path, button in ((training, "Stop"), (interrupted, "Continue")):
        app = visit("train", {"run": path.name})
        assert offered(app) == set()
        app.session_state["visitor"] = OWNER
        app.run()
        assert offered(app) == {button}


@pytest.mark.public(id="no-change-to-others")
def test_nothing_answers_to_a_button_that_is_not_there(home: Home) -> None:
    """A browser can be made to say that any button was pressed."""
    path = finished_run(home)
    write_status(path, "running", "Training", pid=os.getpid())
    owner = visit("train", {"run": RUN})
    owner.session_state["visitor"] = OWNER
    owner.run()
    pressed = WidgetState(id=owner.button(key="stop").id, trigger_value=True)
    for app, stops in ((visit("train", {"run": RUN}), False), (owner, True)):
        app._run(widget_state=WidgetStates(widgets=[pressed]))
        assert not app.exception
        assert runs.stop_requested(path) == stops


@pytest.mark.public(id="runs.deleted_runs")
def test_of_three_deleted_runs_two_can_be_brought_back(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PUBLIC", replace(limits.PUBLIC, deleted_runs=2))
    first, *later = (finished_run(home, f"2026010{day}-000000000-some").name for day in (1, 2, 3))
    app = visit("train", {"view": "compare", "compare": ",".join((first, *later))})
    app.session_state["visitor"] = OWNER
    app.run()
    app.button(key="delete").click().run()
    assert not app.error
    assert {path.name for path in home.runs.iterdir()} == {".deleted"}
    assert sorted(path.name for path in (home.runs / ".deleted").iterdir()) == later


@pytest.mark.public(id="may-delete-own-drawings")
def test_a_stranger_is_offered_nothing_of_a_class_set(home: Home) -> None:
    class_set = hostile_set(home)
    (drawing,) = contents.read_contents(class_set).drawings
    for query, button in (({}, "Delete the set"), ({"drawing": drawing.id}, "Delete it")):
        app = visit("explore", {"view": "handwriting", "set": class_set.id, **query})
        assert offered(app) == set()
        app.session_state["visitor"] = OWNER
        app.run()
        assert button in offered(app)
