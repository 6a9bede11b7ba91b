"""Copies of train images are found, and nothing else is taken for them."""

import numpy as np
import pytest
from scipy import ndimage
from simulations import clusters

from dawn.measures.copying import c_t, copied, nearest, ratio
from dawn.measures.thumbnails import nearest_pixels, thumbnails

N, TRAIN = 400, 1200


def planted(rng, train, part, noise, distance):
    """Samples of which a part are train images and the others new ones, displaced from the real ones."""
    samples = clusters(rng, N) + distance * np.sign(rng.standard_normal(16))
    copies = int(part * N)
    samples[:copies] = train[rng.choice(TRAIN, copies, replace=False)] + noise * rng.standard_normal((copies, 16))
    return samples


def alarms(trials, part, noise=0.0, distance=0.0):
    """The part of the trials that find copies at the 5 % level, by the percentage of copies and by C_T."""
    rng, found = np.random.default_rng(0), []
    for _ in range(trials):
        train, test = clusters(rng, TRAIN), clusters(rng, N)
        own, real = (nearest(x, train)[0] for x in (planted(rng, train, part, noise, distance), test))
        found.append((copied(ratio(own), ratio(real))["p"] <= 0.05, c_t(own[:, 0], real[:, 0]).value < -1.645))
    return np.mean(found, axis=0)


def assert_power(trials):
    assert alarms(trials, 0.05)[0] >= 0.8
    assert alarms(trials, 0.05, noise=0.5)[0] >= 0.8  # half of the standard deviation between new images
    far, by_c_t = alarms(trials, 0.05, distance=0.5)
    assert far >= 0.8
    assert by_c_t <= 0.05  # samples that are no good hide their copies from C_T


def test_five_percent_of_copies_are_found():
    assert_power(20)


@pytest.mark.full
def test_five_percent_of_copies_are_found_in_many_simulations():
    assert_power(1000)
    assert alarms(1000, 0.0)[0] <= 0.05


def test_false_alarms_are_as_rare_as_the_level_says():
    rng = np.random.default_rng(1)
    for n, m in ((200, 200), (1000, 300), (300, 1000)):
        p = np.array([copied(rng.random(n), rng.random(m))["p"] for _ in range(2000)])
        for level in (0.05, 0.2):
            assert (p <= level).mean() <= level + 2 * np.sqrt(level * (1 - level) / len(p))
        assert (p <= 0.2).mean() >= 0.05  # and the test is not merely silent


def test_test_images_that_are_in_train_raise_no_alarm():
    rng = np.random.default_rng(2)
    p = [copied(*(np.where(rng.random(500) < 0.03, 0.0, rng.random(500)) for _ in range(2)))["p"] for _ in range(1000)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05


def test_c_t_is_far_below_zero_for_a_copier_and_zero_for_new_images():
    rng = np.random.default_rng(3)
    train, test = clusters(rng, TRAIN), clusters(rng, N)
    real = nearest(test, train)[0][:, 0]
    assert c_t(nearest(train[:N], train)[0][:, 0], real).value < -15
    assert abs(c_t(nearest(clusters(rng, N), train)[0][:, 0], real).value) < 3


@pytest.mark.parametrize("m", [4, 900, 2300])
def test_the_nearest_are_those_of_all_distances(m):
    rng = np.random.default_rng(m)
    train = (rng.standard_normal((m, 6)) + 50).astype(np.float32)  # far from 0, where single precision loses digits
    x = np.concatenate([train[:3], rng.standard_normal((600, 6)) + 50]).astype(np.float32)
    distances, indices = nearest(x, train)
    every = np.linalg.norm(x[:, None].astype(float) - train, axis=2)
    assert (indices == np.argsort(every, axis=1, kind="stable")[:, :2]).all()
    assert distances == pytest.approx(np.sort(every, axis=1)[:, :2])
    assert distances[:3, 0].tolist() == [0, 0, 0]


def test_a_copy_of_an_image_that_is_in_train_twice_has_the_ratio_zero():
    assert ratio(np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 2.0]])).tolist() == [0, 0, 0.5]


def smooth(rng, n):
    """Images of random smooth structures, with detail."""
    fields = ndimage.gaussian_filter(rng.standard_normal((n, 32, 32, 3)), (0, 4, 4, 0), mode="wrap")
    return (128 + 500 * fields + 8 * rng.standard_normal(fields.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rng, x: x,
        lambda rng, x: x[:, :, ::-1],
        lambda rng, x: (x + rng.normal(0, 15, x.shape)).clip(0, 255).astype(np.uint8),
        lambda rng, x: ndimage.uniform_filter(x, (0, 3, 3, 0)),
        lambda rng, x: np.roll(x, 1, 2),
    ],
    ids=["exact", "mirrored", "noise", "blur", "shift"],
)
def test_imperfect_copies_are_found_by_their_pixels(spoil):
    rng = np.random.default_rng(4)
    train, test, samples = (smooth(rng, n) for n in (600, 200, 200))
    real = ratio(nearest_pixels(test, train)[0])
    assert copied(ratio(nearest_pixels(samples, train)[0]), real)["p"] > 0.05
    samples[:10] = spoil(rng, train[100:110])
    distances, indices = nearest_pixels(samples, train)
    assert (indices[:10, 0] == np.arange(100, 110)).all()
    found = copied(ratio(distances), real)
    assert found["p"] < 0.01
    assert found["value"] == pytest.approx(5, abs=2)


def test_thumbnails_are_the_means_of_blocks():
    images = np.random.default_rng(5).integers(0, 256, (3, 19, 16, 3), dtype=np.uint8)
    found = thumbnails(images).reshape(3, 8, 8, 3)
    assert found[1, 2, 5] == pytest.approx(images[1, 4:6, 10:12].mean((0, 1)))
    assert (thumbnails(images, flip=True) == thumbnails(images[:, :, ::-1])).all()
    with pytest.raises(ValueError, match="7 x 9 pixels are smaller"):
        thumbnails(np.zeros((1, 7, 9, 3), np.uint8))
