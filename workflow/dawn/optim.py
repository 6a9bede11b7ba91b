"""What moves the weights: SGD over chosen groups, the precision a step computes in, and an average of the weights."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dawn.config.sections import Train

BATCH_NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)


def sgd(parameters: Sequence[Tensor], train: Train) -> torch.optim.SGD:
    """SGD whose rate and momentum are set before every step; L2 on all tensors, or on matrices and filters alone.

    The update is torch's: v = m v + g + decay w; w = w - rate v.
    """
    plain = [p for p in parameters if train.decay == "weights" and p.ndim < 2]
    groups = [
        {
            "params": [p for p in parameters if all(p is not other for other in plain)],
            "weight_decay": train.weight_decay,
        },
        {"params": plain, "weight_decay": 0.0},
    ]
    momentum = max(train.schedule.momentum)
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=train.schedule.peak,
        momentum=momentum,
        nesterov=train.nesterov and momentum > 0,
        fused=True,
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float, momentum: float) -> None:
    """Set learning rate and momentum of every group."""
    for group in optimizer.param_groups:
        group["lr"], group["momentum"] = rate, momentum


class Precision:
    """The number type of a step, the scale of its loss, and the weights that the optimiser moves.

    fp32; bf16 and fp16 by autocast, fp16 with a dynamic loss scale; half as the lesson's ``learn.half()``: the
    network in fp16 but for its batch norms, fp32 masters for the optimiser, a static loss scale.
    ``auto`` is fp16 on a GPU and fp32 on a CPU, where half precision is far slower.
    """

    def __init__(self, kind: str, loss_scale: float, net: nn.Module, device: torch.device) -> None:
        self.kind = kind if kind != "auto" else "fp16" if device.type == "cuda" else "fp32"
        self.net, self.device = net, device
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.kind == "fp16")
        self.scale = loss_scale if self.kind == "half" else 1.0
        self.weights: list[Tensor] = list(net.parameters())
        if self.kind == "half":
            self.weights = [p.detach().clone().requires_grad_() for p in self.weights]
            for module in net.modules():
                if not isinstance(module, BATCH_NORMS):
                    for own in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                        own.data = own.data.half() if own.is_floating_point() else own.data

    def logits(self, forward: nn.Module, images: Tensor) -> Tensor:
        """fp32 logits (b, classes) of fp32 images (b, 3, h, w), computed in this precision."""
        dtype = torch.bfloat16 if self.kind == "bf16" else torch.float16
        with torch.autocast(self.device.type, dtype, enabled=self.kind in ("bf16", "fp16")):
            logits: Tensor = forward(images.half() if self.kind == "half" else images)
        return logits.float()

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of the scaled loss."""
        torch.autograd.backward(self.scaler.scale(loss) * self.scale if self.kind in ("fp16", "half") else loss)

    def update(self, optimizer: torch.optim.Optimizer, clip: float | None) -> None:
        """One step of the optimiser on the unscaled, clipped gradients; then no gradients."""
        if self.kind == "half":
            for weight, p in zip(self.weights, self.net.parameters(), strict=True):
                weight.grad = None if p.grad is None else p.grad.float() / self.scale
        if clip is not None:
            self.scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(self.weights, clip)
        self.scaler.step(optimizer)
        self.scaler.update()
        self.spread()
        self.net.zero_grad(set_to_none=True)

    @torch.no_grad()
    def spread(self) -> None:
        """Give the network the masters' values; in any precision but half it holds them itself."""
        if self.kind == "half":
            torch._foreach_copy_(tuple(self.net.parameters()), self.weights)

    def release(self) -> None:
        """Make the network fp32, its weights the masters' values: the training is over."""
        if self.kind == "half":
            self.net.float()
            self.spread()


class Average:
    """Exponential moving average of tensors, fp32, starting from their present values."""

    def __init__(self, tensors: Sequence[Tensor], decay: float) -> None:
        self.tensors, self.decay = list(tensors), decay
        self.means = [t.detach().clone() for t in self.tensors]

    def update(self) -> None:
        """mean = decay mean + (1 - decay) value, for all tensors at once."""
        torch._foreach_lerp_(self.means, [t.detach() for t in self.tensors], 1 - self.decay)

    def swap(self) -> None:
        """Exchange the averages and the present values; twice is nothing."""
        with torch.no_grad():
            kept = [t.detach().clone() for t in self.tensors]
            torch._foreach_copy_(self.tensors, self.means)
            torch._foreach_copy_(self.means, kept)
