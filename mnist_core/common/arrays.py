"""Types of the arrays that go through the whole project, with what stands in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]  # (n, 28, 28), or (28, 28) for one; 0 = paper, 255 = ink
Labels = NDArray[np.uint8]  # (n,), digits from 0 to 9
Probabilities = NDArray[np.float32]  # (n, 10), each row adds up to 1
Indices = NDArray[np.intp]  # (n,), places in a set of images
Ink = NDArray[np.uint8]  # (height, width), 0 = paper, 255 = ink
Box = tuple[slice, slice]  # rows and columns of a picture
