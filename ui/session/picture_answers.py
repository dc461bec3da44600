"""What networks read in pictures that are not of MNIST: each picture is asked about once, and the answer remembered."""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from mnist_core import runs
from mnist_core.common.arrays import Images, Probabilities
from mnist_core.processes import inference
from ui.session import cached_reads

_MOST_REMEMBERED = 8_000  # pictures for each network
_PORTION = 250  # pictures asked at once: whoever draws meanwhile waits for no more


class Pictures:
    """Images (n, 28, 28) uint8 that one network or many are asked about."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._digests = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]

    def answers_of(self, run: runs.Run) -> Probabilities:
        """Return what a network answers, (n, 10). Raises `InferenceError`."""
        model = run.model_file
        known = _known(str(model), cached_reads.version(model))
        found = {digest: answer for digest in self._digests if (answer := known.get(digest)) is not None}
        new = {digest: place for place, digest in enumerate(self._digests) if digest not in found}
        places = list(new.values())
        for start in range(0, len(places), _PORTION):
            portion = places[start : start + _PORTION]
            answers = inference.predict(model, self._images[portion])
            found.update(zip((self._digests[place] for place in portion), answers, strict=True))
        if len(known) + len(new) > _MOST_REMEMBERED:
            known.clear()
        known.update((digest, found[digest]) for digest in new)
        return np.array([found[digest] for digest in self._digests], np.float32).reshape(-1, 10)


@st.cache_resource(show_spinner=False, max_entries=cached_reads.MOST_RUNS)
def _known(model: str, version: tuple[int, int]) -> dict[bytes, Probabilities]:
    return {}
