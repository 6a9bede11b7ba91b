"""B(M), l, k, depth, dropout, Darknet's layers and the last average: sizes that are published or follow by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dawn.tasks.classify.networks.build import build
from dawn.tasks.classify.networks.darknet.settings import Darknet
from dawn.tasks.classify.networks.wrn.settings import WideResNet


def wrn(**over):
    return WideResNet(**({"family": "wrn"} | over))


def darknet(**over):
    return Darknet(**({"family": "darknet", "blocks": (1, 1), "width": 8} | over))


def count(model, classes=10):
    return sum(p.numel() for p in build(model, classes, 0).parameters())


def test_darknet_53_has_its_published_size():
    # timm's darknet53, 41.61 million with 1,000 classes: five groups of 1, 2, 8, 8, 4 residual layers.
    assert count(darknet(blocks=(1, 2, 8, 8, 4), width=32), 1000) / 1e6 == pytest.approx(41.61, abs=0.005)


@pytest.mark.parametrize("convolutions", [1, 2, 3, 4])
def test_the_convolutions_a_block_leave_wrn_40_2_its_size(convolutions):
    # arXiv 1605.07146, table 3: l = 1 to 4 convolutions a block, all of 2.2 million parameters (l = 1, 2, 3: depth 40).
    assert count(wrn(depth=40, width=2, kernels=(3,) * convolutions)) / 1e6 == pytest.approx(2.2, abs=0.1)


@pytest.mark.parametrize("kernels", [(3, 3), (3, 1), (1, 3), (1, 3, 1), (3, 1, 3), (3, 1, 1), (5,), (1, 5, 3, 1)])
def test_any_list_of_kernels_is_a_block(kernels):
    net = build(wrn(blocks=2, width=1, kernels=kernels, dropout=0.3), 10, 0)
    block = net[2]
    assert [c.kernel_size[0] for c in block.branch if isinstance(c, nn.Conv2d)] == list(kernels)
    assert sum(isinstance(layer, nn.Dropout) for layer in block.branch) == len(kernels) - 1
    assert sum(p.numel() for p in block.branch.parameters()) == sum(16 * 16 * k * k for k in kernels) + 2 * 16 * (
        len(kernels) - 1
    )
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("ratio", [0.5, 1, 2])
@pytest.mark.parametrize("kernels", [(1, 3), (3,), (1, 3, 1), (3, 3, 3)])
def test_a_layer_of_darknet_by_ratio_and_kernels(ratio, kernels):
    n, inside = 16, int(16 * ratio)
    layer = build(darknet(ratio=ratio, kernels=kernels), 10, 0)[2]
    widths = [n, *[inside] * (len(kernels) - 1), n]
    expected = sum(a * b * k * k + 2 * b for a, b, k in zip(widths, widths[1:], kernels, strict=False))
    assert sum(p.numel() for p in layer.parameters()) == expected
    assert layer(torch.zeros(2, n, 8, 8)).shape == (2, n, 8, 8)


@pytest.mark.parametrize("make", [wrn, darknet])
def test_a_fixed_average_is_the_adaptive_one_at_32_pixels_and_takes_no_other(make):
    over = {"blocks": 1} if make is wrn else {"blocks": (1, 0, 1)}
    fixed, adaptive = (build(make(pool=pool, **over), 10, 4).eval() for pool in ("fixed", "adaptive"))
    x = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(fixed(x), adaptive(x))
    for size in (16, 64):
        assert adaptive(F.interpolate(x, size)).shape == (2, 10)
        with pytest.raises(RuntimeError):
            fixed(F.interpolate(x, size))
