"""Finished experiments, as far as a study reads their files."""

import numpy as np
import yaml
from conftest import experiment

from dawn.core.files import sha256, write_json, write_text
from dawn.results.curve import write_curve
from dawn.results.manifest import choices, location
from dawn.results.statistics import expected_time, fraction, robust, spread
from dawn.studies import changes
from dawn.tasks.classify.curve import EpochMetrics
from dawn.tasks.gan.curve import GanMetrics

IMAGES, CLASSES = 200, 4
SEEDS = ("seeds_at_chance", "seeds_not_above_chance", "seeds_apart")


def finished(folder, accuracies, archive="0" * 64, predictions=None, **over):
    """A finished experiment of these accuracies by seed: all files that a study reads, with their manifests.

    ``predictions`` are whether each image is right, (seeds, IMAGES); drawn with the accuracies if not given.
    """
    chosen = experiment(seeds=sorted(accuracies), **over)
    for row, (seed, accuracy) in enumerate(accuracies.items()):
        _seed(folder / f"seed-{seed}", seed, accuracy, None if predictions is None else predictions[row])
        _manifest(folder / f"seed-{seed}", chosen)
    values = list(accuracies.values())
    times = [10.0 + v / 100 for v in values]
    percent, positive = spread(values, "percent"), spread(times, "positive")
    target = {"accuracy": 50.0, **fraction(len(values), len(values)), "seeds_in_training": len(values),
              "seconds": positive, "epochs": positive, "dollars": None,
              "expected_seconds": expected_time(times, times)}  # fmt: skip
    metrics = {"seeds": len(values), "accuracy": percent, "target": target, "dollars": None, "parameters": 1000,
               "flops": 2_000_000}  # fmt: skip
    metrics |= dict.fromkeys(("seconds", "images_per_s", "peak_memory_bytes"), positive)
    metrics |= dict.fromkeys(("top5", "loss", "calibration_error", "calibration_error_if_calibrated"), percent)
    metrics |= {"train_loss": positive, "train_accuracy": percent} | {key: [] for key in SEEDS}
    metrics["accuracy"] = percent | robust(values)
    write_json(folder / "metrics.json", metrics)
    write_text(folder / "params.yaml", yaml.safe_dump(chosen.model_dump(mode="json")))
    provenance = {"code": {"commit": "abc", "dirty": False}, "data": {"sha256": archive}, "python": "3.11",
                  "packages": {"torch": "2.11"}, "machine": {"cpu": "a CPU", "cores": 2, "gpus": []}}  # fmt: skip
    write_json(folder / "provenance.json", provenance)
    return folder


def other_settings(outcome):
    """The settings of a study that are others than when it was looked at before, in words."""
    return changes.settings(outcome.past, outcome.look)


def _manifest(path, chosen):
    """Write the manifest of a seed; files that no study reads are not there, and have no true checksum."""
    sums = {name: sha256(path / name) if (path / name).exists() else "0" * 64 for name in chosen.declared.seed_files}
    write_json(location(path), {"choices": choices(chosen, *chosen.decided_by), "sha256": sums})


def _training(seed, seconds, **more):
    return {
        "seed": seed, "seconds": seconds, "images_per_s": 100.0, "peak_memory_bytes": 5, "device": "cpu",
        "processes": 1, "precision": "fp32", "seconds_by_phase": {"train": seconds}, "resumed": 0, **more,
    }  # fmt: skip


def _seed(path, seed, accuracy, right):
    rng, labels = np.random.default_rng(seed), np.arange(IMAGES) % CLASSES
    right = rng.random(IMAGES) < accuracy / 100 if right is None else right
    logits = np.eye(CLASSES, dtype=np.float32)[np.where(right, labels, (labels + 1) % CLASSES)]
    path.mkdir(parents=True, exist_ok=True)
    np.savez(path / "predictions.npz", logits=logits, labels=labels.astype(np.uint8))
    classes = {f"class {i}": {"recall": accuracy, "precision": accuracy} for i in range(CLASSES)}
    write_json(path / "evaluation.json", {
        "images": IMAGES, "accuracy": accuracy, "top5": 100.0, "loss": 1 - accuracy / 100,
        "calibration_error": 0.01, "calibration_error_if_calibrated": 0.01, "seconds": 0.5,
        "classes": classes, "confusion": (np.eye(CLASSES, dtype=int) * (IMAGES // CLASSES)).tolist(),
    })  # fmt: skip
    curve = [EpochMetrics(e, 1.0 + seed / 100, 50.0, 1.0, accuracy * e / 2, 0.1, 0.9, 100.0, 5.0 * e) for e in (1, 2)]
    write_curve(path / "curve.tsv", curve)
    untimed = {"load": 1.0, "monitor": 2.0}
    more = {"seconds_untimed": untimed, "train_loss": 1.0, "train_accuracy": 50.0, "monitored": "test"}
    write_json(path / "metrics.json", _training(seed, 10.0, **more))


def finished_gan(folder, values, kid_random=None, **over):
    """A finished GAN of these values of KID-judge by seed, as far as a study reads its files."""
    chosen = experiment(seeds=sorted(values), task="gan", **over)
    for seed, kid in values.items():
        path = folder / f"seed-{seed}"
        path.mkdir(parents=True, exist_ok=True)
        measures = {
            "kid": kid,
            "coverage": 0.5 - kid,
            "checkerboard_distance": 10 * kid,
            "precision": 0.6,
            "copied": 1.0,
            "kid_random": kid,
        }
        measures |= {} if kid_random is None else {"kid_random": kid_random}
        entries = {
            name: {"value": value, "low": value - 0.01, "high": value + 0.02, "n": 100}
            for name, value in measures.items()
        }
        entries["copied"]["p"] = 0.5
        progress = [{"value": kid * times, "low": 0.0, "high": 1.0} for times in (3, 1)]
        near = {"samples": [0], "train": [[0, 1]], "ratio": [0.9]}
        write_json(path / "evaluation.json", {
            "images": {"samples": 100, "test": 100}, "measures": entries, "progress": progress,
            "seconds": {"sample": 1.0, "measure": 2.0}, "judges": [{"seed": 0, "sha256": "0" * 64, "accuracy": 90.0}],
            "class_names": ["a"], "classes": [{"value": 1.0}], "nearest": near, "nearest_of_first": near,
        })  # fmt: skip
        more = {"seconds_untimed": {"load": 1.0}, "parameters": 2000, "epochs": 2, "generator_steps": 9}
        write_json(path / "metrics.json", _training(seed, 100.0 + seed + 500 * kid, **more))
        write_curve(
            path / "curve.tsv",
            [GanMetrics(e, 9, 1.0 + seed / 100, 1.0, 1.0, 0.0, 1e-4, 50.0, 40.0 * e) for e in (1, 2)],
        )
        _manifest(path, chosen)
    seconds = spread([100.0 + seed for seed in values], "positive")
    metrics = dict.fromkeys(("seconds", "images_per_s", "peak_memory_bytes"), seconds)
    sizes = {"generator_parameters": 2000}
    write_json(folder / "metrics.json", {"seeds": len(values), **metrics, **sizes})
    write_text(folder / "params.yaml", yaml.safe_dump(chosen.model_dump(mode="json")))
    return folder
