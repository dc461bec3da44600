"""Make `test_map.npz`: where the 10,000 test images lie on two maps of two dimensions (two minutes on two cores).

    pip install -r requirements-dev.txt
    python -m mnist_core.data.make_test_map

Principal components (PCA) turn the cloud of images so that its first two directions show most of its spread. t-SNE
(L. van der Maaten and G. Hinton, 2008, Journal of Machine Learning Research 9, 2579-2605) rather keeps neighbours
together; it starts from 50 principal components, which hold most of what matters and less noise. The result of t-SNE
differs a little between machines and versions, which is why the positions ship with the project.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from mnist_core.data.convert_idx import write_npz
from mnist_core.data.dataset import load_mnist

COMPONENTS = 50
PERPLEXITY = 30  # about how many neighbours each image minds
SEED = 0


def main() -> None:
    """Compute both maps and write them, with the settings they were made with, beside this script."""
    images = load_mnist().x_test
    pixels = images.reshape(len(images), -1) / 255
    pca = PCA(COMPONENTS, svd_solver="full")
    components = pca.fit_transform(pixels)
    tsne = TSNE(perplexity=PERPLEXITY, init="pca", learning_rate="auto", random_state=SEED, n_jobs=2, verbose=1)
    settings = (
        f"scikit-learn {sklearn.__version__}: PCA of the pixels as shares of ink, 0 to 1; t-SNE of {COMPONENTS} "
        f"principal components, perplexity {PERPLEXITY}, initialised by PCA, random state {SEED}"
    )
    target = Path(__file__).with_name("test_map.npz")
    write_npz(
        target,
        {
            "pca": components[:, :2].astype(np.float16),
            "pca_variance": pca.explained_variance_ratio_[:2],
            "tsne": tsne.fit_transform(components).astype(np.float16),
            "settings": np.array([settings]),
        },
    )
    print(f"{target.name}: {target.stat().st_size:,} bytes; {settings}")


if __name__ == "__main__":
    main()
