"""FD-judge: the Frechet distance of two sets of features, each taken for a normal distribution.

|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of Dowson and Landau (Journal of Multivariate Analysis 12, 1982), as used by
Heusel et al. (arXiv 1706.08500). Its expected value depends on the number of images, so only values at equal numbers
are compared.
"""

import math

import numpy as np
from numpy.typing import NDArray

from dawn.measures.estimate import Estimate, Floats

Doubles = NDArray[np.float64]
SMALL = 1e-10  # eigenvalues below this part of the largest are taken for 0 where one is divided by


def frechet(x: Floats, y: Floats) -> Estimate:
    """The distance of features x (n, d) and y (m, d), with unbiased covariances.

    (C1 C2)^(1/2) has the eigenvalues of (R C2 R)^(1/2) with R = C1^(1/2), which is symmetric: no root of a matrix that
    is not. The interval is for the expected value at these numbers of images; its variance is that of the influence of
    each image, 2 (m1 - m2) . z + z' (I - T) z with z = x - m1 and T = R^-1 (R C2 R)^(1/2) R^-1, the derivative by C1
    (Bhatia, Jain and Lim, Expositiones Mathematicae 37, 2019).
    """
    (mean_x, cov_x), (mean_y, cov_y) = moments(x), moments(y)
    root = power(cov_x, 0.5)
    middle = root @ cov_y @ root
    shift = mean_x - mean_y
    traced = float(np.sqrt(np.clip(np.linalg.eigvalsh(middle), 0, None)).sum())
    value = float(shift @ shift + np.trace(cov_x) + np.trace(cov_y) - 2 * traced)
    inverse = power(cov_x, -0.5)
    to_y, to_x = inverse @ power(middle, 0.5) @ inverse, root @ power(middle, -0.5) @ root
    parts = (influence(x, mean_x, shift, to_y), influence(y, mean_y, -shift, to_x))
    return Estimate(value, parts, len(x), min(len(x), len(y)) - 1, "positive")


def moments(x: Floats) -> tuple[Doubles, Doubles]:
    """Mean (d,) and unbiased covariance (d, d) in float64."""
    mean = x.mean(0, dtype=np.float64)
    centred = x - mean
    return mean, centred.T @ centred / (len(x) - 1)


def power(matrix: Doubles, exponent: float) -> Doubles:
    """A power of a symmetric matrix without negative eigenvalues; rounding's negative ones are taken for 0."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    kept = values > (SMALL * values[-1] if exponent < 0 else 0)
    powers = np.where(kept, np.where(kept, values, 1) ** exponent, 0)
    return np.asarray((vectors * powers) @ vectors.T)


def influence(x: Floats, mean: Doubles, shift: Doubles, transport: Doubles) -> Doubles:
    """Contribution (n,) of each image to the variance."""
    z = x - mean
    values = 2 * z @ shift + np.einsum("nd,nd->n", z @ (np.eye(len(mean)) - transport), z)
    return np.asarray((values - values.mean()) / math.sqrt(len(x) * (len(x) - 1)))
