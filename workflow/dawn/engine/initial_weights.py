"""The initial weights of PyTorch 0.3, in which fast.ai's 2018 course was written.

Two distributions have changed since. The scales of batch norm were drawn from U(0, 1) up to PyTorch 1.1 and are 1 from
1.2 on (pytorch/pytorch issue 12259, pull request 12325). A transposed convolution of kernel size k was drawn from
U(-b, b) with b = 1 / sqrt(inputs k^2), and has b = 1 / sqrt(outputs k^2) today. Convolutions and linear layers are the
same: b = 1 / sqrt(fan-in).
"""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def draw_scales(net: nn.Module) -> int:
    """Draw the scales of all batch norms whose scales are trained from U(0, 1). Return how many batch norms have some.

    These are the last draws of a network, so its other weights are those that it has without them.
    """
    norms = [module for module in net.modules() if isinstance(module, _BatchNorm) and module.affine]
    trained = [norm for norm in norms if norm.weight.requires_grad]
    for norm in trained:
        norm.weight.uniform_()
    return len(trained)


@torch.no_grad()
def draw_transposed(net: nn.Module) -> None:
    """Draw the weights and biases of all transposed convolutions from U(-b, b), b = 1 / sqrt(inputs k^2)."""
    for module in net.modules():
        if isinstance(module, nn.ConvTranspose2d):
            bound = (module.in_channels * module.kernel_size[0] * module.kernel_size[1]) ** -0.5
            for parameter in module.parameters(recurse=False):
                parameter.uniform_(-bound, bound)
