"""Mean and standard deviation of each colour of the train split, over pixels in [0, 1], exact.

    python -m dawn.stats --data data --out data/stats.json

One pass over the mapped images. Sums are whole numbers until the last division: in a block of 256 images a
column of float32 adds up to at most 256 * 255**2 < 2**24, where float32 is exact; blocks add up in int64.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawn.core import cli, files
from dawn.core.array_file import IMAGES, load_array
from dawn.core.cli import InputError

BLOCK = 256  # images; a larger one would round
CHANNELS = ("red", "green", "blue")


def main() -> None:
    """Run the step."""
    parser = cli.parser(main)
    parser.add_argument("--data", type=Path, required=True, help="directory with train_images.npy")
    parser.add_argument("--out", type=cli.output, required=True, help="JSON file to write")
    parser.add_argument("--params", type=Path, help="accepted, as by every step; nothing in it matters here")
    args = parser.parse_args()
    images = np.ascontiguousarray(load_array(args.data / "train_images.npy", IMAGES))
    mean, std = moments(images)
    for channel, value in zip(CHANNELS, std, strict=True):
        if value == 0:
            raise InputError(
                f"{args.data}: {channel} is the same in every pixel of the train split, so its std is 0 and "
                "images cannot be normalised; use other images"
            )
    pixels = images.shape[0] * images.shape[1] * images.shape[2]
    files.write_json(args.out, {"mean": mean, "std": std, "images": len(images), "pixels": pixels})


def moments(images: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
    """Mean and population std (3,) over all pixels, divided by 255, of images uint8 (n, h, w, 3)."""
    rows = images.reshape(len(images), -1)
    sums, squares = np.zeros((2, rows.shape[1]), np.int64)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK].astype(np.float32)
        sums += np.einsum("ij->j", block).astype(np.int64)
        squares += np.einsum("ij,ij->j", block, block).astype(np.int64)
    n = rows.size // 3
    totals = zip(sums.reshape(-1, 3).sum(0).tolist(), squares.reshape(-1, 3).sum(0).tolist(), strict=True)
    means, spreads = zip(*((s / n / 255, math.sqrt(n * q - s * s) / n / 255) for s, q in totals), strict=True)
    return list(means), list(spreads)


if __name__ == "__main__":
    cli.run(main)
