"""How often the intervals of precision, recall, density and coverage hold the true value.

    PYTHONPATH=workflow python tests/bench/neighbours.py --trials 40               a few minutes of one core
    PYTHONPATH=workflow python tests/bench/neighbours.py --trials 400 --sizes 200 600     the table in docs/measures.md

Each trial draws new samples and new test images, which is what the intervals are over. The true value is the mean over
the trials. The distributions have 2 to 256 dimensions; sparse features are the positive parts of normal ones, as
behind a ReLU, of which most are 0.
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from simulations import clusters, coverage, gaussian, row, sparse

from dawn.measures.manifold import manifold

K = 5
Draw = Callable[[np.random.Generator, int], np.ndarray]


def pair(draw: Callable[..., np.ndarray], *shared: float, **own: float) -> tuple[Draw, Draw]:
    """Two sets of one kind: the samples, which differ by ``own``, and the test images."""
    return lambda rng, n: draw(rng, n, *shared, **own), lambda rng, n: draw(rng, n, *shared)


SETS: dict[str, tuple[Draw, Draw]] = {
    "normal, 2 dimensions": pair(gaussian, 2),
    "normal, 8": pair(gaussian, 8),
    "normal, 8, samples narrow": pair(gaussian, 8, shift=0.3, scale=0.8),
    "normal, 32": pair(gaussian, 32),
    "normal, 32, samples wide": pair(gaussian, 32, scale=1.1),
    "normal, 128": pair(gaussian, 128),
    "clusters": pair(clusters),
    "clusters, samples without three": pair(clusters, first=3, shift=0.2),
    "clusters, samples wide": pair(clusters, scale=1.2),
    "sparse, 64, 50 % zeros": pair(sparse, 64, 0.5),
    "sparse, 64, 84 % zeros": pair(sparse, 64, 0.84),
    "sparse, 64, 84 % zeros, shifted": pair(sparse, 64, 0.84, shift=0.1),
    "sparse, 16 of 6": pair(sparse, 16, 0.7, inner=6),
    "sparse, 64 of 6": pair(sparse, 64, 0.7, inner=6),
    "sparse, 64 of 6, samples wide": pair(sparse, 64, 0.7, inner=6, scale=1.2),
    "sparse, 256, 93 % zeros": pair(sparse, 256, 0.93),
}


def simulate(name: str, n: int, trials: int, seed: int = 0) -> dict[str, tuple[float, float, float]]:
    """Of each measure the true value, the part of the intervals that hold it, and their width over the best one's."""
    rng, (samples, test) = np.random.default_rng(seed), SETS[name]
    found = [manifold(samples(rng, n), test(rng, n), K) for _ in range(trials)]
    results = {}
    for key in found[0]:
        low, value, high = rows = np.array([row(each[key]) for each in found]).T
        width = (high - low).mean() / (2 * 1.96 * value.std())
        results[key] = float(value.mean()), float(coverage(rows.T)), float(width)
    return results


def main() -> None:
    """Print a line for each distribution and size."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200])
    parser.add_argument("--only", help="distributions whose names contain this")
    args = parser.parse_args()
    error = 200 * math.sqrt(0.05 * 0.95 / args.trials)
    print(f"percent of {args.trials} intervals that hold the true value, two standard errors {error:.1f}")
    print("in brackets the true value, and the width over that of +-1.96 true standard deviations")
    for name in SETS:
        for n in args.sizes:
            if args.only is None or args.only in name:
                found = simulate(name, n, args.trials)
                cells = (
                    f"{key} {100 * held:.1f} ({value:.2f}, {width:.2f})" for key, (value, held, width) in found.items()
                )
                print(f"{name}, {n} images:", ", ".join(cells), flush=True)


if __name__ == "__main__":
    main()
