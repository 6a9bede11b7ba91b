"""Training of a GAN, compared with a plain PyTorch loop over the same networks, in pairs.

    python tests/bench/gan.py [--preset gan-cpu] [--precision bf16] [--pairs 9] [--images 1024]

ours     dawn's own trainer, as ``python -m dawn.train`` runs
plain    torchvision transforms in a DataLoader (of 0, 1 and 2 workers the fastest), torch's default memory format; the
         critic's passes over real and over generated images apart, then the generator's through the critic, as in
         PyTorch's DCGAN example; the same losses, optimizers, EMA and DiffAugment, in the same precision

Both make one step of the generator for one of the critic. The images are noise, which costs the same.
"""

import argparse
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from noise import write_noise
from pairs import Epoch, Images, compare, fastest_loader, summary, trained
from torchvision import transforms

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core import cli
from dawn.results import measurement
from dawn.tasks.gan import diff_augment, losses
from dawn.tasks.gan.networks import build
from dawn.tasks.gan.train import set_up

ROOT = Path(__file__).resolve().parents[2]


def plain(experiment: Experiment, folder: Path) -> Epoch:
    """Return an epoch of the plain loop."""
    gan, settings = experiment.gan, experiment.gan.optimizer
    generator, critic = build(gan, 10, 32, 0)
    moves = [
        torch.optim.Adam(net.parameters(), lr, settings.betas)
        for net, lr in ((generator, settings.generator_lr), (critic, settings.critic_lr))
    ]
    mean = torch.optim.swa_utils.AveragedModel(
        generator, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(gan.generator.ema)
    )
    cast = torch.autocast("cpu", torch.bfloat16, enabled=gan.precision == "bf16")

    def scores(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        draws = torch.rand(len(images), diff_augment.draws_needed(gan.augment))
        return critic(diff_augment.augment(images, gan.augment, draws), labels).float()

    def step(real: torch.Tensor, labels: torch.Tensor) -> None:
        critic.zero_grad()
        with cast:
            fake = generator(torch.randn(len(real), gan.generator.latent), labels)
            loss = losses.critic_loss(gan.loss, scores(real, labels), scores(fake.detach(), labels))
        loss.backward()
        moves[1].step()
        generator.zero_grad()
        with cast:
            loss = losses.generator_loss(gan.loss, scores(fake, labels))
        loss.backward()
        moves[0].step()
        mean.update_parameters(generator)

    def epoch(loader: Any) -> None:
        for real, labels in loader:
            step(real, labels)

    scale = transforms.Normalize([0.5] * 3, [0.5] * 3)
    return fastest_loader(Images(folder, [transforms.RandomHorizontalFlip(), scale]), gan.batch, epoch)


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="gan-cpu")
    parser.add_argument("--precision", default="bf16", choices=["bf16", "fp32"])
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--images", type=int, default=1024)
    cli.add_measurement(parser)
    args = parser.parse_args()
    preset = merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{args.preset}.yaml"))
    small = {"epochs": 100_000, "samples_every": 100_000, "precision": args.precision}
    experiment = check(merge(preset, {"gan": small}))
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.preset}, {args.precision}")
    with tempfile.TemporaryDirectory() as name:
        write_noise(Path(name), args.images)
        sides = {"ours": partial(trained, set_up), "plain": plain}
        rates = compare(sides, experiment, Path(name), args.images, args.pairs)
    print(summary(rates))
    what = f"training of a GAN, compared with a plain PyTorch loop: {args.preset}, {args.precision}"
    measurement.save(args.measurement, what, measurement.repetitions(rates))


if __name__ == "__main__":
    main()
