"""Translate images of one's own with a trained CycleGAN.

    python -m dawn.translate --model results/seed-0 --in photos --out translated
    python -m dawn.translate --model results/seed-0 --to a --in photos --out translated

Each image file below ``--in`` is brought to the size that the network was trained with, as model.safetensors says,
translated into domain B (``--to a``: into A), and written to the same place below ``--out`` as PNG: a.jpg becomes
a.jpg.png. Files that cannot be read are named at the end, and the exit code is 1; the others are written.
"""

import sys
from pathlib import Path

import torch
from PIL import Image

from dawn.core import cli
from dawn.core.cli import InputError, printable
from dawn.core.files import replacing
from dawn.data.collection.walk import image_files
from dawn.data.image_file import read_image
from dawn.tasks.cycle.translation import translate
from dawn.tasks.cycle.weights import Trained, restored


def translated(trained: Trained, files: list[Path], source: Path, out: Path, to: str) -> list[str]:
    """Translate each file, one at a time, and return what could not be read."""
    generator = trained.nets.to_a if to == "a" else trained.nets.to_b
    faults = []
    for path in files:
        try:
            image = read_image(path, trained.size, "stretch" if trained.resize == "stretch" else "crop")
        except InputError as error:
            faults.append(f"{printable(str(path))}: {error}")
            continue
        with replacing(out / f"{path.relative_to(source)}.png") as partial:
            Image.fromarray(translate(generator, image[None])[0]).save(partial, "PNG")
    return faults


def main() -> None:
    """Parse, translate, write."""
    parser = cli.parser(main)
    parser.add_argument("--model", type=Path, required=True, help="directory of a seed, or its model.safetensors")
    parser.add_argument("--in", dest="source", type=Path, required=True, help="a folder of images")
    parser.add_argument("--to", choices=("a", "b"), default="b", help="the domain to translate into (%(default)s)")
    cli.add_out(parser, "folder for the translations, PNG")
    args = parser.parse_args()
    if not args.source.is_dir():
        raise InputError(f"--in {args.source} is no folder; name a folder of images")
    if args.out.resolve().is_relative_to(args.source.resolve()):
        raise InputError(f"--out {args.out} is in --in {args.source}, of which every image is translated; name another")
    files, missing = image_files([args.source])
    if missing:
        raise InputError(missing[0])
    trained = restored(args.model / "model.safetensors" if args.model.is_dir() else args.model)
    trained.nets.module.to("cuda" if torch.cuda.is_available() else "cpu")
    if faults := translated(trained, files, args.source, args.out, args.to):
        print(*faults, sep="\n", file=sys.stderr)
        raise InputError(f"{len(faults)} of {len(files)} images could not be read; they are named above")
    print(f"{len(files)} images in domain {trained.names['ab'.index(args.to)]}: {args.out}", file=sys.stderr)


if __name__ == "__main__":
    cli.run(main)
