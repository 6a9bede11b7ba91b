"""Copying: are samples nearer to train images than unseen real images are?

Two answers, both from the nearest train images in the feature space of a judge or by pixels, at a size that leaves out
what a copier may get wrong. C_T of Meehan et al.
(arXiv 2004.05675) compares all distances, and so moves with the quality of the samples as well. The percentage of
copies is that of the most suspicious images alone.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from dawn.measures.estimate import Doubles, Estimate, Floats, wilson
from dawn.measures.nearest import closest

BLOCK = 500  # images at once
CANDIDATES = 8  # train images whose distance is computed again from differences
DUPLICATE = 0.5  # distance of a train image to the nearest one, over the largest of the candidates, if it is the same
SIDE = 7  # pixels of a thumbnail
SMALLEST = 16  # height and width of an image that can be shifted and still be made a thumbnail of
COMPONENTS = 48  # principal components of the thumbnails by which candidates are chosen
LEAST_CONTRAST = 8.0  # standard deviation of a thumbnail, in levels of 256, below which it is not made larger
TAIL = 0.01  # part of the test images, those most like a train image, whose closeness a copy must exceed
Images = NDArray[np.uint8]
Near = tuple[Doubles, NDArray[np.int64]]


def nearest(x: Floats, train: Floats) -> Near:
    """Return distances (n, 2) and indices (n, 2) of two train images: the nearest, and the nearest other one.

    Features x (n, d) and train (m, d), m >= 2. ``other`` says which train image is another one. Dot products in float32
    find the candidates; their differences give the distances, exactly 0 for a copy.
    """
    centre = train.mean(0, dtype=np.float64)
    near = closest([(x - centre).astype(np.float32)], (train - centre).astype(np.float32), CANDIDATES)
    blocks = []
    for first in range(0, len(x), BLOCK):
        some = near[first : first + BLOCK]
        exact = np.linalg.norm(x[first : first + BLOCK, None].astype(np.float64) - train[some], axis=2)
        blocks.append(other(exact, some, train))
    distances, indices = zip(*blocks, strict=True)
    return np.concatenate(distances), np.concatenate(indices)


def other(distances: Doubles, indices: NDArray[np.int64], train: Floats) -> Near:
    """Return the nearest of several train images (n, k), and the nearest that is not the same image once more.

    Train splits hold images twice, or almost. A copy of one is as near to the second, noise included, so the distances
    to these two say nothing. A candidate is the same image if its distance to the nearest one is less than half of the
    largest distance of a candidate to it: images near a new one are about equally far from one another. The rule is the
    same for samples and test images, so it raises no false alarm.
    """
    order = np.lexsort((indices, distances), axis=1)
    distances, indices = np.take_along_axis(distances, order, 1), np.take_along_axis(indices, order, 1)
    apart = np.linalg.norm(train[indices].astype(np.float64) - train[indices[:, :1]], axis=2)
    distinct = apart >= DUPLICATE * apart.max(1, keepdims=True)
    distinct[:, 0] = False
    second = np.where(distinct.any(1), distinct.argmax(1), distances.shape[1] - 1)
    chosen = np.stack([np.zeros_like(second), second], axis=1)
    return np.take_along_axis(distances, chosen, 1), np.take_along_axis(indices, chosen, 1)


def nearest_pixels(images: Images, train: Images) -> Near:
    """Return distances (n, 2) and indices (n, 2) of two train images by pixels: the nearest, and the nearest other one.

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
        d, rows = other(aligned(some, known[near]), near, known)
        distances.append(d)
        indices.append(distinct[rows])
    return np.concatenate(distances), np.concatenate(indices)


def components(x: Floats) -> tuple[Floats, Floats]:
    """Return the mean (d,) and the first principal components (d, at most COMPONENTS) of x (n, d)."""
    centre = x.mean(0)
    _, vectors = np.linalg.eigh(np.cov((x - centre).T.astype(np.float64)))
    return centre, np.ascontiguousarray(vectors[:, : -COMPONENTS - 1 : -1], np.float32)


def aligned(images: Images, candidates: Floats) -> Doubles:
    """Return distances (n, k) of images (n, h, w, 3) to thumbnails (n, k, d), at the shift where each is smallest."""
    squares = np.full(candidates.shape[:2], np.inf)
    for version in versions(images):
        difference = candidates - version[:, None]
        np.minimum(squares, np.einsum("nkd,nkd->nk", difference, difference), out=squares)
    return np.asarray(np.sqrt(squares))


def versions(images: Images, coarse: bool = False) -> Iterator[Floats]:
    """Yield thumbnails (n, d) of images and their mirror images at every shift; coarse: at none and every second."""
    most, step = images.shape[1] // 16, max(1, images.shape[1] // 32)
    places = list(range(-most, most + 1, step))
    shifts = list(itertools.product(places, places))
    if coarse:
        shifts = [(0, 0), *itertools.product(places[1::2], places[1::2])]
    for flip in (False, True):
        for down, right in shifts:
            yield thumbnails(images, down, right, flip)


def thumbnails(images: Images, down: int = 0, right: int = 0, flip: bool = False) -> Floats:
    """Return standardised means of equal blocks of pixels, float32 (n, SIDE * SIDE * 3), of images (n, h, w, 3).

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
    means = blocks.mean((2, 4), dtype=np.float32).reshape(n, -1)
    means -= means.mean(1, keepdims=True)
    return np.asarray(means / np.maximum(means.std(1, keepdims=True), LEAST_CONTRAST), np.float32)


def c_t(samples: Doubles, test: Doubles) -> Estimate:
    """Return C_T with one cell: the z of Mann and Whitney's test of the distances to train; far below 0 for copies.

    samples (n,) and test (m,) are distances to the nearest train image. z = (A - 1/2) / sqrt((n + m + 1) / (12 n m))
    with A the probability that a sample is farther than a test image, ties counting half. The variance of A is that of
    DeLong et al. (Biometrics 44, 1988), so the interval holds away from 0 as well.
    """
    n, m = len(samples), len(test)
    ranks = stats.rankdata(np.concatenate([samples, test]))
    farther = (ranks[:n] - stats.rankdata(samples)) / m  # of each sample: the part of the test images that is nearer
    nearer = 1 - (ranks[n:] - stats.rankdata(test)) / n
    unit = math.sqrt((n + m + 1) / (12 * n * m))
    area = float(farther.mean())
    parts = tuple((z - area) / math.sqrt(len(z) * (len(z) - 1)) / unit for z in (farther, nearer))
    return Estimate((area - 0.5) / unit, parts, n, min(n, m) - 1)


def ratio(near: Doubles) -> Doubles:
    """The distance to the nearest train image over that to the second (n,), from (n, 2): 0 for a copy, near 1 if new.

    The ratio does not depend on how far the samples are from real images as a whole, which hides copies from C_T, nor
    on how typical they are, which looks like copying to it.
    """
    return np.divide(near[:, 0], near[:, 1], out=np.zeros(len(near)), where=near[:, 1] > 0)


def copied(samples: Doubles, test: Doubles) -> dict[str, Any]:
    """Estimate the percentage of copies among the samples, its interval, and the p-value of "no more than among test".

    samples (n,) and test (m,) are ``ratio``s. Test images whose ratio is 0 are in train, so they do not say how near to
    train a new image is: they are left out. The threshold is the r-th smallest of the rest, r = 1 % of them. If samples
    are as these are, the number of samples at or below it is that of one colour drawn before the r-th of the other:
    negative hypergeometric, so the test is exact (Rosenbaum, Annals of Mathematical Statistics 25, 1954). The
    percentage is 100 (p - q) / (1 - q), p and q the parts of both sets below it, but not below 0; its interval is
    Newcombe's for the difference (Statistics in Medicine 17, 1998), whose upper end is at least Wilson's for no copy
    among n. Where all test images are in train, or are equally near to it, nothing can be said: the interval is 0 to
    100 and p is 1.
    """
    n, new = len(samples), test[test > 0]
    m = len(new)
    rank = max(1, round(TAIL * m))
    threshold = np.partition(new, rank - 1)[rank - 1] if m else 0.0
    rank = int((new <= threshold).sum())  # more where ratios are equal
    below = int((samples <= threshold).sum())
    if rank == m:
        return {"value": 0.0, "low": 0.0, "high": 100.0, "n": n, "p": 1.0, "images": below, "test": m}
    p, q = below / n, rank / m
    p_value = float(stats.nhypergeom.sf(below - 1, n + m, n, rank))
    (p_low, p_high), (q_low, q_high), (_, none) = (wilson(part, k, 1.959964) for part, k in ((p, n), (q, m), (0.0, n)))
    low = (p - q - math.hypot(p - p_low, q_high - q)) / (1 - q)
    high = (p - q + math.hypot(p_high - p, q - q_low)) / (1 - q)
    value, low, high = (100 * min(part, 1.0) for part in (max((p - q) / (1 - q), 0.0), max(low, 0.0), max(high, none)))
    return {"value": value, "low": low, "high": high, "n": n, "p": p_value, "images": below, "test": m}
