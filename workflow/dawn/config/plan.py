"""The plan of a study: its variants as complete experiments, each with a directory, and what it compares."""

import itertools
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, check, merge
from dawn.config.presets import with_preset
from dawn.config.study import Sequential, Study, level, load
from dawn.core.cli import InputError

SHARED = ("task", "data", "seeds", "run", "judge", "domains")  # what no variant may change
POINTS = 0.2  # difference in accuracy that matters, where a study sets none and the test images show it
RESERVED = (
    "analyses",
    "judge",
    "partial",
    "plots",
    "references",
    "page",
    "table",
    "timing",
)  # names of other files in the directory of the study


@dataclass(frozen=True)
class Variant:
    """One experiment of a study; ``slug`` names its directory."""

    name: str
    slug: str
    experiment: Experiment


@dataclass(frozen=True)
class Plan:
    """A study with the experiment that its variants share and the variants by their slugs."""

    name: str
    path: Path
    study: Study
    shared: Experiment
    variants: dict[str, Variant]

    @property
    def counts(self) -> tuple[int, ...]:
        """Return the seeds of each planned analysis; one number for a study without interim analyses."""
        seeds = self.study.seeds
        return seeds.counts if isinstance(seeds, Sequential) else (len(self.shared.seeds),)

    @property
    def measure(self) -> str:
        """Return the name of the measure that decides."""
        return self.study.measure or next(iter(self.shared.declared.deciding))

    @property
    def text(self) -> str:
        """What the analyses, the tables and the page need of the study itself, as JSON."""
        slugs = {variant.name: slug for slug, variant in self.variants.items()}
        comparisons = [
            contrast | {"weights": {slugs[name]: weight for name, weight in contrast["weights"].items()}}
            for contrast in contrasts(self.study)
        ]
        about = {
            "name": self.name,
            "question": self.study.question,
            "variants": {slug: variant.name for slug, variant in self.variants.items()},
            "seeds": self.shared.seeds,
            "analyses": self.counts,
            "comparisons": comparisons,
            "task": self.shared.task,
            "measure": self.measure,
            "difference": self.study.difference,
            "spread": self.study.spread,
            "split": self.study.split,
            "budget": self.study.budget.model_dump() if self.study.budget else None,
            "test": self.study.test,
        }
        return json.dumps(about, separators=(",", ":"))

    @property
    def directory(self) -> str:
        """The directory of its results."""
        return f"results/studies/{self.name}"


def that_matters(difference: float | None, images: int | None) -> float:
    """Return the difference that matters, in units of the measure: ``difference``, else one in accuracy.

    That is 0.2 points, or where fewer than 500 ``images`` decide, one of them: 100 / images points, rounded up.
    """
    return difference or max(POINTS, math.ceil(10_000 / images) / 100 if images else 0.0)


def slug(name: str) -> str:
    """Return a name for a directory: only letters, digits and ``. _ + -``, so that B(3,1) becomes B-3-1."""
    return re.sub(r"[^\w.+-]+", "-", name, flags=re.ASCII).strip("-.")


def find(name: str, folder: Path, kind: str = "study", kinds: str = "studies") -> Path:
    """Return the file of a study or a search, given by its name in ``folder`` or by its path.

    Raises an InputError for a name that cannot be that of a directory of results: Snakemake takes braces for wildcards.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise InputError(f"{kind} = {name}: {path} does not exist; {kinds}: {known}")
    if re.search(r"[{}\x00-\x1f\x7f]", path.stem):
        raise InputError(f"{kind} = {name!r}: the name of the file is that of a directory of results, which has no "
                         "braces and no control characters; rename the file")  # fmt: skip
    return path


def plan(path: Path, params: Path, presets: Path, over: Mapping[str, Any]) -> Plan:
    """Merge params.yaml, the preset, the settings, ``over`` (the command line) and each variant, in this order."""
    study = load(path)
    values = with_preset(params, presets, study.base, f"{path}: base")
    values = merge(merge(merge(values, {"seeds": _seeds(path, study, over)}), study.settings), over)
    shared = check(values, f"{path}, settings")
    variants: dict[str, Variant] = {}
    for name, changes in study.overrides.items():
        variant = Variant(name, slug(name), _experiment(path, name, values, changes))
        _distinct(path, variant, variants)
        variants[variant.slug] = variant
    complete = Plan(path.stem, path, study, shared, variants)
    check_measure(path, study, complete.measure, shared, {v.name: v.experiment for v in variants.values()})
    return complete


def _seeds(path: Path, study: Study, over: Mapping[str, Any]) -> int | list[int]:
    """Return the seeds of a variant that is trained to the last analysis."""
    if not isinstance(study.seeds, Sequential):
        return study.seeds
    if "seeds" in over:
        raise InputError(f"{path}: seeds = {over['seeds']}: the interim analyses decide the seeds of this study; "
                         "change first and most in its file")  # fmt: skip
    return study.seeds.most


def _experiment(path: Path, name: str, values: dict[str, Any], changes: Mapping[str, Any]) -> Experiment:
    """Return the experiment of one variant; refuse a change to what all variants must share."""
    for key in SHARED:
        if key in changes:
            raise InputError(f"{path}: variant {name} changes {key}, which all variants share; put it into settings")
    return check(merge(values, changes), f"{path}, variant {name}")


def _distinct(path: Path, variant: Variant, others: Mapping[str, Variant]) -> None:
    """Refuse a variant whose directory or experiment equals that of another."""
    if not variant.slug or variant.slug in RESERVED or re.search(r'["|<>\n]', variant.name):
        raise InputError(f"{path}: variant {variant.name} cannot name a directory and a row of a table; use letters, "
                      "digits and . _ + - ( ) ,")  # fmt: skip
    if variant.slug in others:
        raise InputError(
            f"{path}: {variant.name} and {others[variant.slug].name} need the same directory {variant.slug}/; "
            "rename one of them"
        )
    for other in others.values():
        if other.experiment == variant.experiment:
            raise InputError(f"{path}: variants {other.name} and {variant.name} are the same experiment")


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


def check_measure(
    path: Path, study: Study, measure: str, shared: Experiment, variants: Mapping[str, Experiment]
) -> None:
    """Refuse a measure that the task does not have, that is not measured, or without a difference that matters."""
    known = shared.declared.deciding
    if measure not in known:
        raise InputError(f"{path}: measure = {measure}: task {shared.task} has {', '.join(known)}")
    if study.difference is None and measure != "accuracy":
        raise InputError(f"{path}: measure = {measure} needs difference, the smallest one that matters")
    by_epoch = [key for key, declared in known.items() if declared.by_epoch]
    if study.budget and measure not in by_epoch:
        raise InputError(f"{path}: budget is for measure {_either(by_epoch)}, which curve.tsv has by epoch; "
                         f"measure = {measure} is known at the end only")  # fmt: skip
    if study.split == "holdout":
        _check_holdout(path, measure, by_epoch, shared)
    faults = {name: shared.declared.measurable(known[measure], variant) for name, variant in variants.items()}
    for name, fault in faults.items():
        if fault:
            where = "" if all(faults.values()) else f"variant {name}: "
            raise InputError(f"{path}: {where}measure = {measure} {fault}")


def _either(measures: list[str]) -> str:
    return " or ".join(measures) or "of classifiers"


def _check_holdout(path: Path, measure: str, by_epoch: list[str], shared: Experiment) -> None:
    """Refuse to decide on the hold-out where it is not measured, or where there is none."""
    if measure not in by_epoch:
        raise InputError(f"{path}: split: holdout is for measure {_either(by_epoch)}; measure = {measure} is of the "
                         "test split only")  # fmt: skip
    if not shared.data.holdout:
        raise InputError(f"{path}: split: holdout needs images held out of train; set data.holdout in settings")
