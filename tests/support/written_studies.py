"""Simulated studies through the files and the history that a user has: written results, looked at again and again."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

from scipy.special import stdtr, stdtrit
from study_files import finished

from dawn.config.plan import contrasts
from dawn.config.study import Study
from dawn.results.measures import MEASURES
from dawn.studies import between, comparisons, history, outcome, variants
from dawn.studies.variants import of_directory

ACCURACY = "accuracy"
SHOWN = (ACCURACY, "top5", "loss", "calibration_error")
MEMORY = Path("/dev/shm")  # no wait for a disk


class Results:
    """The results of several experiments over as many seeds, in which studies are made.

    Files are written once; ``fill`` puts in the values of one simulated world and forgets all studies.
    """

    def __init__(self, experiments, seeds):
        folder = str(MEMORY) if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
        self.root = Path(tempfile.mkdtemp(dir=folder))
        self.seeds, self.filled, self.sums = seeds, 0, True
        self.forget = False  # whether the history is deleted before each look
        self.runs = [self.root / f"runs/e{i}" for i in range(experiments)]
        for i, run in enumerate(self.runs):
            finished(run, {seed: 90.0 + seed / 100 for seed in range(seeds)}, train={"epochs": i + 1})
        self.evaluation = json.loads((self.runs[0] / "seed-0/evaluation.json").read_text())

    def close(self):
        shutil.rmtree(self.root)

    @property
    def studies(self):
        return self.root / "studies"

    def fill(self, values):
        """Values of SHOWN, (measures, experiments, seeds)."""
        shutil.rmtree(self.studies, ignore_errors=True)
        self.values, self.filled = values, self.filled + 1
        for i, run in enumerate(self.runs):
            for seed in range(self.seeds):
                found = dict(zip(SHOWN, map(float, values[:, i, seed]), strict=True))
                text = json.dumps(self.evaluation | found)
                (run / f"seed-{seed}/evaluation.json").write_text(text)
                if self.sums:
                    manifest = run / f"manifests/{seed}.json"
                    known = json.loads(manifest.read_text())
                    known["sha256"]["evaluation.json"] = hashlib.sha256(text.encode()).hexdigest()
                    manifest.write_text(json.dumps(known))

    def write(self, name, chosen, *, seeds, against=None, analyses=None, measure=ACCURACY, test="holm", label="v",
              difference=1e-9, grid=None):  # fmt: skip
        """The directory of a study of the experiments of these numbers, as the workflow would leave it.

        ``against`` is the number of an experiment, or as in a study; ``label`` begins the names of the variants.
        """
        seeds = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
        names = [f"{label}{i}" for i in chosen]
        against = f"{label}{against}" if isinstance(against, int) else against
        what = {"grid": grid} if grid else {"variants": {n: {"train": {"epochs": i + 1}} for i, n in enumerate(names)}}
        study = Study(question="?", against=against, **what)
        if grid:
            names = list(study.overrides)
        slugs = {n: f"{label}-{i}" for n, i in zip(names, chosen, strict=True)}
        folder = self.studies / name
        folder.mkdir(parents=True, exist_ok=True)
        for n, i in zip(names, chosen, strict=True):
            if not (folder / slugs[n]).exists():
                (folder / slugs[n]).symlink_to(self.runs[i])
        about = {
            "name": name, "question": "?", "variants": {slug: n for n, slug in slugs.items()}, "seeds": seeds,
            "analyses": list(analyses or [len(seeds)]), "measure": measure, "difference": difference, "test": test,
            "task": "classify", "split": "test", "budget": None,
            "comparisons": [c | {"weights": {slugs[n]: w for n, w in c["weights"].items()}} for c in contrasts(study)],
        }  # fmt: skip
        (folder / "study.json").write_text(json.dumps(about))
        return folder

    def look(self, name, chosen, most=None, **plan):
        """The verdicts of a study, after which a user knows them: what dawn.study and dawn.interim do."""
        if self.forget:
            (self.studies / "history.json").unlink(missing_ok=True)
        return outcome.load(self.write(name, chosen, **plan), most, note=True).verdicts

    def compare(self, name, base, other, study=None):
        """The verdict of dawn.compare on a variant of a study and one of the same (or another) study."""
        paths = self.studies / name / f"v-{base}", self.studies / (study or name) / f"v-{other}"
        found = between.of_studies(*((p, of_directory(p.name, p)) for p in paths), MEASURES[ACCURACY], 1e-9)
        return [] if found.verdict is None else [found.verdict]


def in_haste(monkeypatch, results):
    """Leave out what takes most of the time of a look and is not its subject, without another value anywhere.

    Each result is read once after it was filled in, and has the measures alone. Checksums are not compared, files are
    not flushed to a disk, and Student's distribution is taken from SciPy's functions without checks of arguments.
    """
    results.sums = False
    known, of_variant, load = {}, outcome.of_variant, lru_cache(variants.load)

    def once(name, run, seeds):
        key = (run.resolve(), tuple(seeds), results.filled)
        if key not in known:
            known.clear() if len(known) > 500 else None
            known[key] = of_variant(name, run, seeds)
        return replace(known[key], name=name)

    monkeypatch.setattr(outcome, "of_variant", once)
    monkeypatch.setattr(variants, "load", lambda path: load(path.resolve()))
    monkeypatch.setattr(variants, "verify", lambda *_: None)
    monkeypatch.setattr(history, "write_json", lambda path, value: path.write_text(json.dumps(value)))
    monkeypatch.setattr(comparisons, "stats", SimpleNamespace(t=Student))


class Student:
    """The functions of scipy.stats.t that differences use."""

    @staticmethod
    def sf(t, freedom):
        return stdtr(freedom, -t)

    @staticmethod
    def cdf(t, freedom):
        return stdtr(freedom, t)

    @staticmethod
    def isf(level, freedom):
        return -stdtrit(freedom, level)
