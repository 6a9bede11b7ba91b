"""The section ``gan``: two networks, and everything that decides their weights, except the seed and the data."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, PositiveInt, model_validator

from dawn.config.gan_parts import Critic, CriticSteps, GanOptimizer, Generator, Penalty
from dawn.config.types import STRICT, Fraction, Positive
from dawn.core.cli import InputError

Loss = Literal["wasserstein", "dcgan", "hinge", "relativistic"]


def check_size(size: int) -> None:
    """Raise InputError unless a GAN can make images of ``size`` pixels: each of its layers doubles or halves them."""
    if size < 16 or size & (size - 1):
        raise InputError(
            f"data.size: images of {size} x {size} pixels; a GAN needs 16, 32, 64 or a larger power of two"
        )


class Gan(BaseModel):
    """Settings of a GAN's training; the defaults are the lesson's."""

    model_config = STRICT

    generator: Generator = Generator()
    """The generator."""
    critic: Critic = Critic()
    """The critic."""
    conditional: bool = False
    """Condition on the class: conditional batch norm in the generator, a projection in the critic."""
    init: Literal["torch", "normal"] = "torch"
    """Initial weights: torch's, or DCGAN's N(0, 0.02), batch norms' scales N(1, 0.02)."""
    loss: Loss = "wasserstein"
    """The formulas are in dawn/gans/losses.py."""
    clamp: Positive | None = 0.01
    """Limit of the critic's weights, enforced before each of its steps; null: none."""
    penalty: Penalty = Penalty()
    """Gradient penalties."""
    critic_steps: CriticSteps = CriticSteps()
    """How often the critic is trained."""
    share_samples: bool = False
    """The generator's step reuses the images of the critic's last step, which saves a pass, and makes no new ones."""
    optimizer: GanOptimizer = GanOptimizer()
    """The optimizers."""
    phases: tuple[tuple[Fraction, Positive], ...] = ((0.0, 1.0), (0.5, 0.1))
    """[fraction of the training, multiplier of the learning rates] pairs; each phase starts with new optimizers."""
    epochs: Annotated[float, Field(gt=0, le=100_000)] = 2
    """Passes of the critic over the train split."""
    batch: PositiveInt = 64
    """Real images in a step of the critic, over all processes; as many are generated."""
    augment: tuple[Literal["color", "translation", "cutout"], ...] = ()
    """DiffAugment: what is done alike to real and generated images before the critic sees them."""
    flip: bool = False
    """Mirror half of the real images."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format; auto is fp16 on a GPU and fp32 on a CPU."""
    custom_kernels: bool = False
    """On a CPU and in bf16, 3x3 convolutions by C++ that is compiled at the start; without effect elsewhere."""
    samples_every: PositiveInt = 1
    """Epochs between the samples that are kept to be seen side by side."""

    @model_validator(mode="after")
    def _check(self) -> "Gan":
        starts = [start for start, _ in self.phases]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] == 1:
            raise ValueError(f"phases {[list(p) for p in self.phases]}: the fractions must start at 0 and rise below 1")
        if self.critic.classifier and not self.conditional:
            raise ValueError("critic.classifier teaches the classes that were asked for; set conditional to true")
        if self.clamp is not None and self.critic.spectral_norm:
            raise ValueError("clamp and critic.spectral_norm both limit the critic's weights; set clamp to null")
        penalised = self.penalty.gradient or self.penalty.r1 or self.penalty.r2
        if penalised and self.critic.norm == "batch" and self.critic.architecture != "sn_cnn":
            raise ValueError("penalty is on each image's gradient, which batch norm mixes; set critic.norm to none")
        return self
