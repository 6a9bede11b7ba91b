"""Sets of images whose measures say what the measures of samples mean; deterministic, uint8 (n, h, w, 3)."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dawn.measures.estimate import spaced

Images = NDArray[np.uint8]
SIGMA = 2.0  # of the blur, in pixels at a height of 32


def image_sets(train: Images, labels: NDArray[np.integer], count: int) -> dict[str, Images]:
    """Return the sets that are no samples, ``count`` images each if there are enough.

    copier: train images, evenly spaced: a generator that has learned them by heart. noise: uniform pixels. blur: the
    copier's images, blurred. one_class: a generator that makes one class only.
    """
    copier = np.ascontiguousarray(train[spaced(len(train), count)])
    return {
        "copier": copier,
        "noise": np.random.default_rng(0).integers(0, 256, copier.shape, dtype=np.uint8),
        "blur": blur(copier),
        "one_class": one_class(train, labels, count),
    }


def blur(images: Images) -> Images:
    """Return the images after a Gaussian filter whose standard deviation is a sixteenth of the height."""
    sigma = SIGMA * images.shape[1] / 32
    out = np.empty_like(images)
    for first in range(0, len(images), 500):
        block = images[first : first + 500].astype(np.float32)
        out[first : first + 500] = np.rint(ndimage.gaussian_filter(block, (0, sigma, sigma, 0), mode="reflect"))
    return out


def one_class(train: Images, labels: NDArray[np.integer], count: int, label: int = 0) -> Images:
    """Return train images of one class, then their mirror images; fewer than ``count`` if that is not enough."""
    images = train[labels == label]
    return np.ascontiguousarray(np.concatenate([images, images[:, :, ::-1]])[:count])
