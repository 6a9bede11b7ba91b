"""Where a training that is repeated first differs from the published one."""

import json
import shutil

import numpy as np
import pytest
from conftest import ROOT, experiment
from cycles import TINY as CYCLE
from cycles import domains
from damage import run
from gan_training import TINY_GAN

from dawn.config.experiment import merge
from dawn.core.files import write_json
from dawn.data import dataset
from dawn.engine.checkpoint import Checkpoints
from dawn.reproduction import differences as compared
from dawn.reproduction import replay
from dawn.reproduction.analyses import Published
from dawn.reproduction.publication import Publication
from dawn.reproduction.replay import compare
from dawn.results.provenance import here

PLACES = ["data", "initial weights", "first step", "every epoch", "final weights", "evaluation", "measures"]
TASK = experiment().declared


@pytest.fixture(scope="module")
def seeds(data, tmp_path_factory):
    """Trains and evaluates seed 0 with settings merged over the tiny experiment, on the data or other data."""
    folder = tmp_path_factory.mktemp("seeds")

    def make(name, arrays=data, seed=0, **over):
        params, out = folder / f"{name}.json", folder / name / f"seed-{seed}"
        write_json(params, experiment(**over).model_dump(mode="json"))
        both = ("--params", params, "--data", arrays, "--stats", arrays / "stats.json", "--out", out)
        done = run("train", *both, "--seed", seed, "--resume", folder / f"{name}-resume")
        assert done.code == 0, done.said
        assert run("evaluate", *both, "--model", out / "model.safetensors").code == 0
        return out

    return make


@pytest.fixture(scope="module")
def published(seeds):
    return seeds("published")


def test_the_same_training_is_bit_for_bit_the_same(published, seeds):
    again = compare(published, seeds("again"), TASK)
    assert again.identical
    assert [(place.name, place.equal) for place in again.places] == [(name, True) for name in PLACES]
    assert again.text.startswith("Trained again here, seed 0 is bit for bit the published one: data, initial weights")


@pytest.mark.parametrize(
    ("name", "over", "first"),
    [
        ("crop", {"train": {"augment": {"pad": 2}}}, "first step"),
        ("momentum", {"train": {"schedule": {"momentum": [0.9, 0.85]}}}, "first step (of the optimizer's state alone)"),
        ("initial", {"model": {"bn_init": "ones"}}, "initial weights"),
        ("views", {"evaluate": {"tta": "mirror"}}, "evaluation (predictions.npz)"),
    ],
)
def test_other_settings_are_placed(published, seeds, name, over, first):
    again = compare(published, seeds(name, **over), TASK)
    start = "Trained again here, seed 0 is not bit for bit the published one. The first difference:"
    assert again.text == f"{start} {first}."


def test_a_flipped_label_and_another_order_of_the_images_are_placed_in_the_data(published, seeds, data, tmp_path):
    label = shutil.copytree(data, tmp_path / "label")
    labels = np.load(label / "train_labels.npy")
    labels[7] = (labels[7] + 1) % 3
    np.save(label / "train_labels.npy", labels)
    first = compare(published, seeds("label", label), TASK).first
    assert (first.name, first.text) == ("data", "train_labels.npy")
    order = shutil.copytree(data, tmp_path / "order")
    for part in ("images", "labels"):
        np.save(order / f"train_{part}.npy", np.load(order / f"train_{part}.npy")[::-1])
    first = compare(published, seeds("order", order), TASK).first
    assert (first.name, first.text) == ("data", "train_images.npy, train_labels.npy")


def test_another_order_of_the_batches_is_placed_in_the_first_step(published, seeds, monkeypatch):
    drawn = dataset.drawn
    monkeypatch.setattr(dataset, "drawn", lambda *args: tuple(array[::-1].copy() for array in drawn(*args)))
    assert compare(published, seeds("batches"), TASK).first.name == "first step"


def test_a_change_of_the_second_epoch_is_placed_there(published, seeds, monkeypatch):
    drawn = dataset.drawn
    monkeypatch.setattr(dataset, "drawn", lambda n, augment, seed, epoch: drawn(n, augment, seed, 2 * epoch))
    assert compare(published, seeds("second"), TASK).first.name == "epoch 2"


def test_an_interrupted_training_has_the_checksums_of_a_whole_one(published, seeds, monkeypatch):
    saved = Checkpoints.save
    monkeypatch.setattr(Checkpoints, "delete", lambda self: None)

    def killed(self, values):
        saved(self, values)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", killed)
        with pytest.raises(AssertionError):
            seeds("resumed")
    assert compare(published, seeds("resumed"), TASK).identical
    metrics = json.loads((seeds("resumed") / "metrics.json").read_text())
    assert metrics["resumed"] >= 1
    assert len(metrics["checksums"]["weights"]) == 2 + 2


def test_without_checksums_the_losses_place_a_difference(published, seeds, tmp_path):
    old = shutil.copytree(published, tmp_path / "seed-0")
    metrics = json.loads((old / "metrics.json").read_text())
    del metrics["checksums"]
    write_json(old / "metrics.json", metrics)
    again = compare(old, seeds("again-2"), TASK)
    assert again.identical
    assert {place.name: place.equal for place in again.places}["data"] is None
    write_json(old / "metrics.json", metrics | {"after_first_step": None})
    first = compare(old, seeds("momentum-2", train={"schedule": {"momentum": [0.5, 0.5]}}), TASK).first
    assert (first.name, first.text) == ("epoch 1", "by its losses")


TRAINING = {"threads": compared.cores(), "device": "cpu", "processes": 1, "precision": "fp32"}


@pytest.mark.parametrize(
    ("tiny", "change", "first"),
    [
        (TINY_GAN, {"gan": {"optimizer": {"critic_lr": 1e-3}}}, "first step"),
        (CYCLE, {"cycle": {"cycle_weight": 5}}, "first step"),
    ],
)
def test_a_gan_and_a_cyclegan_are_placed_too(tiny, change, first, data, tmp_path):
    arrays = domains(tmp_path / "domains") if tiny is CYCLE else data

    def places(name, over):
        write_json(tmp_path / f"{name}.json", experiment(**over).model_dump(mode="json"))
        out = tmp_path / name / "seed-0"
        line = ("--params", tmp_path / f"{name}.json", "--data", arrays, "--seed", 0, "--out", out)
        done = run("train", *line, "--resume", tmp_path / f"{name}-resume")
        assert done.code == 0, done.said
        return out

    one, again, other = places("one", tiny), places("again", tiny), places("other", merge(tiny, change))
    metrics = [json.loads((path / "metrics.json").read_text()) for path in (one, again, other)]
    same = [replay.data(*metrics[:2]), *replay.weights(*metrics[:2]), replay.result(one, again)]
    assert [(place.name, place.equal) for place in same] == [(name, True) for name in PLACES[:5]]
    changed = [place for place in replay.weights(metrics[0], metrics[2]) if place.equal is False]
    assert changed[0].name == first


def publication(**over):
    origin = here() | {"code": {"commit": None, "dirty": None}}
    origin |= over.pop("origin", {})
    values = Published.of([90.0, 91.0])
    over["trainings"] = [TRAINING | over.pop("training", {})]
    result = Publication("a", experiment(run={"processes": 1}), TASK.measures[0], values, None, "", provenance=origin)
    return Publication(**vars(result) | over)


def test_what_differs_is_named_and_whether_it_can_change_a_number():
    assert compared.differences(publication(), ROOT, compared.cores()) == []
    packages = here()["packages"] | {"torch": "2.15.0+patched", "pytest": "1.0"}
    (torch, others) = compared.differences(publication(origin={"packages": packages}), ROOT, compared.cores())
    assert (torch.what, torch.published, torch.matters) == ("torch", "2.15.0+patched", True)
    assert (others.what, others.matters) == ("packages: pytest", False)
    (threads,) = compared.differences(publication(training={"threads": 7}), ROOT, 1)
    assert threads == ("threads", "7", "1", True)
    machine = here()["machine"] | {"cpu": "another", "cores": 512}
    rows = {row.what: row.matters for row in compared.differences(publication(origin={"machine": machine}), ROOT,
                                                                 compared.cores())}  # fmt: skip
    assert rows == {"cpu": True, "cores": False}
    gpu = publication(training={"device": "NVIDIA A100", "processes": 2, "precision": "fp16"})
    rows = compared.differences(gpu, ROOT, compared.cores())
    assert rows == [("device", "NVIDIA A100", "cpu", True), ("processes", "2", "1", True)]


def test_the_threads_are_the_published_ones_unless_the_user_sets_them(monkeypatch):
    for name in ("OMP_NUM_THREADS", "DAWN_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert compared.default_threads(publication(training={"threads": 1})) == 1
    assert compared.default_threads(publication(training={"threads": 1 << 15})) == compared.cores()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert compared.default_threads(publication(training={"threads": 1})) == 3
