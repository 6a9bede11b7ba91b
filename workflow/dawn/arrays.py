"""The images of an archive or a folder as arrays: checked, split, and written whole or not at all.

    python -m dawn.arrays --source resources/cifar-10-python.tar.gz --layout python --out data
    python -m dawn.arrays --source photos/ --params params.yaml --out data

The source is an archive of CIFAR-10 or CIFAR-100, one of 32-pixel PNG files such as fast.ai's, or, with data.size, a
folder of images or a tar or zip of one: CLASS/FILE, or train/CLASS/FILE and test/CLASS/FILE, of any number of classes,
sizes and formats. Each of these is brought to data.size pixels as data.resize says (dawn/data/image_file.py); without a
test split of its own, data.test_fraction of each class becomes one. All files that cannot be read are named at once;
with data.skip_broken they are left out.

Writes {train,test}_images.npy, uint8 (n, size, size, 3) in RGB, {train,test}_labels.npy, uint8 (n,), uint16 with more
than 256 classes, the same for a holdout cut from the train split if there is one, files.tsv, which says where in the
source each image is, left_out.tsv, which names the files that are not used, and, last, dataset.json, which says what
they are.
"""

import json
import math
import sys
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from dawn.config.errors import explain
from dawn.config.experiment import load
from dawn.config.presets import judges
from dawn.config.sections import Data
from dawn.core import cli, files
from dawn.core.array_file import reserve
from dawn.core.cli import InputError, quoted
from dawn.core.code_deps import HERE
from dawn.data.archive.contents import Contents
from dawn.data.archive.layouts import LAYOUTS
from dawn.data.collection import reader
from dawn.data.collection import source as source_files
from dawn.data.collection.listing import printable
from dawn.data.copies import check_copies
from dawn.data.stratified import check_both, held_out

Rows = dict[str, NDArray[np.int64]]  # by split: places in the source, in order
CHOICES = get_args(Data.model_fields["layout"].annotation)


def main() -> None:
    """Parse, prove, read, split, write."""
    args = arguments(cli.parser(main)).parse_args()
    source, data = args.source, settings(args)
    digest = None if data.size else proven(source, data)
    contents = read(source, data)
    rows = splits(contents, source, data)
    about = describe(contents, rows) | {"layout": data.layout, "archive": source.name}
    about |= {"media_type": source_files.media_type(source)}
    about |= {"sha256": digest} if digest else {}
    about |= contents.about | {"holdout_seed": data.holdout_seed if data.holdout else None}
    check_measurable(args.params, about)
    with ExitStack() as stack:  # leaves in reverse order: dataset.json is put in place last, and a failure leaves none
        described = stack.enter_context(files.replacing(args.out / "dataset.json"))
        stack.enter_context(closing(contents.blocks))
        digests = write(args.out, stack, contents, rows)
        train = [digests[i] for name, places in rows.items() if name != "test" for i in places.tolist()]
        check_copies(train, [digests[i] for i in rows["test"].tolist()], str(source))
        if digest is None:
            about["sha256"] = checked(reader.checksum(contents.names, digests), source, data)
        described.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        stale = {f"holdout_{part}.npy" for part in ("images", "labels") if "holdout" not in rows}
        stack.callback(discard, args.out, {"dataset.json"} | stale)


def check_measurable(params: Path | None, about: dict[str, Any]) -> None:
    """InputError where an evaluation by judges, after all trainings, would find the data too small."""
    experiment = load(params) if params else None
    if experiment and experiment.has_judges:
        experiment.declared.check_data(experiment, about)
        judge = judges(experiment, HERE.parents[1] / "params.yaml", HERE.parent / "presets")
        try:
            judge.declared.check_data(judge, about)
        except InputError as error:
            raise InputError(f"judge.preset = {experiment.judge.preset}: {error}") from error


def arguments(parser: ArgumentParser) -> ArgumentParser:
    """The parser with the arguments of this step."""
    parser.add_argument(
        "--source", "--archive", type=Path, required=True, metavar="PATH", help="the archive, or a folder of images"
    )
    parser.add_argument("--params", type=Path, help="params.yaml, whose section data says what the options do not")
    parser.add_argument("--layout", choices=CHOICES, help="what is in it")
    parser.add_argument("--labels", choices=("fine", "coarse"), help="of CIFAR-100 (fine)")
    parser.add_argument("--sha256", type=str.lower, help="SHA-256 that it must have")
    parser.add_argument("--holdout", type=int, metavar="N", help="images to cut from the train split (0)")
    parser.add_argument("--seed", type=int, dest="holdout_seed", metavar="N", help="seed that draws the holdout (0)")
    cli.add_out(parser, "directory for the arrays")
    return parser


def settings(args: Namespace) -> Data:
    """The section data of --params with the options that were given, which are enough without it."""
    if not args.params and not args.layout:
        raise InputError(f"--layout is missing; give one of {', '.join(CHOICES)}, or --params")
    options = {key: getattr(args, key) for key in ("layout", "labels", "sha256", "holdout", "holdout_seed")}
    base = load(args.params).data.model_dump() if args.params else {"urls": [str(args.source)]}
    try:
        return Data(**base | {key: value for key, value in options.items() if value is not None})
    except ValidationError as error:
        raise InputError(f"data: {explain(error, Data)}") from error


def proven(source: Path, data: Data) -> str:
    """The SHA-256 of an archive, as it is expected."""
    if source.is_dir() and data.layout == "folders":
        raise InputError(f"data.size is null; give the size in pixels that the images of {source} are brought to")
    if data.sha256 is None and data.layout.endswith("python"):
        print(
            f"{source}: data.sha256 is null, so nothing proves that its pickles are the original ones; only the "
            "unpickler's list of what is allowed protects from them",
            file=sys.stderr,
        )
    return checked(files.sha256(source), source, data)


def checked(digest: str, source: Path, data: Data) -> str:
    """A SHA-256; InputError if another is expected."""
    if data.sha256 and digest != data.sha256:
        raise InputError(
            f"{source}: SHA-256 is {digest}, data.sha256 is {data.sha256}; take the source it was made of, or set "
            "data.sha256 to the former if these are the images that you want"
        )
    return digest


def read(source: Path, data: Data) -> Contents:
    """The contents of a source; InputError unless an archive has the classes that are expected, in this order."""
    source_files.check(source)
    if data.layout == "folders":
        contents = reader.read(source, data)
    else:
        about = {"labels": data.labels} if data.layout.startswith("cifar100") else {}
        contents = LAYOUTS[data.layout](data.labels).read(source, about)
    if data.classes and data.classes != contents.classes:
        raise InputError(
            f"{source}: has classes {quoted(', '.join(contents.classes))}; data.classes expects "
            f"{', '.join(data.classes)}"
        )
    return contents


def splits(contents: Contents, source: Path, data: Data) -> Rows:
    """The images of each split, a holdout taken out of train; InputError if a class has none in train or test."""
    check_both(contents.labels, contents.test, contents.classes, str(source))
    rows = {"train": np.flatnonzero(~contents.test), "test": np.flatnonzero(contents.test)}
    if data.holdout:
        train = rows["train"]
        held = held_out(contents.labels[train], contents.classes, data.holdout, data.holdout_seed, "data.holdout")
        rows |= {"train": train[~held], "holdout": train[held]}
    return rows


def describe(contents: Contents, rows: Rows) -> dict[str, Any]:
    """Return what dataset.json says of the arrays themselves."""
    counts = {
        name: np.bincount(contents.labels[places], minlength=len(contents.classes)).tolist()
        for name, places in rows.items()
    }
    return {
        "classes": list(contents.classes),
        "shape": [contents.side, contents.side, 3],
        "counts": {name: sum(per_class) for name, per_class in counts.items()},
        "class_counts": counts,
    }


def write(out: Path, stack: ExitStack, contents: Contents, rows: Rows) -> list[str]:
    """Write all files but dataset.json to temporary ones, which ``stack`` puts in place. Returns the checksums."""
    table, kind = [], np.uint8 if len(contents.classes) <= 256 else np.uint16
    for name, places in rows.items():
        with stack.enter_context(files.replacing(out / f"{name}_labels.npy")).open("wb") as file:
            np.save(file, contents.labels[places].astype(kind), allow_pickle=False)
        table += [
            (name, row, contents.classes[contents.labels[i]], printable(contents.names[i]))
            for row, i in enumerate(places.tolist())
        ]
    text = files.table_text(("split", "row", "class", "file"), table, "\t")
    stack.enter_context(files.replacing(out / "files.tsv")).write_text(text, encoding="utf-8")
    text = files.table_text(("file", "reason"), [(printable(name), why) for name, why in contents.left_out], "\t")
    stack.enter_context(files.replacing(out / "left_out.tsv")).write_text(text, encoding="utf-8")
    partial = {name: stack.enter_context(files.replacing(out / f"{name}_images.npy")) for name in rows}
    digests: list[str] = []
    with ExitStack() as opened:
        images = {name: opened.enter_context(path.open("wb")) for name, path in partial.items()}
        for name, places in rows.items():
            shape = (len(places), contents.side, contents.side, 3)
            np.lib.format.write_array_header_1_0(images[name], {"descr": "|u1", "fortran_order": False, "shape": shape})
            reserve(images[name], images[name].tell() + math.prod(shape), out / f"{name}_images.npy")
        for block, checksums in contents.blocks:
            for name, places in rows.items():
                first, last = np.searchsorted(places, [len(digests), len(digests) + len(block)])
                with files.naming(out / f"{name}_images.npy"):
                    images[name].write(block[places[first:last] - len(digests)].data)
            digests += checksums
    return digests


def discard(out: Path, stale: set[str]) -> None:
    """Remove the files that an earlier run left and this one does not replace, or replaces last."""
    for name in stale:
        (out / name).unlink(missing_ok=True)


if __name__ == "__main__":
    cli.run(main)
