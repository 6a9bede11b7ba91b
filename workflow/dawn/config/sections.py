"""The sections of params.yaml but the model's: frozen, unknown keys refused, every number in its range."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from dawn.config.parts import Augment, Lookahead, Muon, Schedule
from dawn.config.types import STRICT, Below1, Positive, Share


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


def _whole(epochs: float) -> float:
    return int(epochs) if epochs == int(epochs) else epochs


Size = tuple[Below1, Annotated[int, Field(ge=8, le=512)]]


class Train(BaseModel):
    """One training: all that decides the weights, beside the seed, the data and the network."""

    model_config = STRICT

    epochs: Annotated[int | float, Field(gt=0, le=100_000), AfterValidator(_whole)]
    batch: PositiveInt
    accumulate: PositiveInt = 1
    schedule: Schedule
    optimizer: Literal["sgd", "muon"] = "sgd"
    muon: Muon = Muon()
    nesterov: bool = False
    bias_lr_multiplier: Positive = 1.0
    stem_lr_multiplier: Positive = 1.0
    stem_epochs: Positive | None = None
    weight_decay: Below1 = 0.0
    decay: Literal["all", "weights"] = "all"
    label_smoothing: Below1 = 0.0
    clip: Positive | None = None
    ema: Below1 = 0.0
    lookahead: Lookahead = Lookahead()
    sizes: tuple[Size, ...] = ()
    augment: Augment = Augment()
    precision: Literal["auto", "fp32", "bf16", "fp16", "half"] = "auto"
    loss_scale: Positive = 512.0
    batch_norm: Literal["global", "local"] = "global"
    compress: Literal["none", "fp16", "bf16"] = "none"
    channels_last: bool = True
    compile: bool = False
    cuda_graph: bool = False
    monitor_every: PositiveInt = 1

    @model_validator(mode="after")
    def _whole(self) -> "Train":
        if self.batch % self.accumulate:
            raise ValueError(f"batch {self.batch} does not divide by accumulate {self.accumulate}")
        if self.ema and self.lookahead.every:
            raise ValueError("ema and lookahead are two averages of the weights; set one of ema, lookahead.every to 0")
        shares = [share for share, _ in self.sizes]
        if shares and (shares[0] != 0 or shares != sorted(set(shares))):
            raise ValueError(f"sizes {[list(size) for size in self.sizes]}: the shares must rise from 0")
        if self.cuda_graph and (self.precision in ("auto", "fp16") or self.clip is not None or self.accumulate > 1):
            raise ValueError(
                "cuda_graph needs precision half, bf16 or fp32, clip null and accumulate 1, "
                "since a recorded step waits for nothing"
            )
        if self.cuda_graph and self.schedule.kind == "one_cycle" and len(set(self.schedule.momentum)) > 1:
            raise ValueError(
                f"cuda_graph records the momentum, so schedule.momentum {list(self.schedule.momentum)} must be constant"
            )
        return self


class Evaluate(BaseModel):
    """How a trained network is judged; never a reason to train again."""

    model_config = STRICT

    tta: Literal["none", "mirror", "six"] = "none"
    tta_fraction: Share = 1.0
    precision: Literal["fp32", "bf16", "half"] = "fp32"
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


class Timing(BaseModel):
    """What dawn.timing measures; without batches or precisions those of the training."""

    model_config = STRICT

    batches: tuple[PositiveInt, ...] = ()
    precisions: tuple[Literal["fp32", "bf16", "fp16", "half"], ...] = ()
    repeats: Annotated[int, Field(ge=3, le=10_000)] = 20
    seconds: Positive = 20.0


class Run(BaseModel):
    """How the work is carried out. Nothing here changes a result, so nothing here is run again for."""

    model_config = STRICT

    processes: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = "auto"
    nodes: Annotated[int, Field(ge=1, le=1024)] = 1
    gpus: Annotated[int, Field(ge=0, le=1024)] = 1
    save_every: PositiveInt = 1
    trace: bool = False
    tensorboard: bool = False


class Submission(BaseModel):
    """Who a DAWNBench file says it is from, and at what price."""

    model_config = STRICT

    author: str = ""
    email: str = ""
    code_url: str | None = None
    cost_per_hour: NonNegativeFloat | None = None
