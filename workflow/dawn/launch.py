"""Start a step on one process or, through torchrun, on several.

    python -m dawn.launch --processes auto|N dawn.train --params ...

``auto`` is a process for each visible GPU, or one. Imports torch for several alone, so that one costs no second start.
"""

import argparse
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from dawn import cli
from dawn.interrupt import EXIT_CODE


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


def several(processes: int, module: str, arguments: list[str]) -> int:
    """Run a module on several processes of this machine as torchrun does. Returns the exit code of the first to fail.

    torchrun's own command would bury the step's one line about bad input under two tracebacks.
    """
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    line = ["--standalone", "--nproc-per-node", str(processes), "-m", module, *arguments]
    try:
        run.run(run.parse_args(line))  # type: ignore[no-untyped-call]
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        return int(failure.exitcode) if failure.exitcode > 0 else 128 - int(failure.exitcode)
    except SignalException:
        return EXIT_CODE
    return 0


def main() -> None:
    """Become the step, or watch over its processes."""
    parser = cli.parser(main)
    parser.add_argument("--processes", default="auto", help="auto, or how many (auto)")
    parser.add_argument("module", help="the step, such as dawn.train")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the step's own")
    args = parser.parse_args()
    if args.processes != "auto" and not re.fullmatch("[1-9][0-9]*", args.processes):
        raise cli.Refusal(f"--processes is {args.processes}; it must be auto or a number from 1 on")
    processes = max(1, visible_gpus()) if args.processes == "auto" else int(args.processes)
    if processes == 1:
        os.execv(sys.executable, [sys.executable, "-m", args.module, *args.arguments])
    sys.exit(several(processes, args.module, args.arguments))


if __name__ == "__main__":
    cli.run(main)
