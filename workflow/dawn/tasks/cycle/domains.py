"""Two domains of images for a CycleGAN: unpaired to train with, paired to test with where the truth is known.

    python -m dawn.tasks.cycle.domains --params params.yaml --data data

The section domains says what they are: classes of the arrays in ``--data``, the same images transformed, or drawn
shapes. Writes to ``--data`` domain_a_train.npy, domain_b_train.npy, domain_a_test.npy and domain_b_test.npy, uint8
(n, h, w, 3). Where there is a truth, row i of both test files is the same image, and domain_a_train_in_b.npy and
domain_b_train_in_a.npy are the train images in the other domain. Last, domains.json says what they are.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.config.experiment import load
from dawn.config.records import Named
from dawn.core import cli, files, reading
from dawn.core.cli import InputError, quoted
from dawn.data.splits import load_split
from dawn.runtime.streams import stream
from dawn.tasks.cycle.colours import grey, hue_turned
from dawn.tasks.cycle.settings import LEAST, OTHERS, TESTS, TRAINS, Domains
from dawn.tasks.cycle.styles import draw_pairs

Images = NDArray[np.uint8]
Arrays = dict[str, Images]


def made(data: Path, settings: Domains) -> Arrays:
    """Return the images of both domains; those of the arrays are in ``data``."""
    if settings.kind == "shapes":
        pairs = [draw_pairs(n, settings.seed, part) for n, part in
                 ((settings.train, "a"), (settings.train, "b"), (settings.test, "test"))]  # fmt: skip
        return named(*pairs)
    if settings.kind == "classes":
        arrays = [of_classes(data, split, names, key) for split in ("train", "test")
                 for names, key in ((settings.a, "domains.a"), (settings.b, "domains.b"))]  # fmt: skip
        return dict(zip(TRAINS + TESTS, arrays, strict=True))
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
    classes: list[str] = reading.read_json(data / "dataset.json", Named)["classes"]
    if unknown := [name for name in names if name not in classes]:
        raise InputError(f"{key}: {unknown[0]} is no class of {data}; they are {quoted(', '.join(classes), 300)}")
    images, labels = load_split(data, split)
    rows = np.isin(labels, [classes.index(name) for name in names]) if names else np.ones(len(labels), bool)
    if rows.sum() < LEAST:
        raise InputError(f"{key}: {rows.sum()} {split} images of {', '.join(names)}; at least {LEAST} are needed")
    return np.asarray(images[rows])


def describe(arrays: Arrays, settings: Domains) -> dict[str, Any]:
    """Return the content of domains.json."""
    names = {"shapes": ["filled", "outlined"], "hue": ["images", f"hue turned by {settings.degrees:g} degrees"]}
    names |= {"grey": ["images", "grey"], "classes": [", ".join(settings.a), ", ".join(settings.b)]}
    return {
        "names": names[settings.kind],
        "shape": list(arrays[TRAINS[0]].shape[1:]),
        "counts": {name: len(images) for name, images in arrays.items()},
        "paired": settings.paired,
        "settings": settings.model_dump(mode="json"),
    }


def write(out: Path, arrays: Arrays, description: dict[str, Any]) -> None:
    """Write all arrays, then put them in place, domains.json last; a failure leaves the files of before."""
    with ExitStack() as stack:  # leaves in reverse order
        described = stack.enter_context(files.replacing(out / "domains.json"))
        for name, images in arrays.items():
            with stack.enter_context(files.replacing(out / f"{name}.npy")).open("wb") as file:
                np.save(file, images, allow_pickle=False)
        sums = {name: files.sha256(files.partial_path(out / f"{name}.npy")) for name in arrays}
        digest = hashlib.sha256("".join(sums.values()).encode()).hexdigest()
        described.write_text(json.dumps(description | {"sha256": digest}, indent=2) + "\n", encoding="utf-8")
        for name in (*TRAINS, *TESTS, *OTHERS):
            if name not in arrays:
                stack.callback((out / f"{name}.npy").unlink, missing_ok=True)


def main() -> None:
    """Parse, make, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data")
    args = parser.parse_args()
    experiment = load(args.params)
    arrays = made(args.data, experiment.domains)
    write(args.data, arrays, describe(arrays, experiment.domains))


if __name__ == "__main__":
    cli.run(main)
