"""The evaluation against independent formulas, and on several processes."""

import csv
import json
import sys

import numpy as np
import pytest
import torch
from conftest import experiment, step

from dawn import evaluate
from dawn.core.cli import InputError
from dawn.core.code_deps import code
from dawn.data.dataset import Split
from dawn.engine.weights import write_weights
from dawn.results.manifest import check, location
from dawn.runtime.distributed import World
from dawn.studies.further import of_images
from dawn.tasks.classify.evaluate import metrics_of
from dawn.tasks.classify.inference import predict, views
from dawn.tasks.classify.networks.build import build, restored

RNG = np.random.default_rng(3)
LOGITS = torch.tensor(RNG.normal(size=(400, 7)) * 2, dtype=torch.float32)
LABELS = torch.tensor(RNG.integers(0, 7, 400))
NAMES = list("abcdefg")


def test_the_figures_are_their_definitions():
    found = metrics_of(LOGITS, LABELS, NAMES, 15)
    logits, labels = LOGITS.numpy().astype(float), LABELS.numpy()
    order = np.argsort(-logits, 1)
    assert found["accuracy"] == pytest.approx(100 * (order[:, 0] == labels).mean())
    assert found["top5"] == pytest.approx(100 * np.mean([y in row[:5] for y, row in zip(labels, order, strict=True)]))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert found["loss"] == pytest.approx(-np.log(p[np.arange(400), labels]).mean())
    confusion = np.zeros((7, 7), int)
    for y, row in zip(labels, order, strict=True):
        confusion[y, row[0]] += 1
    assert found["confusion"] == confusion.tolist()
    for i, name in enumerate(NAMES):
        assert found["classes"][name]["recall"] == pytest.approx(100 * confusion[i, i] / confusion[i].sum())
        assert found["classes"][name]["precision"] == pytest.approx(100 * confusion[i, i] / confusion[:, i].sum())


def test_equal_logits_are_no_hits_of_the_top_five():
    labels = torch.arange(10) % 7
    assert metrics_of(torch.zeros(10, 7), labels, NAMES, 5)["top5"] == 0
    assert not of_images(np.full((10, 7), np.nan, np.float32), labels.numpy(), "top5").any()
    tied = torch.tensor([[6.0, 5, 4, 3, 2, 2, 0]])  # two classes share the fifth place
    for label, hit in ((3, 100), (4, 0), (5, 0)):
        assert metrics_of(tied, torch.tensor([label]), NAMES, 5)["top5"] == hit
        assert of_images(tied.numpy(), np.array([label]), "top5").tolist() == [hit]
    tied = torch.tensor([[5.0, 5, 5, 5, 5, 1, 0]])
    assert metrics_of(tied, torch.tensor([4]), NAMES, 5)["top5"] == 100
    assert metrics_of(torch.zeros(4, 3), torch.tensor([0, 1, 2, 0]), NAMES[:3], 5)["top5"] == 100


def test_the_study_and_the_evaluation_count_the_same_hits():
    logits = (2 * LOGITS).round() / 2  # with many ties
    hits = of_images(logits.numpy(), LABELS.numpy(), "top5")
    assert metrics_of(logits, LABELS, NAMES, 5)["top5"] == pytest.approx(hits.mean())


def test_a_class_never_predicted_has_no_precision():
    found = metrics_of(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 1]), ["a", "b"], 5)
    assert found["classes"]["b"] == {"recall": 0.0, "precision": None}
    assert found["top5"] == 100


def test_the_six_views_are_the_recipe():
    images = torch.randn(2, 3, 8, 8)
    border = np.pad(images.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    up_left, down_right = (torch.from_numpy(border[:, :, i : i + 8, i : i + 8].copy()) for i in (2, 0))

    def f(x):
        return x[:, 0, 2, 1] ** 2 + x[:, 1, 5, 7]

    def m(x):
        return (f(x) + f(x.flip(3))) / 2

    expected = m(images) / 2 + m(up_left) / 4 + m(down_right) / 4
    six = views(images, "six")
    assert len(six) == 6
    torch.testing.assert_close(sum(weight * f(view) for weight, view in six), expected)
    torch.testing.assert_close(sum(weight * f(view) for weight, view in views(images, "mirror")), m(images))
    equal = (m(images) + m(up_left) + m(down_right)) / 3
    torch.testing.assert_close(sum(weight * f(view) for weight, view in views(images, "six_equal")), equal)
    assert sum(weight for weight, _ in views(images, "none")) == 1


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "model.safetensors"
    write_weights(
        path, build(experiment().model, 3, 4), experiment().text("data", "model", "train"), ["red", "green", "blue"], {}
    )
    return path


def test_weights_come_back_whole(weights):
    net, again = build(experiment().model, 3, 4), restored(experiment().model, weights, 3)
    for a, b in zip(net.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_weights_of_another_network_are_refused(weights, tmp_path):
    for other in ({"width": 8}, {"blocks": [1, 1, 1]}, {"family": "wrn", "depth": 10}):
        with pytest.raises(InputError, match=r"does not fit .*; train again"):
            restored(experiment(model=other).model, weights, 3)
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    with pytest.raises(InputError, match="not a safetensors file"):
        restored(experiment().model, tmp_path / "junk.safetensors", 3)


OF_TRAINING = {"trainer.py", "checkpoint.py", "step.py", "optimizer.py", "classifier.py", "train.py"}


def test_evaluation_runs_no_code_of_training():
    files = code(["evaluate"], "classify")
    assert "evaluate.py" in {path.name for path in files}
    assert not [path for path in files if path.parent.name in ("monitoring", "report") or path.name in OF_TRAINING]


def test_the_manifest_comes_last_and_only_for_the_seeds_own_weights(data, params, weights, tmp_path, monkeypatch):
    out = tmp_path / "seed-0"
    out.mkdir()
    for name in ("curve.tsv", "metrics.json"):
        (out / name).write_text("")
    line = ["evaluate", "--params", params(), "--data", data, "--stats", data / "stats.json", "--out", out]
    line += ["--manifest", location(out)]
    monkeypatch.setattr(sys, "argv", list(map(str, [*line, "--model", weights])))
    with pytest.raises(InputError, match="--manifest is for the seed's own weights"):
        evaluate.main()
    choices = experiment().text("data", "model", "train")
    write_weights(out / "model.safetensors", build(experiment().model, 3, 4), choices, ["r", "g", "b"], {})
    monkeypatch.setattr(sys, "argv", list(map(str, [*line, "--model", out / "model.safetensors"])))
    evaluate.main()
    check(experiment(), out)
    assert json.loads((out / "evaluation.json").read_text())["images"] == 50
    with np.load(out / "predictions.npz", allow_pickle=False) as predictions:
        assert predictions["files"].tolist() == [f"test/{row}" for row in range(50)]


@pytest.mark.full
def test_processes_share_the_images_and_count_none_twice(data, params, weights, tmp_path):
    outs = [tmp_path / f"out{n}" for n in (1, 3)]
    path = params(evaluate={"tta": "six", "batch": 7})
    for out, processes in zip(outs, (1, 3), strict=True):
        arguments = ["--params", path, "--data", data, "--stats", data / "stats.json", "--model", weights, "--out", out]
        done = step("evaluate", *arguments, processes=processes)
        assert done.returncode == 0, done.stderr
    one, three = (np.load(out / "predictions.npz") for out in outs)
    np.testing.assert_allclose(one["logits"], three["logits"], atol=1e-5)
    assert json.loads((outs[1] / "evaluation.json").read_text())["images"] == 50
    with (outs[0] / "confusion.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = np.array(["red", "green", "blue"])
    assert [row["actual"] for row in rows] == names[one["labels"]].tolist()
    assert [row["predicted"] for row in rows] == names[one["logits"].argmax(1)].tolist()


class Table(torch.nn.Module):
    """Logits that depend on the image and on where its edge lies, so that views differ."""

    def forward(self, x):
        return torch.stack([x[:, 0].mean((1, 2)), x[:, 1, 0, 0], x[:, 2, :, 0].amax(1)], 1)


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_the_least_confident_fraction_gets_the_views(fraction):
    images = torch.from_numpy(RNG.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8))
    split = Split(images, torch.zeros(40, dtype=torch.int64), torch.full((3,), 0.5), torch.full((3,), 0.25))
    world = World(0, 1, torch.device("cpu"))
    found, plain, six = (
        predict(Table(), split, tta, 7, world, s) for tta, s in (("six", fraction), ("none", 1.0), ("six", 1.0))
    )
    sure = plain.softmax(1).max(1).values.numpy()
    unsure = set(np.argsort(sure, kind="stable")[: int(np.ceil(fraction * 40))])
    for i in range(40):
        torch.testing.assert_close(found[i], six[i] if i in unsure else plain[i])
