"""Start a step on one process or, through torchrun, on several.

    python -m dawn.launch --processes auto|N dawn.train --params ...

``auto`` is a process for each visible GPU, or one. Imports no torch, so that one process costs no second start.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from dawn import cli


def visible_gpus() -> int:
    """The GPUs that CUDA would show, by the environment, the device files, or nvidia-smi where these are hidden."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([name for name in chosen.split(",") if name.strip() not in ("", "-1", "NoDevFiles")])
    files = [path for path in Path("/dev").glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)]
    if files or not shutil.which("nvidia-smi"):
        return len(files)
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def command(processes: int, module: str, arguments: list[str]) -> list[str]:
    """The command line that runs a module on so many processes of this machine."""
    if processes == 1:
        return [sys.executable, "-m", module, *arguments]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    return [*torchrun, "-m", module, *arguments]


def main() -> None:
    """Become the step."""
    parser = cli.parser(main)
    parser.add_argument("--processes", default="auto", help="auto, or how many (auto)")
    parser.add_argument("module", help="the step, such as dawn.train")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the step's own")
    args = parser.parse_args()
    if args.processes != "auto" and not re.fullmatch("[1-9][0-9]*", args.processes):
        raise cli.Refusal(f"--processes is {args.processes}; it must be auto or a number from 1 on")
    processes = max(1, visible_gpus()) if args.processes == "auto" else int(args.processes)
    if processes > 1:
        cores = os.cpu_count() or 1
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // processes)))
    line = command(processes, args.module, args.arguments)
    os.execv(line[0], line)


if __name__ == "__main__":
    cli.run(main)
