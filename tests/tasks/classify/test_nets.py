"""The networks against published sizes and independently written references."""

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from dawn.core.cli import InputError
from dawn.engine.weights import checksum
from dawn.tasks.classify.networks.build import build
from dawn.tasks.classify.networks.darknet.settings import Darknet
from dawn.tasks.classify.networks.settings import FAMILIES
from dawn.tasks.classify.networks.torchvision.settings import Torchvision
from dawn.tasks.classify.networks.wrn.settings import WideResNet


def darknet(**over):
    return Darknet(**({"family": "darknet", "blocks": (1, 2, 4, 6, 3)} | over))


def wrn(**over):
    return WideResNet(**({"family": "wrn", "depth": 16} | over))


def test_every_family_has_a_builder():
    assert set(FAMILIES) == {"airbench", "darknet", "file", "torchvision", "wrn"}


def count(model):
    return sum(p.numel() for p in build(model, 10, 0).parameters())


@pytest.mark.parametrize(
    ("model", "millions"),
    [
        (darknet(), 31.4),
        (wrn(depth=22, width=6), 9.66),
        # arXiv 1605.07146, tables 4 and 5
        (wrn(depth=40, width=1), 0.6),
        (wrn(depth=40, width=2), 2.2),
        (wrn(depth=40, width=4), 8.9),
        (wrn(depth=28, width=10), 36.5),
        (wrn(depth=22, width=8), 17.2),
        (wrn(depth=16, width=8), 11.0),
        (wrn(depth=16, width=10), 17.1),
        # the same, table 2: block types at k = 2
        (wrn(depth=None, blocks=6, width=2, kernels=(1, 3, 1)), 1.4),
        (wrn(depth=40, width=2, kernels=(3, 1)), 1.2),
        (wrn(depth=40, width=2, kernels=(1, 3)), 1.3),
        (wrn(depth=None, blocks=6, width=2, kernels=(3, 1, 1)), 1.3),
        (wrn(depth=28, width=2), 1.5),
        (wrn(depth=None, blocks=3, width=2, kernels=(3, 1, 3)), 1.1),
        (Torchvision(family="torchvision", name="resnet18"), 11.17),
    ],
    ids=str,
)
def test_parameters_are_as_published(model, millions):
    # The paper rounds to one decimal, and not always the nearest.
    assert count(model) / 1e6 == pytest.approx(millions, abs=0.101 if millions < 31 else 0.05)


@pytest.mark.parametrize(("model", "gflop"), [(darknet(), 0.80), (wrn(depth=22, width=6), 2.77)], ids=str)
def test_flops_are_as_known(model, gflop):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        build(model, 10, 0).eval()(torch.zeros(1, 3, 32, 32))
    assert counter.get_total_flops() / 1e9 == pytest.approx(gflop, abs=0.005)


def test_darknet_has_the_lessons_shape():
    net = build(darknet(), 10, 0)
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 38
    sizes, x = [], torch.zeros(1, 3, 32, 32)
    for layer in net.eval():
        x = layer(x)
        if x.ndim == 4 and (x.shape[1:] not in sizes):
            sizes.append(x.shape[1:])
    assert [tuple(s) for s in sizes[1:6]] == [(64, 16, 16), (128, 16, 16), (256, 8, 8), (512, 4, 4), (1024, 2, 2)]


def test_an_added_convolution_leaves_those_of_the_bottleneck_as_they_are():
    lesson, added = (build(darknet(blocks=(0, 1), width=8, extra_kernels=extra), 10, 0) for extra in ((), (3,)))
    shapes = [[p.shape for m in net.modules() if isinstance(m, torch.nn.Conv2d) for p in m.parameters()]
              for net in (lesson, added)]  # fmt: skip
    assert shapes[0][-2:] == [(16, 32, 1, 1), (32, 16, 3, 3)]
    assert shapes[1] == [*shapes[0], (32, 32, 3, 3)]
    x = torch.randn(4, 3, 16, 16)
    plain = build(darknet(blocks=(0, 1), width=8, extra_kernels=(3,), inplace=False), 10, 0)
    torch.testing.assert_close(added(x), plain(x), rtol=0, atol=0)
    with pytest.raises(ValueError, match="must be odd"):
        darknet(extra_kernels=(2,))


@pytest.mark.parametrize("size", [8, 31, 32, 64])
def test_any_image_size(size):
    for model in (darknet(width=4), wrn()):
        assert build(model, 7, 0).eval()(torch.zeros(2, 3, size, size)).shape == (2, 7)


def norm_relu(x, state, name):
    return F.relu(F.batch_norm(x, None, None, state[f"{name}.weight"], state[f"{name}.bias"], training=True))


def reference(x, state, index, stride, scaled):
    """A pre-activation block from its definition, on the weights of layer ``index``."""
    a = norm_relu(x, state, f"{index}.enter.0")
    b = F.conv2d(a, state[f"{index}.branch.0.weight"], stride=stride, padding=1)
    b = F.conv2d(norm_relu(b, state, f"{index}.branch.1"), state[f"{index}.branch.3.weight"], padding=1)
    key = f"{index}.shortcut.weight"
    unchanged = a if scaled else x
    short = F.conv2d(a, state[key], stride=stride) if key in state else unchanged
    return short + (0.2 if scaled else 1.0) * b


@pytest.mark.parametrize("inplace", [True, False])
@pytest.mark.parametrize("block", ["plain", "scaled"])
def test_wide_resnet_is_its_definition(block, inplace):
    net = build(wrn(depth=16, width=2, block=block, inplace=inplace), 10, 3).double().train()
    state = {name: tensor.detach().clone().requires_grad_() for name, tensor in net.named_parameters()}
    x = torch.randn(4, 3, 16, 16, dtype=torch.float64)
    y = F.conv2d(x, state["0.weight"], padding=1)
    for index, stride in zip(range(1, 7), (1, 1, 2, 1, 2, 1), strict=True):
        y = reference(y, state, index, stride, block == "scaled")
    y = norm_relu(y, state, "7").mean((2, 3))
    y = F.linear(y, state["11.weight"], state["11.bias"])
    ours = net(x)
    torch.testing.assert_close(ours, y)
    ours.square().sum().backward()
    y.square().sum().backward()
    for name, p in net.named_parameters():
        torch.testing.assert_close(p.grad, state[name].grad)


@pytest.mark.parametrize("activation", ["leaky_relu", "relu", "silu", "gelu"])
def test_darknet_is_its_definition_in_place_or_not(activation):
    act = {"leaky_relu": lambda x: F.leaky_relu(x, 0.1), "relu": F.relu, "silu": F.silu, "gelu": F.gelu}[activation]
    nets = [
        build(darknet(blocks=(1, 1), width=4, activation=activation, inplace=flag), 10, 1).double() for flag in (0, 1)
    ]
    assert checksum(nets[0]) == checksum(nets[1])
    state = {name: tensor.detach().clone().requires_grad_() for name, tensor in nets[0].named_parameters()}

    def layer(x, name, stride=1):
        x = F.conv2d(x, state[f"{name}.0.weight"], stride=stride, padding=state[f"{name}.0.weight"].shape[2] // 2)
        return act(F.batch_norm(x, None, None, state[f"{name}.1.weight"], state[f"{name}.1.bias"], training=True))

    x = torch.randn(4, 3, 16, 16, dtype=torch.float64)
    y = layer(layer(x, "0"), "1", 2)
    y = y + layer(layer(y, "2.branch.0"), "2.branch.1")
    y = layer(y, "3", 1)
    y = y + layer(layer(y, "4.branch.0"), "4.branch.1")
    y = F.linear(y.mean((2, 3)), state["7.weight"], state["7.bias"])
    y.square().sum().backward()
    for net in nets:
        ours = net(x)
        torch.testing.assert_close(ours, y)
        ours.square().sum().backward()
        for name, p in net.named_parameters():
            torch.testing.assert_close(p.grad, state[name].grad)


def kept_bytes(model, shape=(8, 3, 32, 32)):
    """Bytes that autograd keeps between forward and backward, each storage once, the weights left out."""
    net = build(model, 10, 0).train()
    own = {p.untyped_storage().data_ptr() for p in net.parameters()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        net(torch.zeros(shape)).sum().backward()
    return sum(size for place, size in kept.items() if place not in own)


def test_in_place_keeps_a_sixth_less():
    # Of a layer's three tensors (convolution, batch norm, activation) an activation in place keeps two; the last of
    # each branch cannot be in place. tests/bench/memory.py measures the peak of a whole step.
    plain, inplace = (kept_bytes(darknet(inplace=flag)) for flag in (False, True))
    assert inplace / plain == pytest.approx(0.832, abs=0.005)


def test_dropout_stands_between_the_convolutions():
    net = build(wrn(depth=10, kernels=(3, 3), dropout=0.3), 10, 0)
    kinds = [type(layer).__name__ for layer in net[1].branch]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU", "Dropout", "Conv2d"]


def test_seeds_decide_the_weights_and_leave_chance_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, again, other = (checksum(build(wrn(), 10, seed)) for seed in (1, 1, 2))
    assert one == again != other
    assert torch.equal(before, torch.get_rng_state())


def test_a_cifar_stem_keeps_the_size():
    net = build(Torchvision(family="torchvision", name="resnet18"), 10, 0)
    assert (net.conv1.kernel_size, net.conv1.stride) == ((3, 3), (1, 1))
    assert isinstance(net.maxpool, torch.nn.Identity)
    plain = build(Torchvision(family="torchvision", name="resnet18", cifar_stem=False), 10, 0)
    assert plain.conv1.kernel_size == (7, 7)


@pytest.mark.parametrize(
    ("name", "words"), [("resnet19", "resnet18"), ("googlenet", "auxiliary"), ("vit_b_16", "cifar_stem")]
)
def test_torchvision_networks_that_do_not_fit_are_refused(name, words):
    with pytest.raises(InputError, match=words):
        build(Torchvision(family="torchvision", name=name), 10, 0)
