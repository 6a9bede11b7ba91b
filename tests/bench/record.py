"""Training of the airbench network in fp32, compared with a plain PyTorch loop over the same network, in pairs.

    python tests/bench/record.py [--preset record-sgd] [--pairs 9] [--images 1024] [--batch 256]

ours     dawn's own trainer: resident images, augmentation, schedule; as ``python -m dawn.train`` runs
plain    torchvision transforms in a DataLoader (of 0, 1 and 2 workers the fastest), torch's default memory format,
         cross entropy, torch.optim.SGD; what a tutorial writes

The images are noise, which costs the same.
"""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from noise import MEAN, STD, write_noise
from pairs import Epoch, Images, compare, fastest_loader, summary
from torch.nn import functional
from torchvision import transforms

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core import cli
from dawn.engine.shutdown import StopRequest
from dawn.results import measurement
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import joined
from dawn.runtime.precision import trainable
from dawn.tasks.classify.networks.build import build
from dawn.tasks.classify.train import set_up

ROOT = Path(__file__).resolve().parents[2]


def ours(experiment: Experiment, folder: Path) -> Epoch:
    """Return an epoch of dawn's trainer."""
    with joined() as world:
        clock = Clock(world.device)
        trainer = set_up(experiment, folder, folder / "stats.json", 0, None, world, clock)
    trainer.resume()
    epochs = trainer.run(StopRequest(True))
    return lambda: next(epochs)


def plain(experiment: Experiment, folder: Path) -> Epoch:
    """Return an epoch of the plain loop."""
    net = build(experiment.model, 10, 0).train()
    settings = experiment.train
    moves = torch.optim.SGD(trainable(net), lr=settings.schedule.peak, momentum=0.85, nesterov=True, weight_decay=5e-4)
    crop = transforms.RandomCrop(32, 2, padding_mode="reflect")
    images = Images(folder, [crop, transforms.RandomHorizontalFlip(), transforms.Normalize(MEAN, STD)])

    def epoch(loader: Any) -> None:
        for batch, labels in loader:
            functional.cross_entropy(net(batch), labels, label_smoothing=settings.label_smoothing).backward()
            moves.step()
            moves.zero_grad()

    return fastest_loader(images, settings.batch, epoch)


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="record-sgd")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=256)
    cli.add_measurement(parser)
    args = parser.parse_args()
    small = {"batch": args.batch, "epochs": 10_000, "precision": "fp32", "compile": False, "cuda_graph": False}
    preset = merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{args.preset}.yaml"))
    experiment = check(merge(preset, {"train": small}))
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.preset}, batch {args.batch}")
    with tempfile.TemporaryDirectory() as name:
        write_noise(Path(name), args.images)
        rates = compare({"ours": ours, "plain": plain}, experiment, Path(name), args.images, args.pairs)
    print(summary(rates))
    what = f"training in fp32, compared with a plain PyTorch loop: {args.preset}, batch {args.batch}"
    measurement.save(args.measurement, what, measurement.repetitions(rates))


if __name__ == "__main__":
    main()
