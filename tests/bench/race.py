"""The races of several experiments, their seeds in turn, so that a machine whose speed drifts treats all alike.

    python tests/bench/race.py cpu "airbench-muon train.precision=bf16 run.gpus=0" --data data --out races --seeds 10 5

An experiment is a preset and settings merged over it; --seeds is a number for each experiment. The clock is that of
``snakemake race``. OUT/1.json, 2.json ... are its results. Interrupted, run it again: finished runs are kept.
"""

import argparse
from pathlib import Path
from typing import Any

from cells import ratio
from overrides import merged

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core import cli
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.engine.shutdown import StopRequest
from dawn.monitoring.energy import for_device
from dawn.race import run
from dawn.report.page import markdown
from dawn.results import measurement
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.tasks.classify.race_page import line, page, tally
from dawn.tasks.classify.train import set_up

ROOT = Path(__file__).resolve().parents[2]


def experiment(text: str) -> Experiment:
    """Return the experiment that "PRESET KEY=VALUE ..." describes."""
    preset, *over = text.split()
    settings = merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{preset}.yaml"))
    return check(merged(settings, over), text)


def in_turn(counts: list[int]) -> list[tuple[int, int]]:
    """Return (experiment, seed) for all seeds of all experiments, spread evenly over the whole time."""
    return sorted(
        ((i, seed) for i, count in enumerate(counts) for seed in range(count)),
        key=lambda x: (x[1] + 0.5) / counts[x[0]],
    )


def once(settings: Experiment, seed: int, data: Path, world: World) -> dict[str, Any]:
    """Train and evaluate a seed; an unfinished one is made again from its start, so that no clock has a gap."""
    clock, stats = Clock(world.device, for_device(world)), data / "stats.json"
    trainer = set_up(settings, data, stats, seed, None, world, clock)
    return run(trainer, data, stats, StopRequest(world.first), False)


def measured(args: argparse.Namespace, runs: list[list[dict[str, Any]]]) -> list[measurement.Row]:
    """Return a row for each run; the variant is the experiment."""
    each = zip(args.experiments, runs, strict=True)
    return [measurement.training(run, name) for name, of_one in each for run in of_one]


def report(args: argparse.Namespace, runs: list[list[dict[str, Any]]]) -> str:
    """Write each experiment's race; return their pages, and the ratios of the first one's clock to the others'."""
    texts = []
    for i, (name, settings) in enumerate(zip(args.experiments, map(experiment, args.experiments), strict=True)):
        result = tally(runs[i], settings.evaluate.target)
        write_json(args.out / f"{i + 1}.json", result)
        texts.append(f"## {name}\n\n{markdown(page(result))}")
    clocks = [[one["seconds"] for one in each] for each in runs]
    texts += [f"clock of 1 over that of {i + 1}: {ratio(clocks[0], clocks[i])}" for i in range(1, len(clocks))]
    return "\n\n".join(texts)


def main() -> None:
    """Race and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", metavar="EXPERIMENT")
    parser.add_argument("--data", type=Path, required=True, help="arrays and stats.json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    cli.add_measurement(parser)
    args = parser.parse_args()
    if len(args.seeds) != len(args.experiments):
        parser.error(f"{len(args.seeds)} numbers of seeds for {len(args.experiments)} experiments")
    finished = args.out / "runs.json"
    runs = read_json(finished) if finished.exists() else [[] for _ in args.experiments]
    with joined() as world:
        for i, seed in in_turn(args.seeds):
            if seed not in [one["seed"] for one in runs[i]]:
                runs[i].append(once(experiment(args.experiments[i]), seed, args.data, world))
                write_json(finished, runs)
                print(f"{i + 1}: {line(runs[i][-1])}", flush=True)
    print(report(args, runs))
    measurement.save(args.measurement, "races of experiments, their seeds in turn", measured(args, runs))


if __name__ == "__main__":
    main()
