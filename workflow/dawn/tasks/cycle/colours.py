"""Known changes of the colours of images: the truth of an unpaired translation."""

import math

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # of luma, ITU-R BT.601


def hue_turned(images: Pixels, degrees: float) -> Pixels:
    """Return images (n, h, w, 3) whose colours are turned about the grey axis, clipped to 0 .. 255.

    A turn by 120 degrees maps (r, g, b) to (b, r, g). The matrix is Rodrigues' for the axis (1, 1, 1).
    """
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    matrix = cosine * np.eye(3) + sine * cross + (1 - cosine) / 3
    return rounded(images.astype(np.float32) @ matrix.T.astype(np.float32))


def grey(images: Pixels) -> Pixels:
    """Return images (n, h, w, 3) with their luma in all channels."""
    luma = images.astype(np.float32) @ WEIGHTS
    return rounded(np.repeat(luma[..., None], 3, axis=-1))


def rounded(values: NDArray[np.float32]) -> Pixels:
    """Return values as pixels."""
    pixels: Pixels = np.clip(values + 0.5, 0, 255.5).astype(np.uint8)
    return pixels
