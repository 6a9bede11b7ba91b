"""Copies of train images are found, and nothing else is taken for them."""

import numpy as np
import pytest
from conftest import in_full
from scipy import ndimage
from simulations import clusters

from dawn.measures.copying import c_t, copied, nearest, nearest_pixels, ratio, thumbnails, versions

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


def test_test_images_that_are_almost_in_train_raise_no_alarm():
    rng = np.random.default_rng(2)

    def some(n):
        return np.where(rng.random(n) < 0.03, 0.01 * rng.random(n), rng.random(n))

    p = [copied(some(500), some(500))["p"] for _ in range(1000)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05


@pytest.mark.parametrize("part", [0.03, 0.5, 0.9])
def test_test_images_that_are_in_train_do_not_hide_copies(part):
    rng, n = np.random.default_rng(3), 2000
    test = np.where(np.arange(n) < part * n, 0.0, rng.random(n))
    honest, copies = rng.random(n), np.where(rng.random(n) < 0.1, 0.0, rng.random(n))
    found = copied(honest, test)
    assert 0 <= found["low"] <= found["value"] < 1
    assert found["value"] < found["high"] < 5
    assert found["p"] > 0.05
    assert found["test"] == n - round(part * n)
    found = copied(copies, test)
    assert found["value"] == pytest.approx(10, abs=2)
    assert found["p"] < 1e-6


@pytest.mark.parametrize("test", [0.0, 0.7])
def test_where_all_test_images_are_equally_near_to_train_nothing_is_said(test):
    found = copied(np.linspace(0, 1, 50), np.full(40, test))
    assert {key: found[key] for key in ("value", "low", "high", "p")} == {"value": 0, "low": 0, "high": 100, "p": 1}


def test_fewer_samples_than_test_images_near_train_are_no_negative_copies():
    found = copied(np.ones(1000), np.linspace(0.001, 1, 1000))
    assert found["value"] == found["low"] == 0
    assert 0 < found["high"] < 1


def test_c_t_is_far_below_zero_for_a_copier_and_zero_for_new_images():
    rng = np.random.default_rng(3)
    train, test = clusters(rng, TRAIN), clusters(rng, N)
    real = nearest(test, train)[0][:, 0]
    assert c_t(nearest(train[:N], train)[0][:, 0], real).value < -15
    assert abs(c_t(nearest(clusters(rng, N), train)[0][:, 0], real).value) < 3


@pytest.mark.parametrize("m", [4, 900, 9000])
def test_the_nearest_are_those_of_all_distances(m):
    rng = np.random.default_rng(m)
    train = (rng.standard_normal((m, 6)) + 50).astype(np.float32)  # far from 0, where single precision loses digits
    x = np.concatenate([train[:3], rng.standard_normal((600, 6)) + 50]).astype(np.float32)
    distances, indices = nearest(x, train)
    for i in range(0, len(x), 7):
        every = np.linalg.norm(x[i].astype(float) - train, axis=1)
        near = np.argsort(every, kind="stable")[:8]
        apart = np.linalg.norm(train[near].astype(float) - train[near[0]], axis=1)
        distinct = [j for j, a in zip(near, apart, strict=True) if a >= apart.max() / 2]
        assert indices[i].tolist() == [near[0], distinct[0]]
        assert distances[i] == pytest.approx(every[indices[i]])
    assert distances[:3, 0].tolist() == [0, 0, 0]


def doubled(rng, train, noise):
    """Train images, each of which is there once more, with noise."""
    return np.concatenate([train, train + noise * rng.standard_normal(train.shape)])


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_noisy_copies_of_images_that_are_in_train_twice_are_found(noise):
    rng = np.random.default_rng(6)
    train, test = clusters(rng, TRAIN), clusters(rng, N)
    samples = planted(rng, train, 0.05, 0.5, 0.0)
    twice = doubled(rng, train, noise)
    own, real = (ratio(nearest(x, twice)[0]) for x in (samples, test))
    assert copied(own, real)["p"] < 0.01
    assert np.median(own[: N // 20]) < 0.75 < np.median(real)


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
        lambda rng, x: np.pad(x, ((0, 0), (2, 0), (0, 2), (0, 0)), "reflect")[:, :-2, 2:],
        lambda rng, x: np.pad(x, ((0, 0), (0, 2), (1, 0), (0, 0)))[:, 2:, :-1][:, :, ::-1],
        lambda rng, x: np.rint(x * 0.8 + 30).astype(np.uint8),
    ],
    ids=["exact", "mirrored", "noise", "blur", "shift", "shift by 2", "mirrored shift", "contrast"],
)
@pytest.mark.parametrize("times", [1, *in_full(2)])
def test_imperfect_copies_are_found_by_their_pixels(spoil, times):
    rng = np.random.default_rng(4)
    train, test, samples = (smooth(rng, n) for n in (600, 200, 200))
    train = np.concatenate([train] * times)
    real = ratio(nearest_pixels(test, train)[0])
    assert copied(ratio(nearest_pixels(samples, train)[0]), real)["p"] > 0.05
    samples[:10] = spoil(rng, train[100:110])
    distances, indices = nearest_pixels(samples, train)
    assert (indices[:10, 0] == np.arange(100, 110)).all()
    found = copied(ratio(distances), real)
    assert found["p"] < 0.01
    assert found["value"] == pytest.approx(5, abs=2)


def test_thumbnails_are_the_standardised_means_of_blocks():
    images = np.random.default_rng(5).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)

    def expected(image, top, left):
        means = [[image[top + 4 * i :, left + 4 * j :][:4, :4].mean((0, 1)) for j in range(7)] for i in range(7)]
        return ((means - np.mean(means)) / np.std(means)).ravel()

    assert thumbnails(images)[1] == pytest.approx(expected(images[1], 2, 2), abs=1e-4)
    assert thumbnails(images, -2, 1)[2] == pytest.approx(expected(images[2], 0, 3), abs=1e-4)
    assert (thumbnails(images, 1, 2, flip=True) == thumbnails(images[:, :, ::-1], 1, 2)).all()
    flat = np.full((1, 32, 32, 3), 128, np.uint8)
    flat[0, 2:6, 2:6] += 1  # hardly anything to see, which is not made large
    assert np.abs(thumbnails(flat)).max() < 0.2
    with pytest.raises(ValueError, match="7 x 19 pixels are smaller than 16 x 16"):
        thumbnails(np.zeros((1, 7, 19, 3), np.uint8))


@pytest.mark.parametrize("size", [16, 32, 64])
def test_shifts_reach_a_sixteenth_of_the_size(size):
    images = np.random.default_rng(7).integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    edge = size // 16
    moved = np.roll(images, (edge, -edge), (1, 2))
    assert min(np.abs(v - thumbnails(images)).max() for v in versions(moved)) == pytest.approx(0, abs=1e-5)
    assert len(list(versions(images, coarse=True))) < len(list(versions(images)))
