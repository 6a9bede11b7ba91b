"""The sections of a classifier: ``train``, ``evaluate``, ``lr_find`` and ``timing``; ``model`` is in networks/."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from dawn.config.augment import Augment
from dawn.config.types import (
    LARGEST,
    Batch,
    Below1,
    Count,
    Every,
    Fraction,
    ImageSize,
    NonNegative,
    Positive,
    Settings,
    Views,
    whole,
)

Coefficient = Annotated[float, Field(ge=-1000, le=1000)]


class WarmupCycle(Settings):
    """One cycle before the schedule, with an optimizer of its own, as in the lesson's second notebook."""

    epochs: NonNegative = 0.0
    """Its length, a part of train.epochs; 0: none."""
    peak: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Its largest learning rate over that of the schedule."""
    div: Annotated[float, Field(ge=1, le=LARGEST)] = 100.0
    """Its largest learning rate over its first."""
    pct: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Percent of its steps that anneal."""
    momentum: tuple[Below1, Below1] = (0.9, 0.8)
    """High and low momentum."""

    @model_validator(mode="after")
    def _check(self) -> "WarmupCycle":
        check_momentum(self.momentum)
        return self


def check_momentum(momentum: tuple[float, float]) -> None:
    """Raise ValueError unless the high momentum comes first."""
    if momentum[0] < momentum[1]:
        raise ValueError(f"momentum {list(momentum)} is not [high, low]; swap the two")


class Schedule(Settings):
    """Learning rate and momentum of each step; the formulas are in dawn/tasks/classify/schedule.py."""

    kind: Literal["one_cycle", "cosine", "linear", "step"] = "one_cycle"
    """Shape of the schedule."""
    peak: Positive
    """Largest learning rate."""
    div: Annotated[float, Field(ge=1, le=LARGEST)] = 20.0
    """one_cycle and warm-up: the peak over the first learning rate."""
    warmup: Below1 = 0.0
    """cosine, linear: fraction of the training in which the learning rate rises to the peak."""
    pct: Annotated[float, Field(ge=0, le=100)] = 20.0
    """one_cycle: percent of the training that anneals."""
    momentum: tuple[Below1, Below1] = (0.95, 0.85)
    """High and low momentum; only one_cycle uses the low one, at the step before the peak, as fastai 0.7 did."""
    final: Fraction = 0.0
    """cosine, linear: the last learning rate over the peak."""
    milestones: tuple[Fraction, ...] = ()
    """step: fractions of the training at which the learning rate falls."""
    factor: Fraction = 0.2
    """step: factor of the learning rate at each milestone."""
    warmup_cycle: WarmupCycle = WarmupCycle()
    """A cycle of its own before all of this."""

    @model_validator(mode="after")
    def _check(self) -> "Schedule":
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones {list(self.milestones)} must rise, such as [0.3, 0.6]")
        check_momentum(self.momentum)
        return self


class Muon(Settings):
    """Muon, the optimizer of the filters; the formulas are in dawn/tasks/classify/muon.py."""

    lr: Positive = 0.24
    """Learning rate of the filters at the peak of the schedule."""
    momentum: Below1 = 0.6
    """Momentum of the filters."""
    steps: Annotated[int, Field(ge=1, le=20)] = 3
    """Newton-Schulz iterations."""
    coefficients: tuple[Coefficient, Coefficient, Coefficient] = (3.4445, -4.7750, 2.0315)
    """Coefficients of the iteration's odd polynomial of degree 5."""


class Lookahead(Settings):
    """Lookahead: pull the weights towards a slow average of them; the formulas are in dawn/engine/averaging.py."""

    every: Count = 0
    """Steps between updates of the slow weights; 0: never."""
    decay: Below1 = 0.95
    """The slow weights keep decay^every of themselves, times (fraction of the training)^power."""
    power: NonNegative = 3.0
    """The exponent in decay."""


class Train(Settings):
    """Settings of a training."""

    epochs: Annotated[float, Field(gt=0, le=100_000), AfterValidator(whole)]
    """Passes over the train split; a fraction ends the last epoch early."""
    batch: Batch
    """Images in an optimizer step, over all processes."""
    accumulate: Batch = 1
    """Micro-batches in which each process computes its part of a batch."""
    schedule: Schedule
    """Learning rate and momentum."""
    optimizer: Literal["sgd", "muon"] = "sgd"
    """sgd for all weights, or muon for the filters of convolutions and sgd for the rest."""
    muon: Muon = Muon()
    """Settings of Muon."""
    nesterov: bool = False
    """Nesterov momentum in SGD."""
    bias_lr_multiplier: Positive = 1.0
    """Learning rate of biases and batch norms over the schedule's; their weight decay is divided by it."""
    stem_lr_multiplier: Positive = 1.0
    """The same for the bias of a whitening layer."""
    stem_epochs: Positive | None = None
    """Epochs in which the whitening layer's bias is trained, its learning rate falling to 0; null: all epochs."""
    weight_decay: Below1 = 0.0
    """L2 penalty, added to the gradient."""
    decay: Literal["all", "weights"] = "all"
    """What is decayed: all parameters, or weights without biases and batch norms."""
    label_smoothing: Below1 = 0.0
    """Label smoothing of the cross-entropy."""
    clip: Positive | None = None
    """Largest norm of the gradient; null: no clipping."""
    ema: Below1 = 0.0
    """Decay of an exponential moving average of the weights, which is evaluated in their place; 0: none."""
    lookahead: Lookahead = Lookahead()
    """Settings of Lookahead."""
    sizes: tuple[tuple[Below1, ImageSize], ...] = ()
    """Progressive resizing: [fraction of the training, pixels] pairs; the last size is evaluated. Empty: full size."""
    augment: Augment = Augment()
    """Augmentation of the training images."""
    precision: Literal["auto", "fp32", "bf16", "fp16", "half"] = "auto"
    """Number format; auto is fp16 on a GPU and fp32 on a CPU; fp32 is IEEE single precision (no TF32); half keeps the
    network itself in fp16."""
    loss_scale: Positive = 512.0
    """Static loss scale of precision half."""
    batch_norm: Literal["global", "local"] = "global"
    """Batch statistics over all processes, or over those of each."""
    compress: Literal["none", "fp16", "bf16"] = "none"
    """Number format in which several processes exchange gradients."""
    channels_last: bool = True
    """Channels-last memory format."""
    compile: bool = False
    """Compile the network with torch.compile."""
    custom_kernels: bool = False
    """On a CPU: convolutions, and pooling with batch norm and activation, by C++ that is compiled at the start."""
    cuda_graph: bool = False
    """Capture the training step as a CUDA graph and replay it."""
    monitor_every: Every = 1
    """Epochs between evaluations on the test or hold-out split."""

    @model_validator(mode="after")
    def _check(self) -> "Train":
        if self.batch % self.accumulate:
            raise ValueError(f"batch {self.batch} is not divisible by accumulate {self.accumulate}")
        if self.ema and self.lookahead.every:
            raise ValueError("ema and lookahead both average the weights; set ema or lookahead.every to 0")
        starts = [start for start, _ in self.sizes]
        if starts and (starts[0] != 0 or starts != sorted(set(starts))):
            raise ValueError(f"sizes {[list(size) for size in self.sizes]}: the fractions must start at 0 and rise")
        if self.schedule.warmup_cycle.epochs >= self.epochs:
            raise ValueError(
                f"schedule.warmup_cycle.epochs {self.schedule.warmup_cycle.epochs:g} are all of the epochs "
                f"{self.epochs:g}, which include them; raise epochs"
            )
        if self.compile and self.custom_kernels:
            raise ValueError("compile and custom_kernels both replace layers of the network; set one of them to false")
        if self.cuda_graph:
            self._check_cuda_graph()
        return self

    def _check_cuda_graph(self) -> None:
        """Raise ValueError for settings that a captured step cannot follow."""
        if self.precision in ("auto", "fp16") or self.clip is not None or self.accumulate > 1:
            raise ValueError(
                "cuda_graph needs precision half, bf16 or fp32, clip null and accumulate 1, "
                "because a captured step cannot wait for the CPU"
            )
        if self.schedule.warmup_cycle.epochs:
            raise ValueError("cuda_graph needs a constant momentum; set schedule.warmup_cycle.epochs to 0")
        if self.schedule.kind == "one_cycle" and len(set(self.schedule.momentum)) > 1:
            raise ValueError(
                f"cuda_graph needs a constant momentum, not schedule.momentum {list(self.schedule.momentum)}"
            )


class Evaluate(Settings):
    """Evaluation of a trained network; a change never trains again."""

    tta: Views = "none"
    """Test-time augmentation: the views of an image whose logits are averaged (dawn/tasks/classify/inference.py)."""
    tta_fraction: Fraction = 1.0
    """Fraction of the images that get these views: the least confident without them."""
    precision: Literal["fp32", "bf16", "half"] = "fp32"
    """Number format; fp32 is IEEE single precision on every device, without TF32."""
    batch: Batch = 1000
    """Images in a forward pass."""
    bins: Annotated[int, Field(ge=1, le=1000)] = 15
    """Bins of the calibration error."""
    target: Annotated[float, Field(gt=0, lt=100)] | None = 94.0
    """Accuracy in percent for which time to target is reported; null: none is."""


class LrFind(Settings):
    """The learning-rate range test."""

    low: Positive = 1e-5
    """First learning rate."""
    high: Positive = 10.0
    """Last learning rate."""
    steps: Annotated[int, Field(ge=10, le=1_000_000)] = 100
    """Training steps."""
    smooth: Below1 = 0.95
    """Decay of the moving average of the loss."""
    stop: Annotated[float, Field(gt=1, le=LARGEST)] = 4.0
    """Stop when the loss exceeds the best one this many times."""

    @model_validator(mode="after")
    def _check(self) -> "LrFind":
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}")
        return self


class Timing(Settings):
    """What dawn.timing measures; an empty list takes the training's own value."""

    batches: tuple[Batch, ...] = ()
    """Batch sizes."""
    precisions: tuple[Literal["fp32", "bf16", "fp16", "half"], ...] = ()
    """Number formats."""
    repeats: Annotated[int, Field(ge=3, le=10_000)] = 20
    """Measurements of each operation, after a warm-up."""
    seconds: Positive = 20.0
    """Time limit of each operation, after three measurements."""
