"""Real images are looked at before samples are: a test split that is almost the train split measures nothing."""

import numpy as np
import pytest
from scipy import ndimage

from dawn.core.cli import InputError
from dawn.tasks.generative.references import unlike_train


def smooth(rng, n):
    fields = ndimage.gaussian_filter(rng.standard_normal((n, 32, 32, 3)), (0, 4, 4, 0), mode="wrap")
    return (128 + 500 * fields + 8 * rng.standard_normal(fields.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def splits():
    rng = np.random.default_rng(0)
    train, test = smooth(rng, 400), smooth(rng, 60)
    noisy = (train[:60] + rng.normal(0, 5, train[:60].shape)).clip(0, 255).astype(np.uint8)
    return train, test, noisy[:, :, ::-1]  # mirrored as well


def test_honest_test_images_are_unlike_train(splits, capsys):
    train, test, _ = splits
    assert unlike_train(test, train).min() > 0.2
    assert capsys.readouterr().err == ""


def test_a_few_that_are_almost_train_images_are_reported(splits, capsys):
    train, test, noisy = splits
    ratios = unlike_train(np.concatenate([test[:40], noisy[:20]]), train)
    assert "20 of 60 test images are train images or almost so" in capsys.readouterr().err
    assert (ratios < 0.2).tolist() == [False] * 40 + [True] * 20


def test_a_test_split_that_is_mostly_almost_train_is_refused(splits):
    train, test, noisy = splits
    with pytest.raises(InputError, match=r"^data: 40 of 60 test images are train images or almost so"):
        unlike_train(np.concatenate([test[:20], noisy[:40]]), train)
