"""A folder of small photos, each class of a colour."""

from pathlib import Path

import numpy as np
from seeds import write_image

COLOURS = {"blue sky": (40, 60, 200), "grass": (40, 180, 50), "rose": (200, 40, 80)}


def photos(folder: Path, count: int) -> Path:
    """Write ``count`` photos of each class, of two formats and many sizes, and return the folder."""
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        for i in range(count):
            height, width = rng.integers(50, 90, 2)
            image = np.clip(rng.normal(colour, 40, (height, width, 3)), 0, 255).astype(np.uint8)
            write_image(folder / name / f"{i:02d}.{'jpg' if i % 2 else 'png'}", image)
    return folder
