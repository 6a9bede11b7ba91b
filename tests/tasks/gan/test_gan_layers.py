"""Upsampling, conditional layers and spectral norm."""

import numpy as np
import pytest
import torch
from gan_networks import inputs, networks
from torch.nn import functional

from dawn.tasks.gan.layers import ClassAffine
from dawn.tasks.gan.networks import initialise
from dawn.tasks.gan.upsampling import doubling

WAYS = ["transposed4", "transposed3", "nearest", "bilinear", "pixel_shuffle", "pixel_shuffle_icnr"]
SPECTRAL = {"critic": {"norm": "none", "spectral_norm": True}, "conditional": True}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("architecture", ["dcgan", "sn_cnn"])
def test_every_way_doubles_the_size_all_along(architecture, way):
    generator, _ = networks(architecture, 32, generator={"upsampling": way})
    latents, _, labels = inputs()
    assert generator(latents, labels).shape == (8, 3, 32, 32)
    kernels = {p.shape[2:] for block in generator.blocks[1:3] for p in block.layer.parameters()}
    assert kernels == {(4, 4) if way == "transposed4" else (3, 3)}


def covered(way):
    """How much of a constant input each pixel away from the border receives through a layer of equal weights."""
    layer = doubling(way, 1, 1)
    for parameter in layer.parameters():
        torch.nn.init.ones_(parameter)
    return layer(torch.ones(1, 1, 8, 8))[0, 0, 4:12, 4:12].detach()


def test_which_ways_cover_pixels_unevenly():
    assert {way for way in WAYS if len(covered(way).unique()) > 1} == {"transposed3"}
    assert covered("transposed3").unique().tolist() == [1, 2, 4]


@pytest.mark.parametrize(("way", "mode"), [("nearest", "nearest"), ("bilinear", "bilinear")])
def test_resize_and_convolution(way, mode):
    layer, x = doubling(way, 2, 3, bias=True), torch.randn(2, 2, 5, 4)
    larger = functional.interpolate(x, size=(10, 8), mode=mode)
    weight, bias = layer.parameters()
    torch.testing.assert_close(layer(x), functional.conv2d(larger, weight, bias, padding=1))


@pytest.mark.parametrize("kind", ["torch", "normal"])
def test_icnr_starts_as_nearest_neighbour_upsampling(kind):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, 4)
    for way, same in (("pixel_shuffle_icnr", True), ("pixel_shuffle", False)):
        layer = doubling(way, 3, 7, bias=True)
        initialise(layer, kind)
        weight, bias = (p[::4] for p in layer[0].parameters())
        nearest = functional.interpolate(functional.conv2d(x, weight, bias, padding=1), scale_factor=2)
        assert torch.allclose(layer(x), nearest, atol=1e-6) == same
    assert len(set(weight.flatten().tolist())) > 100


def test_icnr_is_applied_in_the_whole_generator():
    generator, _ = networks(generator={"upsampling": "pixel_shuffle_icnr"}, conditional=True)
    latents, _, labels = inputs()
    images = generator(latents, labels)
    torch.testing.assert_close(images[:, :, ::2, ::2], images[:, :, 1::2, 1::2])
    assert float((images[:, :, 2:-2:2] - images[:, :, 4::2]).detach().abs().max()) > 1e-3


def test_a_conditional_batch_norm_uses_the_numbers_of_the_class():
    layer = ClassAffine(3, 4)
    with torch.no_grad():
        layer.gain.normal_()
        layer.bias.normal_()
    x, labels = torch.randn(5, 4, 2, 3), torch.tensor([2, 0, 2, 1, 0])
    y = layer(x, labels)
    for i, label in enumerate(labels.tolist()):
        for c in range(4):
            torch.testing.assert_close(y[i, c], layer.gain[label, c] * x[i, c] + layer.bias[label, c])
    y[1].sum().backward()
    assert layer.bias.grad.any(1).tolist() == [True, False, False]


def test_only_conditional_networks_depend_on_labels():
    latents, images, labels = inputs()
    other = (labels + 1) % 3
    for conditional in (False, True):
        generator, critic = networks("dcgan", conditional=conditional, init="normal")
        for net, x in ((generator.eval(), latents), (critic.eval(), images)):
            assert torch.equal(net(x, labels), net(x, other)) != conditional


def test_the_projection_is_an_inner_product_with_the_summed_features():
    _, critic = networks("sn_cnn", conditional=True)
    _, images, labels = inputs()
    x = images
    for block in critic.blocks:
        x = block(x, labels)
    linear = critic.final(x.flatten(1))[:, 0]
    features, vectors = x.sum((2, 3)).detach().numpy(), critic.embedding.weight.detach().numpy()
    inner = [float(np.dot(vectors[label], phi)) for label, phi in zip(labels.tolist(), features, strict=True)]
    torch.testing.assert_close(critic(images, labels) - linear, torch.tensor(inner), atol=1e-5, rtol=1e-4)
    assert min(map(abs, inner)) > 1e-5


def largest(weight):
    return float(np.linalg.svd(weight.detach().double().flatten(1).numpy(), compute_uv=False)[0])


@pytest.mark.parametrize("bf16", [False, True], ids=["fp32", "bf16"])
def test_spectral_norm_makes_the_largest_singular_value_one(bf16):
    _, critic = networks("sn_cnn", **SPECTRAL)
    _, images, labels = inputs()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for _ in range(200):
            critic(images, labels)
    critic.eval()
    layers = [*(block.layer for block in critic.blocks), critic.final, critic.embedding]
    assert [largest(layer.weight) for layer in layers] == pytest.approx([1] * 7, abs=1e-3 if not bf16 else 2e-3)
    assert all(abs(largest(layer.parametrizations.weight.original) - 1) > 0.01 for layer in layers)


def test_spectral_norm_is_computed_outside_autocast():
    """On GPUs autocast has a matrix-vector product in its list, on CPUs it has not."""
    _, critic = networks("lesson", **SPECTRAL)
    _, images, labels = inputs()
    seen = []
    for layer in [*(block.layer for block in critic.blocks), critic.final, critic.embedding]:
        layer.parametrizations.weight[0].register_forward_pre_hook(
            lambda *_: seen.append(torch.is_autocast_enabled("cpu"))
        )
    with torch.autocast("cpu", torch.bfloat16):
        critic(images, labels)
    assert seen == [False] * 5


def test_the_vectors_of_the_power_iteration_are_saved():
    _, one = networks("sn_cnn", **SPECTRAL)
    _, two = networks("sn_cnn", seed=1, **SPECTRAL)
    _, images, labels = inputs()
    before = {name: tensor.clone() for name, tensor in one.state_dict().items()}
    one.eval()(images, labels)
    assert all(torch.equal(before[name], tensor) for name, tensor in one.state_dict().items())
    one.train()(images, labels)
    moved = [name for name, tensor in one.state_dict().items() if not torch.equal(before[name], tensor)]
    assert moved
    assert all(name.endswith(("._u", "._v")) for name in moved)
    two.load_state_dict(one.state_dict())
    for _ in range(3):
        assert torch.equal(one(images, labels), two(images, labels))


def test_the_projection_starts_as_large_as_the_linear_function():
    """Both are uniform within 1 / sqrt(inputs of the linear function), as torch's linear layers are."""
    _, critic = networks("dcgan", 32, classes=10, width=8, conditional=True)
    for layer in (critic.final, critic.embedding):
        weights = layer.weight.detach().abs()
        assert 0.95 * 512**-0.5 < float(weights.max()) <= 512**-0.5
