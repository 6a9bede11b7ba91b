"""The two networks in training, and one step of each."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dawn.engine.averaging import EMA
from dawn.runtime.distributed import World, average_gradients
from dawn.runtime.precision import Precision
from dawn.tasks.gan import diff_augment, losses, optimizers, penalties
from dawn.tasks.gan.critic import Critic
from dawn.tasks.gan.settings import Gan


@dataclass(frozen=True)
class Draws:
    """This process's part of the random numbers of a step of one network.

    latents  float32 (b, latent)
    augment  float32 (b, k): of DiffAugment
    mix      float32 (b,): of the gradient penalty
    """

    latents: Tensor
    augment: Tensor
    mix: Tensor


class GanState:
    """Everything that changes from step to step. ``fake`` are the images of the critic's last step, with their graph,
    where the generator's next step reuses them.
    """

    def __init__(self, settings: Gan, generator: nn.Module, critic: Critic, world: World) -> None:
        self.settings, self.world = settings, world
        self.generator, self.critic = generator, critic
        self.precisions = [Precision(settings.precision, 1.0, net, world.device) for net in (generator, critic)]
        self.ema = EMA(list(generator.parameters()), settings.generator.ema) if settings.generator.ema else None
        # One pass over real and generated images together, unless batch norm would mix their statistics.
        self.together = not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in critic.modules())
        self.fake: Tensor | None = None
        self.renew_optimizers()

    def renew_optimizers(self) -> None:
        """Start a phase: optimizers without memory of their past."""
        settings = self.settings.optimizer
        self.optimizers = [
            optimizers.make(settings, self.generator, settings.generator_lr),
            optimizers.make(settings, self.critic, settings.critic_lr),
        ]

    def set_learning_rates(self, multiplier: float) -> None:
        """Set the learning rates of both networks to ``multiplier`` times their own."""
        settings = self.settings.optimizer
        for optimizer, lr in zip(self.optimizers, (settings.generator_lr, settings.critic_lr), strict=True):
            optimizers.set_learning_rate(optimizer, lr * multiplier)

    def critic_step(self, real: Tensor, labels: Tensor, draws: Draws, step: int, reuse: bool) -> Tensor:
        """Train the critic on real images (b, 3, h, w) and as many generated ones; ``reuse`` keeps their graph.

        Return loss, mean real and mean generated score, (3,).
        """
        settings, precision = self.settings, self.precisions[1]
        if settings.clamp is not None:
            losses.clamp(self.critic, settings.clamp)
        with torch.set_grad_enabled(reuse), self.precisions[0].autocast():
            fake = self.generator(draws.latents, labels)
        self.fake = fake if reuse else None
        seen = [diff_augment.augment(x, settings.augment, draws.augment) for x in (real, fake.detach())]
        (real_scores, fake_scores), logits = self.outputs(seen, labels)
        loss = losses.critic_loss(settings.loss, real_scores, fake_scores)
        loss = loss + losses.classifier_loss(settings.critic.classifier, logits, labels)
        if penalties.due(settings.penalty, step):
            loss = loss + penalties.penalty(self.critic, seen[0], seen[1], labels, settings.penalty, draws.mix)
        precision.backward(loss)
        average_gradients(self.critic.parameters(), self.world)
        precision.update(self.optimizers[1], None)
        return torch.stack([loss.detach(), real_scores.detach().mean(), fake_scores.detach().mean()])

    def outputs(self, images: list[Tensor], labels: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """Return the critic's scores (b,) in fp32 of real and generated images, and its logits of the real ones."""
        with self.precisions[1].autocast():
            if self.together:
                both, logits = self.critic.outputs(torch.cat(images), torch.cat([labels, labels]))
                return list(both.float().chunk(2)), None if logits is None else logits[: len(labels)]
            parts = [self.critic.outputs(part, labels) for part in images]
            return [scores.float() for scores, _ in parts], parts[0][1]

    def generator_step(self, real: Tensor, labels: Tensor, draws: Draws) -> Tensor:
        """Train the generator on the critic's scores of its images. Return its loss, (1,)."""
        settings, precision = self.settings, self.precisions[0]
        self.critic.requires_grad_(False)  # its weights need no gradient here, which saves a third of the work
        with precision.autocast():
            fake = self.generator(draws.latents, labels) if self.fake is None else self.fake
            seen = diff_augment.augment(fake, settings.augment, draws.augment)
            scores, logits = self.critic.outputs(seen, labels)
            real_scores = None
            if losses.needs_real_scores(settings.loss):
                with torch.no_grad():
                    real_scores = self.critic(
                        diff_augment.augment(real, settings.augment, draws.augment), labels
                    ).float()
        loss = losses.generator_loss(settings.loss, scores.float(), real_scores)
        loss = loss + losses.classifier_loss(settings.critic.classifier, logits, labels)
        precision.backward(loss)
        self.critic.requires_grad_(True)
        self.fake = None
        average_gradients(self.generator.parameters(), self.world)
        precision.update(self.optimizers[0], None)
        if self.ema is not None:
            self.ema.update()
        return loss.detach()[None]

    def state_dict(self) -> dict[str, Any]:
        """Return everything as tensors and plain values, for a checkpoint."""
        return {
            "generator": self.generator.state_dict(),
            "critic": self.critic.state_dict(),
            "optimizers": optimizers.states(self.optimizers),
            "scalers": [precision.scaler.state_dict() for precision in self.precisions],
            "means": self.ema.means if self.ema is not None else [],
        }

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a ``state_dict``."""
        self.generator.load_state_dict(state["generator"])
        self.critic.load_state_dict(state["critic"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for precision, saved in zip(self.precisions, state["scalers"], strict=True):
            precision.scaler.load_state_dict(saved)
        if self.ema is not None:
            torch._foreach_copy_(self.ema.means, state["means"])
