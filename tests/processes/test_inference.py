"""What comes through the inference process: right, isolated from the caller, and there again after an accident."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import psutil
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from mnist_core.common import atomic_files
from mnist_core.common.arrays import Images, Probabilities
from mnist_core.common.server import PROJECT
from mnist_core.data.dataset import Mnist
from mnist_core.drawing.nearest_example import learn_examples
from mnist_core.drawing.preparation import crop
from mnist_core.drawing.verdict import is_like, judge, variants
from mnist_core.networks import keras_model
from mnist_core.networks.insight import looking_inside
from mnist_core.processes import inference, inference_worker
from mnist_core.processes.inference_worker import InferenceError
from mnist_core.runs.results import read_predictions


@pytest.fixture(scope="module", autouse=True)
def inference_process() -> None:
    """Start the inference process now, so that no test's time depends on it; it ends with the test session."""
    inference.warm_up().result()


@pytest.fixture
def model_file(trained_run: Path, tmp_path: Path) -> Path:
    """A copy of a trained network that may be damaged."""
    return shutil.copytree(trained_run, tmp_path / "my-run") / "model.keras"


@pytest.fixture(scope="module")
def images(mnist: Mnist) -> Images:
    return mnist.x_test[:32]


def inference_workers() -> list[psutil.Process]:
    """The children of this process that `loky` started for predictions."""
    workers = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # processes that end meanwhile, and those that ended in other tests
            workers += [child] if "LokyProcess" in " ".join(child.cmdline()) else []
    return workers


def in_sessions(count: int, work: Callable[[], Probabilities]) -> list[Probabilities]:
    """Do the same in several threads at once, each a new one, as a server does for its visitors."""
    ready = threading.Barrier(count)
    answers: list[Probabilities] = []

    def session() -> None:
        ready.wait(30)
        answers.append(work())

    threads = [threading.Thread(target=session) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_the_inference_process_gives_what_the_network_gives(trained_run: Path, mnist: Mnist) -> None:
    expected = read_predictions(trained_run)
    answer = inference.predict(trained_run / "model.keras", mnist.x_test[:1500])
    assert (answer.shape, answer.dtype) == ((1500, 10), np.float32)
    assert_allclose(answer, expected[:1500], atol=1e-6)
    model = keras.models.load_model(trained_run / "model.keras", compile=False)
    one = inference.predict(trained_run / "model.keras", mnist.x_test[:1])
    assert_allclose(one, keras_model.predict(model, mnist.x_test[:1]), atol=1e-6)


def test_the_inference_process_looks_inside_as_one_does_here(trained_run: Path, mnist: Mnist) -> None:
    model_file = trained_run / "model.keras"
    found = inference.look_inside(model_file, mnist.x_test[18])
    expected = looking_inside.look_inside(keras.models.load_model(model_file, compile=False), mnist.x_test[18])
    assert_allclose(found.probabilities, expected.probabilities, atol=1e-6)
    assert_allclose(found.erased.effects, expected.erased.effects, atol=1e-4)
    assert_allclose(found.inked.effects, expected.inked.effects, atol=1e-4)
    assert found.grad_cam is not None
    assert expected.grad_cam is not None
    assert_allclose(found.grad_cam.heat, expected.grad_cam.heat, atol=1e-4)
    assert [view.summary for view in found.layers] == [view.summary for view in expected.layers]
    for view, other in zip(found.layers, expected.layers, strict=True):
        assert_allclose(view.maps.values, other.maps.values, atol=other.maps.peak / 126)


def always(digit: int, path: Path) -> Path:
    """Write a network that reads the same digit in anything, 99.9% sure; return its file."""
    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.set_weights([np.zeros((784, 10)), np.where(np.arange(10) == digit, np.log(0.999 / (0.001 / 9)), 0)])
    path.mkdir()
    model.save(path / "model.keras")
    return path / "model.keras"


def enlarged(digit: Images) -> Images:
    return np.kron(digit, np.ones((12, 12), np.uint8))


def test_a_drawing_is_read_and_judged_as_one_does_here(trained_run: Path, mnist: Mnist) -> None:
    model_file = trained_run / "model.keras"
    model = keras.models.load_model(model_file, compile=False)
    examples = learn_examples(mnist.x_train, mnist.y_train)
    for digit in mnist.x_test[:20]:
        found = inference.read(model_file, [model_file], crop(enlarged(digit)), digit)
        assert_allclose(found.probabilities, keras_model.predict(model, digit[None])[0], atol=1e-6)
        answers = [keras_model.predict(model, images) for images in (variants(digit), digit[None])]
        assert found.verdict == judge(crop(enlarged(digit)), digit, answers, examples)


def test_a_reading_is_one_question_and_hears_all_opinions(
    mnist: Mnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digit, label = mnist.x_train[0], int(mnist.y_train[0])  # one of the examples, so like one
    reader, agrees = always(label, tmp_path / "reader"), always(label, tmp_path / "agrees")
    differs, damaged = always((label + 1) % 10, tmp_path / "differs"), tmp_path / "damaged" / "model.keras"
    damaged.parent.mkdir()
    damaged.write_bytes(b"nothing")
    missing = tmp_path / "missing" / "model.keras"
    questions = []
    submit = inference._submit
    monkeypatch.setattr(inference, "_submit", lambda *asked: questions.append(asked) or submit(*asked))
    for opinions, kind in (
        ([], "clear"),
        ([agrees, differs], "clear"),
        ([differs, differs], "unsure"),
        ([missing, damaged], "clear"),  # as if nobody had been asked
        ([missing, differs], "unsure"),
    ):
        found = inference.read(reader, opinions, crop(enlarged(digit)), digit)
        assert (found.verdict.kind, found.probabilities.argmax()) == (kind, label)
        assert found.probabilities.shape == (10,)
    assert len(questions) == 5


def test_no_images_give_no_probabilities(trained_run: Path, mnist: Mnist) -> None:
    assert inference.predict(trained_run / "model.keras", mnist.x_test[:0]).shape == (0, 10)


def test_all_sessions_share_one_inference_process(trained_run: Path, images: Images) -> None:
    expected = inference.predict(trained_run / "model.keras", images)
    (worker,) = inference_workers()
    seen: set[int] = set()

    def ask() -> Probabilities:
        answer = inference.predict(trained_run / "model.keras", images)
        seen.update(process.pid for process in inference_workers())
        return answer

    for count in (1, 3):  # one after the other, then at once
        for answer in in_sessions(count, ask):
            assert_allclose(answer, expected, atol=1e-6)
    assert seen == {worker.pid}


def test_a_missing_network_gives_a_sentence(tmp_path: Path, images: Images) -> None:
    with pytest.raises(InferenceError, match=r"network of my-run is missing.*\.$"):
        inference.predict(tmp_path / "my-run" / "model.keras", images)
    with pytest.raises(InferenceError, match=r"network of my-run is missing.*\.$"):
        inference.look_inside(tmp_path / "my-run" / "model.keras", images[0])
    with pytest.raises(InferenceError, match=r"network of my-run is missing.*\.$"):
        inference.read(tmp_path / "my-run" / "model.keras", [], crop(enlarged(images[0])), images[0])


@pytest.mark.fault(id="damaged-network")
@pytest.mark.parametrize("content", [b"", b"garbage " * 100, "half"], ids=["empty", "garbage", "half"])
def test_a_damaged_network_gives_a_sentence(content: bytes | str, model_file: Path, images: Images) -> None:
    whole = model_file.read_bytes()
    model_file.write_bytes(whole[: len(whole) // 2] if isinstance(content, str) else content)
    with pytest.raises(InferenceError, match=r"network of my-run cannot be loaded.*\.$"):
        inference.predict(model_file, images)
    with pytest.raises(InferenceError, match=r"network of my-run cannot be loaded.*\.$"):
        inference.look_inside(model_file, images[0])
    with pytest.raises(InferenceError, match=r"network of my-run cannot be loaded.*\.$"):
        inference.read(model_file, [], crop(enlarged(images[0])), images[0])
    model_file.write_bytes(whole)  # mended: what went wrong is not remembered
    assert inference.predict(model_file, images).shape == (len(images), 10)


def test_a_network_for_other_pictures_gives_a_sentence(tmp_path: Path, images: Images) -> None:
    (tmp_path / "my-run").mkdir()
    other = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)])
    other.save(tmp_path / "my-run" / "model.keras")
    with pytest.raises(InferenceError, match=r"my-run.*\.$"):
        inference.predict(tmp_path / "my-run" / "model.keras", images)
    with pytest.raises(InferenceError, match=r"my-run cannot read images of 28 × 28 pixels\.$"):
        inference.look_inside(tmp_path / "my-run" / "model.keras", images[0])


def test_a_network_that_was_replaced_is_noticed(model_file: Path, images: Images) -> None:
    before = inference.predict(model_file, images)
    assert_array_equal(inference.predict(model_file, images), before)
    model = keras.models.load_model(model_file, compile=False)
    model.set_weights([-weights for weights in model.get_weights()])
    with atomic_files.replacing(model_file) as beside:
        model.save(beside)
    after = inference.predict(model_file, images)
    assert np.abs(after - before).max() > 0.1
    assert_allclose(after, keras_model.predict(model, images), atol=1e-6)


def test_networks_in_memory_are_bounded_by_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [always(digit, tmp_path / str(digit)) for digit in range(4)]  # of 7,850 parameters each
    monkeypatch.setattr(inference_worker, "_CACHED_PARAMETERS", 2 * 7850)
    monkeypatch.setattr(inference_worker, "_models", lambda kept={}: kept)  # as in an inference process of our own
    first, second = inference_worker._model(files[0]), inference_worker._model(files[1])
    assert inference_worker._model(files[0]) is first
    inference_worker._model(files[2])  # in the place of the second, which was asked before the first
    assert inference_worker._model(files[0]) is first
    assert inference_worker._model(files[1]) is not second
    monkeypatch.setattr(inference_worker, "_CACHED_PARAMETERS", 1)
    alone = inference_worker._model(files[3])  # one that is larger than all are to be is kept as long as it is asked
    assert inference_worker._model(files[3]) is alone
    assert len(inference_worker._models()) == 1


def test_images_are_compared_with_those_of_their_digit(mnist: Mnist) -> None:
    digits, labels = mnist.x_test[:30], mnist.y_test[:30].tolist()
    examples = learn_examples(mnist.x_train, mnist.y_train)
    expected = [is_like(image, label, examples) for image, label in zip(digits, labels, strict=True)]
    assert inference.resemble(digits, labels).tolist() == expected
    assert sum(expected) >= 27
    assert not inference.resemble(digits, [(label + 3) % 10 for label in labels])[:5].all()
    assert inference.resemble(digits[:0], []).shape == (0,)


@pytest.mark.fault(id="inference-killed")
def test_a_killed_inference_process_is_replaced(trained_run: Path, images: Images) -> None:
    expected = inference.predict(trained_run / "model.keras", images)
    (worker,) = inference_workers()
    worker.kill()
    assert_array_equal(inference.predict(trained_run / "model.keras", images), expected)
    (successor,) = inference_workers()
    assert successor.pid != worker.pid
    successor.kill()
    assert_allclose(inference.look_inside(trained_run / "model.keras", images[0]).probabilities, expected[0], atol=1e-6)


@pytest.mark.fault(id="inference-killed-for-many")
def test_an_inference_process_killed_in_use_answers_all_sessions(trained_run: Path, images: Images) -> None:
    expected = inference.predict(trained_run / "model.keras", images)
    start = threading.Barrier(4)

    def ask_often() -> Probabilities:
        with contextlib.suppress(threading.BrokenBarrierError):
            start.wait(30)
        return np.stack([inference.predict(trained_run / "model.keras", images) for _ in range(50)])

    def kill() -> None:
        start.wait(30)
        for worker in inference_workers():
            worker.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    answers = in_sessions(3, ask_often)
    killer.join()
    assert len(answers) == 3
    for answer in answers:
        assert_allclose(answer, np.stack([expected] * 50), atol=1e-6)
    assert len(inference_workers()) == 1


def test_the_process_that_asks_never_loads_tensorflow(trained_run: Path, mnist: Mnist, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", mnist.x_test[:8])
    script = """
        import sys
        from pathlib import Path
        import numpy as np
        from mnist_core.processes import inference

        warm = inference.warm_up()
        answer = inference.predict(Path(sys.argv[1]), np.load(sys.argv[2] + "/images.npy"))
        assert warm.result() is None
        np.save(sys.argv[2] + "/answer.npy", answer)
        inference.look_inside(Path(sys.argv[1]), np.load(sys.argv[2] + "/images.npy")[0])
        print(sorted({"tensorflow", "keras", "streamlit"} & set(sys.modules)))
    """
    started = time.monotonic()
    command = [sys.executable, "-c", textwrap.dedent(script), str(trained_run / "model.keras"), str(tmp_path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=180, env={**os.environ})
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert_allclose(np.load(tmp_path / "answer.npy"), read_predictions(trained_run)[:8], atol=1e-6)
    assert time.monotonic() - started < 180  # it ends by itself: the inference process does not keep it


def test_warming_up_passes_over_what_cannot_be_loaded(model_file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "model.keras"
    broken.parent.mkdir()
    broken.write_bytes(b"nothing")
    files = [tmp_path / "missing" / "model.keras", broken, model_file]
    assert inference.warm_up(files).result(timeout=300) is None
    assert inference.predict(model_file, np.zeros((1, 28, 28), np.uint8)).shape == (1, 10)


@pytest.mark.fault(id="server-killed-inference")
def test_the_inference_process_ends_with_a_server_that_is_killed() -> None:
    script = """
import os, time
from mnist_core.processes import inference
print(inference._submit(os.getpid)[1].result(), flush=True)
time.sleep(600)"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:
        worker = psutil.Process(int(server.stdout.readline()))
        assert worker.is_running()
        server.kill()
    worker.wait(60)
