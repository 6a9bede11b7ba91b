"""What is measured: anything that makes images from the numbers of a seed's samples, such as a GAN."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Scores = NDArray[np.float32]


class Sampler(Protocol):
    """A trained generator of images; sample i of a seed is the same in any number of samples.

    ``classes`` are the names of the classes, ``conditional`` says whether a sample is of the class that is asked for.
    """

    classes: list[str]
    conditional: bool

    def samples(self, seed: int, labels: Labels, truncation: float | None) -> Images:
        """The samples 0 .. n - 1 of a seed, uint8 (n, h, w, 3), of the classes ``labels`` (n,).

        With ``truncation``, latent components beyond it are drawn again.
        """

    def between(
        self, seed: int, pairs: Sequence[tuple[int, int]], steps: int, labels: Labels, truncation: float | None
    ) -> Images:
        """Rows uint8 (pairs, steps, h, w, 3) from one sample to another, of the classes ``labels`` (pairs,)."""

    def scores(self, images: Images, labels: Labels) -> Scores | None:
        """Return how real a critic finds images uint8 (n, h, w, 3), (n,); None where there is no critic."""
