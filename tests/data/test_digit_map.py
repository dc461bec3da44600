"""The maps that ship with the project, against numpy's own decomposition and against the labels."""

from pathlib import Path

import numpy as np
import pytest

from mnist_core.data.dataset import Mnist
from mnist_core.data.digit_map import BUNDLED_FILE, DigitMap, DigitMapError, load_digit_map


@pytest.fixture(scope="module")
def digit_map() -> DigitMap:
    return load_digit_map()


def test_both_maps_place_each_test_image(digit_map: DigitMap) -> None:
    assert BUNDLED_FILE.stat().st_size < 100_000
    for positions in (digit_map.pca, digit_map.tsne):
        assert positions.shape == (10_000, 2)
        assert positions.dtype == np.float32
        assert np.isfinite(positions).all()
        assert not positions.flags.writeable
        assert len(np.unique(positions, axis=0)) > 9900  # nearly no two points on top of each other
    assert "scikit-learn" in digit_map.settings
    assert "random state 0" in digit_map.settings


def test_pca_is_that_of_the_singular_value_decomposition(mnist: Mnist, digit_map: DigitMap) -> None:
    pixels = mnist.x_test.reshape(10_000, -1).astype(np.float32) / 255
    centred = pixels - pixels.mean(axis=0)
    # The right singular vectors of a matrix are the eigenvectors of its square, which is smaller.
    _, singular, directions = np.linalg.svd(centred.T @ centred)
    for component in range(2):
        expected = centred @ directions[component]
        stored = digit_map.pca[:, component]
        sign = np.sign(expected @ stored)
        np.testing.assert_allclose(stored, sign * expected, atol=0.01)  # stored in half precision
        assert digit_map.pca_variance[component] == pytest.approx(singular[component] / singular.sum(), rel=1e-4)


def share_of_neighbours_with_the_same_label(positions: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.neighbors import NearestNeighbors

    _, nearest = NearestNeighbors(n_neighbors=6).fit(positions).kneighbors()
    return float(np.mean(labels[nearest] == labels[:, np.newaxis]))


def test_neighbours_on_the_map_mostly_share_a_label(mnist: Mnist, digit_map: DigitMap) -> None:
    labels = mnist.y_test
    assert share_of_neighbours_with_the_same_label(digit_map.tsne, labels) > 0.9
    assert 0.3 < share_of_neighbours_with_the_same_label(digit_map.pca, labels) < 0.6
    shuffled = np.random.default_rng(1).permutation(labels)
    assert share_of_neighbours_with_the_same_label(digit_map.tsne, shuffled) < 0.12


@pytest.mark.parametrize("kind", ["missing", "torn", "another", "short", "nan"])
def test_a_damaged_file_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "test_map.npz"
    arrays = dict(np.load(BUNDLED_FILE))
    if kind == "torn":
        path.write_bytes(BUNDLED_FILE.read_bytes()[:40_000])
    elif kind == "another":
        np.savez(path, tsne=arrays["tsne"])
    elif kind == "short":
        np.savez(path, **{**arrays, "tsne": arrays["tsne"][:-1]})
    elif kind == "nan":
        np.savez(path, **{**arrays, "pca": arrays["pca"] * np.float16(np.nan)})
    with pytest.raises(DigitMapError, match=r"test_map\.npz, is missing or damaged\. Restore it"):
        load_digit_map(path)
