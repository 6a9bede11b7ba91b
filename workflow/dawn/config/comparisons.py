"""What a study compares: contrasts of its variants."""

import itertools
import math
from typing import Any

from dawn.config.study import Study, level

Contrast = dict[str, Any]  # name, base: of both sides; weights: of the variants, by name


def contrasts(study: Study) -> list[Contrast]:
    """The comparisons that ``against`` asks for."""
    names = list(study.overrides)
    match study.against:
        case "previous":
            return [_pair(other, base) for base, other in itertools.pairwise(names)]
        case "all":
            return [_pair(other, base) for base, other in itertools.combinations(names, 2)]
        case "effects":
            return _effects(study)
        case base:
            first = base or names[0]
            return [_pair(name, first) for name in names if name != first]


def _pair(name: str, base: str) -> Contrast:
    return {"name": name, "base": base, "weights": {base: -1.0, name: 1.0}}


def _effects(study: Study) -> list[Contrast]:
    """Main effects: each value of a setting against its first, over the means of the others; then interactions.

    An interaction of two values is what both together bring beyond the sum of what each brings with the first value of
    the other.
    """
    settings = [[level(key, value) for value in values] for key, values in study.grid.items()]
    points = dict(zip(study.overrides, itertools.product(*settings), strict=True))
    effects = []
    for first, *others in settings:
        for one in others:
            effects.append({"name": one, "base": first, "weights": _means(points, [(one, first)])})
    for (first, *others), (second, *rest) in itertools.combinations(settings, 2):
        for one, two in itertools.product(others, rest):
            weights = _means(points, [(one, first), (two, second)])
            effects.append({"name": f"{one} with {two}", "base": "the sum of both effects", "weights": weights})
    return effects


def _means(points: dict[str, tuple[str, ...]], effects: list[tuple[str, str]]) -> dict[str, float]:
    """Weights of the points: the product of a sign for each effect, over the number of points in its mean."""
    signs = {name: math.prod((one in values) - (other in values) for one, other in effects)
             for name, values in points.items()}  # fmt: skip
    averaged = sum(sign > 0 for sign in signs.values()) / 2 ** (len(effects) - 1)
    return {name: sign / averaged for name, sign in signs.items() if sign}
