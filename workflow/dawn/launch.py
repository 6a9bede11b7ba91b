"""Start a step on one process or, through torchrun, on several, of one node or of several.

    python -m dawn.launch --processes auto|N dawn.train --params ...
    python -m dawn.launch --nodes 2 --gpus 4 --cpus 8 dawn.train ...     in a Slurm job that holds two nodes

``auto`` is a process for each visible GPU, or one. On a CPU the processes get as many threads as there are free cores,
unless OMP_NUM_THREADS or DAWN_THREADS sets their number. torch is imported only for several processes, so that one
costs no second start. On several nodes srun starts this module once on each, in the container of DAWN_CONTAINER.
"""

import argparse
import fcntl
import logging
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from dawn.core import cli
from dawn.core.host import LAUNCHER, visible_gpus
from dawn.runtime import threads

if TYPE_CHECKING:
    from dawn.config.sections import Run

SIOCGIFADDR = 0x8915  # netdevice(7)


def several(processes: int, nodes: int, rendezvous: str | None, step: list[str]) -> int:
    """Run a module on several processes as torchrun does. Returns the exit code of the first to fail.

    The processes are those of each of ``nodes`` nodes, which find each other at ``rendezvous``, host:port.
    torchrun's own command would bury the step's one line about bad input under two tracebacks.
    """
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous.api import RendezvousError

    settings = run_settings(step)
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    line = ["--standalone", "--local-addr", "127.0.0.1"]
    if rendezvous:
        line = ["--nnodes", str(nodes), "--rdzv-backend", "c10d", "--rdzv-endpoint", rendezvous]
        line += ["--rdzv-id", os.environ.get("SLURM_JOB_ID", rendezvous)]
        line += ["--rdzv-conf", f"join_timeout={max(1, round(60 * settings.timeout))}"]
        if settings.interface:
            line += ["--local-addr", address(settings.interface)]
            for library in ("GLOO", "NCCL"):
                os.environ.setdefault(f"{library}_SOCKET_IFNAME", settings.interface)
    try:
        run.run(run.parse_args([*line, "--nproc-per-node", str(processes), "-m", *step]))  # type: ignore[no-untyped-call]
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode > 0:
            return int(failure.exitcode)
        print(f"dawn.launch: {killed(rank, -failure.exitcode)}", file=sys.stderr, flush=True)
        return 128 - int(failure.exitcode)
    except RendezvousError as error:
        print(
            f"dawn.launch: {socket.gethostname()}: the {nodes} nodes did not find each other at {rendezvous} within "
            f"{settings.timeout:g} minutes ({type(error).__name__}); see run.timeout, run.interface and run.port",
            file=sys.stderr,
        )
        return os.EX_TEMPFAIL
    except SignalException:
        return os.EX_TEMPFAIL  # what a stopped training ends with: run it again, and it resumes
    return 0


def killed(rank: int, number: int) -> str:
    """Say that a process was killed by a signal."""
    why = ", as the system does when memory runs out" if number == signal.SIGKILL else ""
    return (
        f"the process of rank {rank} was ended by signal {number} ({signal.strsignal(number)}{why}); "
        "run the same command again: a training continues from its last checkpoint"
    )


def run_settings(step: list[str]) -> "Run":
    """The section ``run`` of the experiment that the step's ``--params`` names, if it has that option."""
    from dawn.config.experiment import load
    from dawn.config.sections import Run

    names = [Path(value) for option, value in pairwise(step) if option == "--params"]
    return load(names[0]).run if names else Run()


def address(interface: str) -> str:
    """The IPv4 address of a network interface of this machine."""
    request = struct.pack("256s", interface.encode())
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            return socket.inet_ntoa(fcntl.ioctl(channel, SIOCGIFADDR, request)[20:24])
    except OSError as error:
        known = ", ".join(name for _, name in socket.if_nameindex())
        why = f"has no address on {socket.gethostname()} ({cli.describe(error)})"
        raise cli.InputError(f"run.interface = {interface} {why}; its interfaces are {known}") from error


def across(args: argparse.Namespace, step: list[str]) -> list[str]:
    """The command that starts this module once on each node of a Slurm job, the first of which we are on.

    srun gets every option on its command line, since Snakemake's executor removes Slurm's environment variables.
    """
    job = os.environ.get("SLURM_JOB_ID", "")
    if not job.isdecimal() or not shutil.which("srun"):
        raise cli.InputError(
            f"run.nodes is {args.nodes}, which takes a Slurm job (snakemake --workflow-profile profiles/slurm); "
            "without Slurm start torchrun on each node, see docs/cluster.md"
        )
    settings = run_settings(step)
    host = address(settings.interface) if settings.interface else socket.gethostname()
    rendezvous = f"{host}:{settings.port or 20000 + int(job) % 12000}"
    line = ["srun", f"--nodes={args.nodes}", f"--ntasks={args.nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1"]
    line += [f"--cpus-per-task={args.cpus}"] + ([f"--gpus-per-node={args.gpus}"] if args.gpus else [])
    inside = shlex.split(os.environ.get("DAWN_CONTAINER", ""))
    again = ["python", "-m", "dawn.launch", "--nodes", str(args.nodes), "--rendezvous", rendezvous]
    return [*line, *inside, *again, "--processes", args.processes, *step]


def main() -> None:
    """Become the step, or start its processes and wait for them, or start this on every node."""
    parser = cli.parser(main)
    parser.add_argument("--processes", default="auto", help="on each node: auto, or how many (auto)")
    parser.add_argument("--nodes", type=int, default=1, help="of a Slurm job (1)")
    parser.add_argument("--gpus", type=int, default=0, help="of each node, for srun (0)")
    parser.add_argument("--cpus", type=int, default=1, help="of each node, for srun (1)")
    parser.add_argument(
        "--rendezvous", help="host:port where several nodes find each other; passed by this module to itself"
    )
    parser.add_argument("module", help="the step, such as dawn.train")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the step's own")
    args = parser.parse_args()
    if args.processes != "auto" and not re.fullmatch("[1-9][0-9]*", args.processes):
        raise cli.InputError(f"--processes is {args.processes}; it must be auto or a number from 1 on")
    step = [args.module, *args.arguments]
    if args.nodes > 1 and not args.rendezvous:
        line = across(args, step)
        os.execvp(line[0], line)
    processes = max(1, visible_gpus()) if args.processes == "auto" else int(args.processes)
    settings, reason = threads.settings(os.environ, processes)
    os.environ.update(settings)
    if reason:
        print(f"dawn.launch: {reason}", file=sys.stderr, flush=True)
    if processes == args.nodes == 1:
        for variable in LAUNCHER:  # left of another launcher
            os.environ.pop(variable, None)
        os.execv(sys.executable, [sys.executable, "-m", *step])
    sys.exit(several(processes, args.nodes, args.rendezvous, step))


if __name__ == "__main__":
    cli.run(main)
