"""The section ``gan``: two networks, and everything that decides their weights, except the seed and the data."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dawn.config.types import MOST_CHANNELS, Batch, Below1, Count, Every, Fraction, NonNegative, Positive, Settings

Loss = Literal["wasserstein", "dcgan", "hinge", "relativistic"]
Architecture = Literal["lesson", "dcgan", "sn_cnn"]
Upsampling = Literal["transposed4", "transposed3", "nearest", "bilinear", "pixel_shuffle", "pixel_shuffle_icnr"]
Width = Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
Layers = Annotated[int, Field(ge=0, le=64)]


class Generator(Settings):
    """The network that makes images from latent vectors; the shapes are in dawn/tasks/gan/generator.py."""

    architecture: Architecture = "lesson"
    """lesson: convolution, activation, batch norm | dcgan: convolution, batch norm, activation | sn_cnn: SNGAN's."""
    latent: Width = 100
    """Components of a latent vector, drawn from N(0, 1)."""
    width: Width = 64
    """Channels before the last layer; each layer before it has twice as many."""
    extra_layers: Layers = 1
    """3x3 convolutions before the last layer; not in sn_cnn."""
    upsampling: Upsampling = "transposed4"
    """How a layer doubles the size: transposed4 and transposed3 (kernel size, stride 2) | nearest or bilinear and a 3x3
    convolution | pixel_shuffle, with ICNR's initial weights or torch's."""
    ema: Below1 = 0.0
    """Decay of an exponential moving average of the weights, which makes the samples in their place; 0: none."""
    statistics: Literal["matched", "running"] = "matched"
    """Batch norm in samples: means over batches of the weights as they are, or the running ones of the training."""


class Critic(Settings):
    """The network that gives an image a score: high for real ones. The shapes are in dawn/tasks/gan/critic.py."""

    architecture: Architecture = "lesson"
    """Kind of layers, as in the generator."""
    width: Width = 64
    """Channels after the first layer; each layer that halves the size doubles them."""
    extra_layers: Layers = 1
    """3x3 convolutions after the first layer; not in sn_cnn."""
    norm: Literal["batch", "none"] = "batch"
    """Normalisation after each layer but the first; sn_cnn has none."""
    spectral_norm: bool = False
    """Divide each layer's weights by their largest singular value."""
    classifier: NonNegative = 0.0
    """Weight of the cross-entropy of a classifier in the critic, which teaches both networks the classes; 0: none."""


class Penalty(Settings):
    """Penalties on the gradient of the critic's score by the image, computed in fp32; dawn/tasks/gan/penalties.py."""

    gradient: NonNegative = 0.0
    """Weight of (norm - 1)^2 between real and generated images (WGAN-GP)."""
    r1: NonNegative = 0.0
    """Weight of half the squared norm at real images."""
    r2: NonNegative = 0.0
    """Weight of half the squared norm at generated images."""
    every: Every = 1
    """Critic steps between two penalties, each of which is multiplied by this number."""


class CriticSteps(Settings):
    """The critic's steps before each step of the generator."""

    usual: Every = 5
    """Critic steps before a generator step for which ``first`` and ``every`` do not ask for ``many``."""
    many: Every = 100
    """Critic steps before the generator steps that ``first`` and ``every`` choose."""
    first: Count = 0
    """The first so many generator steps of each phase have ``many`` critic steps."""
    every: Count = 500
    """Generator steps whose number in their phase, from 0, is divisible by this have ``many`` too; 0: none."""


class GanOptimizer(Settings):
    """The optimizers of both networks."""

    kind: Literal["rmsprop", "adam"] = "rmsprop"
    """RMSprop or Adam, with torch's defaults for what is not here."""
    generator_lr: Positive = 1e-4
    """Learning rate of the generator."""
    critic_lr: Positive = 1e-4
    """Learning rate of the critic."""
    betas: tuple[Below1, Below1] = (0.5, 0.999)
    """Adam: decays of the means of the gradient and of its square."""
    decay: Literal["none", "linear"] = "none"
    """Learning rate over the training: constant, or linear to 0."""


class Gan(Settings):
    """Settings of a GAN's training; the defaults are the lesson's."""

    generator: Generator = Generator()
    """The generator."""
    critic: Critic = Critic()
    """The critic."""
    conditional: bool = False
    """Condition on the class: conditional batch norm in the generator, a projection in the critic."""
    init: Literal["torch", "normal", "torch0.3"] = "torch"
    """Initial weights: torch's; DCGAN's N(0, 0.02), batch norms' scales N(1, 0.02); or those of PyTorch 0.3, with
    scales U(0, 1) and another bound of transposed convolutions (dawn/engine/initial_weights.py)."""
    loss: Loss = "wasserstein"
    """The formulas are in dawn/tasks/gan/losses.py."""
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
    batch: Batch = 64
    """Real images in a step of the critic, over all processes; as many are generated."""
    generator_batch: Batch | None = None
    """Images in a step of the generator, over all processes; null: as in one of the critic."""
    augment: tuple[Literal["color", "translation", "cutout"], ...] = ()
    """DiffAugment: what is done alike to real and generated images before the critic sees them."""
    flip: bool = False
    """Mirror half of the real images."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format; auto is fp16 on a GPU and fp32 on a CPU."""
    custom_kernels: bool = False
    """On a CPU and in bf16, 3x3 convolutions by C++ that is compiled at the start; without effect elsewhere."""
    samples_every: Every = 1
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
        if self.generator.ema and self.generator.statistics == "running":
            raise ValueError("generator.statistics running are those of other weights than an average; set ema to 0")
        self._check_generator_batch()
        penalised = self.penalty.gradient or self.penalty.r1 or self.penalty.r2
        if penalised and self.critic.norm == "batch" and self.critic.architecture != "sn_cnn":
            raise ValueError("penalty is on each image's gradient, which batch norm mixes; set critic.norm to none")
        return self

    def _check_generator_batch(self) -> None:
        """Raise ValueError where the generator's step takes images or labels of the critic's step."""
        takers = {"conditional": self.conditional, "loss relativistic": self.loss == "relativistic",
                  "share_samples": self.share_samples}  # fmt: skip
        if self.generator_batch is not None and (taker := next((name for name in takers if takers[name]), None)):
            raise ValueError(
                f"generator_batch {self.generator_batch}: with {taker} a step of the generator uses the images of one "
                "of the critic; set generator_batch to null"
            )
