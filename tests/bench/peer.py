"""The published program airbench94_muon.py, moved to the CPU: whether the preset takes the same steps, and how fast.

    python tests/bench/peer.py --program airbench94_muon.py [--data data] [--pairs 5] [--batch 500] [--set KEY=VALUE]

The program is that of github.com/KellerJordan/cifar10-airbench, which is no part of this repository. It runs unchanged
but for its number format (fp32 to compare the weights; for the time bf16, weights included, in place of fp16) and
without torch.compile. Both sides train on the same batches from the same weights, an epoch of one batch, eight times.
``--set`` merges settings with those of our side for the time, such as ``train.custom_kernels=true``. ``--data`` is a
folder of arrays; without it the images are noise, which costs the same.
"""

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from noise import write_noise
from overrides import merged
from pairs import Pair, summary
from peer_program import copies, train_by_program
from torch import Tensor

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core import cli
from dawn.engine.shutdown import StopRequest
from dawn.engine.trainer import Trainer
from dawn.results import measurement
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.tasks.classify.train import set_up

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"precision": "fp32", "compile": False, "cuda_graph": False, "custom_kernels": False, "monitor_every": 1000}


def trainer(experiment: Experiment, data: Path, world: World) -> Trainer[Any]:
    """Return a trainer that is ready to run."""
    found = set_up(experiment, data, data / "stats.json", 0, None, world, Clock(world.device))
    found.resume()
    return found


def main() -> None:
    """Compare weights, then times in turns; print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    cli.add_measurement(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, joined() as world:
        data = Path(name)
        if args.data:
            shutil.copytree(args.data, data, dirs_exist_ok=True)
        else:
            write_noise(data, args.batch)
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, batch {args.batch}", flush=True)
        compare_weights(args, data, world)
        rates = compare_times(args, data, world)
    print(f"bf16 {' '.join(args.set)}: {summary(rates)}")
    what = f"training in bf16, compared with the program {args.program.name}: batch {args.batch} {' '.join(args.set)}"
    measurement.save(args.measurement, what.strip(), measurement.repetitions(rates))


def settings(batch: int, over: dict[str, Any]) -> Experiment:
    """Return the preset with another batch, for which its learning rate and weight decay are scaled."""
    preset = merge(read(ROOT / "params.yaml"), read(ROOT / "workflow/presets/airbench-muon.yaml"))
    scaled = {"batch": batch, "weight_decay": 2e-6 * batch / (0.67 * batch), "schedule": {"peak": 0.67 * batch}}
    return check(merge(merge(preset, {"train": scaled | PLAIN}), over))


def compare_weights(args: argparse.Namespace, data: Path, world: World) -> None:
    """Print the distance between both, over how far the program's weights went, after the first and the last step.

    Rounding grows from step to step, so the program is also compared with itself from weights that differ in the last
    bits: a recipe that differs would be further away than that.
    """
    ours = trainer(settings(args.batch, {}), data, world)
    net = ours.task.state.net
    first = copies(net)
    own = [copies(net) for _ in ours.run(StopRequest(True))]
    program, _ = train_by_program(args.program, "float", ours, first, args.batch)
    rounded = [w * (1 + 1e-7 * torch.randn(w.shape)) for w in first]
    again, _ = train_by_program(args.program, "float", ours, rounded, args.batch)
    print("fp32: distance from the program's weights over how far they went; ours, and its own from rounded weights")
    for i, start in enumerate(first):
        cells = [distances(weights, program, i, start) for weights in (own, again)]
        if all(cells):
            print(f"  weight {i:2} {tuple(start.shape)}: {'; '.join(cells)}")


def distances(one: list[list[Tensor]], other: list[list[Tensor]], i: int, start: Tensor) -> str:
    """Return the relative distances of weight i after the first and the last step; nothing if it is not trained."""
    if not (other[-1][i] - start).norm():
        return ""
    steps = {"first step": 0, f"{len(other)} steps": -1}
    values = {name: (one[k][i] - other[k][i]).norm() / (other[k][i] - start).norm() for name, k in steps.items()}
    return ", ".join(f"{name} {value:.1e}" for name, value in values.items())


def compare_times(args: argparse.Namespace, data: Path, world: World) -> list[Pair]:
    """Return the images/s of both in turns, in bf16."""
    over = merged({"train": {"precision": "bf16"}}, args.set)
    rates = []
    for _ in range(args.pairs + 1):
        ours = trainer(settings(args.batch, over), data, world)
        first = copies(ours.task.state.net)
        list(ours.run(StopRequest(True)))
        _, seconds = train_by_program(args.program, "bfloat16", ours, first, args.batch)
        images = ours.step * args.batch
        rates.append({"ours": images / ours.seconds(), "program": images / seconds})
    return rates[1:]  # the first pair warms up


if __name__ == "__main__":
    main()
