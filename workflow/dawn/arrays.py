"""The archive as arrays: checked, split, and written whole or not at all.

    python -m dawn.arrays --archive resources/cifar-10-python.tar.gz --layout python --out data

writes {train,test}_images.npy, uint8 (n, 32, 32, 3) in RGB, {train,test}_labels.npy, uint8 (n,), the same
for a holdout cut from the train split if there is one, and, last, dataset.json, which says what they are.
"""

import hashlib
import json
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.config import experiment
from dawn.core import cli, files
from dawn.core.cli import InputError, quoted
from dawn.data.archive import binary, cifar100, folders, pickles
from dawn.data.archive.contents import SIDE, Contents, Split
from dawn.data.copies import check_copies
from dawn.data.stratified import held_out

READ = {"python": pickles.read, "binary": binary.read, "folders": folders.read}
READ_100 = {"cifar100-python": cifar100.read_python, "cifar100-binary": cifar100.read_binary}

Selection = tuple[Split, NDArray[np.bool_]]  # a split of the archive and which of its images, bool (n,)


def main() -> None:
    """Run the step."""
    args = arguments(cli.parser(main)).parse_args()
    classes = settle(args)
    digest = files.sha256(args.archive)
    if args.sha256 and digest != args.sha256.lower():
        raise InputError(f"{args.archive.name}: SHA-256 is {digest}, {args.sha256} is expected; fetch it again")
    both = READ_100.get(args.layout)
    contents: Contents = both(args.archive, args.labels) if both else READ[args.layout](args.archive)
    if classes and classes != contents.classes:
        raise InputError(
            f"{args.archive.name}: has classes {quoted(', '.join(contents.classes))}; "
            f"data.classes of {args.params} expects {', '.join(classes)}"
        )
    splits = selections(contents, args.holdout, args.seed)
    source = {"layout": args.layout, "archive": args.archive.name, "sha256": digest}
    source |= {"labels": args.labels} if both else {}
    seed = {"holdout_seed": args.seed if args.holdout else None}
    write(args.out, splits, describe(contents.classes, splits) | source | seed)


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


def selections(contents: Contents, holdout: int, seed: int) -> dict[str, Selection]:
    """The images of each split to write: all of them, but for a holdout taken out of the train split."""
    splits = {"train": contents.train, "test": contents.test}
    chosen = {name: (split, np.ones(len(split.labels), bool)) for name, split in splits.items()}
    if holdout:
        held = held_out(contents.train.labels, len(contents.classes), holdout, seed, "holdout")
        chosen |= {"train": (contents.train, ~held), "holdout": (contents.train, held)}
    return chosen


def describe(classes: tuple[str, ...], splits: dict[str, Selection]) -> dict[str, Any]:
    """The content of dataset.json that the arrays decide."""
    counts = {
        name: np.bincount(split.labels[rows], minlength=len(classes)).tolist() for name, (split, rows) in splits.items()
    }
    return {
        "classes": list(classes),
        "shape": [SIDE, SIDE, 3],
        "counts": {name: sum(per_class) for name, per_class in counts.items()},
        "class_counts": counts,
    }


def write(out: Path, splits: dict[str, Selection], description: dict[str, Any]) -> None:
    """Write all arrays to temporary files, then put them in place, dataset.json last; a failure leaves none."""
    with ExitStack() as stack:  # leaves in reverse order
        described = stack.enter_context(files.replacing(out / "dataset.json"))
        described.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        digests = {}
        for name, (split, rows) in splits.items():
            partial = stack.enter_context(files.replacing(out / f"{name}_images.npy"))
            digests[name] = write_images(partial, split, rows)
            with stack.enter_context(files.replacing(out / f"{name}_labels.npy")).open("wb") as file:
                np.save(file, split.labels[rows], allow_pickle=False)
        check_copies(digests["train"] + digests.get("holdout", []), digests["test"], description["archive"])
        stale = {f"holdout_{part}.npy" for part in ("images", "labels") if "holdout" not in splits}
        stack.callback(discard, out, {"dataset.json"} | stale)


def write_images(path: Path, split: Split, rows: NDArray[np.bool_]) -> list[bytes]:
    """Write the selected images as one .npy array (n, 32, 32, 3), a block at a time. Returns a checksum of each."""
    digests = []
    header = {"descr": "|u1", "fortran_order": False, "shape": (int(rows.sum()), SIDE, SIDE, 3)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in split.blocks(rows):
            file.write(block.data)
            digests += [hashlib.blake2b(image.data, digest_size=16).digest() for image in block]
    return digests


def discard(out: Path, stale: set[str]) -> None:
    """Remove the files that an earlier run left and this one does not replace, or replaces last."""
    for name in stale:
        (out / name).unlink(missing_ok=True)


if __name__ == "__main__":
    cli.run(main)
