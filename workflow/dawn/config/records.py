"""The JSON files of data and results as types, by which ``dawn.core.reading`` checks them.

A type has the keys that some reader needs; the files have more. A key with a default may be absent.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, create_model, model_validator

from dawn.config.types import Resize
from dawn.core.reading import Count, Number, Positive, Seed, Sha256

Least1 = Annotated[Count, Field(ge=1)]
Side = Annotated[Count, Field(ge=1, le=1024)]
Names = Annotated[list[StrictStr], Field(min_length=1, max_length=1 << 16)]
Moment = Annotated[StrictStr, AfterValidator(datetime.fromisoformat)]
Shape = tuple[Least1, Least1, Literal[3]]
Above0 = Annotated[Positive, Field(gt=0)]
Seconds = dict[str, Positive]


class Record(BaseModel):
    """A file, or a part of one; its validator is built when it is first needed."""

    model_config = ConfigDict(defer_build=True)


class Input(Record):
    """What a file of weights says of images: their side in pixels in files and in the network, how they get it."""

    size: Side = 1
    final_size: Side = 1
    resize: Resize = "crop"


class Header(Record):
    """What a file of weights says of itself: classes or domains, preprocessing, and the choices that made it."""

    classes: Annotated[list[StrictStr], Field(max_length=1 << 16)] | None = None
    preprocessing: Input | None = None
    model: dict[str, Any] = {}
    gan: dict[str, Any] = {}
    cycle: dict[str, Any] = {}


class DataChoices(Record):
    """The section ``data`` of a manifest."""

    urls: list[StrictStr]
    sha256: StrictStr | None
    holdout: Count


class MainChoices(Record):
    """The section of a manifest that has the training."""

    batch: Least1
    samples_every: Least1 = 1
    sizes: list[tuple[Number, Least1]] = []


class Choices(Record):
    """The settings that decided a result, by their sections."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[str, Any]]

    data: DataChoices
    train: MainChoices | None = None
    gan: MainChoices | None = None
    cycle: MainChoices | None = None


class Manifest(Record):
    """manifests/N.json of a seed."""

    choices: Choices
    sha256: dict[StrictStr, Sha256]


class Channels(Record):
    """stats.json: mean and standard deviation of each colour of the train split."""

    mean: tuple[Number, Number, Number]
    std: tuple[Above0, Above0, Above0]


class Named(Record):
    """dataset.json as far as it has the names of the classes."""

    classes: Names

    @model_validator(mode="after")
    def _distinct(self) -> "Named":
        """Refuse a name that two classes have."""
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("two classes have one name")
        return self


class Splits(Record):
    """The number of images of each split."""

    train: Least1
    test: Least1
    holdout: Least1 | None = None


class OfClasses(Record):
    """The number of images of each class in each split."""

    train: Annotated[list[Count], Field(min_length=1)]
    test: Annotated[list[Count], Field(min_length=1)]


class WithSplits(Named):
    """dataset.json, in which the numbers of images may be missing."""

    counts: Splits = Field(default=None)  # type: ignore[assignment]
    class_counts: OfClasses = Field(default=None)  # type: ignore[assignment]


class OfSplits(Record):
    """dataset.json as far as it has the numbers of images."""

    counts: Splits


class Described(Record):
    """What a page says of any data."""

    shape: Shape
    sha256: StrictStr | None = None


class Dataset(Described, Named, OfSplits):
    """dataset.json, of the images of a classifier or a GAN."""

    archive: StrictStr = ""


class Domains(Described):
    """domains.json, of the images of a CycleGAN."""

    counts: dict[str, Least1]

    names: tuple[StrictStr, StrictStr]
    paired: bool
    settings: dict[str, Any]


class Spread(Record):
    """A quantity over seeds."""

    mean: Number
    std: Number | None
    low: Number | None
    high: Number | None


class Expected(Record):
    """A mean that there may be none of, with its interval."""

    mean: Number | None
    low: Number | None
    high: Number | None


class Known(Record):
    """What a set of images that are no samples scores."""

    value: Number


class Entry(Known):
    """A measure of one seed, with its interval over the images."""

    low: Number | None = None
    high: Number | None = None
    references: dict[str, Known] = {}


class Measures(Record):
    """The measures of one seed by their keys; a task names those that it always has."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Entry]


class Judge(Record):
    """What an evaluation says of a classifier that measured images."""

    seed: Seed
    sha256: StrictStr
    accuracy: Number


class Checksums(Record):
    """What a training read and which weights it had: initial ones, after the first step, after each epoch."""

    data: dict[StrictStr, Sha256]
    weights: list[StrictStr]


class Machine(Record):
    """The machine that made a result."""

    cpu: StrictStr
    cores: Count | None
    gpus: list[StrictStr]
    system: StrictStr = ""
    image: StrictStr | None = None


class RanOn(Record):
    """What a training ran on until a checkpoint or its end."""

    host: StrictStr
    python: StrictStr
    machine: Machine
    packages: dict[str, StrictStr]


class Training(Record):
    """metrics.json of a seed of any task."""

    seed: Seed
    seconds: Positive
    images_per_s: Positive
    peak_memory_bytes: Positive
    device: StrictStr
    processes: Least1
    precision: StrictStr
    seconds_by_phase: Seconds
    seconds_untimed: Seconds
    resumed: Count
    first_step: Count | None = None
    after_first_step: StrictStr | None = None
    ran_on: list[RanOn] = []
    checksums: Checksums | None = None


class Evaluation(Record):
    """evaluation.json of a seed of any task."""

    seconds: Positive | Seconds = 0


class Sizes(Record):
    """Size and cost of a network; in model.json also of each of several."""

    parameters: Count
    flops: Positive


class Summary(Record):
    """metrics.json over the seeds of any task."""

    parameters: Count = 0
    flops: Positive = 0
    seeds: Least1
    seconds: Spread
    images_per_s: Spread
    peak_memory_bytes: Spread
    dollars: Spread | None = None
    missing_seeds: tuple[Seed, ...] = ()


def summary(measures: Iterable[str]) -> type[Summary]:
    """metrics.json over the seeds of a task with these measures."""
    return create_model("Summary", __base__=Summary, **dict.fromkeys(measures, (Spread | None, None)))  # type: ignore


class Code(Record):
    """The commit of the checkout that made a result."""

    commit: StrictStr | None
    dirty: bool | None
    locks: dict[str, StrictStr] = {}


class Origin(Record):
    """provenance.json of any result, but for its data."""

    code: Code
    python: StrictStr
    machine: Machine
    packages: dict[str, StrictStr]
    command: StrictStr = ""
    differences: dict[str, dict[str, list[Seed]]] = {}


class Source(Record):
    """The checksum of the images, where it is known."""

    sha256: StrictStr | None = None


class OfVariant(Origin):
    """provenance.json as far as a study reads it."""

    data: Source
    written: Moment | None = None


class Provenance(Origin):
    """provenance.json of an experiment on classes of images."""

    data: Dataset
    written: Moment


class OfDomains(Origin):
    """provenance.json of a CycleGAN."""

    data: Domains
    written: Moment


class Timed(Record):
    """A row of timing.json."""

    precision: StrictStr
    batch: Least1
    work: StrictStr
    seconds: Positive
    low: Positive
    high: Positive
    share_of_peak: Positive


class Timing(Record):
    """timing.json."""

    device: StrictStr
    rows: Annotated[list[Timed], Field(min_length=1)]
