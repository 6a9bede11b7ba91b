"""The archive as arrays: checked, split, and written whole or not at all.

    python -m dawn.arrays --archive resources/cifar-10-python.tar.gz --layout python --out data

writes {train,test}_images.npy, uint8 (n, 32, 32, 3) in RGB, {train,test}_labels.npy, uint8 (n,), the same
for a holdout cut from the train split if there is one, and, last, dataset.json, which says what they are.
"""

import json
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.config import experiment
from dawn.core import cli, files
from dawn.core.cli import InputError
from dawn.data.archive import binary, cifar100, folders, pickles
from dawn.data.archive.dataset import Dataset, Split

READ = {"python": pickles.read, "binary": binary.read, "folders": folders.read}
READ_100 = {"cifar100-python": cifar100.read_python, "cifar100-binary": cifar100.read_binary}
STALE = {"dataset.json", "holdout_images.npy", "holdout_labels.npy"}  # what an earlier run may have left


def main() -> None:
    """Run the step."""
    args = arguments(cli.parser(main)).parse_args()
    classes = settle(args)
    digest = files.sha256(args.archive)
    if args.sha256 and digest != args.sha256.lower():
        raise InputError(f"{args.archive.name}: SHA-256 is {digest}, {args.sha256} is expected; fetch it again")
    both = READ_100.get(args.layout)
    dataset: Dataset = both(args.archive, args.labels) if both else READ[args.layout](args.archive)
    if classes and classes != dataset.classes:
        raise InputError(
            f"{args.archive.name}: has classes {', '.join(dataset.classes)}; "
            f"data.classes of {args.params} expects {', '.join(classes)}"
        )
    splits = {"train": dataset.train, "test": dataset.test}
    if args.holdout:
        splits["train"], splits["holdout"] = cut(dataset, args.holdout, args.seed)
    source = {"layout": args.layout, "archive": args.archive.name, "sha256": digest}
    source |= {"labels": args.labels} if both else {}
    seed = {"holdout_seed": args.seed if args.holdout else None}
    write(args.out, splits, describe(dataset.classes, splits) | source | seed)


def arguments(parser: ArgumentParser) -> ArgumentParser:
    """The parser with the arguments of this step."""
    parser.add_argument("--archive", type=Path, required=True, help="the archive, a tar, gzipped or not")
    parser.add_argument("--layout", choices=[*READ, *READ_100], help="what is in it (default: data.layout of --params)")
    parser.add_argument("--labels", choices=("fine", "coarse"), help="of CIFAR-100 (default: data.labels, or fine)")
    parser.add_argument("--out", type=Path, required=True, help="directory for the arrays")
    parser.add_argument("--params", type=Path, help="params.yaml, for what the options below do not say")
    parser.add_argument("--sha256", help="SHA-256 that the archive must have")
    parser.add_argument("--holdout", type=int, help="images to cut from the train split")
    parser.add_argument("--seed", type=int, help="seed that draws the holdout")
    return parser


def settle(args: Namespace) -> tuple[str, ...] | None:
    """Fill in the options that were not given, from --params or by default. Returns the classes expected."""
    data = experiment.load(args.params).data if args.params else None
    if args.layout is None:
        if data is None:
            raise InputError(f"--layout is missing; give one of {', '.join([*READ, *READ_100])}, or --params")
        args.layout = data.layout
    args.sha256 = args.sha256 or (data.sha256 if data else None)
    args.labels = args.labels or (data.labels if data else "fine")
    if args.holdout is None:
        args.holdout = data.holdout if data else 0
    if args.seed is None:
        args.seed = data.holdout_seed if data else 0
    if args.holdout < 0 or args.seed < 0:
        raise InputError(f"--holdout {args.holdout} and --seed {args.seed} must not be negative")
    return data.classes if data else None


def cut(dataset: Dataset, size: int, seed: int) -> tuple[Split, Split]:
    """The train split less a holdout of ``size`` images, and the holdout, both in the archive's order.

    Classes keep their shares. InputError if a class would have no image left on either side.
    """
    labels = dataset.train.labels
    counts = np.bincount(labels, minlength=len(dataset.classes))
    taken = shares(counts, size)
    if not (taken < counts).all() or not taken.all():
        raise InputError(
            f"a holdout of {size} of {len(labels)} train images leaves a class without images on one side; "
            f"{len(counts)} classes have {counts.min()} to {counts.max()} images"
        )
    generator = np.random.Generator(np.random.PCG64(seed))
    held = np.zeros(len(labels), bool)
    for label, count in enumerate(taken):
        held[generator.permutation(np.flatnonzero(labels == label))[:count]] = True
    train, holdout = (Split(dataset.train.images[side], labels[side]) for side in (~held, held))
    return train, holdout


def shares(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """``size`` divided in proportion to ``counts``, int64 (classes,), by largest remainder, first class."""
    whole, remainder = np.divmod(counts * size, counts.sum())
    largest = np.argsort(-remainder, kind="stable")[: size - whole.sum()]
    whole[largest] += 1
    return whole


def describe(classes: tuple[str, ...], splits: dict[str, Split]) -> dict[str, Any]:
    """What dataset.json says of the arrays."""
    per_class = {name: np.bincount(split.labels, minlength=len(classes)) for name, split in splits.items()}
    return {
        "classes": list(classes),
        "shape": list(splits["train"].images.shape[1:]),
        "counts": {name: len(split.labels) for name, split in splits.items()},
        "class_counts": {name: counts.tolist() for name, counts in per_class.items()},
    }


def write(out: Path, splits: dict[str, Split], description: dict[str, Any]) -> None:
    """Write all arrays beside their places, then put them there, dataset.json last; a failure leaves none."""
    arrays = {f"{name}_images.npy": split.images for name, split in splits.items()}
    arrays |= {f"{name}_labels.npy": split.labels for name, split in splits.items()}
    with ExitStack() as stack:  # leaves in reverse order
        described = stack.enter_context(files.replacing(out / "dataset.json"))
        described.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        for name, array in arrays.items():
            partial = stack.enter_context(files.replacing(out / name))
            with partial.open("wb") as file:
                np.save(file, array, allow_pickle=False)
        stack.callback(discard, out, STALE - set(arrays))


def discard(out: Path, stale: set[str]) -> None:
    """Remove the files that an earlier run left and this one does not replace, or replaces last."""
    for name in stale:
        (out / name).unlink(missing_ok=True)


if __name__ == "__main__":
    cli.run(main)
