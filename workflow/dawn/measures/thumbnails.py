"""The nearest train images of samples by their pixels, at a size that leaves out what a copier may get wrong."""

import numpy as np
from numpy.typing import NDArray

from dawn.measures.copying import nearest
from dawn.measures.estimate import Floats

SIDE = 8  # pixels of a thumbnail
BLOCK = 2000  # images at once


def nearest_pixels(
    images: NDArray[np.uint8], train: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distances (n, 2) and indices (n, 2) of the two train images nearest to each image or to its mirror image.

    Whichever of the two is nearer to a train image counts, since a generator that was trained on mirrored images
    copies these as well.
    """
    known = thumbnails(train)
    seen, mirrored = (nearest(thumbnails(images, flip), known) for flip in (False, True))
    closer = seen[0][:, :1] <= mirrored[0][:, :1]
    return np.where(closer, seen[0], mirrored[0]), np.where(closer, seen[1], mirrored[1])


def thumbnails(images: NDArray[np.uint8], flip: bool = False) -> Floats:
    """Means of equal blocks of pixels, float32 (n, SIDE * SIDE * 3), of images (n, h, w, 3), mirrored on request.

    Noise and small shifts of an image change them little. What is left where SIDE does not divide the size is cut off.
    """
    n, height, width, _ = images.shape
    if min(height, width) < SIDE:
        raise ValueError(f"images of {height} x {width} pixels are smaller than a thumbnail of {SIDE} x {SIDE}")
    rows, columns = height // SIDE, width // SIDE
    out = np.empty((n, SIDE * SIDE * 3), np.float32)
    for first in range(0, n, BLOCK):
        block = images[first : first + BLOCK, : rows * SIDE, : columns * SIDE]
        block = block[:, :, ::-1] if flip else block
        blocks = block.reshape(-1, SIDE, rows, SIDE, columns, 3)
        out[first : first + BLOCK] = blocks.mean((2, 4), dtype=np.float32).reshape(len(blocks), -1)
    return out
