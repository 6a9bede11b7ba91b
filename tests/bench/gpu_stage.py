"""One stage of tests/bench/gpu.py, in a process of its own, so that its failure affects no other stage.

python tests/bench/gpu_stage.py NAME --data data --out NAME.json --seconds 300 [--seeds 50] [--tiny]
    [--process 0] [--programs airbench94_muon.py]
"""

import argparse
import json
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import torch
from gpu_plan import Stage, experiment, plan
from profiling import profiled

from dawn.core.cli import describe
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.engine.shutdown import StopRequest
from dawn.monitoring.energy import for_device
from dawn.race import run
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.runtime.measure import measure
from dawn.tasks.classify.race_page import line
from dawn.tasks.classify.train import set_up


def limits(world: World, tiny: bool) -> dict[str, Any]:
    """Return the peak of this device: FLOP/s of a bf16 matrix product, bytes/s (read and written) of a copy."""
    n, count = (256, 2**22) if tiny else (8192, 2**32)
    a, b = (torch.randn(n, n, device=world.device, dtype=torch.bfloat16) for _ in range(2))
    product = measure(lambda: a @ b, world.device, 10)
    source = torch.zeros(count, dtype=torch.uint8, device=world.device)
    target = torch.empty_like(source)
    copy = measure(lambda: target.copy_(source), world.device, 10)
    return {
        "device": torch.cuda.get_device_name() if world.device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "flops": 2 * n**3 / product.seconds,
        "bytes_per_s": 2 * count / copy.seconds,
    }


def alternate(stage: Stage, args: argparse.Namespace, world: World) -> None:
    """Run every variant for every seed in turn, so that a drift affects all alike; the file is written after each seed.

    The seeds are those of this process of the stage. Published programs, each in a process of its own, come after the
    variants in every round. A seed starts only if the slowest round so far would still end in time. A variant that
    fails is not run again.
    """
    programs = {path.name: Program(path, args.data) for path in args.programs}
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in (*stage.variants, *programs)}
    faults: dict[str, str] = {}
    start, slowest, stop = time.monotonic(), 0.0, StopRequest(True)
    for place, seed in enumerate(range(args.process, stage.seeds, stage.processes)):
        begun = time.monotonic()
        if len(faults) == len(rows) or (place and begun - start + slowest > args.seconds):
            break
        for name in [name for name in rows if name not in faults]:
            try:
                found = programs[name].run(seed) if name in programs else once(stage, name, seed, args, world, stop)
                rows[name].append(found | {"process": args.process})
            except Exception as error:  # whatever it is, the other variants continue
                traceback.print_exc()
                faults[name] = f"{type(error).__name__}: {describe(error)}"[:240]
        slowest = max(slowest if place > 1 else 0.0, time.monotonic() - begun)  # the first round compiles
        write_json(args.out, {"seeds": stage.seeds, "rows": rows, "faults": faults})
    for program in programs.values():
        program.close()
    if len(faults) == len(rows):
        sys.exit("every experiment failed")


class Program:
    """A published program in a process of its own, which trains once for each seed that it is asked for."""

    def __init__(self, path: Path, data: Path) -> None:
        line = [sys.executable, Path(__file__).with_name("gpu_program.py"), path, "--data", data]
        self.process = subprocess.Popen(list(map(str, line)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, seed: int) -> dict[str, Any]:
        """Return the seed's row; a RuntimeError if the program ended."""
        assert self.process.stdin and self.process.stdout
        print(seed, file=self.process.stdin, flush=True)
        if not (answer := self.process.stdout.readline()):
            raise RuntimeError(f"the program ended with {self.process.wait()}; see the log")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def once(
    stage: Stage, name: str, seed: int, args: argparse.Namespace, world: World, stop: StopRequest
) -> dict[str, Any]:
    """Run one seed of a variant, from its start: without checkpoints."""
    stats, clock = args.data / "stats.json", Clock(world.device, for_device(world))
    trainer = set_up(experiment(stage.variants[name], args.tiny), args.data, stats, seed, None, world, clock)
    found = run(trainer, args.data, stats, stop, False)
    print(f"{name}: {line(found)}", flush=True)
    return found


def main() -> None:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--data", type=Path, required=True, help="arrays and stats.json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--process", type=int, default=0, help="which of the stage's processes this is")
    parser.add_argument("--programs", type=Path, nargs="*", default=[], help="published programs to run in turn")
    parser.add_argument("--tiny", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    stage = next(stage for stage in plan(args.seeds) if stage.name == args.name)
    with joined() as world:
        if stage.kind == "limits":
            write_json(args.out, limits(world, args.tiny))
        elif stage.kind == "runs":
            alternate(stage, args, world)
        else:
            known = args.out.with_name("limits.json")
            ceiling = read_json(known) if known.exists() else {"flops": 790e12, "bytes_per_s": 4.3e12}
            settings = experiment(next(iter(stage.variants.values())), args.tiny)
            write_json(args.out, profiled(settings, args.data, world, ceiling))


if __name__ == "__main__":
    main()
