"""Folders of images as arrays: any number of classes, sizes and formats, with or without a test split.

    python -m dawn.images --params params.yaml --source photos/ --out data

The source is a folder, or a tar or zip of one: CLASS/FILE, or train/CLASS/FILE and test/CLASS/FILE. Each image is
brought to data.size pixels as data.resize says (dawn/data/image_file.py); without a test split of its own,
data.test_fraction of each class becomes one. All files that cannot be read are named at once, and nothing is written.
Writes what dawn.arrays writes: {train,test}_images.npy, uint8 (n, size, size, 3), {train,test}_labels.npy, uint8 (n,),
uint16 with more than 256 classes, the same for a holdout, and dataset.json.
"""

import hashlib
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.config.experiment import load
from dawn.config.sections import Data
from dawn.core import cli, files
from dawn.core.cli import InputError
from dawn.data.collection.decoding import decoded
from dawn.data.collection.listing import Listing, held_for_test, left_out, listing
from dawn.data.collection.source import contents, names
from dawn.data.copies import check_copies
from dawn.data.stratified import held_out

Rows = dict[str, NDArray[np.int64]]  # by split: places in the listing
SHOWN = 200  # faults that are printed


def splits(found: Listing, source: str, data: Data) -> Rows:
    """The images of each split, in the source's order."""
    test = held_for_test(found, source, data.test_fraction, data.test_seed)
    rows = {"train": np.flatnonzero(~test), "test": np.flatnonzero(test)}
    if data.holdout:
        train, classes = rows["train"], len(found.classes)
        held = held_out(found.labels[train], classes, data.holdout, data.holdout_seed, "data.holdout")
        rows |= {"train": train[~held], "holdout": train[held]}
    return rows


def describe(found: Listing, rows: Rows, source: Path, data: Data) -> dict[str, Any]:
    """The content of dataset.json, less the checksum."""
    counts = {
        name: np.bincount(found.labels[places], minlength=len(found.classes)).tolist() for name, places in rows.items()
    }
    return {
        "classes": list(found.classes),
        "shape": [data.size, data.size, 3],
        "counts": {name: sum(per_class) for name, per_class in counts.items()},
        "class_counts": counts,
        "layout": data.layout,
        "archive": source.name,
        "resize": data.resize,
        "test_fraction": data.test_fraction if found.test is None else None,
        "test_seed": data.test_seed if found.test is None else None,
        "holdout_seed": data.holdout_seed if data.holdout else None,
    }


def write(out: Path, source: Path, found: Listing, rows: Rows, data: Data) -> None:
    """Decode into arrays on disk, then put all of them in place, dataset.json last; a failure leaves none."""
    size = data.size or 0
    place = {name: i for i, name in enumerate(found.names)}
    kind = np.uint8 if len(found.classes) <= 256 else np.uint16
    with ExitStack() as stack:
        described = stack.enter_context(files.replacing(out / "dataset.json"))
        target: list[tuple[NDArray[np.uint8], int]] = [(np.empty(0, np.uint8), 0)] * len(found.names)
        for name, places in rows.items():
            partial = stack.enter_context(files.replacing(out / f"{name}_images.npy"))
            images = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(places), size, size, 3))
            for row, at in enumerate(places.tolist()):
                target[at] = (images, row)
            with stack.enter_context(files.replacing(out / f"{name}_labels.npy")).open("wb") as file:
                np.save(file, found.labels[places].astype(kind), allow_pickle=False)
        digests = fill(target, place, source, size, data)
        train = [digests[i] for name in rows if name != "test" for i in rows[name].tolist()]
        check_copies(train, [digests[i] for i in rows["test"].tolist()], str(source))
        digest = hashlib.sha256(
            "".join(f"{n}\0{d}\n" for n, d in sorted(zip(found.names, digests, strict=True))).encode()
        )
        if data.sha256 and digest.hexdigest() != data.sha256:
            raise InputError(f"{source}: SHA-256 of its images is {digest.hexdigest()}, data.sha256 is {data.sha256}")
        content = describe(found, rows, source, data) | {"sha256": digest.hexdigest()}
        described.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        stack.callback(discard, out, {f"holdout_{part}.npy" for part in ("images", "labels") if "holdout" not in rows})


def fill(
    target: list[tuple[NDArray[np.uint8], int]], place: dict[str, int], source: Path, size: int, data: Data
) -> list[str]:
    """Decode every image into its row; InputError after all of them if some could not be read. Returns SHA-256s."""
    digests, faults = [""] * len(target), list[str]()
    for block in decoded(contents(source, set(place)), len(place), size, data.resize):
        faults += block.faults
        for name, image, digest in zip(block.names, block.images, block.digests, strict=True):
            images, row = target[place[name]]
            images[row] = image
            digests[place[name]] = digest
    if faults:
        print(*(f"{source}/{fault}" for fault in faults[:SHOWN]), sep="\n", file=sys.stderr)
        raise InputError(f"{source}: {len(faults):,} of {len(place):,} images cannot be read; delete or replace them")
    return digests


def discard(out: Path, stale: set[str]) -> None:
    """Remove the files that an earlier run left and this one does not replace."""
    for name in stale:
        (out / name).unlink(missing_ok=True)


def main() -> None:
    """Parse, list, split, decode, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params")
    parser.add_argument("--source", type=Path, required=True, help="a folder of images, or a tar or zip of one")
    cli.add_out(parser, "directory for the arrays")
    args = parser.parse_args()
    data = load(args.params).data
    if data.size is None:
        raise InputError(f"data.size is null; give the size in pixels that the images of {args.source} are brought to")
    if not args.source.exists():
        raise InputError(f"{args.source} is not there; name a folder or an archive of images")
    found = listing(names(args.source), str(args.source), data.classes)
    if line := left_out(found.others):
        print(line, file=sys.stderr)
    write(args.out, args.source, found, splits(found, str(args.source), data), data)


if __name__ == "__main__":
    cli.run(main)
