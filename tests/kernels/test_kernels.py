"""Custom kernels against PyTorch's layers."""

import copy
import shutil
from functools import partial

import pytest
import torch
from conftest import experiment
from torch import nn
from training import AIRBENCH, WORLD, assert_same_end, ready, stopped_and_resumed, trained

from dawn.core.cli import InputError
from dawn.kernels import compiled
from dawn.kernels.blocks import Block
from dawn.kernels.compiled import Unavailable
from dawn.kernels.convolutions import Convolution
from dawn.kernels.network import Replacement, Sequence, with_kernels
from dawn.runtime.distributed import World
from dawn.tasks.classify import preparation

pytestmark = pytest.mark.skipif(shutil.which("c++") is None, reason="there is no C++ compiler (c++)")

ACTIVATIONS = [nn.ReLU, nn.SiLU, nn.GELU, partial(nn.LeakyReLU, 0.1)]
CUSTOM = AIRBENCH | {"train": AIRBENCH["train"] | {"precision": "fp32", "custom_kernels": True}}


def parts(layers, convolutions):
    """The layers of a sequence with kernels in place of some."""
    return Replacement(convolutions).sequence(layers).parts


def network(activation, channels=21):
    """Blocks with and without pooling, on maps of odd and even sides, with scales and biases that are not 1 and 0."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, channels, 2, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(channels), activation(),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels, momentum=0.4), activation(),
        nn.Conv2d(channels, channels, 2, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(channels, eps=1e-3), activation(),
    ).to(memory_format=torch.channels_last)  # fmt: skip
    for layer in net:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 2)
            nn.init.normal_(layer.bias)
    return net


def results(net, forward, precision):
    """Output, gradients of the input and of all weights, and statistics, after one pass there and back."""
    torch.manual_seed(1)
    images = torch.randn(6, 3, 20, 18).contiguous(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        out = forward(images)
    out.backward(torch.randn(out.shape).to(out.dtype))
    return [out, images.grad, *(p.grad for p in net.parameters()), *(b.float() for b in net.buffers())]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_output_gradients_and_statistics_are_those_of_the_layers(activation):
    plain, other = network(activation), network(activation)
    assert sum(isinstance(part, Block) for part in parts(list(plain), False)) == 3
    both = results(plain, plain, "fp32"), results(other, with_kernels(other, "fp32"), "fp32")
    for expected, found in zip(*both, strict=True):
        assert (found - expected).norm() <= 1e-5 * expected.norm()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_in_bf16_they_are_as_near_to_fp32_as_those_of_the_layers(activation):
    nets = [network(activation) for _ in range(3)]
    exact = results(nets[0], nets[0], "fp32")
    plain, ours = results(nets[1], nets[1], "bf16"), results(nets[2], with_kernels(nets[2], "bf16"), "bf16")
    for true, expected, found in zip(exact, plain, ours, strict=True):
        assert found.dtype == expected.dtype
        assert (found - true).norm() <= 1.25 * (expected - true).norm() + 1e-4 * true.norm()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_over_their_whole_range(activation):
    net = nn.Sequential(nn.BatchNorm2d(1), activation())
    values = torch.linspace(-1, 1, 4001).view(4001, 1, 1, 1)
    with torch.no_grad():
        net[0].weight.fill_(60)
    net[0].bias.requires_grad_(False)
    ones = []
    for forward in (net, Sequence(parts(list(net), False))):
        x = values.clone().requires_grad_()
        out = forward(x)
        out.backward(torch.cos(torch.arange(4001.0)).view_as(out))
        ones.append((out.detach(), x.grad))
    torch.testing.assert_close(ones[0][0], ones[1][0], rtol=2e-6, atol=2e-6)
    torch.testing.assert_close(ones[0][1], ones[1][1], rtol=1e-4, atol=1e-3)


def test_equal_maxima_give_the_gradient_to_the_first():
    net = nn.Sequential(nn.MaxPool2d(2), nn.BatchNorm2d(1), nn.ReLU())
    both = []
    for forward in (net, Sequence(parts(list(net), False))):
        x = torch.randint(0, 2, (5, 1, 6, 6), generator=torch.Generator().manual_seed(2)).float().requires_grad_()
        forward(x).square().sum().backward()
        both.append(x.grad)
    torch.testing.assert_close(*both, rtol=1e-5, atol=1e-6)


def test_the_number_of_threads_changes_no_bit():
    net, before, both = network(nn.GELU), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            x = torch.randn(7, 21, 10, 10, generator=torch.Generator().manual_seed(3))
            block = parts([copy.deepcopy(net[i]) for i in (1, 2, 3)], False)[0]
            x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
            out = block(x)
            out.backward(torch.sin(torch.arange(float(out.numel()))).view_as(out))
            both.append((out, x.grad, block.norm.weight.grad, block.norm.bias.grad))
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, *both))


@pytest.mark.usefixtures("avx512")
@pytest.mark.parametrize(
    ("inputs", "outputs", "side", "count"), [(64, 64, 7, 3), (24, 80, 4, 70), (72, 64, 9, 2), (64, 136, 1, 2)]
)
@pytest.mark.parametrize("bias", [False, True])
def test_convolutions_by_winograd(inputs, outputs, side, count, bias):
    torch.manual_seed(0)
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias).to(memory_format=torch.channels_last)
    (ours,) = parts([layer], True)
    assert isinstance(ours, Convolution)
    x = torch.randn(count, inputs, side, side + 2).bfloat16().contiguous(memory_format=torch.channels_last)
    dy = torch.randn(count, outputs, side, side + 2).bfloat16()
    exact = copy.deepcopy(layer).double()
    truth, found = passed(exact, exact, x.double(), dy), passed(ours, layer, x, dy)
    for true, other in zip(truth, found, strict=True):
        assert 0.001 < (other - true).norm() / true.norm() < 0.015  # 0 where the kernels did not run


@pytest.mark.usefixtures("avx512")
@pytest.mark.parametrize(
    ("inputs", "outputs", "height", "width", "count"),
    [(24, 64, 31, 31, 5), (64, 72, 15, 14, 3), (32, 40, 4, 4, 3), (24, 24, 2, 3, 2)],
)
def test_a_pooled_convolution_is_the_convolution_and_its_maxima(inputs, outputs, height, width, count):
    torch.manual_seed(0)
    layer = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False).to(memory_format=torch.channels_last)
    ((pooled,), (plain,)) = parts([layer, nn.MaxPool2d(2)], True), parts([layer], True)
    x = torch.randn(count, inputs, height, width).bfloat16().contiguous(memory_format=torch.channels_last)
    images = x.clone().requires_grad_()
    out = pooled(images)
    convolved, places = nn.functional.max_pool2d(plain(x), 2, return_indices=True)
    assert torch.equal(out, convolved)

    found = out.grad_fn.saved_tensors[2].long()  # which of 2 x 2 pixels each maximum was
    rows, columns = (torch.arange(n // 2).mul(2) for n in (height, width))
    chosen = (rows[:, None] + found // 2) * width + columns + found % 2
    assert (chosen == places).double().mean() > 0.95  # the others are equal in bfloat16
    both = plain(x).flatten(2)
    assert torch.equal(both.gather(2, chosen.flatten(2)), convolved.flatten(2))

    dz = torch.randn(out.shape).bfloat16()
    gradient = torch.zeros(both.shape, dtype=both.dtype).scatter(2, chosen.flatten(2), dz.flatten(2))
    out.backward(dz)
    ours = [images.grad.double(), layer.weight.grad.double()]
    layer.weight.grad = None
    assert all(map(torch.equal, ours, passed(plain, layer, x, gradient.view(plain(x).shape))[1:]))


def passed(forward, layer, images, dy):
    """Output and the gradients of images, weight and bias, in float64."""
    images = images.clone().requires_grad_()
    out = forward(images)
    out.backward(dy.to(out.dtype))
    return [t.detach().double() for t in (out, images.grad, *(p.grad for p in layer.parameters()))]


@pytest.mark.parametrize(
    "over",
    [{"padding": 0}, {"dilation": 2}, {"groups": 2}, {"padding_mode": "reflect"}, {"in_channels": 16},
     {"kernel_size": 2}],
)  # fmt: skip
def test_other_convolutions_are_pytorchs(over):
    settings = {"in_channels": 64, "out_channels": 64, "kernel_size": 3, "padding": 1, "bias": False} | over
    layer = nn.Conv2d(**settings)
    (part,) = parts([layer], True)
    assert "forward" not in vars(part)  # of the class, as it was
    assert part.weight is layer.weight


def test_other_layers_stay_as_they_are():
    layers = [
        nn.MaxPool2d(3), nn.BatchNorm2d(4), nn.Tanh(), nn.MaxPool2d(2, padding=1), nn.BatchNorm2d(4, affine=False),
        nn.ReLU(), nn.BatchNorm2d(4, momentum=None), nn.ReLU(), nn.BatchNorm2d(4), nn.GELU("tanh"), nn.MaxPool2d(2),
    ]  # fmt: skip
    found = parts(layers, True)
    kept = [type(layer) for layer in layers if type(layer) is not nn.ReLU]
    assert [type(part) for part in found if isinstance(part, nn.Module)] == kept
    assert not any("forward" in vars(part) for part in found if isinstance(part, nn.Module))
    assert not any(isinstance(part, Block) for part in found)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", [(3, 4, 6, 5), (7, 4)])
def test_an_activation_alone(activation, shape):
    (ours,) = parts([activation()], False)
    assert not isinstance(ours, nn.Module)
    both = []
    for forward in (activation(), ours):
        x = (3 * torch.randn(shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
        out = forward(x)
        (out * torch.arange(out.numel()).view_as(out)).sum().backward()
        both.append((out.detach(), x.grad))
    torch.testing.assert_close(*both, rtol=1e-5, atol=1e-5)


def test_a_training_is_the_same_up_to_rounding_and_continues_bit_for_bit(data, tmp_path):
    plain = trained(data, tmp_path / "plain", **(CUSTOM | {"train": CUSTOM["train"] | {"custom_kernels": False}}))
    ours = trained(data, tmp_path / "custom", **CUSTOM)
    assert isinstance(ours.task.state.forward.forward, Sequence)
    assert ours.note is None
    for a, b in zip(plain.trace[:10], ours.trace[:10], strict=True):
        assert a[3] == pytest.approx(b[3], rel=2e-3)
    resumed = stopped_and_resumed(data, tmp_path, 7, **CUSTOM)
    assert_same_end(ours, resumed)


def test_a_compiler_that_is_missing_or_fails_is_named(data, tmp_path, monkeypatch):
    compiled.library.cache_clear()
    monkeypatch.setenv("CXX", "no-such-compiler")
    note = ready(data, tmp_path, **CUSTOM).note
    assert note.startswith(
        "train.custom_kernels has no effect: the C++ compiler no-such-compiler cannot be used: No such file"
    )
    monkeypatch.setenv("CXX", "false")
    with pytest.raises(Unavailable, match="the C\\+\\+ compiler false fails: exit 1"):
        with_kernels(network(nn.ReLU), "fp32")


@pytest.mark.parametrize(
    ("net", "precision", "reason"),
    [
        (network(nn.Tanh), "fp32", "no activation that they compute, and"),
        (network(nn.ReLU), "half", "train.precision fp32 or bf16"),
    ],
)
def test_why_layers_cannot_be_with_kernels(net, precision, reason):
    with pytest.raises(Unavailable, match=reason):
        with_kernels(net, precision)


@pytest.mark.full
@pytest.mark.usefixtures("avx512")
def test_a_training_in_bf16_learns_as_with_pytorchs_layers(data, tmp_path):
    train = CUSTOM["train"] | {"precision": "bf16"}
    wide = {"model": CUSTOM["model"] | {"widths": [64, 64]}, "train": train}
    ours = trained(data, tmp_path / "custom", **wide)
    assert sum(isinstance(part, Convolution) for part in ours.task.state.forward.forward.parts) == 4
    plain = trained(data, tmp_path / "plain", **(wide | {"train": train | {"custom_kernels": False}}))
    assert ours.curve[-1].loss == pytest.approx(plain.curve[-1].loss, abs=0.1)
    assert_same_end(ours, stopped_and_resumed(data, tmp_path, 7, **wide))


def test_several_processes_train_layer_by_layer(data, tmp_path):
    state = ready(data, tmp_path, **CUSTOM).task.state
    assert "one process on a CPU" in preparation.use_kernels(state, World(0, 2, WORLD.device))


def test_compile_and_custom_kernels_exclude_each_other():
    with pytest.raises(InputError, match="compile and custom_kernels both replace layers"):
        experiment(train={"compile": True, "custom_kernels": True})
