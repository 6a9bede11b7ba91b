"""Two domains of images for a CycleGAN: unpaired to train with, paired to test with where the truth is known.

    python -m dawn.domains --params params.yaml --data data

The section domains says what they are: classes of the arrays in ``--data``, the same images transformed, or drawn
shapes. Writes to ``--data`` domain_a_train.npy, domain_b_train.npy, domain_a_test.npy and domain_b_test.npy, uint8
(n, h, w, 3). Where there is a truth, row i of both test files is the same image, and domain_a_train_in_b.npy and
domain_b_train_in_a.npy are the train images in the other domain. Last, domains.json says what they are.
"""

import hashlib
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from dawn.config.domains import OTHERS, TESTS, TRAINS, Domains
from dawn.config.experiment import load
from dawn.core import cli, files
from dawn.data.domains import Arrays, made


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
