"""The types of the settings in params.yaml."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from dawn.core.cli import LARGEST_SEED
from dawn.core.secrets import Address

STRICT = ConfigDict(
    frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True, use_attribute_docstrings=True
)


def number_format(precision: str, device: str) -> str:
    """Return the format of a setting ``precision`` on ``cuda`` or ``cpu``; auto: fp32 on a CPU, where fp16 is slow."""
    return precision if precision != "auto" else "fp16" if device == "cuda" else "fp32"


class Settings(BaseModel):
    """Settings: they do not change, have no other keys, and their numbers are no booleans, as pydantic would allow."""

    model_config = STRICT

    @model_validator(mode="before")
    @classmethod
    def _no_booleans(cls, values: Any) -> Any:
        for key, field in cls.model_fields.items() if isinstance(values, Mapping) else ():
            value = values.get(key)
            if not any(isinstance(item, bool) for item in (value if isinstance(value, list | tuple) else [value])):
                continue
            if (kinds := _kinds(field.annotation)) & {int, float} and bool not in kinds:
                raise ValueError(f"{key} = {json.dumps(value)}: numbers are needed; YAML reads yes and on as true")
        return values


def _kinds(annotation: Any) -> set[Any]:
    """The types in an annotation."""
    return {annotation}.union(*map(_kinds, get_args(annotation))) if get_origin(annotation) is not Literal else set()


Fraction = Annotated[float, Field(ge=0, le=1)]
Below1 = Annotated[float, Field(ge=0, lt=1)]
LARGEST = 1e9  # a larger number can only be mistyped
Positive = Annotated[float, Field(gt=0, le=LARGEST)]
NonNegative = Annotated[float, Field(ge=0, le=LARGEST)]
Count = Annotated[int, Field(ge=0, le=int(LARGEST))]
Every = Annotated[int, Field(ge=1, le=1_000_000)]  # epochs or steps between two events, or at a time
Batch = Annotated[int, Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
ImageSize = Annotated[int, Field(ge=8, le=512)]

Activation = Literal["leaky_relu", "relu", "silu", "gelu"]
Kernels = Annotated[tuple[Annotated[int, Field(ge=1, le=15)], ...], Field(min_length=1, max_length=8)]
Pool = Literal["adaptive", "fixed"]
Views = Literal["none", "mirror", "six", "six_equal"]
MOST_CHANNELS = 16384  # more can only be a mistyped width


def _class_name(name: Any) -> Any:
    """Return a class name as it is compared, NFC; a ValueError for a word that YAML reads as something else."""
    if isinstance(name, bool | int | float) or name is None:
        written = "yes, no, on, off, true or false" if isinstance(name, bool) else "a number or null"
        raise ValueError(f"{json.dumps(name)} is what YAML makes of {written}; put the name of the class in quotes")
    return unicodedata.normalize("NFC", name) if isinstance(name, str) else name


ClassName = Annotated[str, BeforeValidator(_class_name, json_schema_input_type=str)]
Source = Annotated[str, AfterValidator(Address), PlainSerializer(str, return_type=str, when_used="json")]

Labels = Literal["fine", "coarse"]  # of CIFAR-100
Resize = Literal["crop", "stretch"]  # how an image becomes a square; dawn/data/image_file.py


def whole(epochs: float) -> float:
    """Return a whole number as an int, so that 3.0 and 3 are the same experiment."""
    return int(epochs) if epochs == int(epochs) else epochs


def check_odd(kernels: tuple[int, ...]) -> None:
    """Raise ValueError for an even kernel size, which would change the size of the feature map."""
    if any(kernel % 2 == 0 for kernel in kernels):
        raise ValueError(f"kernels {list(kernels)} must be odd, so that a branch and its shortcut have equal sizes")


MOST_SEEDS = 10_000


def _expand(seeds: Any) -> Any:
    """Return a number n of seeds as the seeds 0 to n - 1, anything else unchanged."""
    if isinstance(seeds, int | str) and str(seeds).isdigit():
        if not 1 <= int(seeds) <= MOST_SEEDS:
            raise ValueError(f"{seeds} seeds are not possible; give 1 to {MOST_SEEDS}, or a list such as [0, 1, 2]")
        return range(int(seeds))
    return seeds


def _distinct(seeds: tuple[int, ...]) -> tuple[int, ...]:
    """Return the seeds, or raise ValueError if one is there twice."""
    if len(set(seeds)) < len(seeds):
        shown = list(seeds) if len(seeds) <= 20 else f"the list of {len(seeds)} seeds"
        raise ValueError(f"{shown} contains a seed twice; give each once")
    return seeds


Seeds = Annotated[
    tuple[Seed, ...],
    Field(min_length=1, max_length=MOST_SEEDS),
    BeforeValidator(_expand, json_schema_input_type=list[Seed] | Annotated[int, Field(ge=1, le=MOST_SEEDS)]),
    AfterValidator(_distinct),
]
