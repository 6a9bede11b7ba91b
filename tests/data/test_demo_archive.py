"""The generated archive: the layout of the real one, the same every time, and no class to be read off its colours."""

import subprocess
import sys
import tarfile

import numpy as np
import pytest

from dawn import demo_archive
from dawn.core import cli
from dawn.demo_archive import SHAPES, draw_split, write_archive


def split(count, seed=0):
    records = draw_split(count, np.random.default_rng([seed, 0]))
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def members(path):
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def accuracy(images, labels, features, train):
    """Test accuracy of softmax regression on standardised features, and of the nearest class mean."""
    values = features(images)
    values = ((values - values[:train].mean(0)) / (values[:train].std(0) + 1e-6)).astype(np.float32)
    values = np.concatenate([values, np.ones((len(values), 1), np.float32)], 1)
    wanted = np.eye(10, dtype=np.float32)[labels[:train]]
    weights = np.zeros((values.shape[1], 10), np.float32)
    for _ in range(150):
        logits = values[:train] @ weights
        odds = np.exp(logits - logits.max(1, keepdims=True))
        weights -= 0.3 * values[:train].T @ (odds / odds.sum(1, keepdims=True) - wanted) / train
    means = np.stack([values[:train][labels[:train] == label].mean(0) for label in range(10)])
    nearest = ((values[train:, None] - means) ** 2).sum(2).argmin(1)
    return [(guess == labels[train:]).mean() for guess in ((values[train:] @ weights).argmax(1), nearest)]


def moments(images):
    pixels = images.reshape(len(images), 3, -1) / np.float32(255)
    return np.concatenate([pixels.mean(2), pixels.std(2)], 1)


def histograms(images):
    """The share of each of 16 levels a channel, (n, 48)."""
    cells = (np.arange(len(images) * 3)[:, None] * 16 + (images // 16).reshape(len(images) * 3, -1)).ravel()
    return np.bincount(cells, minlength=len(images) * 48).reshape(-1, 48) / np.float32(1024)


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_archive(tmp_path / name / f"{name}.tar.gz", 60, 20, seed)
    first, same, other = [(tmp_path / name / f"{name}.tar.gz").read_bytes() for name in "abc"]
    assert first == same != other


def test_a_split_depends_on_its_own_size_alone(tmp_path):
    write_archive(tmp_path / "small.tar.gz", 20, 30, 0)
    write_archive(tmp_path / "large.tar.gz", 200, 30, 0)
    small, large = members(tmp_path / "small.tar.gz"), members(tmp_path / "large.tar.gz")
    name = "cifar-10-batches-bin/test_batch.bin"
    assert small[name] == large[name]
    assert small[name] not in b"".join(large[f"cifar-10-batches-bin/data_batch_{n}.bin"] for n in range(1, 6))


@pytest.mark.parametrize(("train", "test"), [(100, 50), (103, 17), (10, 10)])
def test_the_layout_is_that_of_the_binary_archive(tmp_path, train, test):
    path = tmp_path / "demo.tar.gz"
    write_archive(path, train, test, 0)
    found = members(path)
    batches = [f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)]
    assert list(found) == [*batches, "cifar-10-batches-bin/test_batch.bin", "cifar-10-batches-bin/batches.meta.txt"]
    assert found["cifar-10-batches-bin/batches.meta.txt"].decode().split() == list(SHAPES)
    assert len(SHAPES) == 10
    for part in (batches, ["cifar-10-batches-bin/test_batch.bin"]):
        content = b"".join(found[name] for name in part)
        count = train if part is batches else test
        assert len(content) == 3073 * count
        labels = np.frombuffer(content, np.uint8).reshape(-1, 3073)[:, 0]
        assert np.ptp(np.bincount(labels, minlength=10)) <= 1
    assert path.read_bytes()[4:8] == bytes(4)  # gzip's time
    assert list(tmp_path.iterdir()) == [path]


def test_images_differ_and_labels_are_mixed():
    images, labels = split(1000)
    assert len({image.tobytes() for image in images}) == 1000
    assert np.bincount(labels).tolist() == [100] * 10
    assert (labels[:-1] != labels[1:]).mean() > 0.8
    assert images.std(axis=(2, 3)).min() > 5


@pytest.mark.parametrize("features", [moments, histograms])
def test_colours_do_not_give_the_class_away(features):
    images, labels = split(4000)
    assert max(accuracy(images, labels, features, 3000)) < 0.2


def test_pixels_by_themselves_hardly_do():
    images, labels = split(4000)
    assert max(accuracy(images, labels, lambda some: some.reshape(len(some), -1), 3000)) < 0.25


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_is_its_own_mirror_image_and_stays_in_the_picture(shape):
    distance = SHAPES[shape]
    grid = np.linspace(-2, 2, 201, dtype=np.float32)
    values = distance(grid[None, :], grid[:, None])
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, values[:, ::-1], atol=1e-5)
    inside = values < 0
    assert 1.7 < inside.sum() * 0.02**2 < 2.8  # about one area
    reach = np.abs(np.stack(np.nonzero(inside)) - 100).max() * 0.02
    assert reach < 1.3


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(["--train", "9"], "--train 9"), (["--test", "0"], "--test 0"), (["--seed", "-1"], "--seed -1")],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, monkeypatch, arguments, reason):
    monkeypatch.setattr(sys, "argv", ["dawn.demo_archive", "--out", str(tmp_path / "a.tar.gz"), *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.run(demo_archive.main)
    assert reason in caught.value.code
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_writes_what_the_function_writes(tmp_path):
    command = [sys.executable, "-m", "dawn.demo_archive", "--train", "50", "--test", "20", "--seed", "7"]
    done = subprocess.run(
        [*command, "--out", tmp_path / "new" / "a.tar.gz"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    write_archive(tmp_path / "b.tar.gz", 50, 20, 7)
    assert (tmp_path / "new" / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
