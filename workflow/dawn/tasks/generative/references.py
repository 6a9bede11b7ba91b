"""Compute what all samples are measured by: the judges' features of the real images, and what other images score.

    python -m dawn.tasks.generative.references --params results/params.yaml --data data --stats data/stats.json
        --judges results/judge/seed-0 results/judge/seed-1 results/judge/seed-2 --out results/references/references.json

Writes judge-N.npz, the features of each judge N, and last references.json: of each measure the value of one half of
the test split against the other, of copies of train images, noise, blurred images and images of one class. Test images
that are almost train images are reported, and refused if they are more than half of the test split.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.array_file import save_arrays
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.data.splits import load_split
from dawn.measures import evaluation
from dawn.measures.copying import nearest_pixels, ratio
from dawn.measures.image_sets import Images, image_sets
from dawn.tasks.generative.judges import Judge, features_file, judges

ALMOST = 0.2  # distance of a test image to the nearest train image over that to the next, if it is almost the same


def seen(judge: Judge, images: dict[str, Images], train: Images) -> evaluation.Judge:
    """Return a judge's features of sets of images and, in the layer of the nearest neighbours, of the train split."""
    features = {name: judge.features(pixels) for name, pixels in images.items()}
    layers = {
        layer: {name: by_layer[layer] for name, by_layer in features.items()}
        for layer in ("penultimate", "middle", "random")
    }
    layers[evaluation.COPYING]["train"] = judge.of_train(train).middle
    return evaluation.Judge(layers, {"test": features["test"]["logits"]})


def unlike_train(test: Images, train: Images) -> evaluation.Ratios:
    """The ratios (n,) of the test images by their pixels: near 0 where one is almost a train image, else near 1.

    Print how many are almost train images; InputError if they are more than half.
    """
    ratios = ratio(nearest_pixels(test, train)[0])
    same, n = int((ratios < ALMOST).sum()), len(test)
    if 2 * same > n:
        raise InputError(
            f"data: {same:,} of {n:,} test images are train images or almost so, and measures against them say nothing "
            "of new images; take other images for the test split"
        )
    if same:
        print(f"{same:,} of {n:,} test images are train images or almost so", file=sys.stderr)
    return ratios


def main() -> None:
    """Parse, compute, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data", "stats")
    parser.add_argument("--judges", type=Path, nargs="+", required=True, help="directories of the judges' seeds")
    cli.add_out(parser, "the references, JSON")
    args = parser.parse_args()
    (train, train_labels), (test, labels) = (load_split(args.data, split) for split in ("train", "test"))
    images = {"test": np.ascontiguousarray(test), **image_sets(train, train_labels, len(test))}
    pixels = unlike_train(images["test"], train)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    views, trained = [], judges(args.judges, args.data, args.stats, device)
    for judge in trained:
        views.append(seen(judge, images, train))
        layers = {layer: {name: f for name, f in sets.items() if name in ("test", "train")}
                  for layer, sets in views[-1].layers.items()}  # fmt: skip
        arrays = {f"{layer}/{name}": f for layer, sets in layers.items() for name, f in sets.items()}
        arrays["logits/test"] = views[-1].logits["test"]
        save_arrays(features_file(args.out, judge), compressed=False, **arrays)
    neighbours = load(args.params).measures.neighbours
    scores = evaluation.references(views, images, labels, neighbours, pixels=pixels)
    checksums = [judge.about()["sha256"] for judge in trained]
    write_json(args.out, {"neighbours": neighbours, "judges": checksums, "pixels": pixels.tolist(), "measures": scores})


if __name__ == "__main__":
    cli.run(main)
