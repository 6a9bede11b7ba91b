"""Each measure is declared once: metrics.json, the pages of a run and those of a study print the same of it."""

import ast
import re

import pytest
from conftest import ROOT, experiment

from dawn.core.files import write_json
from dawn.report.numbers import interval
from dawn.report.page import Table
from dawn.results.measures import DECIDING, over_seeds
from dawn.results.run import Run
from dawn.studies.tables import measured, others
from dawn.studies.variants import Result
from dawn.summarize import summarize
from dawn.tasks.classify.curve import EpochMetrics
from dawn.tasks.classify.summary import result, title
from dawn.tasks.classify.task import MEASURES as OF_CLASSIFIER
from dawn.tasks.cycle import summary as cycle_gan
from dawn.tasks.cycle.task import DIRECTIONS, OF_TRANSLATIONS
from dawn.tasks.generative import page as gan
from dawn.tasks.generative.measures import OF_SAMPLES

CURVE = tuple(EpochMetrics.__annotations__)
VALUES = {"percent": (99.8, 100.0, 99.9), "fraction": (0.97, 1.0, 0.99), "positive": (0.1, 0.6, 0.3),
          "similarity": (0.99, 0.9, 1.0), "any": (-0.1, 0.4, 0.2)}  # fmt: skip
TRAINING = {"seconds": 9.0, "images_per_s": 100, "peak_memory_bytes": 5, "train_loss": 1.0, "train_accuracy": 50.0,
            "parameters": 10, "seed": 0, "device": "cpu", "processes": 1, "precision": "fp32", "seconds_by_phase": {},
            "seconds_untimed": {}, "resumed": 0, "monitored": "test", "epochs": 1, "generator_steps": 1}  # fmt: skip
COSTS = {net: {"parameters": 1, "flops": 1} for net in ("generator", "critic")} | {"parameters": 1, "flops": 1}


def evaluations(measures, suffixes=("",)):
    """evaluation.json of three seeds that have these measures."""
    return [{m.key + suffix: VALUES[m.scale][seed] for m in measures for suffix in suffixes} for seed in range(3)]


def of_gan(found):
    extra = {"noise": 4, "low": None, "high": None, "p": 0.5, "references": {}}
    near = {"samples": [0], "train": [[0, 1]], "ratio": [0.9]}
    more = {
        "images": {"samples": 100, "test": 100, "a": 100, "b": 100}, "seconds": {"sample": 1.0, "measure": 2.0},
        "names": ["a", "b"],
        "judges": [{"seed": 0, "sha256": "0" * 64, "accuracy": 90.0}], "class_names": ["a"],
        "classes": [{"value": 1.0}],
        "progress": [], "nearest": near, "nearest_of_first": near,
    }  # fmt: skip
    return [more | {"measures": {key: {"value": value, **extra} for key, value in each.items()}} for each in found]


def study(found):
    """Cells of a study's tables by measure."""
    one = Result("a", {}, dict(enumerate(found)), {}, None, None, None, lambda path: None)
    first, *rest = [m for m in DECIDING.values() if one.values(m.key)]
    cells = [measured({"a": one}, first).rows[0][2], *others({"a": one}, first).rows[0][1:]]
    return dict(zip([m.key for m in (first, *rest)], cells, strict=True))


SIX = {name: {"recall": 50.0, "precision": 50.0} for name in "abcdef"}  # so many that the top-5 accuracy says something

CONFUSION = [[1000 if i == j == 0 else 0 for j in range(6)] for i in range(6)]


def tables(blocks):
    return {row[0]: list(row[1:]) for block in blocks if isinstance(block, Table) for row in block.rows}


def files(folder, found):
    for seed, each in enumerate(found):
        write_json(folder / f"seed-{seed}/evaluation.json", each)
        write_json(folder / f"seed-{seed}/metrics.json", TRAINING | {"seed": seed})
        (folder / f"seed-{seed}/curve.tsv").write_text("\t".join(CURVE) + "\n1" + "\t1" * (len(CURVE) - 1) + "\n")
    return [folder / f"seed-{seed}" for seed in range(len(found))]


def run(task, folder, found):
    """A run of these evaluations and its metrics."""
    chosen, seeds = experiment(task=task, seeds=3), files(folder, found)
    return Run.read(chosen, seeds, summarize(chosen, seeds, COSTS), {})


def test_the_measures_of_a_classifier(tmp_path):
    found = [each | {"images": 1000, "confusion": CONFUSION, "classes": SIX} for each in evaluations(OF_CLASSIFIER)]
    made, own = run("classify", tmp_path, found), study(found)
    page, metrics = tables(result(made)), made.metrics
    for m in OF_CLASSIFIER:
        printed = interval(metrics[m.key], m.digits)
        mean, limits, _ = page[title(m, m.title)]
        assert printed == f"{mean} ({limits})", m.key
        assert own.get(m.key, printed) == printed, m.key


def test_the_measures_of_a_gan(tmp_path):
    found = of_gan(evaluations(OF_SAMPLES))
    metrics, own = run("gan", tmp_path, found).metrics, study(found)
    page = tables(gan.measures_table(found))
    for m in OF_SAMPLES:
        printed = interval(metrics[m.key], m.digits)
        _, mean, limits, _ = page[m.title]
        assert printed == f"{mean} ({limits})", m.key
        assert own.get(m.key, printed) == printed, m.key


def test_the_measures_of_a_cyclegan(tmp_path):
    measures = OF_TRANSLATIONS
    found = of_gan(evaluations(measures, DIRECTIONS))
    made, own = run("cycle", tmp_path, found), study(found)
    metrics = made.metrics
    (table,) = [b for b in cycle_gan.measures_table(made) if isinstance(b, Table)]
    page = {(row[0], row[1]): row[3] for row in table.rows}
    for m in measures:
        for suffix, direction in DIRECTIONS.items():
            text = interval(metrics[m.key + suffix], m.digits, m.suffix)
            assert page[m.name, direction] == text
            assert metrics[m.key + suffix] == over_seeds(found, m) or suffix
        assert own.get(m.key, "") in ("", interval(metrics[m.key], m.digits))


def test_equal_accuracies_of_images_are_bounded_alike_everywhere(tmp_path):
    confusion = [[500 if i == j == 0 else 0 for j in range(6)] for i in range(6)]
    own = {"accuracy": 99.0, "top5": 100.0, "images": 500, "confusion": confusion, "classes": SIX}
    found = [dict.fromkeys([m.key for m in OF_CLASSIFIER], 0.5) | own for _ in range(3)]
    metrics = run("classify", tmp_path, found).metrics
    assert metrics["accuracy"]["low"] == pytest.approx(98.35, abs=0.01)
    assert study(found)["accuracy"] == interval(metrics["accuracy"])


def test_no_other_module_names_a_scale():
    """The range of a quantity is in the table of measures; another place could differ from it."""
    words = {"percent", "fraction", "positive", "similarity"}
    for path in sorted((ROOT / "workflow/dawn").rglob("*.py")):
        if path.name in ("statistics.py", "measures.py", "task.py") or "measures" in path.parent.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and re.fullmatch("spread|over", name):
                assert not any(isinstance(a, ast.Constant) and a.value in words for a in node.args), path
