"""The critic gap: how much higher a critic scores the real images that it was trained on than others."""

import math

from dawn.measures.estimate import Estimate, Floats, mean


def critic_gap(train: Floats, held_out: Floats) -> Estimate:
    """Mean score of train images (n,) minus that of held-out images (m,); interval: Welch (Biometrika 34, 1947).

    Gulrajani et al. (arXiv 1704.00028, section 5.2) compare these two: they differ where the critic knows its images.
    """
    seen, unseen = mean(train), mean(held_out)
    total = seen.variance + unseen.variance
    squares = seen.variance**2 / seen.freedom + unseen.variance**2 / unseen.freedom
    freedom = total**2 / squares if squares > 0 else math.inf
    return Estimate(seen.value - unseen.value, (*seen.parts, *unseen.parts), seen.n, freedom)
