"""Residual networks with custom kernels against their layers, and convolutions as matrix products."""

import copy

import pytest
import torch
from conftest import experiment
from torch import nn
from training import assert_same_end, stopped_and_resumed, trained

from dawn.kernels import products
from dawn.kernels.blocks import Block
from dawn.kernels.convolutions import Convolution
from dawn.kernels.network import Replacement, with_kernels
from dawn.tasks.classify.networks.build import build

pytestmark = pytest.mark.usefixtures("avx512")

DARKNET = {"family": "darknet", "blocks": [1, 1, 1, 1], "width": 24, "bn_init": "ones"}
WRN = {"family": "wrn", "depth": 10, "width": 2, "bn_init": "ones"}
NETWORKS = {
    "darknet": DARKNET, "relu": DARKNET | {"activation": "relu"}, "not in place": DARKNET | {"inplace": False},
    "wrn": WRN, "scaled": WRN | {"block": "scaled", "kernels": [1, 3, 1], "depth": 13},
}  # fmt: skip


def results(forward, net, precision, size):
    """Output, gradients of all weights and statistics after a pass there and back, as vectors by name in float64."""
    torch.manual_seed(1)
    images = torch.randn(16, 3, *size).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        out = forward(images)
    (out.float() * torch.randn(out.shape)).sum().backward()
    tensors = {name: p.grad for name, p in net.named_parameters()} | dict(net.named_buffers())
    return {name: t.detach().double().flatten() for name, t in (tensors | {"output": out}).items()}


@pytest.mark.parametrize("size", [(32, 32), (13, 10)])
@pytest.mark.parametrize("name", NETWORKS)
def test_output_gradients_and_statistics_are_those_of_the_layers(name, size):
    net = build(experiment(model=NETWORKS[name]).model, 5, 0).to(memory_format=torch.channels_last)
    nets = [net, copy.deepcopy(net), copy.deepcopy(net)]
    ours = with_kernels(nets[2], "bf16")
    assert list(ours.state_dict()) == list(net.state_dict())
    exact, plain, custom = (
        results(forward, net, precision, size)
        for forward, net, precision in zip((*nets[:2], ours), nets, ("fp32", "bf16", "bf16"), strict=True)
    )
    for key, true in exact.items():
        if key.endswith("num_batches_tracked"):
            assert torch.equal(true, custom[key])
        else:  # Winograd's errors are five times those of a convolution
            error = (custom[key] - true).norm()
            assert 0 < error <= 3 * (plain[key] - true).norm() + 0.02 * true.norm(), key


def test_every_layer_of_both_families_is_computed_by_a_kernel():
    for name, count in (("darknet", 13), ("wrn", 7)):
        replacement = Replacement(True)
        net = build(experiment(model=NETWORKS[name]).model, 5, 0)
        replacement.of(net)
        blocks = sum(isinstance(kernel, Block) for kernel in replacement.kernels)
        assert blocks == sum(isinstance(layer, nn.BatchNorm2d) for layer in net.modules()) == count
        small = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d) and layer.in_channels < 24]
        convolutions = sum(isinstance(kernel, Convolution) for kernel in replacement.kernels)
        assert convolutions == sum(isinstance(layer, nn.Conv2d) for layer in net.modules()) - len(small)


@pytest.mark.parametrize(
    ("kernel", "stride", "h", "w"),
    [(3, 1, 2, 2), (3, 1, 1, 2), (3, 1, 1, 1), (3, 2, 8, 8), (3, 2, 7, 5), (5, 1, 2, 2), (1, 1, 4, 3), (1, 2, 5, 4)],
)
def test_convolutions_as_matrix_products(kernel, stride, h, w):
    torch.manual_seed(0)
    layer = nn.Conv2d(26, 37, kernel, stride, kernel // 2, bias=False).to(memory_format=torch.channels_last)
    assert products.fits(layer)
    assert products.faster(layer, h, w)
    with torch.no_grad():
        layer.weight.copy_(layer.weight.bfloat16())
    exact = copy.deepcopy(layer).double()
    x = torch.randn(5, 26, h, w).bfloat16().contiguous(memory_format=torch.channels_last)
    given = [x.clone().requires_grad_(), x.double().requires_grad_()]
    outs = [Convolution(layer)(given[0]), exact(given[1])]
    assert outs[0].is_contiguous(memory_format=torch.channels_last)
    dout = torch.randn(outs[0].shape).bfloat16()
    for out in outs:
        out.backward(dout.to(out.dtype))
    for ours, true in zip(
        (outs[0], given[0].grad, layer.weight.grad), (outs[1], given[1].grad, exact.weight.grad), strict=True
    ):
        assert ours.shape == true.shape
        assert (ours - true).norm() <= 0.004 * true.norm()


def test_a_training_learns_as_with_pytorchs_layers_and_continues_bit_for_bit(data, tmp_path):
    train = {"epochs": 1, "precision": "bf16", "custom_kernels": True, "schedule": {"peak": 0.02}}
    over = {"model": DARKNET, "train": train, "run": {"trace": True}}
    ours = trained(data, tmp_path / "custom", **over)
    assert ours.note is None
    plain = trained(data, tmp_path / "plain", **(over | {"train": train | {"custom_kernels": False}}))
    losses = [[row[3] for row in trainer.trace] for trainer in (ours, plain)]
    assert losses[0] == pytest.approx(losses[1], abs=0.02)
    assert losses[0][-1] < losses[0][0] / 2
    assert_same_end(ours, stopped_and_resumed(data, tmp_path, 3, **over))
