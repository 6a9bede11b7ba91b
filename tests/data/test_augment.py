"""Augmentation against numpy and torchvision, image by image."""

import numpy as np
import pytest
import torch
from torchvision.transforms import functional as reference

from dawn.config.parts import Augment
from dawn.data.augment import cutout, draw, jitter, normalise, padded, windows
from dawn.data.dataset import Split, Trainset
from dawn.runtime.distributed import World

IMAGES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (12, 9, 9, 3), dtype=np.uint8))
LABELS = torch.arange(12)
STATISTICS = (torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.3, 0.25]))
CPU = torch.device("cpu")


def epoch(augment, number=0, batch=4, world=None, parts=1, start=0):
    trainset = Trainset(Split(IMAGES, LABELS, *STATISTICS), augment, seed=7, batch=batch)
    return list(trainset.epoch(number, world or World(0, 1, CPU), parts, start))


@pytest.mark.parametrize(("mode", "theirs"), [("symmetric", "symmetric"), ("reflect", "reflect"), ("zero", "constant")])
@pytest.mark.parametrize("pad", [1, 2, 4, 8])
def test_borders_are_numpys(mode, theirs, pad):
    expected = np.pad(IMAGES.numpy(), ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode=theirs)
    np.testing.assert_array_equal(padded(IMAGES, Augment(pad=pad, mode=mode)).numpy(), expected)


def test_a_window_is_that_crop_of_the_plain_or_mirrored_image():
    view = windows(IMAGES, Augment(pad=2, flip="random"))
    border = np.pad(IMAGES.numpy(), ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    assert view.shape == (2, 12, 5, 5, 9, 9, 3)
    for flip, image, down, right in [(0, 0, 0, 0), (0, 3, 4, 1), (1, 5, 2, 2), (1, 11, 0, 4)]:
        whole = border[image][:, ::-1] if flip else border[image]
        np.testing.assert_array_equal(view[flip, image, down, right].numpy(), whole[down : down + 9, right : right + 9])


def test_an_epoch_shows_every_image_once_and_normalised():
    seen = torch.cat([labels for [(_, labels)] in epoch(Augment())])
    assert sorted(seen.tolist()) == list(range(12))
    [(images, labels)] = epoch(Augment())[0]
    for image, label in zip(images, labels, strict=True):
        plain = IMAGES[label].permute(2, 0, 1).float() / 255
        torch.testing.assert_close(image, reference.normalize(plain, *map(list, STATISTICS)))
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_epochs_differ_and_repeat_themselves():
    augment = Augment(pad=2, flip="random")
    first, again, second = (torch.cat([i for [(i, _)] in epoch(augment, n)]) for n in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


def test_processes_share_the_batches_of_one_and_parts_cut_them():
    augment = Augment(pad=2, flip="random", cutout=3, brightness=0.2, contrast=0.2)
    whole = epoch(augment, parts=1)
    shares = [epoch(augment, world=World(rank, 2, CPU), parts=2) for rank in range(2)]
    for number, [(images, labels)] in enumerate(whole):
        parts = [share[number][part] for part in range(2) for share in shares]
        assert torch.equal(torch.cat([i for i, _ in parts]), images)
        assert torch.equal(torch.cat([label for _, label in parts]), labels)
    late = epoch(augment, start=2)
    assert len(late) == 1
    assert torch.equal(late[0][0][0], whole[2][0][0])


def test_flips():
    flips = {kind: draw(10_000, 9, Augment(flip=kind), 3, 0).flip for kind in ("none", "random", "alternating")}
    assert flips["none"].sum() == 0
    assert abs(flips["random"].float().mean() - 0.5) < 0.02
    by_image = []
    for number in range(4):
        draws = draw(10_000, 9, Augment(flip="alternating"), 3, number)
        by_image.append(torch.empty_like(draws.flip).scatter_(0, draws.order, draws.flip))
    assert abs(by_image[0].float().mean() - 0.5) < 0.02
    assert torch.equal(by_image[0], 1 - by_image[1])
    assert torch.equal(by_image[0], by_image[2])
    assert torch.equal(by_image[1], by_image[3])


def test_crops_fall_everywhere_alike():
    draws = draw(90_000, 32, Augment(pad=4), 0, 0)
    places = torch.bincount(draws.down * 9 + draws.right, minlength=81)
    assert places.min() > 900
    assert places.max() < 1350


def test_jitter_is_torchvisions():
    brightness, contrast = torch.rand(12) + 0.5, torch.rand(12) + 0.5
    ours = jitter(IMAGES, brightness, contrast)
    for i in range(12):
        image = reference.adjust_brightness(IMAGES[i].permute(2, 0, 1).float() / 255, float(brightness[i]))
        theirs = reference.adjust_contrast(image, float(contrast[i])).permute(1, 2, 0) * 255
        torch.testing.assert_close(ours[i], theirs, atol=0.02, rtol=1e-4)
    assert draw(1000, 9, Augment(brightness=0.3), 0, 0).brightness.min() >= 0.7 - 1e-6


def test_jitter_of_normalised_pixels_adds_brightness_and_multiplies_by_contrast():
    augment = Augment(brightness=0.14, contrast=0.13, jitter="normalised")
    draws = draw(1000, 9, augment, 0, 0)
    assert -0.14 <= draws.brightness.min() < -0.13
    assert 0.13 < draws.brightness.max() <= 0.14
    assert 0.87 <= draws.contrast.min() < draws.contrast.max() <= 1.13
    split = Split(IMAGES, torch.arange(12), *STATISTICS)
    [[(images, _)]] = Trainset(split, augment, 0, 12).epoch(0, World(0, 1, CPU), 1)
    draws = draw(12, 9, augment, 0, 0)
    for image, i, b, c in zip(images, draws.order, draws.brightness, draws.contrast, strict=True):
        plain = normalise(IMAGES[i][None], *STATISTICS)[0]
        torch.testing.assert_close(image, (plain + b) * c)


def test_cutout_blanks_a_square_that_may_hang_over_the_edge():
    images = torch.ones(3, 3, 9, 9)
    cut = cutout(images, 4, torch.tensor([4, 0, 8]), torch.tensor([4, 0, 4]))
    assert cut[0, :, 2:6, 2:6].sum() == 0
    assert (cut == 0).sum((1, 2, 3)).tolist() == [3 * 16, 3 * 4, 3 * 12]
    assert torch.equal(images, torch.ones(3, 3, 9, 9))


def test_normalise_takes_float_pixels_too():
    torch.testing.assert_close(normalise(IMAGES, *STATISTICS), normalise(IMAGES.float(), *STATISTICS))


def test_each_draw_has_its_own_stream():
    """A draw that is switched on changes no other, and the flips are not the order's numbers once more."""
    plain = draw(500, 32, Augment(pad=4, flip="random"), 7, 3)
    more = draw(500, 32, Augment(pad=4, flip="random", cutout=8, brightness=0.2, contrast=0.2), 7, 3)
    for name in ("order", "flip", "down", "right"):
        assert torch.equal(getattr(plain, name), getattr(more, name)), name
    assert more.cut_x.unique().numel() > 20
    assert more.brightness.std() > 0.05
    assert not torch.equal(more.brightness, more.contrast)
    order = torch.from_numpy(np.random.default_rng([7]).integers(0, 2, 500))
    assert not torch.equal(draw(500, 32, Augment(flip="alternating"), 7, 0).flip, order)


def test_cutout_keeps_the_memory_format_of_its_images():
    images = torch.randn(3, 3, 9, 9).contiguous(memory_format=torch.channels_last)
    centre = torch.tensor([4, 0, 8])
    assert cutout(images, 4, centre, centre).stride() == images.stride()
