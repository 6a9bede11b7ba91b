"""Make samples with a trained GAN, as many as the test split has images, and measure them by the judges.

    python -m dawn.gan_evaluate --params results/params.yaml --data data --stats data/stats.json
        --model results/seed-0/model.safetensors --judges results/judge/seed-0 results/judge/seed-1
        --references results/references/references.json --out results/seed-0 --manifest results/manifests/0.json

Writes samples.npy uint8 (n, h, w, 3), sample_labels.npy uint8 or uint16 (n,): the classes that a conditional generator
was asked for, those of the test split; else the classes that the first judge sees; interpolation.npy uint8 (8, 9, h, w,
3): rows from one sample to another; evaluation.json: the measures (dawn.measures.evaluation) and the judges with their
checksums; and the manifest of the seed. With data.holdout the critic gap is measured, with --cas the accuracy of a
classifier that was trained on samples is added.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, write_json
from dawn.gans.judges import Arrays, Judge, features_file, judges, read_features
from dawn.gans.samples import generate
from dawn.gans.sampling import Images, Labels, between, latents, save_array, scores, trained
from dawn.gans.weights import Trained
from dawn.measures import evaluation
from dawn.measures.classes import class_accuracy
from dawn.measures.estimate import Floats, spaced
from dawn.measures.kid import kid, own_sums
from dawn.results.manifest import choices, header, manifest, same
from dawn.runtime.clock import Clock

PAIRS, STEPS = 8, 9  # rows and columns of interpolation.npy
MOST_SCORED = 10_000  # images of each split whose scores are the critic gap


def evaluate(args: argparse.Namespace, experiment: Experiment) -> dict[str, Any]:
    """Write the samples, and return their evaluation."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    same(args.model, header(args.model), choices(experiment, *experiment.trained_by))
    references = read_json(args.references)
    found = judges(args.judges, args.data, args.stats, device)
    check(references, found, experiment, args.references)
    gan, clock = trained(args.model), Clock(device)
    test, labels = split(args.data, "test")
    wanted = labels.astype(np.int64)
    with clock.phase("sample"):
        made = samples(gan, args.out, wanted, experiment)
    with clock.phase("measure"):
        seen, own = zip(*(seen_by(judge, made, args.references) for judge in found), strict=True)
        result = evaluation.evaluation(
            seen, made, test, references["measures"], wanted if gan.settings.conditional else None,
            critic_scores(gan, args.data, experiment), experiment.measures.neighbours,
            train=split(args.data, "train")[0], pixels=np.array(references["pixels"]),
        )  # fmt: skip
        result["progress"] = progress(found, [judge.layers for judge in seen], args.out / "progress.npy")
    asked = wanted if gan.settings.conditional else own[0].argmax(1)
    save_array(args.out / "sample_labels.npy", asked.astype(np.min_scalar_type(len(gan.classes) - 1)))
    about = {"judges": [judge.about() for judge in found], "conditional": gan.settings.conditional,
             "class_names": gan.classes, "seconds": clock.seconds}  # fmt: skip
    return about | result


def check(references: dict[str, Any], found: list[Judge], experiment: Experiment, path: Path) -> None:
    """Refuse references that are of other judges or of another number of neighbours."""
    if references["neighbours"] != experiment.measures.neighbours:
        raise cli.InputError(
            f"measures.neighbours = {experiment.measures.neighbours}, but {path} has {references['neighbours']}: "
            "set it for all variants alike"
        )
    if "pixels" not in references or references["judges"] != [judge.about()["sha256"] for judge in found]:
        raise cli.InputError(
            f"{path} is of other judges or an earlier version; delete it, and snakemake makes it again"
        )


def split(data: Path, name: str) -> tuple[Images, Labels]:
    """Images uint8 (n, h, w, 3) and labels (n,) of a split."""
    images, labels = (np.load(data / f"{name}_{part}.npy", allow_pickle=False) for part in ("images", "labels"))
    return images, labels


def samples(gan: Trained, out: Path, labels: Labels, experiment: Experiment) -> Images:
    """The samples of these classes, written together with the rows between some of them."""
    seed, size = read_json(out / "metrics.json")["seed"], gan.settings.generator.latent
    drawn = latents(seed, range(max(len(labels), 2 * PAIRS)), size, experiment.measures.truncation)
    made = generate(gan.generator, drawn[: len(labels)], labels)
    rows = between(drawn[: 2 * PAIRS : 2], drawn[1 : 2 * PAIRS : 2], STEPS).reshape(-1, size)
    shown = generate(gan.generator, rows, np.resize(labels[::2], PAIRS).repeat(STEPS)).reshape(
        PAIRS, STEPS, *made.shape[1:]
    )
    save_array(out / "samples.npy", made)
    save_array(out / "interpolation.npy", shown)
    return made


def seen_by(judge: Judge, made: Images, references: Path) -> tuple[evaluation.Judge, Floats]:
    """What a judge makes of the samples next to what it made of the real images, and its logits of the samples."""
    real, own = read_features(features_file(references, judge)), judge.features(made)
    layers: dict[str, Arrays] = {layer: {"samples": own[layer]} for layer in own if layer != "logits"}
    for name, features in real.items():
        layer, _, kind = name.partition("/")
        if layer in layers:
            layers[layer][kind] = features
    logits = {"samples": own["logits"], "test": real["logits/test"]}
    return evaluation.Judge(layers, logits), own["logits"]


def critic_scores(gan: Trained, data: Path, experiment: Experiment) -> tuple[Floats, Floats] | None:
    """The critic's scores of train and of held-out images; None where no images are held out."""
    if not experiment.data.holdout:
        return None
    found = []
    for name in ("train", "holdout"):
        images, labels = split(data, name)
        some = spaced(len(labels), MOST_SCORED)
        found.append(scores(gan, images[some], labels[some].astype(np.int64)))
    return found[0], found[1]


def progress(found: list[Judge], layers: list[Any], path: Path) -> list[dict[str, Any]]:
    """KID of the samples kept along the training, an entry for each row of progress.npy; few images, so uncertain."""
    rows = np.load(path, allow_pickle=False)
    real = [own[evaluation.MAIN]["test"] for own in layers]
    known = [(judge, test, own_sums(test)) for judge, test in zip(found, real, strict=True)]
    return [
        evaluation.entry_of([kid(judge.features(images)[evaluation.MAIN], *test) for judge, *test in known])
        for images in rows
    ]


def main() -> None:
    """Parse the command line, sample, measure, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data", "stats")
    parser.add_argument("--model", type=Path, required=True, help="the trained GAN, safetensors")
    parser.add_argument("--judges", type=Path, nargs="+", required=True, help="directories of the judges' seeds")
    parser.add_argument("--references", type=Path, required=True, help="what dawn.gan_references wrote, JSON")
    parser.add_argument("--cas", type=Path, help="directory of a classifier trained on samples, evaluated (none)")
    cli.add_out(parser, "directory of the seed's results, with metrics.json and progress.npy")
    parser.add_argument("--manifest", type=Path, required=True, help="the manifest of the seed, JSON")
    args = parser.parse_args()
    experiment = load(args.params)
    result = evaluate(args, experiment)
    if args.cas:
        with np.load(args.cas / "predictions.npz", allow_pickle=False) as predictions:
            result["measures"]["cas"] = class_accuracy(predictions["logits"], predictions["labels"]).entry()
    write_json(args.out / "evaluation.json", result)
    write_json(args.manifest, manifest(experiment, args.out))


if __name__ == "__main__":
    cli.run(main)
