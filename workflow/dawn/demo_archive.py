"""Draw a small CIFAR-shaped archive, so that the whole workflow runs without a network.

    python -m dawn.demo_archive --out resources/demo.tar.gz

Ten shapes on uneven ground, 32x32 RGB, in the layout of cifar-10-binary.tar.gz: a record is one label byte
and 3072 pixel bytes, the R, G and B planes. Colour, size and position do not depend on the class, so a classifier
must use the shape; mirroring an image, or moving it by 4 pixels, leaves its class what it is. A split
depends on its own size and the seed alone. Drawing uses no operation that rounds differently from one machine
to another, so the pixels are the same everywhere.
"""

import gzip
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawn.core import cli, files
from dawn.data.shapes import SHAPES, SIDE, Floats, coverage, distances, uneven, uniform

Bytes = NDArray[np.uint8]

FOLDER = "cifar-10-batches-bin"
TRAIN_PARTS = 5
BATCH = 250  # images drawn at once: what fits the processor's cache


def main() -> None:
    """The command line."""
    parser = cli.parser(main)
    parser.add_argument("--out", type=cli.output, required=True, help="the archive, .tar.gz")
    parser.add_argument("--train", type=int, default=6_000, help="training images (%(default)s)")
    parser.add_argument("--test", type=int, default=2_000, help="test images (%(default)s)")
    cli.add_seed(parser, "another seed, other images (%(default)s)", default=0)
    options = parser.parse_args()
    for split in ("train", "test"):
        if getattr(options, split) < len(SHAPES):
            raise cli.InputError(f"--{split} {getattr(options, split)}: at least {len(SHAPES)}, one image a class")
    write_archive(options.out, options.train, options.test, options.seed)


def write_archive(path: Path, train: int, test: int, seed: int) -> None:
    """Write the gzipped tar, atomically; the same arguments give the same bytes."""
    parts = np.array_split(draw_split(train, np.random.default_rng([seed, 0])), TRAIN_PARTS)
    members = {f"data_batch_{number}.bin": part.tobytes() for number, part in enumerate(parts, 1)}
    members["test_batch.bin"] = draw_split(test, np.random.default_rng([seed, 1])).tobytes()
    members["batches.meta.txt"] = "".join(f"{shape}\n" for shape in SHAPES).encode()
    with (
        files.replacing(path) as partial,
        partial.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in members.items():
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def draw_split(count: int, rng: np.random.Generator) -> Bytes:
    """Records (count, 3073) uint8 in random order, the classes equally often (give or take one image)."""
    records = np.empty((count, 1 + 3 * SIDE * SIDE), np.uint8)
    rows = rng.permutation(count)
    for label, shape in enumerate(SHAPES.values()):
        of_class = rows[label :: len(SHAPES)]
        records[of_class, 0] = label
        for some in batches(of_class):
            records[some, 1:] = draw(shape, len(some), rng).reshape(len(some), -1)
    return records


def batches(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The rows, a batch at a time."""
    return (rows[first : first + BATCH] for first in range(0, len(rows), BATCH))


def draw(shape: Callable[[Floats, Floats], Floats], count: int, rng: np.random.Generator) -> Bytes:
    """Images (count, 3, 32, 32) uint8 of one shape: the ground, the shape over it, and noise over both."""
    ground = uniform(rng, 0.1, 0.9, count, 3, 1, 1)
    paint = (ground + uniform(rng, 0.2, 0.8, count, 3, 1, 1)) % 1  # far from the ground in every channel
    cover = coverage(distances(shape, count, rng))
    image = ground + cover * (paint - ground) + uneven(count, rng)
    image += uniform(rng, -0.1, 0.1, *image.shape)
    pixels: Bytes = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return pixels


if __name__ == "__main__":
    cli.run(main)
