"""The sections of params.yaml that every task has: ``data``, ``run`` and ``submission``."""

import json
import os
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from dawn.config.types import ClassName, Count, Every, ImageSize, Labels, NonNegative, Resize, Seed, Settings, Source
from dawn.core.secrets import expanded, is_remote, learn

ADDRESSES = "DAWN_ADDRESSES"  # environment variable: JSON, data.urls as published and as written


class Data(Settings):
    """The archive and how its train split is divided."""

    urls: Annotated[tuple[Source, ...], Field(min_length=1)]
    """Sources, tried in order: http(s), file:// or a plain path; ${NAME} is a variable of the environment."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Checksum of the archive; null only for a local file, or with bytes."""
    bytes: Annotated[int, Field(ge=1, le=10**15)] | None = None
    """Size of the archive, checked where no sha256 is known."""
    layout: Literal["python", "binary", "cifar100-python", "cifar100-binary", "folders"]
    """Layout of the archive: CIFAR-10's or CIFAR-100's pickles or binary records, or image files in class folders."""
    labels: Labels = "fine"
    """Classes of CIFAR-100: the 100 fine or the 20 coarse ones."""
    size: ImageSize | None = None
    """Side in pixels that the image files of layout folders are brought to; null: 32-pixel PNG files alone."""
    resize: Resize = "crop"
    """How: crop scales the largest square in the middle, stretch the whole image (dawn/data/image_file.py)."""
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Fraction of each class that becomes the test split, if the folders have none."""
    test_seed: Seed = 0
    """Seed of the choice of these images."""
    skip_broken: bool = False
    """Leave out image files that cannot be read, and list them in data/left_out.tsv, in place of stopping."""
    classes: Annotated[tuple[ClassName, ...], Field(min_length=2)] | None = None
    """Expected class names; null: those of the archive."""
    holdout: Count = 0
    """Images held out of train, the same fraction of each class, and monitored in place of the test split."""
    holdout_seed: Seed = 0
    """Seed of the choice of these images."""

    @property
    def side(self) -> int:
        """Height and width of the images in pixels."""
        return self.size or 32

    @property
    def monitored(self) -> str:
        """The split that is evaluated between epochs."""
        return "holdout" if self.holdout else "test"

    @property
    def sources(self) -> tuple[str, ...]:
        """Return ``urls`` as they were written, for whoever opens them: by these settings, or by $DAWN_ADDRESSES."""
        whole = tuple(url.whole for url in self.urls)  # type: ignore[attr-defined]
        published, written = json.loads(os.environ.get(ADDRESSES, "[[], []]"))
        if whole != self.urls or published != list(self.urls):
            return whole
        for text, shown in zip(written, published, strict=True):
            learn(text, shown)
        return tuple(written)

    def passed(self) -> dict[str, str]:
        """Return the variable by which jobs, whose settings are read from a file, get ``sources``."""
        written = []
        for source in self.sources:
            try:
                written.append(expanded(source))
            except KeyError:  # a job that opens it will say so
                written.append(source)
        return {ADDRESSES: json.dumps([list(self.urls), written])}

    @model_validator(mode="after")
    def _check(self) -> "Data":
        remote = [url for url in self.urls if is_remote(url) and urlsplit(url)]
        if remote and self.sha256 is None and self.bytes is None:
            raise ValueError(f"sha256 = null is allowed only for local files; {remote[0]} needs sha256 or bytes")
        if self.size is not None and self.layout != "folders":
            raise ValueError(f"size = {self.size} is only for layout folders; set it to null for layout {self.layout}")
        if self.skip_broken and self.size is None:
            raise ValueError("skip_broken is for images of your own; set size to the pixels that they are brought to")
        return self


class Run(Settings):
    """Where and how the work runs; no setting here changes a result, so none repeats a step."""

    processes: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = "auto"
    """Processes on each node; auto: one for each visible GPU."""
    nodes: Annotated[int, Field(ge=1, le=1024)] = 1
    """Cluster nodes of a training."""
    gpus: Annotated[int, Field(ge=0, le=1024)] = 1
    """GPUs that a training requests on each cluster node."""
    require_gpu: Literal["auto"] | bool = "auto"
    """Refuse to train and evaluate on a CPU; auto: in a job to which the scheduler gave a GPU."""
    timeout: Annotated[float, Field(gt=0, le=10_000)] = 10.0
    """Minutes without a sign of one of several processes after which the others stop."""
    interface: Annotated[str, Field(pattern=r"^[\w.-]{1,15}$")] | None = None
    """Network interface between nodes, such as ib0; null: the one that NCCL and gloo find."""
    port: Annotated[int, Field(ge=1024, le=65535)] | None = None
    """Port on the first node where the nodes find each other; null: one that follows from the job's number."""
    save_every: Every = 1
    """Epochs between checkpoints."""
    trace: bool = False
    """Write trace.tsv: learning rate, momentum and loss of every step."""
    tensorboard: bool = False
    """Write TensorBoard event files; needs the package tensorboard."""


class Submission(Settings):
    """The author and price in the DAWNBench files, and what a published result says of licences."""

    author: str = ""
    """Name of the author."""
    email: str = ""
    """Address of the author."""
    code_url: Source | None = None
    """Where the code is published."""
    cost_per_hour: NonNegative | None = None
    """Price of the machine in dollars an hour."""
    license: Annotated[str, Field(min_length=1)] | None = None
    """Licence of weights and results, an SPDX identifier or an address; null: none is stated."""
    data_license: Annotated[str, Field(min_length=1)] | None = None
    """Licence of the images, likewise."""
