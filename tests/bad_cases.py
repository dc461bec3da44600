"""Bad input of every kind that a stranger can send, and what must come of it.

Each `Kind` draws cases and answers them as the app does: what is refused or corrected is told in a sentence, nothing
else is raised, and no file is written but where files of its kind belong. `tests/test_bad_input.py` tries a few cases
of each kind, `benchmarks/bad_input.py` many.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image
from strategies import hostile_texts, json_values, notations, queries_of_settings

from mnist_core import checkpoints, diagnosis, event_log, export, film, links, run_ids, run_results, runs, trash
from mnist_core.config import ConfigError, TrainingConfig, options
from mnist_core.curves import by_epoch, curves
from mnist_core.drawing import NoInkError, prepare
from mnist_core.events import Progress
from mnist_core.handwriting import class_sets, contents, set_files
from mnist_core.handwriting import trash as handwriting_trash
from mnist_core.handwriting.kept_drawings import HandwritingError, new_drawing
from mnist_core.links import setting_names
from mnist_core.notation import ArchitectureError, inspect_notation, parse_architecture
from mnist_core.photos import binarisation, finding_digits, reading_digits
from mnist_core.photos.picture_files import PictureError, grey, read_picture
from mnist_core.run_files import RunError
from mnist_core.strokes import CANVAS_SIDE, Drawing, from_canvas

SETTINGS = [name for name in setting_names() if name != "v"]
MOST_CHARACTERS = 600  # of a message; the longest lists all settings


class Home:
    """Folders of runs and class sets of a server, in the middle of others, to which nobody may write."""

    def __init__(self, root: Path) -> None:
        self.elsewhere = root / "elsewhere"
        self.runs = root / "server" / "runs"
        self.handwriting = root / "server" / "handwriting"
        self._root = root
        self.elsewhere.mkdir(parents=True)
        (self.elsewhere / "config.json").write_text(json.dumps(TrainingConfig().to_json()))
        (self.elsewhere / "secret.txt").write_text("Nobody may read this.")
        self.clear()
        self._before = self._surroundings()

    def clear(self) -> None:
        """Let both folders be empty."""
        for folder in (self.runs, self.handwriting):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def strays(self) -> list[str]:
        """Return what was written, changed or removed where it does not belong, or under a name that somebody chose."""
        now = self._surroundings()
        changed = [path for path in {*now, *self._before} if now.get(path) != self._before.get(path)]
        for folder, ours in ((self.runs, _OF_RUNS), (self.handwriting, _OF_CLASS_SETS)):
            inside = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
            changed += [f"{folder.name}/{path}" for path in inside if not ours.fullmatch(path)]
        return changed

    def _surroundings(self) -> dict[str, bytes | None]:
        """Return all files and folders around the two, and what they hold."""
        inside = (self.runs, self.handwriting)
        return {
            str(path): path.read_bytes() if path.is_file() else None
            for path in self._root.rglob("*")
            if not any(path.is_relative_to(folder) for folder in inside)
        }


_OF_CLASS_SETS = re.compile(r"(\.deleted|(\.deleted/[0-9a-f]{32}/)?[0-9a-f]{20}(/(set|[0-9a-f]{32})\.json)?)")
_OF_RUNS = re.compile(
    r"\.deleted|(\.deleted/)?[a-z0-9][a-z0-9-]{0,79}"
    r"(/(epochs|epochs/\d{4}\.npz|stop|deleted|[a-z]+\.(json|jsonl|npz|keras|txt)))?"
)


@dataclass(frozen=True)
class Kind:
    """Input of one kind: cases of it, and a function that answers one with all that a visitor is told about it."""

    name: str
    cases: st.SearchStrategy[Any]
    answer: Callable[[Any, Home], Sequence[str]]
    most_sentences: int = 3


def tried(kind: Kind, case: Any, home: Home) -> bool:
    """Answer a case, and return whether a visitor is told anything. Raises `AssertionError` for harm done."""
    told = kind.answer(case, home)
    for message in told:
        problem = unclear(message, kind.most_sentences)
        assert problem is None, f"{problem}: {message!r}"
    strays = home.strays()
    assert not strays, strays
    return len(told) > 0


# What a message must be like


def unclear(message: str, most_sentences: int = 3) -> str | None:
    """Return what is wrong with a message for a visitor; None if nothing is.

    It is one to three sentences on one line. What it quotes may be anything; the rest names no class of Python and no
    place on the machine.
    """
    own_words = re.sub("“[^”]*”|'[^']*…?'|\"[^\"]*…?\"", "“”", message)
    if not message.isprintable():
        return "more than one line, or not printable"
    if not re.fullmatch(r"[\w“].*[.)]", own_words):
        return "no sentence"
    if len(re.findall(r"[.!?]”?(?= |$)", own_words)) > most_sentences:
        return f"more than {most_sentences} sentences"
    if len(message) > MOST_CHARACTERS:
        return "too long"
    if re.search(
        r"Traceback|\w(Error|Exception|Warning)\b|NoneType|<class|object at|\b(numpy|np|PIL|json)\.", own_words
    ):
        return "names something of Python"
    if any(place in own_words for place in _MACHINE):
        return "names a place on the machine"
    return None


_MACHINE = {str(runs.PROJECT), str(Path.home()), sys.prefix, tempfile.gettempdir()}


# Links, settings and notation


def _answer_link(query: dict[str, str], home: Home) -> Sequence[str]:
    linked = links.from_query(query)
    assert links.from_query(links.to_query(linked.config)).config == linked.config
    inspect_notation(linked.notation)
    return linked.notes


# Values of settings: some fit some of them.
_fitting = (
    st.sampled_from([option for name in SETTINGS for option in options(name)])
    | st.sampled_from([0, 1, 2.0, 0.5, 100, 1000, 1e-6, "10", "32C3-P2-10", "validation loss"])
    | st.floats(0, 1)
)
_json_of_settings = st.builds(
    lambda changes, more: {**TrainingConfig().to_json(), **changes, **more},
    st.dictionaries(st.sampled_from([*SETTINGS, "config_version"]), _fitting | json_values | hostile_texts, max_size=3),
    st.just({}) | st.dictionaries(st.text(max_size=20) | hostile_texts, json_values, max_size=1),
)


def _damaged(contents_of_files: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Cut files off, change a few of their bytes, or put something behind them."""
    changes = st.just([]) | st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4)
    return st.builds(
        _with_damage,
        contents_of_files,
        st.sampled_from([1.0] * 8 + [0.99]) | st.floats(0, 1),
        changes,
        st.just(b"") | st.binary(max_size=20),
    )


def _with_damage(content: bytes, share: float, changes: Sequence[tuple[float, int]], more: bytes) -> bytes:
    left = bytearray(content[: round(share * len(content))])
    for place, value in changes:
        if left:
            # Where files of most kinds say what they are: near their beginning.
            left[round(place**3 * (len(left) - 1))] = value
    return bytes(left) + more


def _dumped(value: object) -> bytes:
    return json.dumps(value).encode()


settings_files = (
    _json_of_settings.map(_dumped)
    | json_values.map(_dumped)
    | _damaged(_json_of_settings.map(_dumped))
    | st.binary(max_size=200)
    | st.sampled_from([b"[" * 100_000, b"9" * 10_000, b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"{" * 5_000, b""])
)


def _answer_settings_file(content: bytes, home: Home) -> Sequence[str]:
    try:
        config = export.read_config(content)
    except ConfigError as error:
        return [str(error)]
    assert TrainingConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    return []


_assignments = st.builds(
    "{}{}{}".format,
    st.sampled_from(SETTINGS) | st.text(max_size=20) | hostile_texts,
    st.sampled_from(["=", "=", "=", " = ", "", ":"]),
    _fitting.map(str) | st.floats().map(repr) | hostile_texts | st.text(max_size=30) | json_values.map(json.dumps),
)


def _answer_assignment(text: str, home: Home) -> Sequence[str]:
    try:
        TrainingConfig().with_settings([text])
    except ConfigError as error:
        return [str(error)]
    return []


def _answer_notation(text: str, home: Home) -> Sequence[str]:
    inspection = inspect_notation(text)
    assert all(text.startswith(token.text, token.start) for token in inspection.tokens)
    try:
        parse_architecture(text)
    except ArchitectureError as error:
        return [str(error)]
    return []


# What a canvas tells

_numbers = st.integers(-1000, 1000) | st.floats(-1000, 1000) | st.floats() | st.sampled_from([10**400, "5", None, True])
_commands = st.tuples(st.sampled_from(["M", "Q", "L", "", None]), _numbers, _numbers).map(list) | json_values
_curves = st.lists(st.tuples(st.just("Q"), st.floats(-300, 600), st.floats(-300, 600)).map(list), max_size=12)
_widths = st.floats(0, 60)
_objects = (
    st.fixed_dictionaries({"path": _curves, "strokeWidth": _widths})
    | st.fixed_dictionaries({"path": st.lists(_commands, max_size=4), "strokeWidth": _widths | _numbers})
    | st.fixed_dictionaries({"path": _curves | json_values}, optional={"strokeWidth": json_values})
    | json_values
)
canvas_payloads = (
    st.fixed_dictionaries({"objects": st.lists(_objects, max_size=5)})
    | st.fixed_dictionaries({"objects": json_values})
    | json_values
)


def _answer_canvas(told: object, home: Home) -> Sequence[str]:
    drawing = from_canvas(told)
    assert all(np.isfinite(stroke).all() for stroke in drawing.strokes)
    ink = drawing.ink()
    assert ink.shape == (CANVAS_SIDE, CANVAS_SIDE)
    try:
        assert prepare(ink).shape == (28, 28)
    except NoInkError as error:
        return [str(error)]
    return []


# Pictures


def _file(picture: Image.Image, file_format: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format)
    return file.getvalue()


@cache
def _pictures() -> list[bytes]:
    """Return a small picture in many formats and modes, and files of other kinds."""
    grey_picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 25), np.uint8))
    modes = [("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    modes += [("JPEG", mode) for mode in ("L", "RGB", "CMYK")]
    modes += [("GIF", "P"), ("BMP", "RGB"), ("WEBP", "RGBA"), ("TIFF", "L"), ("TIFF", "CMYK"), ("TIFF", "F")]
    others = [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"PK\3\4", b"\0\0\0\x18ftypheic", b""]
    return [_file(grey_picture.convert(mode), name) for name, mode in modes] + others


picture_files = st.deferred(lambda: _damaged(st.sampled_from(_pictures())) | st.binary(max_size=200))


def _answer_picture(content: bytes, home: Home) -> Sequence[str]:
    try:
        picture = read_picture(content)
    except PictureError as error:
        return [str(error)]
    contrast = binarisation.contrast(grey(picture))
    ink = binarisation.ink(contrast, binarisation.automatic_threshold(contrast))
    for row in finding_digits.rows_of_digits(ink):
        assert all(reading_digits.as_mnist(digit.ink).shape == (28, 28) for digit in row)
    return []


# Class sets to import


@cache
def _good_line() -> dict[str, Any]:
    drawn = Drawing((np.array([[10, 10], [200, 300]], np.float32),), (26.0,))
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 10:18] = 255
    return json.loads(set_files.to_line(new_drawing(7, image, drawn)))


_names = st.lists(
    st.sampled_from(
        [
            "..",
            "/",
            "\\",
            ".",
            "{elsewhere}/",
            "evil",
            "link/",
            "con",
            "nul.txt",
            "C:",
            "\0",
            "~",
            "%2e%2e%2f",
            "-",
            "A",
        ]
    )
    | st.sampled_from(
        ["a" * 300, "0" * 20, "0" * 32, ".deleted/", "．．／", "\n", "\ud800", "🙂", " ", "set.json", "x"]
    )
    | st.sampled_from(["é", "$HOME", "`id`", "../../", "|", "<img src=x onerror=alert(1)>"]),
    max_size=5,
).map("".join)
_titles = _names | st.text(max_size=80) | hostile_texts

_heads = st.builds(
    lambda title, changes: {"format": class_sets.FORMAT, "version": 1, "title": title, **changes},
    _titles,
    st.just({}) | st.dictionaries(st.sampled_from(["format", "version", "title", "drawings"]), json_values, max_size=1),
).map(_dumped)
_lines = st.builds(
    lambda *changes: _dumped({**_good_line(), **dict(changes)}),
    st.tuples(st.just("id"), st.uuids().map(lambda each: each.hex) | st.just("0" * 32) | _names),
    st.tuples(st.just("label"), st.integers(-1, 10)),
    st.tuples(
        st.sampled_from(["time", "canvas", "widths", "strokes", "image", "version", "more", "more", "more"]),
        json_values | _names,
    ),
)
_class_sets = st.builds(lambda *lines: b"\n".join(lines), _heads, _lines, _lines, _lines | st.binary(max_size=100))
class_set_files = _class_sets | _damaged(_class_sets) | st.binary(max_size=200) | settings_files


def _answer_class_set(content: bytes, home: Home) -> Sequence[str]:
    try:
        read = set_files.read_file(content)
        into = class_sets.open_set(home.handwriting, read.title)
        set_files.merge(read, into)
    except HandwritingError as error:
        return [str(error)]
    kept = contents.read_contents(into)
    assert len(kept.drawings) == len(read.drawings)
    assert len(set_files.read_file(set_files.export_set(into, kept.drawings)).drawings) == len(kept.drawings)
    home.clear()
    return read.problems


# Files of a run

RUN_ID = "20260101-000000000-some"
RUN_FILES = (
    *("config.json", "status.json", "report.json", "metrics.jsonl", "predictions.npz", "epochs/0001.npz"),
    *("checkpoint.npz", "title.txt", "owner.txt"),
)


@cache
def _run_file(name: str) -> bytes:
    """Return a file of a run that ships with the project, or one like those of others."""
    if name == "checkpoint.npz":
        with tempfile.TemporaryDirectory() as folder:
            progress = Progress(1, 9, 450, 1.0)
            checkpoints.write_checkpoint(
                Path(folder), checkpoints.Checkpoint(progress, (), (np.zeros(3, np.float32),), None)
            )
            return (Path(folder) / name).read_bytes()
    if name in ("title.txt", "owner.txt"):
        return b"text"
    content = (runs.BUNDLED_RUNS / "fast" / name).read_bytes()
    return b"".join(content.splitlines(keepends=True)[:8]) if name == "metrics.jsonl" else content


def _changed_json(content: bytes, changes: dict[str, object]) -> bytes:
    """Change values of the first object in a file of JSON or JSON lines."""
    try:
        first, *others = content.splitlines() if content.count(b"\n{") else [content]
        return b"\n".join([_dumped({**json.loads(first), **changes}), *others])
    except ValueError:
        return _dumped(changes)


@st.composite
def run_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw the name of a file of a run, and something else for what it holds."""
    name = draw(st.sampled_from(RUN_FILES))
    content = _run_file(name)
    if name.endswith((".json", ".jsonl")):
        first = json.loads(content if name.endswith(".json") else content.splitlines()[0])
        changes = st.dictionaries(st.sampled_from(sorted(first)), json_values | hostile_texts, min_size=1, max_size=3)
        changed = changes.map(lambda changes: _changed_json(content, changes))
        return name, draw(changed | _damaged(st.just(content)) | json_values.map(_dumped) | st.binary(max_size=100))
    return name, draw(_damaged(st.just(content)) | st.binary(max_size=100) | _titles.map(_encoded))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@contextmanager
def damaged_run(home: Home, damaged: str, content: bytes, others: Sequence[str] = RUN_FILES) -> Iterator[Path]:
    """Make a run of these files, of which one holds something else, and remove it again."""
    path = home.runs / RUN_ID
    (path / "epochs").mkdir(parents=True)
    for name in {damaged, *others}:
        (path / name).write_bytes(content if name == damaged else _run_file(name))
    try:
        yield path
    finally:
        home.clear()


def _answer_run(case: tuple[str, bytes], home: Home) -> Sequence[str]:
    told = []
    with damaged_run(home, *case, others=("config.json", "status.json", "report.json")) as path:
        config = TrainingConfig()
        try:
            config = runs.read_run(path).config
            assert [run.id for run in runs.list_runs(home.runs)] == [RUN_ID]
        except RunError as error:
            assert runs.unreadable_runs(home.runs) == {RUN_ID: str(error)}
            told.append(str(error))
        history = curves(event_log.read_events(path), config)
        by_epoch(history)
        diagnosis.diagnose(history, config)
        film.read_film(path)
        for name, read in (
            ("predictions.npz", run_results.read_predictions),
            ("checkpoint.npz", checkpoints.read_checkpoint),
        ):
            try:
                if (path / name).exists():
                    read(path)
            except (RunError, checkpoints.CheckpointError) as error:
                told.append(str(error))
        assert not home.strays()
    return told


# Names: of runs, class sets and what was deleted, in links; titles


def _answer_name(name: str, home: Home) -> Sequence[str]:
    name = name.replace("{elsewhere}", str(home.elsewhere))
    (home.runs / "link").symlink_to(home.elsewhere, target_is_directory=True)
    run = runs.create_run(home.runs, TrainingConfig())
    class_set = class_sets.open_set(home.handwriting, "Class 4b")
    told = []
    actions: list[Callable[[], object]] = [
        lambda: class_sets.find_set(name, home.handwriting),
        lambda: class_sets.open_set(home.handwriting, name),
        lambda: handwriting_trash.restore(home.handwriting, name),
        lambda: handwriting_trash.delete_drawing(class_set, name),
        lambda: contents.withdraw(class_set, name),
        lambda: runs.create_run(home.runs, replace(TrainingConfig(), preset=name)),
        lambda: runs.rename(run, name),
        lambda: trash.restore(name, home.runs),
    ]
    for action in actions:
        try:
            action()
        except (HandwritingError, RunError, ConfigError) as error:
            told.append(str(error))
    # Pages ask for a run only by what can be an id; on the command line, anything can be typed.
    for ask in (lambda: runs.find_run(name, home.runs), lambda: runs.create_run(home.runs, TrainingConfig(), name)):
        try:
            ask()
        except RunError as error:
            told += [str(error)] if run_ids.is_run_id(name) else []
    (home.runs / "link").unlink()
    assert not home.strays()
    home.clear()
    return told


KINDS = (
    Kind("links to settings", queries_of_settings, _answer_link),
    Kind("settings as JSON files", settings_files, _answer_settings_file),
    Kind("settings on the command line", _assignments, _answer_assignment),
    Kind("notation of networks", notations | hostile_texts | _names, _answer_notation),
    Kind("what a canvas tells", canvas_payloads, _answer_canvas),
    Kind("picture files", picture_files, _answer_picture),
    Kind("class sets to import", class_set_files, _answer_class_set),
    Kind("files of a run", run_files(), _answer_run),
    Kind("names, titles and ids", _names | hostile_texts | st.text(max_size=100), _answer_name),
)
