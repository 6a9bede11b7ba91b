"""The images of two domains: read from the arrays, transformed or drawn. Imports no torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.config.domains import LEAST, OTHERS, TESTS, TRAINS, Domains
from dawn.core.cli import InputError, quoted
from dawn.core.files import read_json
from dawn.data.colours import grey, hue_turned
from dawn.data.styles import draw_pairs
from dawn.runtime.streams import stream

Images = NDArray[np.uint8]
Arrays = dict[str, Images]


def made(data: Path, settings: Domains) -> Arrays:
    """Return the images of both domains; those of the arrays are in ``data``."""
    if settings.kind == "shapes":
        pairs = [draw_pairs(n, settings.seed, part) for n, part in
                 ((settings.train, "a"), (settings.train, "b"), (settings.test, "test"))]  # fmt: skip
        return named(*pairs)
    if settings.kind == "classes":
        found = [of_classes(data, split, names, key) for split in ("train", "test")
                 for names, key in ((settings.a, "domains.a"), (settings.b, "domains.b"))]  # fmt: skip
        return dict(zip(TRAINS + TESTS, found, strict=True))
    train, test = (of_classes(data, split, settings.a, "domains.a") for split in ("train", "test"))
    order = stream(settings.seed, "halves").permutation(len(train))
    half = len(train) // 2
    parts = (train[order[:half]], train[order[half : 2 * half]], test)
    return named(*((part, transformed(part, settings)) for part in parts))


def named(a: tuple[Images, Images], b: tuple[Images, Images], test: tuple[Images, Images]) -> Arrays:
    """Return pairs (in A, in B) of three parts by the names of their files: for A, for B, for the tests."""
    arrays = (a[0], b[1], *test, a[1], b[0])
    return dict(zip(TRAINS + TESTS + OTHERS, arrays, strict=True))


def transformed(images: Images, settings: Domains) -> Images:
    """Return the images (n, h, w, 3) in domain B, in blocks, because float32 copies of all would be large."""
    blocks = np.array_split(images, max(1, len(images) // 2000))
    change = grey if settings.kind == "grey" else lambda block: hue_turned(block, settings.degrees)
    return np.concatenate([change(block) for block in blocks])


def of_classes(data: Path, split: str, names: Sequence[str], key: str) -> Images:
    """Return the images of the named classes, of all for none, in the order of the arrays."""
    classes: list[str] = read_json(data / "dataset.json")["classes"]
    if unknown := [name for name in names if name not in classes]:
        raise InputError(f"{key}: {unknown[0]} is no class of {data}; they are {quoted(', '.join(classes), 300)}")
    images, labels = _array(data / f"{split}_images.npy"), _array(data / f"{split}_labels.npy")
    rows = np.isin(labels, [classes.index(name) for name in names]) if names else np.ones(len(labels), bool)
    if rows.sum() < LEAST:
        raise InputError(f"{key}: {rows.sum()} {split} images of {', '.join(names)}; at least {LEAST} are needed")
    return np.asarray(images[rows])


def _array(path: Path) -> NDArray[Any]:
    """Return an array without reading it all."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise InputError(f"{path} is not a whole .npy array ({error}); make it with python -m dawn.arrays") from error
    return array
