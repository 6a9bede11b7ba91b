"""The number type that a network computes in."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def trained(net: nn.Module) -> list[nn.Parameter]:
    """The parameters that training moves: not those frozen when the network was built."""
    return [p for p in net.parameters() if p.requires_grad]


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
        self.own = trained(net)
        self.weights: list[Tensor] = list(self.own)
        if self.kind == "half":
            self.weights = [p.detach().clone().requires_grad_() for p in self.weights]
            for module in net.modules():
                if not isinstance(module, _BatchNorm):
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
            for weight, p in zip(self.weights, self.own, strict=True):
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
        """Copy the fp32 masters to the network; in any precision but half it holds them itself."""
        if self.kind == "half":
            torch._foreach_copy_(tuple(self.own), self.weights)

    def release(self) -> None:
        """Make the network fp32, its weights the masters' values: the training is over."""
        if self.kind == "half":
            self.net.float()
            self.copy_to_network()
