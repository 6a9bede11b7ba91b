"""One process of several: scores, a penalty and their gradients, of networks with global batch norms.

torchrun --nproc-per-node 2 tests/support/two_gan_processes.py OUT
"""

import sys
from pathlib import Path

import torch
from gan_networks import inputs, networks

from dawn.runtime.batch_norm import convert
from dawn.runtime.distributed import joined
from dawn.tasks.gan.penalties import penalty
from dawn.tasks.gan.settings import Penalty

PENALTY = Penalty(gradient=10, r1=2, r2=3)


def found(architecture, world):
    """Images and scores of this process's part of a batch, and gradients averaged over the processes, in fp64."""
    nets = [net.double() for net in networks(architecture, conditional=True, init="normal")]
    if world.size > 1:
        nets = [convert(net, world.device, twice=True) for net in nets]
    generator, critic = nets
    own = slice(8 * world.rank // world.size, 8 * (world.rank + 1) // world.size)
    latents, real, labels = (part[own] for part in inputs(8, dtype=torch.float64))
    mix = torch.linspace(0, 0.9, 8)[own]
    fake = generator(latents, labels)
    scores = critic(fake, labels)
    loss = scores.square().mean() + penalty(critic, real, fake, labels, PENALTY, mix)
    parameters = [*generator.parameters(), *critic.parameters()]
    gradients = torch.autograd.grad(loss, parameters)
    for gradient in gradients if world.size > 1 else []:
        torch.distributed.all_reduce(gradient)
        gradient.div_(world.size)
    buffers = [*generator.buffers(), *critic.buffers()]
    return {"batch": [fake.detach(), scores.detach()], "global": [*gradients, *buffers]}


def main(out):
    with joined() as world:
        results = {architecture: found(architecture, world) for architecture in ("lesson", "dcgan")}
    torch.save(results, out / f"{world.size}-{world.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
