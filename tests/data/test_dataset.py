"""The bundled MNIST: that it is the original data, and that a damaged file is noticed and explained."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from mnist_core.data import dataset
from mnist_core.data.dataset import BUNDLED_FILE, DatasetError, Mnist, load_mnist

# How many images of each digit, 0 to 9, MNIST has.
TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]

# SHA-256 of the four files that LeCun, Cortes and Burges published, unpacked.
ORIGINAL_FILES = {
    "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.fixture
def convert_idx() -> ModuleType:
    """The converter, which is a script beside the data and not a module of the package."""
    spec = importlib.util.spec_from_file_location("convert_idx", BUNDLED_FILE.with_name("convert_idx.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def idx_bytes(array: np.ndarray, type_code: int = 0x08) -> bytes:
    """Write an array as an IDX file: two zero bytes, type code, rank, big-endian sizes, values."""
    return struct.pack(f">HBB{array.ndim}I", 0, type_code, array.ndim, *array.shape) + array.tobytes()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def arrays_of(mnist: Mnist) -> dict[str, np.ndarray]:
    return {name: getattr(mnist, name) for name in ORIGINAL_FILES}


def write_arrays(folder: Path, **arrays: Any) -> Path:
    """Write a data file that is intact as a file, whatever it holds."""
    path = folder / "mnist.npz"
    np.savez(path, **arrays)
    return path


def assert_explained(path: Path) -> str:
    """Loading must fail with what is wrong, with which file, and with what to do; return the message."""
    with pytest.raises(DatasetError) as caught:
        load_mnist(path)
    message = str(caught.value)
    assert f"The MNIST file {path.name} is missing or damaged" in message
    assert f"Restore it with `git checkout -- mnist_core/data/{path.name}" in message
    assert "clone the project again" in message
    assert "\n" not in message
    return message


def test_shapes_and_types(mnist: Mnist) -> None:
    assert mnist.x_train.shape == (60_000, 28, 28)
    assert mnist.y_train.shape == (60_000,)
    assert mnist.x_test.shape == (10_000, 28, 28)
    assert mnist.y_test.shape == (10_000,)
    assert {array.dtype for array in arrays_of(mnist).values()} == {np.dtype(np.uint8)}


def test_images_per_digit(mnist: Mnist) -> None:
    assert np.bincount(mnist.y_train).tolist() == TRAIN_COUNTS
    assert np.bincount(mnist.y_test).tolist() == TEST_COUNTS


def test_ink_is_bright_on_black_paper(mnist: Mnist) -> None:
    for images in (mnist.x_train, mnist.x_test):
        assert images.min() == 0
        assert images.max() == 255
        assert np.median(images) == 0


@pytest.mark.parametrize("name", ORIGINAL_FILES)
def test_arrays_have_the_checksum_of_the_published_files(mnist: Mnist, name: str) -> None:
    assert sha256(idx_bytes(arrays_of(mnist)[name])) == ORIGINAL_FILES[name]


def test_split_returns_images_with_their_labels(mnist: Mnist) -> None:
    images, labels = mnist.split("train")
    assert images is mnist.x_train
    assert labels is mnist.y_train
    images, labels = mnist.split("test")
    assert images is mnist.x_test
    assert labels is mnist.y_test


@pytest.mark.parametrize("name", ORIGINAL_FILES)
def test_arrays_are_read_only(mnist: Mnist, name: str) -> None:
    with pytest.raises(ValueError, match="read-only"):
        arrays_of(mnist)[name][0] = 0


def test_there_are_ten_classes() -> None:
    assert dataset.CLASSES == (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)


def test_an_intact_copy_is_accepted(mnist: Mnist, tmp_path: Path) -> None:
    """The control for the damaged copies below, which are written in the same way."""
    copy = load_mnist(write_arrays(tmp_path, **arrays_of(mnist)))
    assert np.array_equal(copy.x_test, mnist.x_test)


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    assert_explained(tmp_path / "mnist.npz")


def test_a_folder_in_place_of_the_file_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    path.mkdir()
    assert_explained(path)


@pytest.mark.parametrize("size", [0, 1, 100, 5_000_000, -1])
def test_a_truncated_file_is_explained(tmp_path: Path, size: int) -> None:
    path = tmp_path / "mnist.npz"
    path.write_bytes(BUNDLED_FILE.read_bytes()[:size])
    assert_explained(path)


def npy_bytes() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((3, 28, 28), np.uint8))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(np.random.default_rng(0).bytes(10_000), id="random bytes"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 11490439\n", id="LFS pointer"),
        pytest.param(b"<!DOCTYPE html><title>404: Not Found</title>", id="web page"),
        pytest.param(b"PK\x03\x04" + bytes(1000), id="zip without content"),
        pytest.param(b"PK\x05\x06" + bytes(18), id="empty zip"),
        pytest.param(npy_bytes(), id="a single array"),
    ],
)
def test_garbage_is_explained(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    assert_explained(path)


# Offsets into an entry of a zip file's directory, from the format's description (APPNOTE.TXT, 4.3.12).
@pytest.mark.parametrize(
    ("offset", "value"),
    [
        pytest.param(0, 0x00, id="signature"),
        pytest.param(6, 0xFF, id="version needed"),
        pytest.param(8, 0x01, id="flags: encrypted"),
        pytest.param(8, 0x20, id="flags: patch data"),
        pytest.param(10, 0x63, id="compression method"),
        pytest.param(16, 0x00, id="checksum"),
        pytest.param(20, 0x01, id="compressed size"),
        pytest.param(42, 0x07, id="place of the data"),
        pytest.param(46, 0x00, id="name"),
    ],
)
def test_a_damaged_byte_in_the_directory_is_explained(tmp_path: Path, offset: int, value: int) -> None:
    content = bytearray(BUNDLED_FILE.read_bytes())
    entry = content.index(b"PK\x01\x02")
    assert content[entry + offset] != value
    content[entry + offset] = value
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    assert_explained(path)


@pytest.mark.parametrize("place", [60, 200, 5_000_000, 11_000_000])
def test_a_damaged_byte_in_the_data_is_explained(tmp_path: Path, place: int) -> None:
    content = bytearray(BUNDLED_FILE.read_bytes())
    content[place] ^= 0x55
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    assert_explained(path)


def other_arrays(**changes: np.ndarray | None) -> dict[str, np.ndarray]:
    """Small arrays under the right names; `None` leaves one out."""
    arrays: dict[str, np.ndarray | None] = {
        "x_train": np.zeros((6, 28, 28), np.uint8),
        "y_train": np.zeros(6, np.uint8),
        "x_test": np.zeros((1, 28, 28), np.uint8),
        "y_test": np.zeros(1, np.uint8),
    }
    return {name: array for name, array in (arrays | changes).items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "culprit"),
    [
        pytest.param({}, "x_train", id="no arrays"),
        pytest.param(other_arrays(y_test=None), "y_test", id="an array is missing"),
        pytest.param(other_arrays(), "x_train", id="too few images"),
        pytest.param(other_arrays(x_train=np.zeros(0, np.uint8)), "x_train", id="an array is empty"),
        pytest.param(other_arrays(x_train=np.array(7)), "x_train", id="a number in place of an array"),
        pytest.param(other_arrays(x_train=np.array([{}], dtype=object)), "", id="pickled objects"),
    ],
)
def test_wrong_arrays_are_explained(tmp_path: Path, arrays: dict[str, np.ndarray], culprit: str) -> None:
    assert culprit in assert_explained(write_arrays(tmp_path, **arrays))


def test_a_size_beyond_any_memory_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    with zipfile.ZipFile(path, "w") as archive, archive.open("x_train.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (10**15,)})
    assert_explained(path)


def flip_pixel(arrays: dict[str, np.ndarray]) -> None:
    arrays["x_train"] = arrays["x_train"].copy()
    arrays["x_train"][59_999, 14, 14] ^= 1


def flip_label(arrays: dict[str, np.ndarray]) -> None:
    arrays["y_test"] = arrays["y_test"].copy()
    arrays["y_test"][0] ^= 1


def swap_two_images(arrays: dict[str, np.ndarray]) -> None:
    arrays["x_test"] = arrays["x_test"].copy()
    arrays["x_test"][[0, 1]] = arrays["x_test"][[1, 0]]


def widen_labels(arrays: dict[str, np.ndarray]) -> None:
    arrays["y_train"] = arrays["y_train"].astype(np.int64)


def sign_images(arrays: dict[str, np.ndarray]) -> None:
    arrays["x_test"] = arrays["x_test"].view(np.int8)  # the same bytes, read otherwise


def reshape_images(arrays: dict[str, np.ndarray]) -> None:
    arrays["x_test"] = arrays["x_test"].reshape(10_000, 784)  # the same bytes, in another shape


@pytest.mark.parametrize(
    ("damage", "culprit"),
    [
        (flip_label, "y_test"),
        (swap_two_images, "x_test"),
        (widen_labels, "y_train"),
        (sign_images, "x_test"),
        (reshape_images, "x_test"),
    ],
)
def test_other_data_is_noticed(
    mnist: Mnist, tmp_path: Path, damage: Callable[[dict[str, np.ndarray]], None], culprit: str
) -> None:
    arrays = arrays_of(mnist)
    damage(arrays)
    assert f"its array {culprit} is not the original one" in assert_explained(write_arrays(tmp_path, **arrays))


def test_a_flipped_pixel_is_noticed(mnist: Mnist, tmp_path: Path) -> None:
    arrays = arrays_of(mnist)
    flip_pixel(arrays)
    assert "its array x_train is not the original one" in assert_explained(write_arrays(tmp_path, **arrays))


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), (0, 28, 28)])
def test_read_idx_returns_the_stored_array(convert_idx: ModuleType, tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path = tmp_path / "small-idx-ubyte"
    path.write_bytes(idx_bytes(array))
    read = convert_idx.read_idx(path, sha256(path.read_bytes()))
    assert read.dtype == np.uint8
    assert read.shape == shape
    assert np.array_equal(read, array)


def test_read_idx_reads_a_file_written_by_hand(convert_idx: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "hand-made"
    path.write_bytes(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255]))
    array = convert_idx.read_idx(path, sha256(path.read_bytes()))
    assert array.tolist() == [[1, 2, 3], [4, 5, 255]]


def test_read_idx_refuses_a_file_with_another_checksum(convert_idx: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(idx_bytes(np.arange(5, dtype=np.uint8)))
    expected = sha256(path.read_bytes())
    path.write_bytes(idx_bytes(np.array([0, 1, 2, 3, 5], np.uint8)))
    with pytest.raises(ValueError, match="train-labels-idx1-ubyte has SHA-256") as caught:
        convert_idx.read_idx(path, expected)
    assert expected in str(caught.value)
    assert "not the original file" in str(caught.value)


def test_read_idx_refuses_values_that_are_not_unsigned_bytes(convert_idx: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "floats"
    path.write_bytes(idx_bytes(np.zeros(4, np.float32), type_code=0x0D))
    with pytest.raises(ValueError, match="0x0d, expected unsigned bytes"):
        convert_idx.read_idx(path, sha256(path.read_bytes()))


def test_read_idx_refuses_fewer_values_than_announced(convert_idx: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(idx_bytes(np.zeros((4, 4), np.uint8))[:-1])
    with pytest.raises(ValueError):
        convert_idx.read_idx(path, sha256(path.read_bytes()))


def test_the_converter_knows_the_published_checksums(convert_idx: ModuleType) -> None:
    assert {name: digest for name, (_, digest) in convert_idx.SOURCES.items()} == ORIGINAL_FILES


def test_the_converter_writes_the_same_bytes_each_time(convert_idx: ModuleType, tmp_path: Path) -> None:
    arrays = {"x_train": np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "y_train": np.array([3, 1], np.uint8)}
    convert_idx.write_npz(tmp_path / "first.npz", arrays)
    convert_idx.write_npz(tmp_path / "second.npz", arrays)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
    with np.load(tmp_path / "first.npz") as archive:
        assert {name: archive[name].tolist() for name in archive.files} == {
            name: array.tolist() for name, array in arrays.items()
        }
