"""Augmentation against numpy and torchvision, image by image."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional as reference

from dawn.config.augment import Augment
from dawn.core.cli import InputError
from dawn.data.augment import draw, normalise, padded, windows
from dawn.data.augmentations import active, brightness, contrast, cutout
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


def test_a_border_can_be_the_image_itself_enlarged_as_pillow_does():
    images = IMAGES // 3 + 80  # beyond 0 to 255 Pillow clips after each axis
    found = padded(images, Augment(pad=3, mode="enlarge")).numpy().astype(int)
    theirs = [np.asarray(Image.fromarray(image).resize((15, 15), Image.Resampling.BICUBIC)) for image in images.numpy()]
    assert np.abs(found - np.stack(theirs)).max() <= 1  # it rounds after each axis
    shown = torch.cat([images for [(images, _)] in epoch(Augment(pad=3, mode="enlarge"))])
    assert shown.shape == (12, 3, 9, 9)


@pytest.mark.parametrize("mode", ["symmetric", "reflect", "zero", "enlarge"])
def test_a_border_that_the_images_have_no_room_for_is_refused_by_their_size(mode):
    with pytest.raises(InputError, match=r"^train.augment.pad = 9 does not fit into images of 9 pixels; .* 0 to 8$"):
        epoch(Augment(pad=9, mode=mode))
    with pytest.raises(InputError, match="cutout = 12 does not fit into images of 9 pixels"):
        epoch(Augment(cutout=12))
    assert len(epoch(Augment(pad=8, mode=mode, cutout=8))) == 3


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


def test_the_next_epoch_is_drawn_early_and_an_epoch_out_of_turn_is_right():
    augment = Augment(pad=2, flip="random", brightness=0.2)
    trainset = Trainset(Split(IMAGES, LABELS, *STATISTICS), augment, seed=7, batch=4)
    for number in (0, 1, 5, 3):
        found = trainset.draws(number)
        assert list(trainset.drawn) == [number + 1]
        assert all(map(torch.equal, found, draw(12, augment, 7, number)))


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
    flips = {kind: draw(10_000, Augment(flip=kind), 3, 0).flip for kind in ("none", "random", "alternating")}
    assert flips["none"].sum() == 0
    assert abs(flips["random"].float().mean() - 0.5) < 0.02
    by_image = []
    for number in range(4):
        draws = draw(10_000, Augment(flip="alternating"), 3, number)
        by_image.append(torch.empty_like(draws.flip).scatter_(0, draws.order, draws.flip))
    assert abs(by_image[0].float().mean() - 0.5) < 0.02
    assert torch.equal(by_image[0], 1 - by_image[1])
    assert torch.equal(by_image[0], by_image[2])
    assert torch.equal(by_image[1], by_image[3])


def test_crops_fall_everywhere_alike():
    draws = draw(90_000, Augment(pad=4), 0, 0)
    places = torch.bincount(draws.down * 9 + draws.right, minlength=81)
    assert places.min() > 900
    assert places.max() < 1350


def test_the_largest_random_number_stays_inside_the_image():
    largest = torch.full((1, 2), 1 - 2**-24)
    for size in (9, 32, 224):
        assert cutout(torch.ones(1, 3, size, size), 1, largest)[0, 0, -1, -1] == 0


def test_brightness_and_contrast_are_torchvisions():
    chance = torch.rand(2, 12, 2)
    factors = 1 + 0.5 * (2 * chance[:, :, 0] - 1)
    ours = contrast(brightness(IMAGES, 0.5, chance[0]), 0.5, chance[1])
    for i in range(12):
        image = reference.adjust_brightness(IMAGES[i].permute(2, 0, 1).float() / 255, float(factors[0, i]))
        theirs = reference.adjust_contrast(image, float(factors[1, i])).permute(1, 2, 0) * 255
        torch.testing.assert_close(ours[i], theirs, atol=0.02, rtol=1e-4)


def test_an_epoch_applies_the_augmentations_in_their_order_each_with_its_own_numbers():
    augment = Augment(gain=0.13, offset=0.14)
    assert active(augment) == ["offset", "gain"]
    [[(images, _)]] = epoch(augment, batch=12)
    draws = draw(12, augment, 7, 0)
    for image, i, (first, second) in zip(images, draws.order, draws.chance, strict=True):
        plain = normalise(IMAGES[i][None], *STATISTICS)[0]
        expected = (plain + 0.14 * (2 * first[0] - 1)) * (1 + 0.13 * (2 * second[0] - 1))
        torch.testing.assert_close(image, expected)


def test_random_numbers_are_uniform():
    chance = draw(10_000, Augment(offset=0.1, cutout=4), 0, 0).chance
    assert chance.shape == (10_000, 2, 2)
    assert 0 <= chance.min() < 0.001
    assert 0.999 < chance.max() < 1
    torch.testing.assert_close(torch.cov(chance.flatten(1).T), torch.eye(4) / 12, atol=0.004, rtol=0)


def test_cutout_blanks_a_square_that_may_extend_over_the_edge():
    images = torch.ones(3, 3, 9, 9)
    cut = cutout(images, 4, torch.tensor([[4.5, 4.5], [0, 0], [8.9, 4]]) / 9)
    assert cut[0, :, 2:6, 2:6].sum() == 0
    assert (cut == 0).sum((1, 2, 3)).tolist() == [3 * 16, 3 * 4, 3 * 12]
    assert torch.equal(images, torch.ones(3, 3, 9, 9))


def test_normalise_takes_float_pixels_too():
    torch.testing.assert_close(normalise(IMAGES, *STATISTICS), normalise(IMAGES.float(), *STATISTICS))


def test_each_draw_has_its_own_stream():
    """A draw that is switched on changes no other, and the flips are not the order's numbers once more."""
    plain = draw(500, Augment(pad=4, flip="random"), 7, 3)
    more = draw(500, Augment(pad=4, flip="random", cutout=8, brightness=0.2, contrast=0.2), 7, 3)
    for name in ("order", "flip", "down", "right"):
        assert torch.equal(getattr(plain, name), getattr(more, name)), name
    assert torch.equal(draw(500, Augment(cutout=8), 7, 3).chance[:, 0], more.chance[:, 2])
    assert more.chance.flatten(1).std(0).min() > 0.2
    assert more.chance.flatten(1).unique(dim=1).shape == (500, 6)
    order = torch.from_numpy(np.random.default_rng([7]).integers(0, 2, 500))
    assert not torch.equal(draw(500, Augment(flip="alternating"), 7, 0).flip, order)


def test_cutout_keeps_the_memory_format_of_its_images():
    images = torch.randn(3, 3, 9, 9).contiguous(memory_format=torch.channels_last)
    assert cutout(images, 4, torch.rand(3, 2)).stride() == images.stride()
