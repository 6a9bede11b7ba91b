"""Arrays of noise in place of images, which cost the same, as dawn.arrays writes them."""

from pathlib import Path

import numpy as np

from dawn.core.files import write_json

MEAN, STD = [0.49, 0.48, 0.45], [0.25, 0.24, 0.26]


def write_noise(folder: Path, train: int, test: int = 3) -> Path:
    """Write ``train`` and ``test`` images of ten classes with their statistics. Return the folder."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        np.save(folder / f"{split}_images.npy", rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8))
        np.save(folder / f"{split}_labels.npy", (np.arange(count) % 10).astype(np.uint8))
    write_json(folder / "dataset.json", {"classes": [str(i) for i in range(10)]})
    write_json(folder / "stats.json", {"mean": MEAN, "std": STD})
    return folder
