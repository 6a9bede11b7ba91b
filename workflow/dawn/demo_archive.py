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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.core import cli, files

Floats = NDArray[Any]  # float32 throughout, which the type stubs of numpy lose sight of
Bytes = NDArray[np.uint8]

SIDE = 32
FOLDER = "cifar-10-batches-bin"
TRAIN_PARTS = 5
BATCH = 250  # images drawn at once: what fits the processor's cache
HALF_ROOT = np.float32(0.70710678)


def box(x: Floats, y: Floats) -> Floats:
    """Distance from the middle, counted along the longer axis."""
    return np.maximum(np.abs(x), np.abs(y))


def plus(x: Floats, y: Floats) -> Floats:
    """Signed distance to an upright plus."""
    distance: Floats = np.maximum(np.minimum(np.abs(x), np.abs(y)) - 0.28, box(x, y) - 1.02)
    return distance


def bars(x: Floats, y: Floats) -> Floats:
    """Signed distance to three bars that lie one above the other."""
    height = np.abs(y)
    return np.maximum(np.minimum(height, np.abs(height - 0.73)) - 0.18, box(x, y) - 0.91)


# Signed distance to each shape of size 1, negative inside, y downwards. All cover about the same area.
SHAPES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "disc": lambda x, y: np.sqrt(x * x + y * y) - 0.8,
    "ring": lambda x, y: np.abs(np.sqrt(x * x + y * y) - 0.89) - 0.18,
    "square": lambda x, y: box(x, y) - 0.71,
    "frame": lambda x, y: np.abs(box(x, y) - 0.84) - 0.15,
    "triangle": lambda x, y: np.maximum(0.8660254 * np.abs(x) - 0.5 * y, y) - 0.58,
    "diamond": lambda x, y: (np.abs(x) + np.abs(y) - 1) * HALF_ROOT,
    "plus": plus,
    "cross": lambda x, y: plus((x + y) * HALF_ROOT, (x - y) * HALF_ROOT),
    "bars": bars,
    "columns": lambda x, y: bars(y, x),
}


def main() -> None:
    """The command line."""
    parser = cli.parser(main)
    parser.add_argument("--out", type=Path, required=True, help="the archive, .tar.gz")
    parser.add_argument("--train", type=int, default=6_000, help="training images (%(default)s)")
    parser.add_argument("--test", type=int, default=2_000, help="test images (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other images (%(default)s)")
    options = parser.parse_args()
    for split in ("train", "test"):
        if getattr(options, split) < len(SHAPES):
            raise cli.InputError(f"--{split} {getattr(options, split)}: at least {len(SHAPES)}, one image a class")
    if options.seed < 0:
        raise cli.InputError(f"--seed {options.seed}: at least 0")
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
        own = rows[label :: len(SHAPES)]
        records[own, 0] = label
        for some in batches(own):
            records[some, 1:] = draw(shape, len(some), rng).reshape(len(some), -1)
    return records


def batches(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The rows, a batch at a time."""
    return (rows[first : first + BATCH] for first in range(0, len(rows), BATCH))


def draw(shape: Callable[[Floats, Floats], Floats], count: int, rng: np.random.Generator) -> Bytes:
    """Images (count, 3, 32, 32) uint8 of one shape: the ground, the shape over it, and noise over both."""
    ground = uniform(rng, 0.1, 0.9, count, 3, 1, 1)
    paint = (ground + uniform(rng, 0.2, 0.8, count, 3, 1, 1)) % 1  # far from the ground in every channel
    cover = coverage(shape, count, rng)
    image = ground + cover * (paint - ground) + uneven(count, rng)
    image += uniform(rng, -0.1, 0.1, *image.shape)
    pixels: Bytes = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return pixels


def coverage(shape: Callable[[Floats, Floats], Floats], count: int, rng: np.random.Generator) -> Floats:
    """The share of each pixel that the shape covers, (count, 1, 32, 32), at random size, place and tilt.

    The tilt, up to 13 degrees, is a half-angle tangent: cosine and sine then need no library function.
    """
    size = uniform(rng, 5.5, 10, count, 1, 1, 1)
    tangent = uniform(rng, -0.115, 0.115, count, 1, 1, 1)
    cosine, sine = (1 - tangent**2) / (1 + tangent**2), 2 * tangent / (1 + tangent**2)
    pixel = np.arange(SIDE, dtype=np.float32) - np.float32((SIDE - 1) / 2)
    x = (pixel[None, :] - uniform(rng, -1, 1, count, 1, 1, 1) * (12 - size)) / size
    y = (pixel[:, None] - uniform(rng, -1, 1, count, 1, 1, 1) * (12 - size)) / size
    return np.clip(0.5 - size * shape(cosine * x + sine * y, cosine * y - sine * x), 0, 1)


def uneven(count: int, rng: np.random.Generator) -> Floats:
    """Light (count, 3, 32, 32) that changes smoothly: a random 5x5 grid a channel, bilinear in between."""
    grid = uniform(rng, -0.22, 0.22, count, 3, 5, 5)
    place = np.arange(SIDE, dtype=np.float32) / 8
    left = place.astype(np.int64)
    share = place - left
    rows = grid[:, :, left] * (1 - share)[:, None] + grid[:, :, left + 1] * share[:, None]
    return rows[..., left] * (1 - share) + rows[..., left + 1] * share


def uniform(rng: np.random.Generator, low: float, high: float, *shape: int) -> Floats:
    """Uniform float32 between ``low`` and ``high``."""
    return rng.random(shape, np.float32) * np.float32(high - low) + np.float32(low)


if __name__ == "__main__":
    cli.run(main)
