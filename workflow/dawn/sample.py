"""Make images with a trained GAN: a grid as one PNG file, or a folder of PNG files.

    python -m dawn.sample --model results/seed-0/model.safetensors --count 64 --seed 1 --out grid.png
    python -m dawn.sample --model results/seed-0/model.safetensors --class ship --truncation 1 --out ships/
    python -m dawn.sample --model results/seed-0/model.safetensors --count 8 --interpolate 9 --out between.png

Equal seeds give equal images on a machine, in any number; samples.npy of a seed has those of its own number. A
conditional generator makes all classes in turn, a column for each in the grid, unless --class names one. With
--interpolate each row passes in so many steps from one sample to another, and --count is the number of rows.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dawn.core import cli
from dawn.core.files import replacing
from dawn.tasks.gan.samples import generate
from dawn.tasks.gan.sampling import Images, Labels, between, latents, trained
from dawn.tasks.gan.weights import Trained

MOST = 1_000_000  # images; more can only be a mistyped number


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = cli.parser(main)
    parser.add_argument("--model", type=Path, required=True, help="the weights, safetensors")
    parser.add_argument("--count", type=int, default=64, help="images, or rows of --interpolate (%(default)d)")
    cli.add_seed(parser, "decides the latent vectors (%(default)d)", default=0)
    parser.add_argument("--class", dest="label", help="of a conditional GAN: name or number of a class (all in turn)")
    parser.add_argument("--truncation", type=float, help="draw latent components beyond this again (none)")
    parser.add_argument("--interpolate", type=int, metavar="STEPS", help="images from one sample to another (none)")
    cli.add_out(parser, "NAME.png for a grid, else a folder")
    args = parser.parse_args()
    limits = {"count": (1, MOST), "truncation": (0.01, math.inf), "interpolate": (2, 1000)}
    for name, (low, high) in limits.items():
        if (value := getattr(args, name)) is not None and not low <= value <= high:
            raise cli.InputError(
                f"--{name} {value}: at least {low}" + ("" if high == math.inf else f", at most {high}")
            )
    return args


def label(gan: Trained, name: str) -> int:
    """The number of a class that is given by its name or number."""
    if not gan.settings.conditional:
        raise cli.InputError(f"--class {name}: this GAN was trained without classes (gan.conditional: false)")
    if name in gan.classes:
        return gan.classes.index(name)
    if name.isdecimal() and int(name) < len(gan.classes):
        return int(name)
    raise cli.InputError(
        f"--class {cli.quoted(name)}: none of {', '.join(gan.classes)}, and no number from 0 to {len(gan.classes) - 1}"
    )


def labels_of(gan: Trained, count: int, name: str | None) -> Labels:
    """The classes (count,) of the samples: one, or all in turn."""
    if name is not None:
        return np.full(count, label(gan, name))
    return np.arange(count) % len(gan.classes)


def grid(images: Images, columns: int) -> Images:
    """The images (n, h, w, 3) in rows, with white gaps of two pixels and white where the last row is not full."""
    n, height, width, _ = images.shape
    sheet = np.full((math.ceil(n / columns) * (height + 2) - 2, columns * (width + 2) - 2, 3), 255, np.uint8)
    for i, image in enumerate(images):
        row, column = i // columns * (height + 2), i % columns * (width + 2)
        sheet[row : row + height, column : column + width] = image
    return sheet


def save(path: Path, image: Images) -> None:
    """Write an image (h, w, 3) as PNG, atomically."""
    with replacing(path) as partial:
        Image.fromarray(image).save(partial, format="PNG")


def check_folders(names: Sequence[str]) -> None:
    """InputError for a class whose name is none of a folder in ``--out``: a file of weights may call it anything."""
    if wrong := [name for name in names if name in ("", ".", "..") or "/" in name or not name.isprintable()]:
        raise cli.InputError(f"class {cli.quoted(wrong[0])} cannot name a folder; give --out NAME.png or --class")


def main() -> None:
    """Parse, sample, write."""
    args = arguments()
    gan = trained(args.model)
    is_grid = args.out.suffix.lower() == ".png"
    by_class = gan.settings.conditional and args.label is None and not args.interpolate
    if by_class and not is_grid:
        check_folders(gan.classes)
    labels, size = labels_of(gan, args.count, args.label), gan.settings.generator.latent
    if args.interpolate:
        ends = latents(args.seed, range(2 * args.count), size, args.truncation)
        path = between(ends[::2], ends[1::2], args.interpolate).reshape(-1, size)
        images, columns = generate(gan.generator, path, labels.repeat(args.interpolate)), args.interpolate
    else:
        images = generate(gan.generator, latents(args.seed, range(args.count), size, args.truncation), labels)
        columns = min(args.count, len(gan.classes)) if by_class else math.ceil(math.sqrt(args.count))
    if is_grid:
        save(args.out, grid(images, columns))
        return
    for i, image in enumerate(images):
        folder = args.out / gan.classes[labels[i]] if by_class else args.out
        save(folder / f"{i:06}.png", image)


if __name__ == "__main__":
    cli.run(main)
