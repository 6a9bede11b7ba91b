"""DiffAugment against numpy, and what its draws mean."""

import numpy as np
import pytest
import torch

from dawn.tasks.gan.diff_augment import augment, draws_needed

POLICY = ("color", "translation", "cutout")


def images(count=8, size=16):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def drawn(count, columns):
    return torch.rand(count, columns, generator=torch.Generator().manual_seed(1))


def test_color():
    x, draws = images().double(), drawn(8, 3).double()
    found = augment(x, ["color"], draws).numpy()
    for image, result, (brightness, saturation, contrast) in zip(x.numpy(), found, draws.numpy(), strict=True):
        expected = image + brightness - 0.5
        grey = expected.mean(0, keepdims=True)
        expected = grey + (expected - grey) * 2 * saturation
        expected = expected.mean() + (expected - expected.mean()) * (contrast + 0.5)
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-14)


def shifted(image, down, right):
    size = image.shape[-1]
    padded = np.pad(image, ((0, 0), (size, size), (size, size)))
    return padded[:, size - down : 2 * size - down, size - right : 2 * size - right]


@pytest.mark.parametrize(("size", "most"), [(16, 2), (32, 4)])
def test_translation_by_every_distance(size, most):
    side = 2 * most + 1
    grid = (np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2) + 0.3) / side
    x = images(side**2, size)
    found = augment(x, ["translation"], torch.from_numpy(grid)).numpy()
    for image, result, (down, right) in zip(x.numpy(), found, np.floor(grid * side).astype(int) - most, strict=True):
        np.testing.assert_array_equal(result, shifted(image, down, right))


@pytest.mark.parametrize("size", [16, 32])
def test_cutout_at_every_place(size):
    half, count = size // 2, size + 1
    for i in range(count):
        draws = torch.tensor([[(i + 0.5) / count, 0.5]])
        kept = augment(torch.ones(1, 3, size, size), ["cutout"], draws)[0].numpy()
        expected = np.ones((size, size))
        start, middle = i - half // 2, size // 2 - half // 2
        expected[max(0, start) : max(0, start + half), middle : middle + half] = 0
        np.testing.assert_array_equal(kept, np.broadcast_to(expected, kept.shape))


def test_neutral_draws_change_nothing():
    x = images()
    torch.testing.assert_close(augment(x, ["color"], torch.full((8, 3), 0.5)), x)
    assert torch.equal(augment(x, ["translation"], torch.full((8, 2), 0.5)), x)
    assert augment(x, [], torch.zeros(8, 0)) is x


def test_equal_draws_are_equal_changes_and_each_image_has_its_own():
    x = images(1).expand(8, -1, -1, -1)
    draws = drawn(8, draws_needed(POLICY))
    found = augment(x, POLICY, draws)
    assert torch.equal(found, augment(x, POLICY, draws))
    for i in range(8):
        torch.testing.assert_close(found[i : i + 1], augment(x[:1], POLICY, draws[i : i + 1]))
        assert not any(torch.equal(found[i], found[j]) for j in range(i))


@pytest.mark.parametrize("order", [POLICY, POLICY[::-1]], ids=str)
def test_changes_are_applied_in_the_order_listed(order):
    x, draws = images(), drawn(8, 7)
    found, first = x, 0
    for kind in order:
        found = augment(found, [kind], draws[:, first : first + draws_needed([kind])])
        first += draws_needed([kind])
    assert torch.equal(augment(x, order, draws), found)


@pytest.mark.parametrize("kind", [*POLICY, "all"])
def test_the_gradient_is_that_of_an_affine_function(kind):
    """<A u, v> = <u, A^T v>, where the gradient gives A^T v."""
    policy = POLICY if kind == "all" else [kind]
    x, draws = images().double().requires_grad_(), drawn(8, draws_needed(policy)).double()
    u, v = torch.randn(2, *x.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    (back,) = torch.autograd.grad((augment(x, policy, draws) * v).sum(), x)
    change = augment(x.detach() + u, policy, draws) - augment(x.detach(), policy, draws)
    torch.testing.assert_close((change * v).sum(), (back * u).sum())
    assert float(back.abs().sum()) > 1


def test_the_largest_draw_below_one_is_in_range():
    most = torch.full((1, 2), float(np.nextafter(np.float32(1), np.float32(0))))
    x = images(1)
    np.testing.assert_array_equal(augment(x, ["translation"], most)[0].numpy(), shifted(x[0].numpy(), 2, 2))
    assert int((augment(torch.ones(1, 1, 16, 16), ["cutout"], most) == 0).sum()) == 4 * 4


def test_pixels_are_moved_exactly_under_autocast():
    x, draws = images(), drawn(8, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(x, ["translation"], draws), augment(x.clone(), ["translation"], draws.double()))
        assert set(augment(x, ["translation"], draws).unique().tolist()) <= {0.0, *x.unique().tolist()}


@pytest.mark.parametrize("shape", [(8, 6), (7, 7), (8, 8)])
def test_draws_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"draws .*\(8, 7\) are needed"):
        augment(images(), POLICY, torch.zeros(shape))
