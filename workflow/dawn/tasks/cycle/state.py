"""The four networks of a CycleGAN in training, and one step of all of them."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dawn.runtime.distributed import World, average_gradients, gathered
from dawn.runtime.precision import Precision
from dawn.tasks.cycle.losses import absolute, adversarial, critic_loss
from dawn.tasks.cycle.networks import Networks
from dawn.tasks.cycle.pool import ImagePool
from dawn.tasks.cycle.settings import Cycle


class Batch(NamedTuple):
    """Images of both domains, float32 (b, 3, h, w) from -1 to 1.

    ``a_in_b`` are those of A in domain B, ``b_in_a`` those of B in domain A, where a training on pairs needs them.
    """

    a: Tensor
    b: Tensor
    a_in_b: Tensor | None = None
    b_in_a: Tensor | None = None


class CycleState:
    """Everything that changes from step to step. Losses are sums over both directions."""

    def __init__(self, settings: Cycle, nets: Networks, pixels: int, seed: int, world: World) -> None:
        self.settings, self.nets, self.world = settings, nets, world
        self.parts = [nn.ModuleList([nets.to_a, nets.to_b]), nn.ModuleList([nets.critic_a, nets.critic_b])]
        self.precisions = [Precision(settings.precision, 1.0, part, world.device) for part in self.parts]
        self.optimizers = [
            torch.optim.Adam(part.parameters(), settings.lr, settings.betas, fused=True) for part in self.parts
        ]
        self.pools = [ImagePool(settings.pool, pixels, seed, domain, world.device) for domain in "ab"]

    def step(self, batch: Batch, step: int, multiplier: float) -> Tensor:
        """Train all networks. Return the losses: adversarial, cycle, identity, critic, (4,); the weights not applied.

        On pairs, only the generators are trained: their error is in the place of the cycle loss, the others are 0.
        """
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.settings.lr * multiplier
        if batch.a_in_b is not None and batch.b_in_a is not None:
            error = self.pairs_loss(batch, batch.a_in_b, batch.b_in_a)
            self.update(0, error)
            return torch.stack([error.new_zeros(()), error.detach(), *error.new_zeros(2)])
        losses, translations = self.generators_loss(batch)
        weight = self.settings.cycle_weight
        self.update(0, losses[0] + weight * (losses[1] + self.settings.identity_weight * losses[2]))
        critics = self.critics_loss(batch, translations, step)
        self.update(1, critics)
        return torch.cat([losses.detach(), critics.detach()[None]])

    def update(self, part: int, loss: Tensor) -> None:
        """Take a step of the generators (0) or the critics (1)."""
        self.precisions[part].backward(loss)
        average_gradients(self.parts[part].parameters(), self.world)
        self.precisions[part].update(self.optimizers[part], None)

    def generators_loss(self, batch: Batch) -> tuple[Tensor, list[Tensor]]:
        """Return the adversarial, cycle and identity loss, (3,), and the translations into A and into B, detached.

        A generator sees what it translates and, for the identity loss, images of its target in one pass. This changes
        no number, since instance norm treats each image by itself.
        """
        nets, identity = self.nets, bool(self.settings.identity_weight and self.settings.cycle_weight)
        self.parts[1].requires_grad_(False)  # the critics' weights need no gradient here
        with self.precisions[0].autocast():
            in_a = nets.to_a(torch.cat([batch.b, batch.a]) if identity else batch.b).float()
            in_b = nets.to_b(torch.cat([batch.a, batch.b]) if identity else batch.a).float()
            fake_a, fake_b = in_a[: len(batch.b)], in_b[: len(batch.a)]
            scores = [nets.critic_a(fake_a).float(), nets.critic_b(fake_b).float()]
            back_a, back_b = nets.to_a(fake_b).float(), nets.to_b(fake_a).float()
        self.parts[1].requires_grad_(True)
        zero = fake_a.new_zeros(())
        same = (
            [absolute(in_a[len(batch.b) :], batch.a), absolute(in_b[len(batch.a) :], batch.b)] if identity else [zero]
        )
        cycle = absolute(back_a, batch.a) + absolute(back_b, batch.b)
        losses = torch.stack([adversarial(scores[0]) + adversarial(scores[1]), cycle, sum(same, zero)])
        return losses, [fake_a.detach(), fake_b.detach()]

    def critics_loss(self, batch: Batch, translations: list[Tensor], step: int) -> Tensor:
        """Return the loss of both critics on images and on translations from the pools."""
        losses = []
        for critic, real, fake, pool in zip(self.parts[1], (batch.a, batch.b), translations, self.pools, strict=True):
            seen = pool.exchange(gathered(fake, self.world), step)  # the pools of all processes are the same
            shard = seen[self.world.rank * len(fake) : (self.world.rank + 1) * len(fake)]
            with self.precisions[1].autocast():
                scores = critic(torch.cat([real, shard])).float()
            losses.append(critic_loss(scores[: len(real)], scores[len(real) :]))
        return losses[0] + losses[1]

    def pairs_loss(self, batch: Batch, a_in_b: Tensor, b_in_a: Tensor) -> Tensor:
        """Return the mean absolute error of both generators on pairs."""
        with self.precisions[0].autocast():
            found_b, found_a = self.nets.to_b(batch.a).float(), self.nets.to_a(batch.b).float()
        return absolute(found_b, a_in_b) + absolute(found_a, b_in_a)

    def state_dict(self) -> dict[str, Any]:
        """Return everything as tensors and plain values, for a checkpoint."""
        return {
            "networks": self.nets.module.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "scalers": [precision.scaler.state_dict() for precision in self.precisions],
            "pools": [pool.images for pool in self.pools],
        }

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a ``state_dict``."""
        self.nets.module.load_state_dict(state["networks"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for precision, saved in zip(self.precisions, state["scalers"], strict=True):
            precision.scaler.load_state_dict(saved)
        for pool, images in zip(self.pools, state["pools"], strict=True):
            pool.images.copy_(images)
