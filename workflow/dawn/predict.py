"""Classify images with a trained network, or with the networks of several seeds averaged.

    python -m dawn.predict --model results/seed-0 photo.jpg photos/
    python -m dawn.predict --format json --model results/seed-0 results/seed-1 photo.jpg

Prints a table, JSON or CSV. The images may have any size, grey or colour, as PNG, JPEG, WebP, GIF, BMP, TIFF, PPM, AVIF
or HEIC; a folder stands for the image files below it, but hidden ones. They are brought to the network's input as
model.safetensors says.
With several networks, std is the standard deviation over them of the printed class's probability, agreement the
fraction of them that would print this class alone. Files that cannot be used are named at the end, and the exit code is
1.
"""

import sys
from pathlib import Path
from typing import get_args

import torch

from dawn.config.types import Views
from dawn.core import cli
from dawn.data.collection.walk import image_files
from dawn.tasks.classify.serving.prediction import FORMATS, predictions
from dawn.tasks.classify.serving.predictor import SUFFIX, WEIGHTS, Predictor, add_network


def separated(places: list[Path]) -> tuple[list[Path], list[Path]]:
    """The models and the images among what follows ``--model``, which argparse cannot tell apart.

    The first is a model, and so is a directory that holds weights, or a file of weights.
    """
    named = [not i or p.suffix == SUFFIX or (p / WEIGHTS).exists() for i, p in enumerate(places)]
    models, images = (
        [p for p, is_model in zip(places, named, strict=True) if is_model is kind] for kind in (True, False)
    )
    return models, images


def main() -> None:
    """Parse, predict, print."""
    parser = cli.parser(main)
    parser.add_argument("images", type=Path, nargs="*", help="image files, and folders of them")
    parser.add_argument(
        "--model", type=Path, action="extend", nargs="+", required=True, metavar="SEED",
        help="directories of seeds, or their weights; images may follow",
    )  # fmt: skip
    add_network(parser)
    parser.add_argument("--format", choices=FORMATS, default="table", help="of what is printed (table)")
    parser.add_argument("--top", type=int, default=3, help="most likely classes in a table or JSON (%(default)d)")
    parser.add_argument("--tta", choices=get_args(Views), default="none", help="views averaged (none)")
    args = parser.parse_args()
    if args.top < 1:
        raise cli.InputError(f"--top {args.top}: at least 1")
    models, images = separated(args.model)
    if not (images := [*args.images, *images]):
        raise cli.InputError("no image is given; name image files, or folders of them")
    files, faults = image_files(images)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    predictor = Predictor(models, device, args.tta, args.network)
    results = list(predictions(predictor, files, faults))
    if results:
        print(FORMATS[args.format](results, predictor.classes, args.top), end="")
    if faults:
        print(*faults, sep="\n", file=sys.stderr)
        raise cli.InputError(f"{len(faults)} of the paths given could not be used; they are named above")


if __name__ == "__main__":
    cli.run(main)
