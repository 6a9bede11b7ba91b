"""The sections of params.yaml but the model's: frozen, unknown keys refused, every number in its range."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

Share = Annotated[float, Field(ge=0, le=1)]
Below1 = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]


class Data(BaseModel):
    """Where the images come from and how they are split."""

    model_config = STRICT

    urls: Annotated[tuple[str, ...], Field(min_length=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    bytes: PositiveInt | None = None
    layout: Literal["python", "binary", "folders"]
    classes: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    holdout: NonNegativeInt = 0
    holdout_seed: NonNegativeInt = 0

    @model_validator(mode="after")
    def _provable(self) -> "Data":
        remote = [url for url in self.urls if urlsplit(url).scheme in ("http", "https")]
        if remote and self.sha256 is None and self.bytes is None:
            raise ValueError(f"sha256 is null, which only a local file may have; {remote[0]} needs sha256 or bytes")
        return self


class Schedule(BaseModel):
    """Learning rate and momentum by batch; see dawn/schedule.py for the formulas."""

    model_config = STRICT

    kind: Literal["one_cycle", "cosine", "linear", "step"] = "one_cycle"
    peak: Positive
    div: Annotated[float, Field(ge=1)] = 20.0
    pct: Annotated[float, Field(ge=0, le=100)] = 20.0
    momentum: tuple[Below1, Below1] = (0.95, 0.85)
    final: Share = 0.0
    milestones: tuple[Share, ...] = ()
    factor: Share = 0.2

    @model_validator(mode="after")
    def _ordered(self) -> "Schedule":
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones {list(self.milestones)} must rise")
        if self.momentum[0] < self.momentum[1]:
            raise ValueError(f"momentum {list(self.momentum)} is [high, low], so the first is not the smaller")
        return self


class Augment(BaseModel):
    """What is done to a training image, drawn anew every epoch."""

    model_config = STRICT

    pad: Annotated[int, Field(ge=0, le=16)] = 0
    mode: Literal["symmetric", "reflect", "zero"] = "reflect"
    flip: Literal["random", "alternating", "none"] = "none"
    cutout: Annotated[int, Field(ge=0, le=32)] = 0
    brightness: Below1 = 0.0
    contrast: Below1 = 0.0


class Train(BaseModel):
    """One training: all that decides the weights, beside the seed, the data and the network."""

    model_config = STRICT

    epochs: PositiveInt
    batch: PositiveInt
    accumulate: PositiveInt = 1
    schedule: Schedule
    nesterov: bool = False
    weight_decay: Below1 = 0.0
    decay: Literal["all", "weights"] = "all"
    label_smoothing: Below1 = 0.0
    clip: Positive | None = None
    ema: Below1 = 0.0
    augment: Augment = Augment()
    precision: Literal["auto", "fp32", "bf16", "fp16", "half"] = "auto"
    loss_scale: Positive = 512.0
    batch_norm: Literal["global", "local"] = "global"
    channels_last: bool = True
    compile: bool = False
    monitor_every: PositiveInt = 1

    @model_validator(mode="after")
    def _whole(self) -> "Train":
        if self.batch % self.accumulate:
            raise ValueError(f"batch {self.batch} does not divide by accumulate {self.accumulate}")
        return self


class Evaluate(BaseModel):
    """How a trained network is judged; never a reason to train again."""

    model_config = STRICT

    tta: Literal["none", "mirror", "six"] = "none"
    batch: PositiveInt = 1000
    bins: Annotated[int, Field(ge=1, le=1000)] = 15
    target: Annotated[float, Field(gt=0, lt=100)] = 94.0


class LrFind(BaseModel):
    """The learning-rate range test."""

    model_config = STRICT

    low: Positive = 1e-5
    high: Positive = 10.0
    steps: Annotated[int, Field(ge=10)] = 100
    smooth: Below1 = 0.95
    stop: Annotated[float, Field(gt=1)] = 4.0

    @model_validator(mode="after")
    def _rising(self) -> "LrFind":
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}")
        return self


class Run(BaseModel):
    """How the work is carried out. Nothing here changes a result, so nothing here is run again for."""

    model_config = STRICT

    processes: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = "auto"
    nodes: Annotated[int, Field(ge=1, le=1024)] = 1
    gpus: Annotated[int, Field(ge=0, le=1024)] = 1
    save_every: PositiveInt = 1
    trace: bool = False


class Submission(BaseModel):
    """Who a DAWNBench file says it is from, and at what price."""

    model_config = STRICT

    author: str = ""
    email: str = ""
    code_url: str | None = None
    cost_per_hour: NonNegativeFloat | None = None
