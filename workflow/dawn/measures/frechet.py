"""FD-judge: the Frechet distance of two sets of features, each taken for a normal distribution.

|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of Dowson and Landau (Journal of Multivariate Analysis 12, 1982), as used by
Heusel et al. (arXiv 1706.08500). Its expected value depends on the number of images, so only values at equal numbers
are compared.
"""

from dataclasses import replace

import numpy as np

from dawn.measures.estimate import Doubles, Estimate, Floats, mean_parts

SMALL = 1e-10  # eigenvalues below this part of the largest are taken for 0 where one is divided by


def frechet(x: Floats, y: Floats) -> Estimate:
    """Return the distance of features x (n, d) and y (m, d), n, m >= 4, with its interval for these numbers of images.

    Where x and y are alike the distance is quadratic in the errors of both sets, and the sum of squares of the first
    derivatives counts that part twice. Two halves of one set show how large it is: their sum of squares falls with the
    square of the number of images, so a quarter of it, halved, is subtracted.
    """
    rng = np.random.default_rng(0)
    halves = [np.array_split(z[rng.permutation(len(z))], 2) for z in (x, y)]
    alike = [first_order(*half).total / 4 / 2 for half in halves]
    return replace(first_order(x, y), second=sum(alike) / 2)


def first_order(x: Floats, y: Floats) -> Estimate:
    """Return the distance with unbiased covariances, and the derivatives by each image as parts.

    The trace of (C1 C2)^(1/2) is that of (R C2 R)^(1/2) with R = C1^(1/2), which is symmetric, so its eigenvalues are
    real. The derivative by an image of x is 2 (m1 - m2) . z + z' (I - T) z with z = x - m1 and T = R^-1 (R C2 R)^(1/2)
    R^-1, as that by C1 is I - T (Bhatia, Jain and Lim, Expositiones Mathematicae 37, 2019).
    """
    (mean_x, cov_x), (mean_y, cov_y) = moments(x), moments(y)
    root, inverse, _ = roots(cov_x)
    middle, middle_inverse, trace = roots(root @ cov_y @ root)
    shift = mean_x - mean_y
    value = float(shift @ shift + np.trace(cov_x) + np.trace(cov_y) - 2 * trace)
    to_y, to_x = inverse @ middle @ inverse, root @ middle_inverse @ root
    parts = (influence(x, mean_x, shift, to_y), influence(y, mean_y, -shift, to_x))
    return Estimate(value, parts, len(x), min(len(x), len(y)) - 1, "positive")


def moments(x: Floats) -> tuple[Doubles, Doubles]:
    """Return mean (d,) and unbiased covariance (d, d) in float64."""
    mean = x.mean(0, dtype=np.float64)
    centred = x - mean
    return mean, centred.T @ centred / (len(x) - 1)


def roots(matrix: Doubles) -> tuple[Doubles, Doubles, float]:
    """Square root and its pseudo-inverse of a symmetric matrix without negative eigenvalues, and the root's trace.

    Negative eigenvalues, which are rounding, are taken for 0.
    """
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    powers = np.sqrt(np.maximum(values, 0))
    inverse = np.divide(1, powers, out=np.zeros_like(powers), where=values > SMALL * values[-1])
    return (vectors * powers) @ vectors.T, (vectors * inverse) @ vectors.T, float(powers.sum())


def influence(x: Floats, mean: Doubles, shift: Doubles, transport: Doubles) -> Doubles:
    """Return the contribution (n,) of each image to the variance."""
    z = x - mean
    return mean_parts(2 * z @ shift + np.einsum("nd,nd->n", z @ (np.eye(len(mean)) - transport), z))
