"""Directories of seeds with untrained weights, for what uses a trained network; and image files."""

import numpy as np
from conftest import experiment
from PIL import Image

from dawn.engine.weights import write_weights
from dawn.tasks.classify.networks.build import build

CLASSES = ["red", "green", "blue"]
CHANNELS = {"mean": [0.3, 0.4, 0.5], "std": [0.2, 0.25, 0.15]}
PREPROCESSING = {"size": 32, "resize": "crop", "final_size": 32, **CHANNELS}


def write_seed(folder, seed=0, classes=CLASSES, preprocessing=PREPROCESSING, **over):
    """A directory of a seed with the initial weights of that seed."""
    made = experiment(**over)
    folder.mkdir(parents=True, exist_ok=True)
    net = build(made.model, len(classes), seed)
    choices = made.text("data", "model", "train")
    write_weights(folder / "model.safetensors", net, choices, list(classes), preprocessing)
    return folder


def pixels(height=40, width=56, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def write_image(path, array=None, **options):
    """An image file in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels() if array is None else array).save(path, **options)
    return path
