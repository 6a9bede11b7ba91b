"""Finished results of each task, small and made in this process, whose files can be damaged."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from conftest import CLASSES, ROOT, experiment, write_colours
from damage import KINDS, Damage, Ended, run
from PIL import Image

from dawn.config.experiment import Experiment
from dawn.core.files import sha256, write_json
from dawn.core.reading import read_json
from dawn.data.preprocessing import Preprocessing
from dawn.engine.weights import write_weights
from dawn.results.curve import write_curve
from dawn.results.manifest import location
from dawn.tasks.classify.curve import EpochMetrics
from dawn.tasks.classify.networks.build import build


@dataclass(frozen=True)
class Made:
    """A folder with data/ and results/, and the commands that read them: name, arguments, files that it reads."""

    root: Path
    commands: Sequence[tuple[str, tuple[object, ...], set[str]]]

    def damaged(self, path: Path, damage: Damage, whole: bytes) -> list[tuple[str, Ended]]:
        """How the commands end that read a damaged file, whose checksum is in its manifest; it is whole afterwards."""
        path.write_bytes(damage.change(whole))
        manifest = location(path.parent)
        before = manifest.read_bytes() if manifest.is_file() else None
        try:
            if before is not None:
                known = read_json(manifest)
                write_json(manifest, known | {"sha256": known["sha256"] | {path.name: sha256(path)}})
            names = {path.name, str(path.relative_to(self.root))}
            return [(name, run(name, *arguments)) for name, arguments, read in self.commands if read & names]
        finally:
            path.write_bytes(whole)
            if before is not None:
                manifest.write_bytes(before)

    def files(self) -> list[Path]:
        """The files of data and results that can be damaged."""
        found = [path for part in ("data", "results") for path in sorted((self.root / part).rglob("*"))]
        return [path for path in found if path.is_file() and path.suffix in KINDS]

    def copy(self, folder: Path) -> Path:
        """A copy of the folder."""
        return Path(shutil.copytree(self.root, folder, dirs_exist_ok=True))


def classifier(root: Path) -> Made:
    """Two evaluated seeds of untrained classifiers."""
    data, results = colours(root / "data"), root / "results"
    params, stats = results / "params.yaml", data / "stats.json"
    chosen = experiment(seeds=[0, 1])
    write_settings(root, chosen)
    both, seeds = ("--params", params, "--data", data), [results / f"seed-{seed}" for seed in (0, 1)]
    for number, seed in enumerate(seeds):
        seed.mkdir()
        rows = [EpochMetrics(e, 1 + number / 10, 50.0, 1.0, 40.0 + 20 * e, 0.1, 0.9, 100.0, 5.0 * e) for e in (1, 2)]
        write_curve(seed / "curve.tsv", rows)
        write_json(seed / "metrics.json", training(number, train_loss=1.0, train_accuracy=50.0, monitored="test"))
        net, pre = build(chosen.model, len(CLASSES), number), Preprocessing.of(chosen, data, stats).plain()
        write_weights(seed / "model.safetensors", net, chosen.text("data", "model", "train"), CLASSES, pre)
        more = ("--stats", stats, "--model", seed / "model.safetensors", "--out", seed)
        ended(run("evaluate", *both, *more, "--manifest", location(seed)))
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(root / "photo.png")
    out, plots = root / "out", ("--plots", root / "out")
    metrics, origin, model = (results / f"{name}.json" for name in ("metrics", "provenance", "model"))
    ended(run("model", *both, "--out", model))
    ended(run("summarize", *seeds, "--params", params, "--model", model, "--out", metrics, "--plots", results))
    ended(run("provenance", "--root", ROOT, "--data", data, "--out", origin))
    of_run = ("--params", params, "--metrics", metrics, "--provenance", origin)
    model_file, seed_files = seeds[0] / "model.safetensors", {"evaluation.json", "0.json", "params.yaml"}
    of_training, of_results = seed_files | {"results/seed-0/metrics.json"}, {"results/metrics.json", "provenance.json"}
    return Made(root, (
        ("summarize", (*seeds, "--params", params, "--model", model, "--out", out / "metrics.json", *plots),
         of_training | {"curve.tsv", "confusion.csv", "model.json"}),
        ("summary", (*seeds, *of_run, "--root", root, "--out", out / "summary.md"),
         of_training | of_results | {"curve.tsv"}),
        ("model_card", (*seeds, *of_run, "--out", out / "card.md"), of_training | of_results | {"confusion.csv"}),
        ("provenance", ("--root", root, "--data", data, "--out", out / "provenance.json"), {"dataset.json"}),
        ("dawnbench", ("--params", params, "--seed", seeds[0]), {"results/seed-0/metrics.json", "curve.tsv"}),
        ("compare", (results, results, "--difference", "0.2"), of_training | of_results | {"predictions.npz"}),
        ("measurement", (results, "--measurement", out / "measurement.json"), of_training | of_results),
        ("predict", ("--model", *seeds, root / "photo.png"), {"model.safetensors"}),
        ("evaluate", (*both, "--stats", stats, "--model", model_file, "--out", out / "seed-0"),
         {"model.safetensors", "stats.json", "test_images.npy", "test_labels.npy", "dataset.json"}),
        ("crate", ("--root", root, "--results", results, "--data", data, "--out", out / "crate.zip"),
         {"provenance.json", "dataset.json", "0.json"}),
        ("plot", (*seeds, *both, "--out", out / "plots"),
         of_training | {"dataset.json", "test_images.npy", "predictions.npz", "curve.tsv", "model.safetensors"}),
    ))  # fmt: skip


def ended(how: Ended) -> None:
    """Fail unless a command did what it was to do."""
    assert how.code == 0, how.said


def training(seed: int, **more: object) -> dict[str, object]:
    """metrics.json of a seed."""
    return {
        "seed": seed, "epochs": 2, "steps": 12, "seconds": 10.0, "images_per_s": 100.0, "peak_memory_bytes": 5,
        "device": "cpu", "processes": 1, "precision": "fp32", "seconds_by_phase": {"train": 10.0},
        "seconds_untimed": {"load": 3.0, "build": 1.0, "compile": 2.0}, "resumed": 0, "first_step": 0,
        "after_first_step": f"{seed}" * 16, **more,
    }  # fmt: skip


def colours(folder: Path) -> Path:
    """Write 30 train and 12 test images of three colours, with their description and statistics."""
    counts = {"train": 30, "test": 12}
    return write_colours(folder, counts, counts=counts, shape=[32, 32, 3], sha256="0" * 64, archive="colours.tar.gz")


def gan(root: Path) -> Made:
    """Two seeds of a GAN with untrained networks, measured in the features of linear judges."""
    from gan_files import CLASSES as OF_GAN
    from gan_files import run as made

    from dawn.tasks.gan import weights
    from dawn.tasks.gan.networks import build as both

    network = {"architecture": "dcgan", "width": 4, "extra_layers": 0}
    chosen = experiment(
        task="gan", seeds=[0, 1], gan={"generator": {**network, "latent": 8}, "critic": network, "conditional": True}
    )
    seeds = made(root, **chosen.model_dump(mode="json")["gan"])
    results, data, out = root / "results", root / "data", root / "out"
    for number, seed in enumerate(seeds):
        generator, critic = both(chosen.gan, len(OF_GAN), 16, number)
        choices = chosen.text("data", "gan")
        weights.write(seed / "model.safetensors", generator, critic, choices, OF_GAN, 16)
        known = read_json(location(seed))
        known["sha256"]["model.safetensors"] = sha256(seed / "model.safetensors")
        write_json(location(seed), known)
    dataset = read_json(data / "dataset.json") | {"sha256": "0" * 64, "archive": "colours.tar.gz"}
    write_json(data / "dataset.json", dataset)
    return _generated(root, chosen, seeds, (
        ("sample", ("--model", seeds[0] / "model.safetensors", "--count", 4, "--out", out / "grid.png"),
         {"model.safetensors"}),
        ("plot", (*seeds, "--params", results / "params.yaml", "--data", data, "--out", out / "plots"),
         {"evaluation.json", "curve.tsv", "dataset.json", "test_images.npy", "samples.npy", "sample_labels.npy",
          "progress.npy", "interpolation.npy", "train_images.npy"}),
    ))  # fmt: skip


def cycle(root: Path) -> Made:
    """Two evaluated seeds of untrained CycleGANs of drawn shapes."""
    from cycles import domains, settings

    from dawn.tasks.cycle import weights
    from dawn.tasks.cycle.curve import CycleMetrics
    from dawn.tasks.cycle.networks import build as networks

    data, results, out = domains(root / "data", test=6), root / "results", root / "out"
    chosen = settings({"test": 6}, epochs=2, samples_every=1).model_copy(update={"seeds": (0, 1)})
    seeds = [results / f"seed-{seed}" for seed in (0, 1)]
    write_settings(root, chosen)
    both = ("--params", results / "params.yaml", "--data", data)
    for number, seed in enumerate(seeds):
        seed.mkdir()
        rows = [CycleMetrics(e, 1 + number / 10, 0.5, 0.4, 0.3, 10.0 + e, 1e-3, 50.0, 4.0 * e) for e in (1, 2)]
        write_curve(seed / "curve.tsv", rows)
        write_json(seed / "metrics.json", training(number, parameters=100, psnr=12.0))
        nets = networks(chosen.cycle, 32, number)
        described = {"size": 32, "resize": "crop"}
        choices = chosen.text("data", "domains", "cycle")
        weights.write(seed / "model.safetensors", nets, choices, ["filled", "outlined"], described)
        np.save(seed / "progress.npy", np.zeros((2, 12, 32, 32, 3), np.uint8))
        more = ("--model", seed / "model.safetensors", "--out", seed, "--manifest", location(seed))
        ended(run("evaluate", *both, *more))
    (root / "photos").mkdir()
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(root / "photos/photo.png")
    return _generated(root, chosen, seeds, (
        ("translate", ("--model", seeds[0], "--in", root / "photos", "--out", out / "photos"), {"model.safetensors"}),
        ("evaluate", (*both, "--model", seeds[0] / "model.safetensors", "--out", out / "seed-0"),
         {"domains.json", "domain_a_test.npy", "domain_b_train.npy"}),
        ("plot", (*seeds, *both, "--out", out / "plots"),
         {"evaluation.json", "curve.tsv", "progress.npy", "in_a.npy", "back_a.npy", "domain_a_test.npy"}),
    ))  # fmt: skip


def write_settings(root: Path, chosen: Experiment) -> None:
    """Write params.yaml of the results and of the checkout."""
    (root / "results").mkdir(exist_ok=True)
    for path in (root / "results/params.yaml", root / "params.yaml"):
        path.write_text(yaml.safe_dump(chosen.model_dump(mode="json")))
    (root / "Snakefile").touch()


def _generated(root: Path, chosen: Experiment, seeds: Sequence[Path], commands: tuple[Any, ...]) -> Made:
    """The summary of a GAN or a CycleGAN, and the commands that read it too."""
    write_settings(root, chosen)
    data, results, out = root / "data", root / "results", root / "out"
    params, about = results / "params.yaml", chosen.declared.about
    metrics, origin, model = (results / f"{name}.json" for name in ("metrics", "provenance", "model"))
    write_json(model, {"parameters": 100, "flops": 1000, "generator": {"parameters": 50, "flops": 400}})
    summarize = (*seeds, "--params", params, "--model", model, "--plots")
    ended(run("summarize", *summarize, results, "--out", metrics))
    provenance = ("--root", root, "--data", data, "--about", about)
    ended(run("provenance", *provenance, "--out", origin))
    of_run = ("--params", params, "--metrics", metrics, "--provenance", origin)
    of_training = {"evaluation.json", "0.json", "results/seed-0/metrics.json"}
    of_results = {"results/metrics.json", "provenance.json"}
    return Made(root, (
        ("summarize", (*summarize, out, "--out", out / "metrics.json"), of_training | {"curve.tsv", "model.json"}),
        ("summary", (*seeds, *of_run, "--root", root, "--out", out / "summary.md"),
         of_training | of_results | {"curve.tsv"}),
        ("provenance", (*provenance, "--out", out / "provenance.json"), {about}),
        ("compare", (results, results, "--difference", "0.2"), of_training | of_results),
        ("measurement", (results, "--measurement", out / "measurement.json"), of_training | of_results),
        *commands,
    ))  # fmt: skip
