"""Shapes, sizes and initial weights of generators and critics, and what their layers compute."""

import pytest
import torch
from conftest import ROOT
from gan_networks import inputs, networks, parameters
from torch.nn import functional

from dawn.config.experiment import check, merge, read
from dawn.core.cli import InputError
from dawn.tasks.gan.layers import Block

ARCHITECTURES = ["lesson", "dcgan", "sn_cnn"]


@pytest.mark.parametrize("size", [16, 32, 64, 128])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_shapes(architecture, size):
    generator, critic = networks(architecture, size)
    latents, _, labels = inputs(5)
    images = generator(latents, labels)
    assert (images.shape, images.dtype) == ((5, 3, size, size), torch.float32)
    assert float(images.detach().abs().max()) <= 1
    scores = critic(images, labels)
    assert (scores.shape, scores.dtype) == ((5,), torch.float32)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_classifier_of_a_critic(architecture):
    plain, critic = (networks(architecture, conditional=True, critic={"classifier": w})[1] for w in (0, 0.5))
    channels = critic.classifier.in_features
    assert parameters(critic) - parameters(plain) == 3 * (channels + 1)
    maps = []
    critic.blocks[-1].register_forward_hook(lambda block, given, made: maps.append(made))
    _, images, labels = inputs(5)
    scores, logits = critic.outputs(images, labels)
    weight, bias = critic.classifier.weight, critic.classifier.bias
    torch.testing.assert_close(logits, maps[0].sum((2, 3)) @ weight.T + bias)
    torch.testing.assert_close(scores, plain(images, labels))  # whose other weights are the same
    assert plain.outputs(images, labels)[1] is None


def published(latent, top, size, extra, width=64):
    """Parameters of DCGAN's generator and discriminator: kernels of 4 x 4, gains and biases of batch norms."""
    steps, channels = [], top
    while channels > width:
        steps, channels = [*steps, (channels, channels // 2)], channels // 2
    assert 4 * 2 ** (len(steps) + 1) == size
    extras = extra * (9 * width * width + 2 * width)
    middle = sum(16 * a * b for a, b in steps)
    generator = 16 * latent * top + 2 * top + middle + sum(2 * b for _, b in steps) + extras + 16 * 3 * width
    critic = 16 * 3 * width + extras + middle + sum(2 * a for a, _ in steps) + 16 * top
    return generator, critic


@pytest.mark.parametrize(
    ("size", "extra", "expected"),
    [
        (64, 0, (3_576_704, 2_765_568)),  # what torch counts in pytorch/examples/dcgan
        (64, 1, (3_613_696, 2_802_560)),  # the lesson's notebook
        (32, 1, published(100, 256, 32, 1)),
    ],
)
def test_the_sizes_of_the_lesson_and_of_dcgan(size, extra, expected):
    assert published(100, 64 * size // 8, size, extra) == expected
    for architecture in ("lesson", "dcgan"):
        nets = networks(architecture, size, extra=extra, width=64, generator={"latent": 100})
        assert tuple(map(parameters, nets)) == expected


def test_the_sizes_of_sn_cnn():
    """Of the layers of table 3 of arXiv 1802.05957, without biases before batch norms."""
    nets = networks("sn_cnn", 32, width=64, generator={"latent": 128}, critic={"spectral_norm": True})
    layers = [(128, 512, 4), (512, 256, 4), (256, 128, 4), (128, 64, 4), (64, 3, 3)]
    generator = sum(a * b * k * k for a, b, k in layers) + 2 * (512 + 256 + 128 + 64) + 3
    layers = [(3, 64, 3), (64, 64, 4), (64, 128, 3), (128, 128, 4), (128, 256, 3), (256, 256, 4), (256, 512, 3)]
    critic = sum(a * b * k * k + b for a, b, k in layers) + 512 * 16 + 1
    assert tuple(map(parameters, nets)) == (generator, critic) == (3_804_739, 2_935_873)


def normed(x):
    """(b, c, h, w) with mean 0 and variance 1 in each channel."""
    mean = x.mean((0, 2, 3), keepdim=True)
    return (x - mean) / (x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()


@pytest.mark.parametrize("architecture", ["lesson", "dcgan"])
def test_the_order_of_layers(architecture):
    generator, critic = networks(architecture, 16)
    latents, images, labels = inputs()

    def after(x, act):
        return normed(act(x)) if architecture == "lesson" else act(normed(x))

    first, second, extra, last = [w for w in generator.state_dict().values() if w.dim() == 4]
    x = after(functional.conv_transpose2d(latents[:, :, None, None], first), functional.relu)
    x = after(functional.conv_transpose2d(x, second, stride=2, padding=1), functional.relu)
    x = after(functional.conv2d(x, extra, padding=1), functional.relu)
    x = functional.conv_transpose2d(x, last, stride=2, padding=1).tanh()
    torch.testing.assert_close(generator(latents, labels), x, atol=1e-5, rtol=1e-4)

    def leaky(x):
        return torch.where(x > 0, x, 0.2 * x)

    first, extra, second = [w for w in critic.state_dict().values() if w.dim() == 4]
    x = leaky(functional.conv2d(images, first, stride=2, padding=1))
    x = after(functional.conv2d(x, extra, padding=1), leaky)
    x = after(functional.conv2d(x, second, stride=2, padding=1), leaky)
    scores = functional.conv2d(x, critic.final.weight.view(1, 8, 4, 4)).flatten()
    torch.testing.assert_close(critic(images, labels), scores, atol=1e-5, rtol=1e-4)


def test_sn_cnn_is_its_layers():
    _, critic = networks("sn_cnn", 16)
    _, x, labels = inputs()
    for i, block in enumerate(critic.blocks):
        kernel, stride = (3, 1) if i % 2 == 0 else (4, 2)
        assert block.layer.weight.shape[2:] == (kernel, kernel)
        x = functional.conv2d(x, block.layer.weight, block.layer.bias, stride, padding=1)
        x = torch.where(x > 0, x, 0.1 * x)
    assert (len(critic.blocks), x.shape[1:]) == (5, (16, 4, 4))
    scores = x.flatten(1) @ critic.final.weight[0] + critic.final.bias
    torch.testing.assert_close(critic(inputs()[1], labels), scores, atol=1e-5, rtol=1e-4)


def test_without_batch_norm_there_are_biases():
    _, critic = networks("lesson", 32, critic={"norm": "none"})
    assert not list(critic.buffers())
    assert all(block.layer.bias is not None for block in critic.blocks)
    _, critic = networks("lesson", 32)
    assert [block.norm is None for block in critic.blocks] == [True, False, False, False]
    assert all(block.layer.bias is None for block in critic.blocks)


def test_the_seed_decides_the_weights_and_torchs_random_state_is_unchanged():
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    settings = {"critic": {"spectral_norm": True}, "conditional": True, "init": "normal"}
    pairs = [networks("dcgan", seed=seed, **settings) for seed in (0, 0, 1)]
    assert torch.equal(torch.random.get_rng_state(), state)
    for one, same, other in zip(*pairs, strict=True):
        states = [net.state_dict() for net in (one, same, other)]
        assert all(torch.equal(a, b) for a, b in zip(states[0].values(), states[1].values(), strict=True))
        drawn = [name for name, tensor in states[0].items() if len(set(tensor.flatten().tolist())) > 3]
        assert len(drawn) > 5
        assert not any(torch.equal(states[0][name], states[2][name]) for name in drawn)


def test_the_initial_critic_does_not_depend_on_the_generator():
    critics = [networks(generator={"upsampling": kind})[1] for kind in ("nearest", "transposed4")]
    one, two = (critic.state_dict() for critic in critics)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_normal_initial_weights():
    nets = networks(width=64, size=32, conditional=True, init="normal", critic={"norm": "none"})
    nets += networks(width=64, size=32, init="normal")
    for net in nets:
        for name, tensor in net.named_parameters():
            kind = tensor.flatten().detach()
            if name.endswith("bias"):
                assert not kind.any(), name
            elif tensor.dim() == 4 or "final" in name or "embedding" in name:
                assert (float(kind.mean()), float(kind.std())) == pytest.approx((0, 0.02), abs=0.0015), name
            else:  # the gains of batch norms
                assert (float(kind.mean()), float(kind.std())) == pytest.approx((1, 0.02), abs=0.01), name


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_bf16_and_channels_last(architecture):
    settings = {"conditional": True, "critic": {"norm": "none", "spectral_norm": True}}
    nets = networks(architecture, 32, width=8, **settings)
    latents, _, labels = inputs(size=32)
    exact = nets[0](latents, labels)
    scores = nets[1](exact, labels)
    for net in nets:
        net.eval().to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        images = nets[0].train()(latents, labels)
        found = nets[1](images.contiguous(memory_format=torch.channels_last), labels)
    assert images.dtype == found.dtype == torch.float32
    assert 0 < float((images - exact).detach().abs().max()) < 0.1
    torch.testing.assert_close(found, scores, atol=0.05, rtol=0.05)
    found.mean().backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for net in nets for p in net.parameters())


@pytest.mark.parametrize("size", [8, 15, 24, 48, 96])
def test_a_size_that_no_layer_can_double_to_is_refused(size):
    line = f"data.size: images of {size} x {size} pixels; a GAN needs 16, 32, 64 or a larger power of two"
    with pytest.raises(InputError, match=line):
        networks(size=size)


def test_it_is_refused_before_any_job(tmp_path):
    folders = {"layout": "folders", "size": 48, "urls": [str(tmp_path)], "sha256": None, "bytes": None}
    values = merge(read(ROOT / "params.yaml"), {"data": folders})
    check(values)
    with pytest.raises(InputError, match=r"data.size: images of 48 x 48 pixels"):
        check(merge(values, {"task": "gan"}))


def test_the_batch_norms_are_ordinary_ones():
    generator, _ = networks("sn_cnn", conditional=True)
    blocks = [block for block in generator.blocks if isinstance(block, Block)]
    assert len(blocks) == 3
    assert [type(block.norm) for block in blocks] == [torch.nn.BatchNorm2d] * 3
    assert not any(block.norm.affine for block in blocks)
