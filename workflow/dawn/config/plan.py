"""A study as it is carried out: its variants as whole experiments, each with a directory."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, check, merge, read
from dawn.config.study import Study, load
from dawn.core.cli import InputError

SHARED = ("data", "seeds", "run")  # what every variant of a study has in common
TAKEN = ("plots", "page", "table", "timing")  # names beside the variants' directories


@dataclass(frozen=True)
class Variant:
    """One experiment of a study; ``slug`` is the name of its directory."""

    name: str
    slug: str
    experiment: Experiment


@dataclass(frozen=True)
class Plan:
    """A study as it is carried out: the experiment that its variants are laid over, and these, by their slugs."""

    name: str
    path: Path
    study: Study
    shared: Experiment
    variants: dict[str, Variant]

    @property
    def against(self) -> Variant:
        """The variant that the others are compared with."""
        return self.variants[slug(self.study.against or next(iter(self.study.overrides)))]

    @property
    def text(self) -> str:
        """What the table and the page need to know of the study itself, as canonical JSON."""
        about = {
            "name": self.name,
            "question": self.study.question,
            "variants": {slug: variant.name for slug, variant in self.variants.items()},
            "against": self.against.slug,
            "difference": self.study.difference,
        }
        return json.dumps(about, separators=(",", ":"))

    @property
    def directory(self) -> str:
        """Where its results are."""
        return f"results/studies/{self.name}"


def slug(name: str) -> str:
    """A name for a directory: letters, digits and ``. _ + -`` stay, B(3,1) becomes B-3-1."""
    return re.sub(r"[^\w.+-]+", "-", name, flags=re.ASCII).strip("-.")


def find(name: str, folder: Path) -> Path:
    """The file of a study: by its name among those in ``folder``, or by its path."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise InputError(f"study = {name}: there is no {path}; studies: {known}")
    return path


def plan(path: Path, params: Path, presets: Path, over: Mapping[str, Any]) -> Plan:
    """The study in full: params.yaml, its base and settings, ``over`` (the command line), each variant on top."""
    study = load(path)
    base = presets / f"{study.base}.yaml"
    if study.base is not None and not base.is_file():
        known = ", ".join(sorted(p.stem for p in presets.glob("*.yaml")))
        raise InputError(f"{path}: base = {study.base}: there is no such preset; presets: {known}")
    values = merge(read(params), read(base)) if study.base else read(params)
    values = merge(merge(merge(values, {"seeds": study.seeds}), study.settings), over)
    shared = check(values, f"{path}, settings")
    variants: dict[str, Variant] = {}
    for name, own in study.overrides.items():
        variant = Variant(name, slug(name), _experiment(path, name, values, own))
        _distinct(path, variant, variants)
        variants[variant.slug] = variant
    return Plan(path.stem, path, study, shared, variants)


def _experiment(path: Path, name: str, values: dict[str, Any], own: Mapping[str, Any]) -> Experiment:
    """One variant's, its own settings over what is shared; not what makes them comparable."""
    for key in SHARED:
        if key in own:
            raise InputError(f"{path}: variant {name} changes {key}, which all variants share; put it into settings")
    return check(merge(values, own), f"{path}, variant {name}")


def _distinct(path: Path, variant: Variant, others: Mapping[str, Variant]) -> None:
    """Refuse a variant that would share its directory or its experiment with another."""
    if not variant.slug or variant.slug in TAKEN or re.search(r'["|<>\n]', variant.name):
        raise InputError(f"{path}: variant {variant.name} makes no name for a directory and a table; use letters, "
                      "digits and . _ + - ( ) ,")  # fmt: skip
    if variant.slug in others:
        raise InputError(
            f"{path}: {variant.name} and {others[variant.slug].name} would share {variant.slug}/; rename one"
        )
    for other in others.values():
        if other.experiment == variant.experiment:
            raise InputError(f"{path}: variants {other.name} and {variant.name} are the same experiment")
