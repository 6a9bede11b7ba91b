"""The nearest train images of samples by their pixels, at a size that leaves out what a copier may get wrong."""

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dawn.measures.copying import CANDIDATES, Near, other
from dawn.measures.estimate import Floats
from dawn.measures.nearest import closest

Images = NDArray[np.uint8]
SIDE = 7  # pixels of a thumbnail
SMALLEST = 16  # height and width of an image that can be shifted and still be made a thumbnail of
COMPONENTS = 48  # principal components of the thumbnails by which candidates are found
LEAST_CONTRAST = 8.0  # standard deviation of a thumbnail, in levels of 256, below which it is not made larger
BLOCK = 500  # images at once


def nearest_pixels(images: Images, train: Images) -> Near:
    """Distances (n, 2) and indices (n, 2) of two train images for each image: the nearest, and the nearest other one.

    images uint8 (n, h, w, 3), train uint8 (m, h, w, 3). A distance is the smallest of the image and its mirror image,
    each shifted by up to a sixteenth of the height, since a generator that was trained on augmented images copies these
    as well; brightness and contrast are not compared. Train images that are there several times, byte for byte, are
    compared once. The candidates are the nearest in ``COMPONENTS`` principal components at some of the shifts; their
    distances are those at all of them.
    """
    distinct = np.unique(train.reshape(len(train), -1).view(f"V{train[0].size}")[:, 0], return_index=True)[1]
    distinct.sort()
    known = np.concatenate([thumbnails(train[rows]) for rows in np.array_split(distinct, -(-len(distinct) // BLOCK))])
    centre, axes = components(known)
    projected = (known - centre) @ axes
    distances, indices = [], []
    for first in range(0, len(images), BLOCK):
        some = images[first : first + BLOCK]
        near = closest([(t - centre) @ axes for t in versions(some, coarse=True)], projected, CANDIDATES)
        found = other(aligned(some, known[near]), near, known)
        distances.append(found[0])
        indices.append(distinct[found[1]])
    return np.concatenate(distances), np.concatenate(indices)


def components(x: Floats) -> tuple[Floats, Floats]:
    """The mean (d,) and the first principal components (d, at most COMPONENTS) of x (n, d)."""
    centre = x.mean(0)
    _, vectors = np.linalg.eigh(np.cov((x - centre).T.astype(np.float64)))
    return centre, np.ascontiguousarray(vectors[:, : -COMPONENTS - 1 : -1], np.float32)


def aligned(images: Images, candidates: Floats) -> NDArray[np.float64]:
    """Distances (n, k) of images (n, h, w, 3) to thumbnails (n, k, d), at the shift where each is smallest."""
    squares = np.full(candidates.shape[:2], np.inf)
    for version in versions(images):
        difference = candidates - version[:, None]
        np.minimum(squares, np.einsum("nkd,nkd->nk", difference, difference), out=squares)
    return np.asarray(np.sqrt(squares))


def versions(images: Images, coarse: bool = False) -> Iterator[Floats]:
    """Thumbnails (n, d) of images and of their mirror images at every shift; coarse: at none and at every second."""
    most, step = images.shape[1] // 16, max(1, images.shape[1] // 32)
    places = list(range(-most, most + 1, step))
    shifts = list(itertools.product(places, places))
    if coarse:
        shifts = [(0, 0), *itertools.product(places[1::2], places[1::2])]
    for flip in (False, True):
        for down, right in shifts:
            yield thumbnails(images, down, right, flip)


def thumbnails(images: Images, down: int = 0, right: int = 0, flip: bool = False) -> Floats:
    """Standardised means of equal blocks of pixels, float32 (n, SIDE * SIDE * 3), of images (n, h, w, 3).

    The blocks are those of the middle of the image, seven eighths of its height, or of as many pixels further ``down``
    and to the ``right``; mirrored on request. The mean of each thumbnail is 0 and its standard deviation 1, so that
    brightness and contrast do not matter, but for images with almost none. Noise changes them little.
    """
    n, height, width, _ = images.shape
    if min(height, width) < SMALLEST:
        raise ValueError(f"images of {height} x {width} pixels are smaller than {SMALLEST} x {SMALLEST}")
    edge, middle = height // 16, images[:, :, ::-1] if flip else images
    rows, columns = ((size - 2 * edge) // SIDE for size in (height, width))
    top, left = edge + down, edge + right
    part = middle[:, top : top + rows * SIDE, left : left + columns * SIDE]
    blocks = part.reshape(n, SIDE, rows, SIDE, columns, 3)
    found = blocks.mean((2, 4), dtype=np.float32).reshape(n, -1)
    found -= found.mean(1, keepdims=True)
    return np.asarray(found / np.maximum(found.std(1, keepdims=True), LEAST_CONTRAST), np.float32)
