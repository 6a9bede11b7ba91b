"""The plan of a study: its variants as complete experiments, each with a directory."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.comparisons import contrasts
from dawn.config.experiment import Experiment, check, merge, read
from dawn.config.measured import check_measure
from dawn.config.sequential import Sequential
from dawn.config.study import Study, load
from dawn.core.cli import InputError

SHARED = ("task", "data", "seeds", "run", "judge", "domains")  # what no variant may change
POINTS = 0.2  # difference in accuracy that matters, where a study sets none
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
    def margin(self) -> float:
        """Return the difference that matters, in units of the measure."""
        return self.study.difference or POINTS

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
            "difference": self.margin,
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
    base = presets / f"{study.base}.yaml"
    if study.base is not None and not base.is_file():
        known = ", ".join(sorted(p.stem for p in presets.glob("*.yaml")))
        raise InputError(f"{path}: base = {study.base}: no such preset; presets: {known}")
    values = merge(read(params), read(base)) if study.base else read(params)
    values = merge(merge(merge(values, {"seeds": _seeds(path, study, over)}), study.settings), over)
    shared = check(values, f"{path}, settings")
    variants: dict[str, Variant] = {}
    for name, over in study.overrides.items():
        variant = Variant(name, slug(name), _experiment(path, name, values, over))
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


def _experiment(path: Path, name: str, values: dict[str, Any], over: Mapping[str, Any]) -> Experiment:
    """Return the experiment of one variant; refuse a change to what all variants must share."""
    for key in SHARED:
        if key in over:
            raise InputError(f"{path}: variant {name} changes {key}, which all variants share; put it into settings")
    return check(merge(values, over), f"{path}, variant {name}")


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
