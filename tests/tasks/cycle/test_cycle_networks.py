"""The networks of a CycleGAN, by the published shapes and counts."""

import pytest
import torch
from torch.nn import functional

from dawn.core.cli import InputError
from dawn.tasks.cycle.critic import scores
from dawn.tasks.cycle.layers import InstanceNorm
from dawn.tasks.cycle.networks import build
from dawn.tasks.cycle.settings import Cycle

FIELDS = (16, 34, 70, 142)


def small(**over):
    return Cycle.model_validate({"generator": {"width": 4, "blocks": 2}, "critic": {"width": 4}} | over)


def count(net):
    return sum(p.numel() for p in net.parameters())


def test_the_default_networks_have_the_published_numbers_of_weights():
    nets = build(Cycle(), 256, 0)
    assert [count(net) for net in vars(nets).values()] == [11_378_179, 11_378_179, 2_764_737, 2_764_737]
    smaller = Cycle.model_validate({"generator": {"blocks": 6}})
    assert count(build(smaller, 128, 0).to_a) == 11_378_179 - 3 * 2 * (256 * 256 * 9 + 256)


@pytest.mark.parametrize("upsampling", ["transposed3", "nearest", "bilinear"])
@pytest.mark.parametrize("size", [32, 36, 64])
def test_a_generator_keeps_the_size_and_stays_between_minus_1_and_1(upsampling, size):
    nets = build(small(generator={"width": 4, "blocks": 1, "upsampling": upsampling}), size, 0)
    images = torch.randn(2, 3, size, size)
    translated = nets.to_b(images)
    assert translated.shape == images.shape
    assert translated.abs().max() <= 1
    assert count(nets.to_b) == count(build(small(generator={"width": 4, "blocks": 1}), size, 0).to_b)


def test_instance_norm_is_that_of_torch_whatever_the_memory_format():
    images = torch.randn(3, 5, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = torch.nn.InstanceNorm2d(5)(images)
    for found in (InstanceNorm()(images), InstanceNorm()(images.contiguous(memory_format=torch.channels_last))):
        assert torch.allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("field", FIELDS)
def test_a_score_depends_on_so_many_pixels_and_no_other(field):
    torch.manual_seed(0)
    size = 2 * field + 36
    size -= size % 16
    net = build(small(critic={"width": 2, "receptive_field": field}), size, 0).critic_a.double()
    plain = torch.nn.Sequential(*(m for m in net if not isinstance(m, InstanceNorm)))  # it sees all pixels
    images = torch.randn(1, 3, size, size, dtype=torch.float64, requires_grad=True)
    found = plain(images)
    assert found.shape == (1, 1, scores(size, field), scores(size, field))
    middle = found.shape[2] // 2
    (gradient,) = torch.autograd.grad(found[0, 0, middle, middle], images)
    rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
    assert rows[-1] - rows[0] + 1 == field


def test_each_image_is_normalised_by_itself():
    nets = build(small(), 32, 0)
    images = torch.randn(3, 3, 32, 32)
    for net in vars(nets).values():
        together, alone = net(images), torch.cat([net(image[None]) for image in images])
        assert torch.allclose(together, alone, atol=1e-5)


def test_the_first_layers_are_what_the_paper_says_computed_by_hand():
    net = build(small(), 32, 0).to_a
    images = torch.randn(1, 3, 32, 32)
    padded = functional.pad(images, (3, 3, 3, 3), mode="reflect")
    assert torch.equal(padded[0, 0, 3, :3], images[0, 0, 0, [3, 2, 1]])
    x = functional.conv2d(padded, net[1].weight, net[1].bias)
    x = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
    assert torch.allclose(net[:4](images), x.clamp(min=0), atol=1e-5)


def test_the_initial_weights_are_those_of_the_seed_and_of_published_spread():
    one, same, other = (build(small(), 32, seed) for seed in (0, 0, 1))
    for a, b, c in zip(one.module.parameters(), same.module.parameters(), other.module.parameters(), strict=True):
        assert torch.equal(a, b)
        assert (a.ndim == 1) == torch.equal(a, c)  # biases are 0
    assert not torch.equal(one.to_a[1].weight, one.to_b[1].weight)
    wide = build(Cycle(), 256, 0).to_a[10].layers[1].weight
    assert abs(wide.mean()) < 1e-4
    assert abs(wide.std() - 0.02) < 1e-4


def test_building_leaves_the_random_state_alone():
    before = torch.get_rng_state()
    build(small(), 32, 0)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("size", "field", "message"),
    [
        (28, 34, "the images have 28 pixels; a CycleGAN takes 32 or more, divisible by 4"),
        (34, 34, "the images have 34 pixels"),
        (32, 142, "receptive_field = 142 has no patch in images of 32 pixels; 70 is the largest"),
    ],
)
def test_sizes_without_a_patch_are_refused(size, field, message):
    with pytest.raises(InputError, match=message):
        build(small(critic={"receptive_field": field}), size, 0)
