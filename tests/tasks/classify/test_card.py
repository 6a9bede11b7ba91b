"""The model card: front matter that YAML reads, and text that has the run's numbers."""

import html
import json

import markdown_it
import pytest
import yaml
from archives import CIFAR10, call
from conftest import ROOT, experiment
from seed_files import seed, summarized, write_manifest

from dawn import model_card
from dawn.config.experiment import read
from dawn.core.files import write_table

SPREAD = {"mean": 94.0, "std": 0.1, "low": 93.8, "high": 94.2}
ONE = {"mean": 94.0, "std": None, "low": None, "high": None}


def evaluation(recall):
    classes = {"cat": {"recall": recall, "precision": None}, "dog | x": {"recall": 50.0, "precision": 70.0}}
    return {"classes": classes, "calibration_error_if_calibrated": 0.0125}


def change(path, **values):
    """Change values of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.fixture
def run(tmp_path):
    """A finished run of three seeds, written by hand; the arguments that name its files."""
    for number in (0, 1, 2):
        folder = seed(tmp_path, number, [94.0])
        change(folder / "metrics.json", processes=2, device="NVIDIA H100", precision="fp16")
        change(folder / "evaluation.json", **evaluation(30.0 + number))
        (folder / "confusion.csv").write_text('actual,predicted\ncat,"dog | x"\ncat,cat\n')
        write_manifest(folder)
    names = ("accuracy", "top5", "loss", "calibration_error", "train_accuracy", "seconds")
    metrics = summarized([tmp_path / f"seed-{n}" for n in range(3)], {"parameters": 1234567, "flops": 3e6})
    metrics |= {name: metrics[name] | SPREAD for name in names}
    data = {"classes": ["cat", "dog | x"], "shape": [32, 32, 3], "counts": {"train": 900, "test": 100},
            "archive": "pets.zip", "sha256": "e" * 64}  # fmt: skip
    provenance = {"data": data, "code": {"commit": "abc", "dirty": True}, "packages": {"torch": "2.15.0"},
                  "python": "3.12.1", "written": "2026-01-01T00:00:00+00:00", "machine": {
                      "cpu": "A CPU", "cores": 8, "gpus": [], "system": "Linux", "image": None}}  # fmt: skip
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "provenance.json").write_text(json.dumps(provenance))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(experiment(seeds=3).model_dump(mode="json")))
    named = [f"--{name}={tmp_path / file}" for name, file in
             (("params", "params.yaml"), ("metrics", "metrics.json"), ("provenance", "provenance.json"))]  # fmt: skip
    return [*named, f"--out={tmp_path / 'card.md'}", *(tmp_path / f"seed-{n}" for n in range(3))]


def written(run, tmp_path):
    assert call(model_card.main, *run) is None
    _, front, text = (tmp_path / "card.md").read_text().split("---\n", 2)
    return yaml.safe_load(front), text


def test_the_front_matter_is_what_the_hub_reads(run, tmp_path):
    front, _ = written(run, tmp_path)
    assert front["pipeline_tag"] == "image-classification"
    (result,) = front["model-index"][0]["results"]
    assert result["task"] == {"type": "image-classification"}
    assert result["dataset"] == {"type": "custom", "name": "2 classes from pets.zip", "split": "test"}
    assert [m["value"] for m in result["metrics"]] == [0.94, 94.0, 94.0]


def test_the_text_has_intervals_calibration_limits_and_origin(run, tmp_path):
    _, text = written(run, tmp_path)
    for part in (
        "94.00 % (93.80 to 94.20)", "Means over 3 seeds, with 95 % intervals", "0.0125 by chance alone",
        "| cat | 31.0 % | – |", "cat as dog | x (3)", "It was the test split",
        "100 test images", "900 train images", "abc, with uncommitted changes", "1,234,567 parameters",
        "2 x NVIDIA H100, fp16", "e" * 64, "seeds: 0, 1",
    ):  # fmt: skip
        assert part in text, part
    assert text.index("| cat |") < text.index("| dog \\| x |")
    assert "actual as predicted" not in text


def test_cifar10_is_named_as_the_hub_names_it(run, tmp_path):
    path = tmp_path / "provenance.json"
    record = json.loads(path.read_text())
    record["data"] |= {"archive": "cifar-10-python.tar.gz", "classes": CIFAR10}
    path.write_text(json.dumps(record))
    front, text = written(run, tmp_path)
    assert "datasets" not in front  # a name is no proof
    assert "on 10 classes from cifar-10-python.tar.gz" in text
    record["data"] |= {"archive": "mine.tgz", "sha256": read(ROOT / "params.yaml")["data"]["sha256"]}
    path.write_text(json.dumps(record))
    front, text = written(run, tmp_path)
    assert front["datasets"] == ["cifar10"]
    assert "on CIFAR-10" in text


@pytest.mark.parametrize(
    ("stated", "entries"),
    [
        (None, {}),
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        ("https://a.example/x", {"license": "other", "license_name": "other", "license_link": "https://a.example/x"}),
    ],
)
def test_a_licence_is_that_of_the_settings(run, tmp_path, stated, entries):
    chosen = experiment(seeds=3, submission={"license": stated})
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(chosen.model_dump(mode="json")))
    front, text = written(run, tmp_path)
    assert {key: value for key, value in front.items() if key.startswith("license")} == entries
    assert ("No licence is set here" in text) == (stated is None)


def test_a_single_seed_has_no_interval(run, tmp_path):
    path = tmp_path / "metrics.json"
    metrics = json.loads(path.read_text())
    names = ("accuracy", "top5", "loss", "calibration_error", "train_accuracy")
    path.write_text(json.dumps(metrics | {"seeds": 1} | {name: metrics[name] | ONE for name in names}))
    _, text = written(run[:-2], tmp_path)
    assert "Means over 1 seed: no interval, which takes three seeds." in text
    assert "| test accuracy | 94.00 % | – |" in text


def test_an_edited_evaluation_is_refused(run, tmp_path):
    (tmp_path / "seed-1/evaluation.json").write_text(json.dumps(evaluation(99.0)))
    assert "was changed after the evaluation" in call(model_card.main, *run)


def test_hostile_class_names_are_text_in_a_card(run, tmp_path):
    names = ["![x](http://x.org/x.png)", '=1+1, "a"']
    for number in (0, 1, 2):
        folder = tmp_path / f"seed-{number}"
        classes = dict(zip(names, evaluation(30.0)["classes"].values(), strict=True))
        change(folder / "evaluation.json", classes=classes)
        write_table(folder / "confusion.csv", ("actual", "predicted"), [names], ",")
        write_manifest(folder)
    path = tmp_path / "provenance.json"
    record = json.loads(path.read_text())
    record["data"]["classes"] = names
    path.write_text(json.dumps(record))
    _, text = written(run, tmp_path)
    assert "an image classifier" in text.lower()
    rendered = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert "<img" not in rendered
    assert "<a " not in rendered
    assert html.unescape(rendered).count(f"{names[0]} as {names[1]} (3)") == 1


def test_a_card_of_few_classes_has_no_top_5(run, tmp_path):
    assert "top-5" not in written(run, tmp_path)[1]
    path = tmp_path / "provenance.json"
    record = json.loads(path.read_text())
    record["data"]["classes"] = list("abcdef")
    path.write_text(json.dumps(record))
    assert "| test top-5 accuracy | 94.00 %" in written(run, tmp_path)[1]
