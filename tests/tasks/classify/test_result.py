"""The page about a run: its claim, failed seeds, equal seeds, and a page written by the command."""

import json
import sys

import pytest
import yaml
from conftest import ROOT, experiment
from seed_files import seed, summarized

from dawn import summary
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.report.page import Bullets, Paragraph, Table
from dawn.results.run import Run
from dawn.tasks.classify.summary import claim, result, seeds_table

MODEL = {"parameters": 1_000, "flops": 2_000_000}


def text(blocks):
    """The text of the blocks that are no tables."""
    lines = [item for block in blocks if isinstance(block, Bullets) for item in block.items]
    return "\n".join(lines + [block.text for block in blocks if isinstance(block, Paragraph)])


def table(blocks):
    found = next(block for block in blocks if isinstance(block, Table))
    return {row[0]: row[1:] for row in found.rows}


def of(folder, *accuracies, target=94.0, price=None):
    """A run of seeds of two epochs whose last accuracies are these."""
    seeds = [seed(folder, number, [50.0, accuracy]) for number, accuracy in enumerate(accuracies)]
    metrics = summarized(seeds, MODEL, target, price)
    return Run.read(experiment(seeds=len(seeds)), seeds, metrics, {}), seeds


def test_the_claim_has_its_interval_or_none(tmp_path):
    assert claim(of(tmp_path, 94.0)[0]) == "94.00 % test accuracy over 1 seed"
    found = claim(of(tmp_path, 94.0, 94.0)[0])
    assert found == "94.00 % (equal in all seeds, so without an interval) test accuracy over 2 seeds"
    assert claim(of(tmp_path, 98.0, 99.5)[0]) == (
        "98.75 % (two seeds: 98.00 and 99.50, no interval) test accuracy over 2 seeds"
    )
    found = claim(of(tmp_path, 93.0, 94.0, 95.0)[0])
    assert found == "94.00 % (95 % interval 91.01 to 96.04, std 1.00) test accuracy over 3 seeds"


def test_the_measures_over_the_seeds(tmp_path):
    rows = table(result(of(tmp_path, 93.0, 94.0, 95.0)[0]))
    assert rows["test accuracy, %"][0] == "94.00"
    assert "test top-5 accuracy, %" not in rows  # 100 % whatever the network, of two classes
    assert rows["seconds of training"] == ("20.0", "none, all equal", "0.0")
    assert rows["test calibration error if calibrated"][0] == "0.0500"
    assert table(result(of(tmp_path, 98.0, 99.5)[0]))["test accuracy, %"] == (
        "98.75", "two seeds: 98.00 and 99.50, no interval", "1.06"
    )  # fmt: skip
    assert table(result(of(tmp_path, 93.0)[0]))["test accuracy, %"] == ("93.00", "–", "–")


def test_the_target_is_reached_by_some_by_all_or_by_none(tmp_path):
    some = text(result(of(tmp_path, 93.0, 94.0, 95.0)[0]))
    assert "test accuracy of at least 94 %: 67 % (21 to 94) of the seeds" in some
    assert "time to 94 %: 20.0 s, mean of the 2 of 3 seeds that reached it in training" in some
    assert "the time of failed seeds included: 30.0 s" in some
    assert "time to 94 %: not reached in training" in text(result(of(tmp_path, 90.0)[0]))
    assert "dollars" not in some
    assert "price of a training: 0.0400 dollars" in text(result(of(tmp_path, 90.0, price=7.2)[0]))


def test_without_a_target_nothing_is_said_of_one(tmp_path):
    run, _ = of(tmp_path, 93.0, 94.0, target=None)
    assert run.metrics["target"] is None
    blocks = result(run)
    assert not any(word in text(blocks) for word in ("time to", "at least"))
    (seeds,) = (block for block in blocks if isinstance(block, Table) and block.heads[0] == "seed")
    assert [row[:3] for row in seeds.rows] == [("0", "93.00", "20.0"), ("1", "94.00", "20.0")]


def test_one_seed_has_the_interval_of_its_test_images(tmp_path):
    one = text(result(of(tmp_path, 90.0)[0]))
    assert "95 % interval over 100 test images, not over seeds: 82.56 to 94.48 %" in one
    assert "not over seeds" not in text(result(of(tmp_path, 90.0, 91.0)[0]))


def test_failed_seeds_are_named_at_the_top(tmp_path):
    run, _ = of(tmp_path, 94.0, 94.1, 50.0, 93.9, 94.05)
    found = text(result(run))
    assert "Seed 2 is no better than always naming the most frequent class." in found
    assert "Seed 2 is far from the median" in found
    assert "test accuracy: median 94.00 %, interquartile mean 93.98 %" in found
    rows = table(seeds_table(run))
    assert rows["2"] == (
        "50.00",
        "–",
        "20.0",
        "no better than always naming the most frequent class; far from the others",
    )
    assert rows["1"] == ("94.10", "20.0", "20.0", "")
    assert "most frequent class" not in text(result(of(tmp_path, 94.0, 94.1, 93.9)[0]))


PROVENANCE = {
    "written": "2026-01-01T00:00:00+00:00", "python": "3.12.1", "packages": {"torch": "2.15.0"},
    "machine": {"cpu": "A CPU", "cores": 8, "gpus": ["NVIDIA H100, 80 GiB, 570"], "system": "Linux", "image": None},
    "code": {"commit": "abc", "dirty": True, "locks": {"dev.lock": "f" * 64}}, "data": {
        "sha256": "e" * 64, "counts": {"train": 900, "test": 100}, "classes": ["cat", "dog"], "shape": [32, 32, 3],
    },
}  # fmt: skip


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Calls the command on two seeds, and gives its two pages."""
    run, seeds = of(tmp_path, 93.0, 94.0)
    write_json(tmp_path / "metrics.json", run.metrics)
    write_json(tmp_path / "provenance.json", PROVENANCE)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(experiment().model_dump(mode="json")))

    def write():
        names = [f"--{name}={tmp_path}/{name}" for name in ("params.yaml", "metrics.json", "provenance.json")]
        options = [option.replace(".yaml=", "=").replace(".json=", "=") for option in names]
        line = ["summary", *options, f"--root={ROOT}", f"--out={tmp_path}/summary.md", *seeds]
        monkeypatch.setattr(sys, "argv", [str(word) for word in line])
        summary.main()
        return [(tmp_path / f"summary.{form}").read_text() for form in ("md", "html")]

    return write, seeds


def test_the_page_has_its_parts_in_both_forms(written):
    markdown, html = written[0]()
    for part in ("Result", "Seeds", "Experiment", "Seconds of a training", "Machine", "Provenance"):
        assert f"## {part}\n" in markdown
        assert f"<h2>{part}</h2>" in html
    for fact in ("test accuracy over 2 seeds", "torch 2.15.0", "abc, with uncommitted changes", "570", "e" * 64):
        assert fact in markdown
        assert fact in html
    assert "| train | training steps with their augmentation | timed |" in markdown
    assert "| load | copying the arrays to the device | not timed |" in markdown
    assert "| compile |" in markdown


def test_the_page_refuses_an_edited_evaluation(written):
    write, (first, _) = written
    write_json(first / "evaluation.json", read_json(first / "evaluation.json") | {"accuracy": 99.9})
    with pytest.raises(InputError, match=r"seed-0/evaluation\.json was changed after the evaluation"):
        write()


@pytest.mark.full
def test_a_run_ends_with_its_page(finished):
    text = (finished.results / "summary.md").read_text()
    assert "test accuracy over 2 seeds" in text.splitlines()[0]
    record = json.loads((finished.results / "provenance.json").read_text())
    assert {"commit", "dirty", "locks"} == set(record["code"])
    assert record["data"]["sha256"][:16] in text
