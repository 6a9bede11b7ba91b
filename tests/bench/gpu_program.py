"""A published program for 94 % on CIFAR-10, run once for each seed on its standard input.

    python tests/bench/gpu_program.py airbench94_muon.py --data data

The program is a file of github.com/KellerJordan/cifar10-airbench or github.com/hiverge/cifar10-speedrun, which are no
part of this repository. It runs unchanged: its network, compiled as in its own main program, is trained by its ``main``
after a warm-up on made-up labels. What it says of a run in its last line of details (``tta_val_acc``, ``time_seconds``)
is written to standard output as a line of JSON. ``--data`` has the arrays of the workflow, which the program finds in
the format that it stores itself, so it downloads nothing. The seed is that of torch's random numbers; the programs
themselves set none.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dawn.core.reading import read_json

Names = dict[str, Any]


def load(path: Path) -> Names:
    """Return the names that the program defines, without its main part; it reads its own text by ``sys.argv[0]``."""
    sys.argv = [str(path)]
    names: Names = {"__name__": path.stem}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)  # a program that the user names
    return names


def store(data: Path, folder: Path) -> None:
    """Write the arrays as the programs do: images uint8 (n, 32, 32, 3), labels int64 (n,), names of the classes."""
    classes = read_json(data / "dataset.json")["classes"]
    (folder / "cifar10").mkdir()
    for split in ("train", "test"):
        images, labels = (torch.from_numpy(np.load(data / f"{split}_{what}.npy")) for what in ("images", "labels"))
        torch.save({"images": images, "labels": labels.long(), "classes": classes}, folder / "cifar10" / f"{split}.pt")


def runs(names: Names, seeds: Iterable[int], device: torch.device) -> Iterator[dict[str, Any]]:
    """Train once for each seed. Yield accuracy in percent, with the program's views, and seconds on its own clock."""
    said: list[Names] = []
    names["print_training_details"] = lambda variables, is_final_entry: said.append(variables)
    net = names["CifarNet"]().to(device).to(memory_format=torch.channels_last)
    if device.type == "cuda":
        net.compile(mode="max-autotune")
    names["main"]("warmup", net)
    for seed in seeds:
        torch.manual_seed(seed)
        said.clear()
        names["main"](seed, net)
        last = said[-1]
        yield {"seed": seed, "accuracy": 100 * float(last["tta_val_acc"]), "seconds": float(last["time_seconds"])}


def main() -> None:
    """Answer every seed on standard input with a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    program, data = args.program.resolve(), args.data.resolve()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the program itself prints goes to the log
    with tempfile.TemporaryDirectory() as folder:
        store(data, Path(folder))
        os.chdir(folder)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        for row in runs(load(program), map(int, iter(sys.stdin.readline, "")), device):
            print(json.dumps(row), file=answers)


if __name__ == "__main__":
    main()
