"""The files of trained and evaluated seeds of a GAN, measured for real in the features of linear judges."""

from pathlib import Path

import numpy as np
import torch
from conftest import experiment

from dawn.config import registry
from dawn.core.files import sha256, write_json
from dawn.engine.weights import write_weights
from dawn.measures.evaluation import Judge, evaluation, references
from dawn.measures.image_sets import image_sets
from dawn.measures.kid import kid
from dawn.results.curve import write_curve
from dawn.results.manifest import choices, location
from dawn.tasks.gan.curve import GanMetrics
from dawn.tasks.generative.references import unlike_train

CLASSES = ["red", "green", "blue"]
TEST, KEPT = 60, 8  # test images, which samples are as many as; latents whose samples are kept along the training


def coloured(count: int, seed: int, noise: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (n, 16, 16, 3) of three classes, each brighter in a channel, and their labels (n,)."""
    labels = np.arange(count) % 3
    images = np.random.default_rng(seed).integers(0, noise, (count, 16, 16, 3), dtype=np.uint8)
    images[np.arange(count), :, :, labels] += 60
    return images, labels


def seen(images: np.ndarray, judge: int) -> dict[str, np.ndarray]:
    """Features of three layers, of random projections, and logits: the means of the channels."""
    rng = np.random.default_rng(judge)
    flat = images.reshape(len(images), -1) / 2550
    layers = {layer: (flat @ rng.normal(size=(flat.shape[1], 6))).astype(np.float32)
              for layer in ("penultimate", "middle", "random")}  # fmt: skip
    return layers | {"logits": images.mean((1, 2))}


def judge(sets: dict[str, np.ndarray], number: int) -> Judge:
    """What a judge makes of sets of images."""
    each = {name: seen(images, number) for name, images in sets.items()}
    layers = {layer: {name: e[layer] for name, e in each.items()} for layer in ("penultimate", "middle", "random")}
    return Judge(layers, {name: e["logits"] for name, e in each.items()})


def data(folder: Path) -> Path:
    """The arrays of 90 train and 60 test images, and dataset.json."""
    folder.mkdir(parents=True)
    for seed, (split, count) in enumerate({"train": 90, "test": TEST}.items()):
        for name, array in zip(("images", "labels"), coloured(count, seed), strict=True):
            np.save(folder / f"{split}_{name}.npy", array)
    write_json(folder / "dataset.json", {"classes": CLASSES, "shape": [16, 16, 3], "counts": {"train": 90, "test": 60}})
    return folder


def run(folder: Path, seeds: int = 2, **gan: object) -> list[Path]:
    """Directories of seeds of two epochs, whose samples are noisier than the data in ``folder / "data"``."""
    arrays = data(folder / "data")
    train, test = (np.load(arrays / f"{split}_images.npy") for split in ("train", "test"))
    labels = np.load(arrays / "test_labels.npy")
    sets = image_sets(train, np.load(arrays / "train_labels.npy"), TEST)
    judges, pixels = [judge({"train": train, "test": test, **sets}, j) for j in (0, 1)], unlike_train(test, train)
    known = references(judges, {"test": test, **sets}, labels, pixels=pixels)
    return [seed(folder / f"results/seed-{n}", n, train, test, labels, known, gan) for n in range(seeds)]


def seed(
    path: Path, number: int, train: np.ndarray, test: np.ndarray, labels: np.ndarray, known: dict, gan: dict
) -> Path:
    """All files of one seed."""
    path.mkdir(parents=True)
    samples = coloured(TEST, 100 + number, noise=180)[0]
    judges = [judge({"train": train, "test": test, "samples": samples}, j) for j in (0, 1)]
    found = evaluation(judges, samples, test, known, labels, train=train, pixels=unlike_train(test, train))
    progress = np.stack([coloured(KEPT, 7, noise)[0] for noise in (190, 150)])
    along = [kid(seen(row, 0)["penultimate"], judges[0].layers["penultimate"]["test"]).entry() for row in progress]
    about = [{"seed": j, "sha256": f"{j}" * 64, "accuracy": 90.0 + j} for j in (0, 1)]
    extra = {"judges": about, "conditional": bool(gan.get("conditional")), "class_names": CLASSES, "progress": along}
    write_json(path / "evaluation.json", extra | found)
    rows = [GanMetrics(e, 10 * e, -1.0 / e, 0.5, 1.0 / e, -0.5, 1e-4, 500.0, 8.0 * e) for e in (1, 2)]
    write_curve(path / "curve.tsv", rows)
    write_json(path / "metrics.json", {
        "seed": number, "epochs": 2, "generator_steps": 20, "seconds": 16.0, "images_per_s": 100.0,
        "peak_memory_bytes": 5, "parameters": 1234, "device": "cpu", "processes": 1,
        "precision": "fp32", "resumed": 0, "seconds_by_phase": {"train": 16.0}, "seconds_untimed": {"load": 1.0},
    })  # fmt: skip
    np.save(path / "samples.npy", samples)
    np.save(path / "sample_labels.npy", labels.astype(np.uint8))
    np.save(path / "progress.npy", progress)
    np.save(path / "interpolation.npy", coloured(12, 3)[0].reshape(3, 4, 16, 16, 3))
    write_weights(path / "model.safetensors", torch.nn.Linear(1, 1), experiment().text("data"), [], {})
    sums = {name: sha256(path / name) for name in registry.task("gan").seed_files if (path / name).is_file()}
    chosen = experiment(task="gan", gan=gan)
    write_json(location(path), {"choices": choices(chosen, *chosen.decided_by), "sha256": sums})
    return path
