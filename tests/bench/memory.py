"""What activations and sums in place save: the peak bytes of a training step, with and without.

    python tests/bench/memory.py [--preset workflow/presets/wrn22.yaml] [--batch 256] [--runs 3]

Each run is a process of its own: on a GPU its peak is torch's own count, on a CPU what the resident memory rose by
over the step's two repetitions. The medians are printed, and their ratio.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

import torch
from torch.nn import functional

from dawn.config.experiment import check, merge, read
from dawn.core import cli
from dawn.results import measurement
from dawn.runtime.measure import peak
from dawn.tasks.classify.networks.build import build

ROOT = Path(__file__).resolve().parents[2]


def step(preset: Path | None, batch: int, inplace: bool) -> int:
    """Return the bytes that two steps on ``batch`` images need at their peak, in addition to network and images."""
    settings = merge(read(ROOT / "params.yaml"), read(preset) if preset else {})
    model = check(merge(settings, {"model": {"inplace": inplace}})).model
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    net = build(model, 10, 0).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.randn(batch, 3, 32, 32, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch, device=device) % 10
    before = peak(device)
    for _ in range(2):
        functional.cross_entropy(net(images), labels).backward()
        net.zero_grad()
    return peak(device) - before


def main() -> None:
    """Measure in fresh processes and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", type=Path)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--inplace", choices=["yes", "no"], help=argparse.SUPPRESS)
    cli.add_measurement(parser)
    args = parser.parse_args()
    if args.inplace:
        print(step(args.preset, args.batch, args.inplace == "yes"))
        return
    rows, medians = [], {}
    for choice in ("no", "yes"):
        line = [sys.executable, *sys.argv, "--inplace", choice]
        runs = [int(subprocess.check_output(line, text=True)) for _ in range(args.runs)]
        medians[choice] = statistics.median(runs)
        print(f"in place: {choice:3}  {medians[choice] / 2**20:8,.0f} MiB  ({', '.join(f'{r >> 20:,}' for r in runs)})")
        rows += measurement.repetitions([{"peak_bytes": run} for run in runs], f"in place: {choice}")
    print(f"ratio: {medians['yes'] / medians['no']:.3f}")
    measurement.save(args.measurement, f"peak memory of a training step of {args.batch} images", rows)


if __name__ == "__main__":
    main()
