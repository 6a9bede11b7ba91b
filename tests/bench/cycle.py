"""Training of a CycleGAN, compared with a plain PyTorch loop over the same networks, in pairs.

    python tests/bench/cycle.py [--preset cycle-demo] [--batch 1] [--pairs 7] [--images 64]

ours     dawn's own trainer, as ``python -m dawn.train`` runs
plain    torchvision transforms in a DataLoader of both domains (of 0, 1 and 2 workers the fastest); every pass of every
         network by itself, torch's instance norm, real and translated images apart, a pool of images as a list: the
         same losses, weights and optimizers, in fp32

The images are noise, which costs the same.
"""

import argparse
import os
import random
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pairs import Epoch, Images, compare, fastest_loader, summary, trained
from torch.nn import functional
from torchvision import transforms

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core import cli
from dawn.results import measurement
from dawn.tasks.cycle.domains import describe, named, write
from dawn.tasks.cycle.layers import InstanceNorm
from dawn.tasks.cycle.networks import build
from dawn.tasks.cycle.train import set_up

ROOT = Path(__file__).resolve().parents[2]


class Pool:
    """Earlier translations in a list."""

    def __init__(self, size: int) -> None:
        self.size, self.images = size, list[torch.Tensor]()

    def query(self, images: torch.Tensor) -> torch.Tensor:
        """Return each image or an older one."""
        found = []
        for image in images.detach():
            if len(self.images) < self.size:
                self.images.append(image)
            elif random.random() > 0.5:
                place = random.randrange(self.size)
                self.images[place], image = image, self.images[place]
            found.append(image)
        return torch.stack(found)


def use_torchs_norms(net: torch.nn.Module) -> None:
    """Put torch's instance norms in place of ours."""
    channels = 0
    for module in list(net.modules()):
        for name, child in module.named_children():
            channels = getattr(child, "out_channels", channels)
            if isinstance(child, InstanceNorm):
                setattr(module, name, torch.nn.InstanceNorm2d(channels))


def plain(experiment: Experiment, folder: Path) -> Epoch:
    """Return an epoch of the plain loop."""
    cycle = experiment.cycle
    nets = build(cycle, 32, 0)
    use_torchs_norms(nets.module)
    generators, critics = [nets.to_a, nets.to_b], [nets.critic_a, nets.critic_b]
    moves = [
        torch.optim.Adam([p for net in both for p in net.parameters()], cycle.lr, cycle.betas)
        for both in (generators, critics)
    ]
    pools = [Pool(cycle.pool), Pool(cycle.pool)]

    def mse(scores: torch.Tensor, target: float) -> torch.Tensor:
        return functional.mse_loss(scores, torch.full_like(scores, target))

    def step(a: torch.Tensor, b: torch.Tensor) -> None:
        fake_b, fake_a = nets.to_b(a), nets.to_a(b)
        for critic in critics:
            critic.requires_grad_(False)
        back = functional.l1_loss(nets.to_a(fake_b), a) + functional.l1_loss(nets.to_b(fake_a), b)
        same = functional.l1_loss(nets.to_a(a), a) + functional.l1_loss(nets.to_b(b), b)
        loss = mse(nets.critic_b(fake_b), 1) + mse(nets.critic_a(fake_a), 1)
        moves[0].zero_grad()
        (loss + cycle.cycle_weight * (back + cycle.identity_weight * same)).backward()
        moves[0].step()
        moves[1].zero_grad()
        for critic, real, fake, pool in zip(critics, (a, b), (fake_a, fake_b), pools, strict=True):
            critic.requires_grad_(True)
            ((mse(critic(real), 1) + mse(critic(pool.query(fake)), 0)) / 2).backward()
        moves[1].step()

    def epoch(loader: Any) -> None:
        for images, _ in loader:  # of both domains
            step(*images.chunk(2))

    steps = [transforms.RandomHorizontalFlip(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    return fastest_loader(Images(folder, steps), 2 * cycle.batch, epoch)


def write_noise(folder: Path, experiment: Experiment, count: int) -> None:
    """Write noise as both domains, and as the images of the plain loop."""
    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    arrays = named((images, images), (images, images), (images[:8], images[:8]))
    write(folder, arrays, describe(arrays, experiment.domains))
    np.save(folder / "train_images.npy", np.concatenate([images, images]))
    np.save(folder / "train_labels.npy", np.zeros(2 * count, np.uint8))


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="cycle-demo")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--images", type=int, default=64)
    cli.add_measurement(parser)
    args = parser.parse_args()
    preset = merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{args.preset}.yaml"))
    small = {"epochs": 100_000, "samples_every": 100_000, "precision": "fp32", "batch": args.batch}
    run = {"save_every": 100_000}  # the plain loop writes no checkpoints
    experiment = check(merge(preset, {"cycle": small, "domains": {"kind": "shapes"}, "run": run}))
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.preset}, batch {args.batch}")
    with tempfile.TemporaryDirectory() as name:
        write_noise(Path(name), experiment, args.images)
        sides = {"ours": partial(trained, set_up), "plain": plain}
        rates = compare(sides, experiment, Path(name), args.images, args.pairs)
    print(summary(rates))
    what = f"training of a CycleGAN, compared with a plain PyTorch loop: {args.preset}, batch {args.batch}"
    measurement.save(args.measurement, what, measurement.repetitions(rates))


if __name__ == "__main__":
    main()
