"""Measurements as data: the raw rows behind a number, docs/measurements/<what>.json. Imports no torch.

A row is one training, with its seed and where it started, or one repetition of a benchmark. Rows hold values and
nothing derived from several of them; means and intervals are computed from the rows by whoever prints them.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError, model_validator

from dawn.config.errors import explain
from dawn.config.types import STRICT
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.results import independence
from dawn.results.provenance import CHECKOUT, collect, public

PACKAGES = ("torch", "torchvision", "numpy", "scipy")  # those that decide numbers and speed
BUILD = re.compile(r"^(Linux-\d+\.\d+)\S*?(-(?:x86_64|aarch64|ppc64le)\S*)$")  # the name of a kernel's build between
ORIGIN = ("seed", "first_step", "resumed", "after_first_step")  # of metrics: which training it is, where it started
TEXT = Annotated[str, Field(min_length=1)]
EXACT = ConfigDict(**(STRICT | ConfigDict(strict=True)))


class Host(BaseModel):
    """The machine, without its name."""

    model_config = EXACT

    system: TEXT
    cpu: TEXT
    features: tuple[str, ...] = ()
    """Vector extensions on which the speed depends, such as avx512_bf16."""
    cores: NonNegativeInt
    gpus: tuple[str, ...] = ()
    """Name, memory and driver of each."""
    image: str | None = None
    """The container."""


class Row(BaseModel):
    """One training (``seed``, ``first_step``, ``resumed``) or one repetition of a benchmark (``repetition``)."""

    model_config = EXACT

    variant: str = ""
    """What of several alternatives was measured."""
    seed: NonNegativeInt | None = None
    repetition: NonNegativeInt | None = None
    first_step: NonNegativeInt | None = None
    """Step of the training at which the process of this result began; 0 for a training from its own start."""
    resumed: NonNegativeInt | None = None
    """How often the training was continued from a checkpoint."""
    after_first_step: str | None = None
    """Checksum of all that the first step of the training changed; equal in trainings that share it."""
    values: Annotated[dict[Annotated[str, Field(pattern=r"^\w+$")], int | float], Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> "Row":
        """Refuse a row that does not say which training or repetition it is, or where a training started."""
        if (self.seed is None) == (self.repetition is None):
            raise ValueError("a row has a seed (of a training) or a repetition (of a benchmark), and not both")
        for name, value in (("first_step", self.first_step), ("resumed", self.resumed)):
            if value is None and self.seed is not None:
                raise ValueError(f"{name} is missing; a training says where it started")
            if value is not None and self.seed is None:
                raise ValueError(f"{name} = {value}: a repetition of a benchmark has none")
        return self


class Measurement(BaseModel):
    """The measurement of one call of a command."""

    model_config = EXACT

    what: TEXT
    command: TEXT
    commit: Annotated[str, Field(pattern="^[0-9a-f]{40}$")] | None
    dirty: bool | None
    """Whether files of the checkout differed from the commit."""
    date: AwareDatetime
    host: Host
    packages: dict[str, str]
    """Versions of Python and of the packages that decide numbers and speed."""
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> "Measurement":
        """Refuse a training or a repetition that is there twice, and a measurement without Python's version."""
        names = [(row.variant, row.seed, row.repetition) for row in self.rows]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            variant, seed, repetition = twice[0]
            number = f"repetition {repetition}" if seed is None else f"seed {seed}"
            raise ValueError(f"rows: {number} of variant {variant!r} is there twice")
        if "python" not in self.packages:
            raise ValueError("packages: python is missing")
        return self


def read(path: Path) -> Measurement:
    """The measurement in a file; an InputError of one line if it is none."""
    return _checked(path, path.read_bytes())


def _checked(path: Path, text: str | bytes) -> Measurement:
    try:
        return Measurement.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{path} is not a measurement: {explain(error, Measurement)}") from error


def save(path: Path | None, what: str, rows: Sequence[Row], origin: Mapping[str, Any] | None = None) -> None:
    """Write the rows to the file of ``--measurement``; nothing without one.

    ``origin`` is the provenance.json of a finished run; by default the measurement is of this process.
    """
    if path is None:
        return
    origin = origin or collect(CHECKOUT)
    versions = {name: origin["packages"][name] for name in PACKAGES if name in origin["packages"]}
    image = origin["machine"]["image"]
    measured = {
        "what": what,
        "command": origin["command"],
        "commit": origin["code"]["commit"],
        "dirty": origin["code"]["dirty"],
        "date": origin["written"],
        "host": {
            **origin["machine"],
            "system": BUILD.sub(r"\1\2", origin["machine"]["system"]),
            "image": image and public(image),
        },
        "packages": {"python": origin["python"], **versions},
        "rows": [row.model_dump(exclude_defaults=True) for row in rows],
    }
    _checked(path, json.dumps(measured))
    write_json(path, measured)


def training(metrics: Mapping[str, Any], variant: str = "", values: Mapping[str, Any] | None = None) -> Row:
    """The row of a training by its metrics; ``values`` replace the numbers among the metrics.

    An InputError where the metrics of a resumed training do not say from which step.
    """
    seed, resumed = metrics["seed"], metrics["resumed"]
    first = metrics.get("first_step", None if resumed else 0)
    if first is None:
        raise InputError(f"seed {seed} was resumed, and its metrics do not say at which step; train it again")
    kept = {name: value for name, value in (metrics if values is None else values).items() if name not in ORIGIN}
    return Row(
        variant=variant, seed=seed, first_step=first, resumed=resumed,
        after_first_step=metrics.get("after_first_step"), values=numbers(kept),
    )  # fmt: skip


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The numbers among the values, also those one level down: ``{a: {b: 1}}`` becomes ``{a_b: 1}``.

    The seconds by phase become ``seconds_train`` and so on.
    """
    flattened: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flattened |= {f"{name.removesuffix('_by_phase')}_{key}": number for key, number in numbers(value).items()}
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flattened[name] = value
    return flattened


def repetitions(values: Iterable[Mapping[str, float]], variant: str = "") -> list[Row]:
    """A row for each repetition of a benchmark."""
    return [Row(variant=variant, repetition=i, values=dict(measured)) for i, measured in enumerate(values)]


def independent(rows: Iterable[Row]) -> int:
    """Return how many of the rows are independent trainings."""
    return independence.independent(row.model_dump() for row in rows)
