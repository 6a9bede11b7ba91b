"""The section ``train``: everything that decides the weights, except the seed, the data and the network."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, PositiveInt, model_validator

from dawn.config.parts import Augment, Lookahead, Muon, Schedule
from dawn.config.types import STRICT, Below1, ImageSize, Positive


def whole(epochs: float) -> float:
    """Return a whole number as an int, so that 3.0 and 3 are the same experiment."""
    return int(epochs) if epochs == int(epochs) else epochs


class Train(BaseModel):
    """Settings of a training."""

    model_config = STRICT

    epochs: Annotated[float, Field(gt=0, le=100_000), AfterValidator(whole)]
    """Passes over the train split; a fraction ends the last epoch early."""
    batch: PositiveInt
    """Images in an optimizer step, over all processes."""
    accumulate: PositiveInt = 1
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
    monitor_every: PositiveInt = 1
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
        if self.schedule.kind == "one_cycle" and len(set(self.schedule.momentum)) > 1:
            raise ValueError(
                f"cuda_graph needs a constant momentum, not schedule.momentum {list(self.schedule.momentum)}"
            )
