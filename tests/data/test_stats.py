"""Exact channel statistics."""

import json
import time
from pathlib import Path

import archives
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from real import needs_cifar10, real_archive

from dawn import arrays, stats


def run(data: Path, *args: object) -> str | None:
    return archives.call(stats.main, "--data", data, "--out", data / "stats.json", *args)


@pytest.mark.parametrize("n", [1, 7, 255, 256, 257, 600])
def test_equals_the_textbook(tmp_path: Path, n: int) -> None:
    images = np.random.default_rng(n).integers(0, 256, (n, 32, 32, 3), np.uint8)
    np.save(tmp_path / "train_images.npy", images)
    assert run(tmp_path, "--params", tmp_path / "params.yaml") is None
    found = json.loads((tmp_path / "stats.json").read_text())
    pixels = images.reshape(-1, 3) / 255.0
    np.testing.assert_allclose(found["mean"], pixels.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found["std"], pixels.std(0), rtol=1e-12)
    assert (found["images"], found["pixels"]) == (n, n * 1024)


def test_an_array_in_fortran_order_has_the_same_statistics(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), np.uint8)
    images[..., 1] //= 2
    written = []
    for array in (images, np.asfortranarray(images)):
        np.save(tmp_path / "train_images.npy", array)
        assert run(tmp_path) is None
        written.append((tmp_path / "stats.json").read_text())
    assert np.load(tmp_path / "train_images.npy").flags.f_contiguous
    assert written[0] == written[1]


def test_is_exact_at_the_bound_of_float32() -> None:
    images = np.full((513, 32, 32, 3), 255, np.uint8)
    images[0, 0, 0] = 254
    n = 513 * 1024
    (mean, *_), (std, *_) = stats.moments(images)
    assert mean == (255 * n - 1) / n / 255
    assert std == np.sqrt(n - 1) / n / 255


@settings(max_examples=25, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 3), st.just(32), st.just(32), st.just(3))))
def test_any_images(images: np.ndarray) -> None:
    pixels = images.reshape(-1, 3) / 255.0
    mean, std = stats.moments(images)
    np.testing.assert_allclose(mean, pixels.mean(0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(std, pixels.std(0), rtol=1e-9, atol=1e-12)


def test_a_constant_channel_is_refused(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    images[..., 1] = 9
    np.save(tmp_path / "train_images.npy", images)
    message = run(tmp_path)
    assert message and "green" in message and "std is 0" in message
    assert not (tmp_path / "stats.json").exists()


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 32, 32, 3), np.float32),
        np.zeros((2, 3, 32, 32), np.uint8),
        np.zeros((0, 32, 32, 3), np.uint8),
        np.zeros((2, 3072), np.uint8),
        np.zeros((), np.uint8),
        np.array([{}], object),
    ],
    ids=lambda images: f"{images.dtype}-{images.shape}",
)
def test_other_arrays_are_refused(tmp_path: Path, images: np.ndarray) -> None:
    np.save(tmp_path / "train_images.npy", images)
    message = run(tmp_path)
    assert message and "train_images.npy" in message and "\n" not in message


@pytest.mark.parametrize("keep", [0, 5, 50, 128, 1000, 6271])
def test_truncated_arrays_are_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "train_images.npy"
    np.save(path, np.zeros((2, 32, 32, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:keep])
    message = run(tmp_path)
    assert message and "train_images.npy" in message


def test_a_missing_array_is_refused(tmp_path: Path) -> None:
    message = run(tmp_path)
    assert message and "No such file" in message and "train_images.npy" in message


@needs_cifar10
def test_the_real_statistics(tmp_path: Path) -> None:
    archive = real_archive("binary")
    assert archives.call(arrays.main, "--archive", archive, "--layout", "binary", "--out", tmp_path) is None
    began = time.monotonic()
    assert run(tmp_path) is None
    assert time.monotonic() - began < 1.5, "0.5 s on a quiet machine"
    found = json.loads((tmp_path / "stats.json").read_text())
    assert [round(value, 5) for value in found["mean"]] == [0.4914, 0.48216, 0.44653]
    assert [round(value, 5) for value in found["std"]] == [0.24703, 0.24349, 0.26159]
