"""The measures against other implementations, and beyond the size where they turn to single precision."""

import numpy as np
import prdc
import pytest
import torch
from simulations import gaussian
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from dawn.core.cli import InputError
from dawn.measures import kid as kid_module
from dawn.measures.frechet import frechet
from dawn.measures.kid import kid
from dawn.measures.manifold import manifold

CLOSE = 1e-5


class FirstPixels(torch.nn.Module):
    """Images (n, 3, h, w) to their first 12 pixels, so that features and images are the same numbers."""

    def forward(self, images):
        return images.flatten(1)[:, :12].double() / 64


def pixels(rng, n, low, high):
    return torch.tensor(rng.integers(low, high, (n, 3, 2, 2)), dtype=torch.uint8)


@pytest.fixture(scope="module")
def sets():
    rng = np.random.default_rng(0)
    images = pixels(rng, 120, 0, 200), pixels(rng, 120, 20, 255)
    return images, [FirstPixels()(each).numpy() for each in images]


def by_torchmetrics(metric, images):
    metric.set_dtype(torch.float64)
    metric.update(images[0], real=False)
    metric.update(images[1], real=True)
    return metric.compute()


@pytest.mark.filterwarnings("ignore:Metric .Kernel Inception Distance. will save all")
def test_kid_is_that_of_torchmetrics_and_torch_fidelity(sets):
    images, (x, y) = sets
    found = kid(x, y).value
    mean, _ = by_torchmetrics(KernelInceptionDistance(FirstPixels(), subsets=1, subset_size=120), images)
    assert found == pytest.approx(float(mean), rel=CLOSE)
    tensors = [torch.tensor(z) for z in (x, y)]
    whole = kid_features_to_metric(*tensors, kid_subsets=1, kid_subset_size=120, verbose=False)
    assert found == pytest.approx(whole["kernel_inception_distance_mean"], rel=CLOSE)


def test_frechet_is_that_of_torchmetrics_and_torch_fidelity(sets):
    images, (x, y) = sets
    found = frechet(x, y).value
    metric = by_torchmetrics(FrechetInceptionDistance(FirstPixels()), images)
    assert found == pytest.approx(float(metric), rel=CLOSE)
    statistics = [fid_features_to_statistics(torch.tensor(z)) for z in (x, y)]
    metric = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert found == pytest.approx(metric, rel=CLOSE)


@pytest.mark.parametrize(("n", "m", "d", "k"), [(150, 200, 6, 5), (300, 100, 3, 3)])
def test_the_manifold_is_that_of_prdc(n, m, d, k, capsys):
    rng = np.random.default_rng(n)
    samples, test = gaussian(rng, n, d, 0.4, 0.8), gaussian(rng, m, d)
    found = manifold(samples, test, k)
    expected = prdc.compute_prdc(real_features=test, fake_features=samples, nearest_k=k)
    assert {name: each.value for name, each in found.items()} == pytest.approx(expected, rel=CLOSE)


def test_single_precision_changes_no_distance(monkeypatch):
    rng = np.random.default_rng(3)
    x, y = gaussian(rng, 700, 64, 0.1).astype(np.float32), gaussian(rng, 600, 64).astype(np.float32)
    exact, manifolds = kid(x, y), manifold(x, y, 5)
    monkeypatch.setattr(kid_module, "EXACT", 100)
    monkeypatch.setattr("dawn.measures.manifold.EXACT", 100)
    single = kid(x, y)
    assert single.value != exact.value
    assert single.value == pytest.approx(exact.value, rel=CLOSE)
    assert single.interval() == pytest.approx(exact.interval(), rel=1e-4)
    for name, each in manifold(x, y, 5).items():
        assert each.value == pytest.approx(manifolds[name].value, abs=2 / 600)


def test_a_frechet_distance_with_dead_features_is_finite(sets):
    _, (x, y) = sets
    dead = [np.hstack([z, np.zeros((len(z), 3)), z[:, :1]]) for z in (x, y)]
    low, high = frechet(*dead).interval()
    one_more = [np.hstack([z, z[:, :1]]) for z in (x, y)]
    assert frechet(*dead).value == pytest.approx(frechet(*one_more).value, rel=1e-6)
    assert 0 < low < frechet(*dead).value < high < np.inf


def test_the_jackknife_is_that_of_leaving_images_out():
    rng = np.random.default_rng(4)
    x, y = gaussian(rng, 9, 3, 0.5), gaussian(rng, 7, 3)
    for part, left_out in zip(
        kid(x, y).parts,
        ([kid(np.delete(x, i, 0), y).value for i in range(9)], [kid(x, np.delete(y, i, 0)).value for i in range(7)]),
        strict=True,
    ):
        n = len(left_out)
        assert np.square(part).sum() == pytest.approx((n - 1) / n * np.square(left_out - np.mean(left_out)).sum())


def test_too_few_images_for_the_neighbours():
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"5 neighbours need 14 images .* 13 samples and 40 test"):
        manifold(gaussian(rng, 13, 2), gaussian(rng, 40, 2), 5)
