"""The sections ``domains`` and ``cycle``: two domains of images, and everything that decides a CycleGAN's weights."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from dawn.config.types import (
    MOST_CHANNELS,
    Batch,
    Below1,
    ClassName,
    Every,
    Fraction,
    NonNegative,
    Positive,
    Seed,
    Settings,
    whole,
)  # fmt: skip

Width = Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
LEAST = 4  # images of a domain
TRAINS, TESTS = ("domain_a_train", "domain_b_train"), ("domain_a_test", "domain_b_test")  # arrays
OTHERS = ("domain_a_train_in_b", "domain_b_train_in_a")  # only where there is a truth


class Domains(Settings):
    """Where the images of domain A and of domain B come from, without pairs in the train splits."""

    kind: Literal["classes", "hue", "grey", "shapes"] = "classes"
    """classes: classes of the arrays, which image folders are too | hue, grey: images of the arrays, and others with
    their hue turned or without colour | shapes: drawn, filled and outlined. All but classes have a truth."""
    a: tuple[ClassName, ...] = ("horse",)
    """classes: those of domain A | hue, grey: those that are used, [] for all."""
    b: tuple[ClassName, ...] = ("deer",)
    """classes: those of domain B."""
    degrees: Annotated[float, Field(gt=0, lt=360)] = 120.0
    """hue: the turn of the colours about the grey axis."""
    train: Annotated[int, Field(ge=LEAST, le=1_000_000)] = 3000
    """shapes: train images of each domain."""
    test: Annotated[int, Field(ge=LEAST, le=1_000_000)] = 500
    """shapes: test images, each in both domains."""
    seed: Seed = 0
    """hue, grey, shapes: seed of the halves and of the drawing."""

    @property
    def paired(self) -> bool:
        """Whether each test image is known in both domains."""
        return self.kind != "classes"

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of the arrays, without suffix."""
        return TRAINS + TESTS + (OTHERS if self.paired else ())

    @model_validator(mode="after")
    def _check(self) -> "Domains":
        if self.kind == "classes":
            if not self.a or not self.b:
                raise ValueError("a and b each need a class, such as a: [horse], b: [deer]")
            if both := set(self.a) & set(self.b):
                raise ValueError(f"class {min(both)} is in a and in b; the domains must differ")
        return self


class Translator(Settings):
    """The networks that translate an image into the other domain; the shapes are in dawn/tasks/cycle/generator.py."""

    width: Width = 64
    """Channels of the first and last layers; the residual blocks have four times as many."""
    blocks: Annotated[int, Field(ge=1, le=64)] = 9
    """Residual blocks: 9 as published for 256 pixels, 6 for smaller images."""
    upsampling: Literal["transposed3", "nearest", "bilinear"] = "transposed3"
    """How the last layers double the size: transposed3 (kernel size, stride 2) | nearest or bilinear resizing and a 3x3
    convolution."""


class Patches(Settings):
    """The networks that give each patch of an image a score, near 1 if it is real; dawn/tasks/cycle/critic.py."""

    width: Width = 64
    """Channels after the first layer; each layer that halves the size doubles them, to eight times as many at most."""
    receptive_field: Literal[16, 34, 70, 142] = 70
    """Side of a patch in pixels; 70 as published."""


class Cycle(Settings):
    """Settings of a CycleGAN's training; the defaults are as published (arXiv 1703.10593)."""

    generator: Translator = Translator()
    """The two generators."""
    critic: Patches = Patches()
    """The two critics."""
    cycle_weight: NonNegative = 10.0
    """Weight of the cycle loss: mean absolute error of an image that is translated and back."""
    identity_weight: NonNegative = 0.5
    """Weight of the identity loss over that of the cycle loss: the error of translating an image of the target."""
    pool: Annotated[int, Field(ge=0, le=1_000_000)] = 50
    """Translations kept, of which the critic sees an older one half of the time; 0: the newest alone."""
    pairs: bool = False
    """Train each generator on pairs with the mean absolute error, without critics: what pairs would give. Only where
    the data has pairs."""
    lr: Positive = 2e-4
    """Learning rate of all networks."""
    betas: tuple[Below1, Below1] = (0.5, 0.999)
    """Adam: decays of the means of the gradient and of its square."""
    constant: Fraction = 0.5
    """Fraction of the training before the learning rate falls, linearly to 0."""
    epochs: Annotated[float, Field(gt=0, le=100_000), AfterValidator(whole)] = 200
    """Passes over the larger domain."""
    batch: Batch = 1
    """Images of each domain in a step, over all processes."""
    pad: Annotated[int, Field(ge=0, le=64)] = 0
    """Border of the random crop, in pixels."""
    mode: Literal["reflect", "enlarge"] = "reflect"
    """Border: a reflection, or the image itself is enlarged: 286 pixels for 256 and a pad of 15, as published."""
    flip: bool = True
    """Mirror half of the images."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Number format; auto is fp16 on a GPU and fp32 on a CPU."""
    samples_every: Every = 1
    """Epochs between the translations that are kept to be seen side by side."""
