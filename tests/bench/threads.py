"""Images/s of small trainings on a CPU by number of threads and OpenMP's wait policy, alone and next to busy processes.

    python tests/bench/threads.py --busy 2 --repeats 5

Each training is a process of its own, the settings in turn within a repeat. ``launch`` is what dawn.launch chooses.
Medians and ranges; on a machine with other work on it no figure means anything. taskset -c 0,1 leaves it two cores.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from noise import write_noise

from dawn.config.experiment import check, merge, read
from dawn.core.host import cores

ROOT = Path(__file__).resolve().parents[2]
FIXED = {"monitor_every": 1000, "precision": "fp32", "compile": False}
EXPERIMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "tiny": ("demo", {"model": {"blocks": [1, 1], "width": 4}, "train": {"batch": 16, "epochs": 1}}),
    "demo": ("demo", {"train": {"epochs": 2}}),
    "cpu": ("cpu", {"train": {"batch": 250, "epochs": 1}}),
}
IMAGES = 1000


def settings() -> dict[str, dict[str, str]]:
    """The environments to compare, by name."""
    every = str(cores())
    return {
        "1 thread": {"OMP_NUM_THREADS": "1"},
        f"{every} threads": {"OMP_NUM_THREADS": every},
        f"{every} threads, passive": {"OMP_NUM_THREADS": every, "OMP_WAIT_POLICY": "passive"},
        "launch": {},
    }


def prepare(folder: Path) -> None:
    """Write noise in place of images, and the experiments."""
    write_noise(folder, IMAGES, IMAGES)
    for name, (preset, over) in EXPERIMENTS.items():
        chosen = merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{preset}.yaml"))
        experiment = check(merge(merge(chosen, over), {"train": FIXED}))
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(experiment.model_dump(mode="json")))


def images_per_s(folder: Path, name: str, environment: dict[str, str]) -> float:
    """The speed of one training; without settings of its own dawn.launch chooses them."""
    line = ["dawn.launch", "--processes", "1"] if not environment else []
    line += ["dawn.train", "--params", folder / f"{name}.yaml", "--data", folder, "--stats", folder / "stats.json"]
    line += ["--seed", 0, "--out", folder / "out", "--resume", folder / "resume"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("OMP_") and k != "DAWN_THREADS"}
    env = clean | environment | {"PYTHONPATH": str(ROOT / "workflow")}
    done = subprocess.run([sys.executable, "-m", *map(str, line)], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(json.loads((folder / "out/metrics.json").read_text())["images_per_s"])


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many other processes that compute without end while the block runs."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in others:
            process.kill()
            process.wait()


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, cores()], help="other processes (0 and the cores)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--experiments", nargs="+", choices=list(EXPERIMENTS), default=list(EXPERIMENTS))
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the busy processes end too
    print(f"{cores()} cores, load average {os.getloadavg()[0]:.1f}, {args.repeats} repeats")
    print("| experiment | other processes | setting | images/s | range |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for experiment in args.experiments:
            for others in args.busy:
                found: dict[str, list[float]] = {setting: [] for setting in settings()}
                with busy(others):
                    for _ in range(args.repeats):
                        for setting, environment in settings().items():
                            found[setting].append(images_per_s(folder, experiment, environment))
                for setting, speeds in found.items():
                    median, span = statistics.median(speeds), f"{min(speeds):,.0f} to {max(speeds):,.0f}"
                    print(f"| {experiment} | {others} | {setting} | {median:,.0f} | {span} |", flush=True)


if __name__ == "__main__":
    main()
