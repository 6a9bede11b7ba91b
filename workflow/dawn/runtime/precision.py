"""The number format that a network computes in."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dawn.config.types import number_format


def trainable(net: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that are trained: those not frozen when the network was built."""
    return [p for p in net.parameters() if p.requires_grad]


class Precision:
    """The number format of a step, the scale of its loss, and ``weights``: what the optimizer updates.

    fp32: IEEE single precision. bf16, fp16: autocast, fp16 with a dynamic loss scale. half, the lesson's
    ``learn.half()``: the network in fp16 except batch norm, fp32 master weights, a static loss scale.
    auto: fp16 on a GPU, fp32 on a CPU, where fp16 is far slower.
    """

    def __init__(self, kind: str, loss_scale: float, net: nn.Module, device: torch.device) -> None:
        self.kind = number_format(kind, device.type)
        self.net, self.device = net, device
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.kind == "fp16")
        self.scale = loss_scale if self.kind == "half" else 1.0
        self.parameters = trainable(net)
        self.weights: list[Tensor] = list(self.parameters)
        if self.kind == "half":
            self.weights = [p.detach().clone().requires_grad_() for p in self.weights]
            for module in net.modules():
                if not isinstance(module, _BatchNorm):
                    for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                        tensor.data = tensor.data.half() if tensor.is_floating_point() else tensor.data

    def autocast(self) -> torch.autocast:
        """Return the context in which torch computes in bf16 or fp16, if this precision is one of them."""
        dtype = torch.bfloat16 if self.kind == "bf16" else torch.float16
        return torch.autocast(self.device.type, dtype, enabled=self.kind in ("bf16", "fp16"))

    def logits(self, forward: nn.Module, images: Tensor) -> Tensor:
        """Return fp32 logits (b, classes) of fp32 images (b, 3, h, w), computed in this precision."""
        with self.autocast():
            logits: Tensor = forward(images.half() if self.kind == "half" else images)
        return logits.float()

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of the scaled loss."""
        torch.autograd.backward(self.scaler.scale(loss) * self.scale if self.kind in ("fp16", "half") else loss)

    def update(self, optimizer: torch.optim.Optimizer, clip: float | None) -> None:
        """Take one step of the optimizer with the unscaled, clipped gradients, and clear them."""
        if self.kind == "half":
            for weight, p in zip(self.weights, self.parameters, strict=True):
                weight.grad = None if p.grad is None else p.grad.float() / self.scale
        if clip is not None:
            self.scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(self.weights, clip)
        self.scaler.step(optimizer)
        self.scaler.update()
        self.copy_to_network()
        self.net.zero_grad(set_to_none=True)

    @torch.no_grad()
    def copy_to_network(self) -> None:
        """Copy the fp32 master weights of half to the network; in other precisions they are its own."""
        if self.kind == "half":
            torch._foreach_copy_(tuple(self.parameters), self.weights)

    def release(self) -> None:
        """After the training: convert the network to fp32, with the values of the master weights."""
        if self.kind == "half":
            self.net.float()
            self.copy_to_network()
