"""The section ``domains``: what the two domains of a CycleGAN are."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, NonNegativeInt, model_validator

from dawn.config.types import STRICT

LEAST = 4  # images of a domain
TRAINS, TESTS = ("domain_a_train", "domain_b_train"), ("domain_a_test", "domain_b_test")  # arrays
OTHERS = ("domain_a_train_in_b", "domain_b_train_in_a")  # only where there is a truth


class Domains(BaseModel):
    """Where the images of domain A and of domain B come from, without pairs in the train splits."""

    model_config = STRICT

    kind: Literal["classes", "hue", "grey", "shapes"] = "classes"
    """classes: classes of the arrays, which image folders are too | hue, grey: images of the arrays, and others with
    their hue turned or without colour | shapes: drawn, filled and outlined. All but classes have a truth."""
    a: tuple[str, ...] = ("horse",)
    """classes: those of domain A | hue, grey: those that are used, [] for all."""
    b: tuple[str, ...] = ("deer",)
    """classes: those of domain B."""
    degrees: Annotated[float, Field(gt=0, lt=360)] = 120.0
    """hue: the turn of the colours about the grey axis."""
    train: Annotated[int, Field(ge=LEAST, le=1_000_000)] = 3000
    """shapes: train images of each domain."""
    test: Annotated[int, Field(ge=LEAST, le=1_000_000)] = 500
    """shapes: test images, each in both domains."""
    seed: NonNegativeInt = 0
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
