"""Archives of every layout to arrays."""

import hashlib
import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import archives
import numpy as np
import pytest
from archives import CIFAR10, LAYOUTS, Sample, sample
from conftest import in_full
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from real import needs_cifar10, real_archive

from dawn import arrays
from dawn.data import stratified
from dawn.data.archive import batches
from dawn.data.collection import decoding

FIXTURE = [HealthCheck.function_scoped_fixture]


class Loaded(NamedTuple):
    """The arrays of one split."""

    images: np.ndarray
    labels: np.ndarray


def loaded(out: Path, split: str) -> Loaded:
    return Loaded(np.load(out / f"{split}_images.npy"), np.load(out / f"{split}_labels.npy"))


def same(out: Path, of: Sample) -> None:
    for split, (images, labels) in (("train", of.train), ("test", of.test)):
        found = loaded(out, split)
        assert found.images.dtype == found.labels.dtype == np.uint8
        np.testing.assert_array_equal(found.images, images)
        np.testing.assert_array_equal(found.labels, labels)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", [True, False])
def test_round_trip(tmp_path: Path, layout: str, packed: bool) -> None:
    of = sample()
    archive = archives.archive(tmp_path / "a.tar.gz", LAYOUTS[layout](of), packed)
    assert archives.call(arrays.main, "--source", archive, "--layout", layout, "--out", tmp_path / "out") is None
    same(tmp_path / "out", of)
    assert json.loads((tmp_path / "out/dataset.json").read_text()) == {
        "classes": list(of.classes),
        "shape": [32, 32, 3],
        "counts": {"train": 20, "test": 6},
        "class_counts": {"train": np.bincount(of.train[1]).tolist(), "test": [2, 2, 2]},
        "layout": layout,
        "archive": "a.tar.gz",
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "holdout_seed": None,
        "media_type": "application/gzip" if packed else "application/x-tar",
    }


@settings(max_examples=20, deadline=None, suppress_health_check=FIXTURE)
@given(data=st.data())
def test_any_data_set_survives_any_layout(tmp_path: Path, data: st.DataObject) -> None:
    names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
    classes = tuple(data.draw(st.lists(names, min_size=1, max_size=6, unique=True)))
    n, m = (data.draw(st.integers(max(5, len(classes)), 25)) for _ in range(2))
    of = sample(n, m, classes, data.draw(st.integers(0, 2**32 - 1)))
    layout = data.draw(st.sampled_from(sorted(LAYOUTS)))
    archive = archives.archive(tmp_path / "a.tar", LAYOUTS[layout](of))
    assert archives.call(arrays.main, "--source", archive, "--layout", layout, "--out", tmp_path / "out") is None
    same(tmp_path / "out", of)


def test_the_hand_made_meta_is_the_real_one() -> None:
    meta = archives.python2_meta(CIFAR10)
    assert hashlib.md5(meta).hexdigest() == "5ff9c542aee3614f3951f8cda6e48888"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("keys", [str, str.encode])
@pytest.mark.parametrize("as_labels", [list, np.int64, np.uint8, ">i4"])
@pytest.mark.parametrize("module", [b"numpy._core", b"numpy.core"])
def test_pickles_of_python_3(
    tmp_path: Path, protocol: int, keys: Callable[[str], str | bytes], as_labels: object, module: bytes
) -> None:
    def dump(content: dict[str, object]) -> bytes:
        data = pickle.dumps({keys(key): value for key, value in content.items()}, protocol)
        # numpy 1 names its parts without the underscore; the frames of protocol 4 count their bytes
        return data.replace(b"numpy._core", module) if protocol < 4 else data

    def batch(data: np.ndarray, labels: list[int]) -> bytes:
        wanted = labels if as_labels is list else np.array(labels, as_labels)
        names = [b"\xff\x00 %d.png" % k for k in labels]
        return dump({"data": data, "labels": wanted, "filenames": names, "batch_label": "x"})

    of = sample()
    members = archives.python(of, batch, lambda classes: dump({"label_names": list(classes)}))
    archive = archives.archive(tmp_path / "a.tar.gz", members)
    assert archives.call(arrays.main, "--source", archive, "--layout", "python", "--out", tmp_path) is None
    same(tmp_path, of)


def test_leading_dots_and_directories(tmp_path: Path) -> None:
    of = sample()
    members = [("./cifar10", b""), *((f"./{name}", data) for name, data in archives.folders(of))]
    archive = archives.archive(tmp_path / "a.tgz", members)
    assert archives.call(arrays.main, "--source", archive, "--layout", "folders", "--out", tmp_path) is None
    same(tmp_path, of)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("block", [1, 5, 110])
def test_images_are_read_and_written_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, block: int
) -> None:
    monkeypatch.setattr(decoding, "CHUNK", block)
    monkeypatch.setattr(batches, "AT_ONCE", block)
    of = sample(97, 13)
    archive = archives.archive(tmp_path / "a.tgz", LAYOUTS[layout](of))
    args = ("--source", archive, "--layout", layout, "--out", tmp_path)
    assert archives.call(arrays.main, *args) is None
    same(tmp_path, of)
    assert archives.call(arrays.main, *args, "--holdout", 10) is None
    parts = [loaded(tmp_path, name) for name in ("train", "holdout")]
    pairs = {(image.tobytes(), int(label)) for part in parts for image, label in zip(*part, strict=True)}
    assert pairs == {(image.tobytes(), int(label)) for image, label in zip(*of.train, strict=True)}


def test_interleaved_splits_keep_their_order(tmp_path: Path) -> None:
    of = sample(12, 12)
    labels, *pngs = archives.folders(of)
    mixed = [member for pair in zip(pngs[:12], pngs[12:], strict=True) for member in pair]
    archive = archives.archive(tmp_path / "a.tgz", [*mixed, labels])
    assert archives.call(arrays.main, "--source", archive, "--layout", "folders", "--out", tmp_path) is None
    same(tmp_path, of)


def cut(of: Sample, path: Path, *args: object) -> str | None:
    archive = archives.archive(path / "a.tgz", archives.binary(of))
    return archives.call(arrays.main, "--source", archive, "--layout", "binary", "--out", path / "out", *args)


def test_holdout_is_a_stratified_seeded_partition(tmp_path: Path) -> None:
    of = sample(50, 6)  # 17, 17 and 16 of the classes
    assert cut(of, tmp_path, "--holdout", 10, "--seed", 3) is None
    train, holdout = loaded(tmp_path / "out", "train"), loaded(tmp_path / "out", "holdout")
    assert np.bincount(holdout.labels).tolist() == [4, 3, 3]
    rows = {image.tobytes(): label for image, label in zip(*of.train, strict=True)}
    both = [*zip(train.images, train.labels, strict=True), *zip(holdout.images, holdout.labels, strict=True)]
    assert {image.tobytes(): label for image, label in both} == rows
    described = json.loads((tmp_path / "out/dataset.json").read_text())
    assert described["holdout_seed"] == 3
    assert described["counts"] == {"train": 40, "test": 6, "holdout": 10}
    assert cut(of, tmp_path, "--holdout", 10, "--seed", 3) is None
    np.testing.assert_array_equal(loaded(tmp_path / "out", "holdout").images, holdout.images)
    assert cut(of, tmp_path, "--holdout", 10, "--seed", 4) is None
    assert (loaded(tmp_path / "out", "holdout").images != holdout.images).any()
    assert cut(of, tmp_path) is None
    assert not list((tmp_path / "out").glob("holdout*")), "an earlier holdout is stale"


@settings(deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=10), st.data())
def test_proportional_counts_add_up_and_stay_within_one(counts: list[int], data: st.DataObject) -> None:
    size = data.draw(st.integers(0, sum(counts)))
    found = stratified.proportional(np.array(counts), size)
    assert found.sum() == size
    assert all(abs(k - count * size / sum(counts)) < 1 for k, count in zip(found, counts, strict=True))


@pytest.mark.parametrize("size", [1, 2, 18, 20, 21, 100, -1])
def test_holdout_that_empties_a_class_is_refused(tmp_path: Path, size: int) -> None:
    message = cut(sample(20), tmp_path, "--holdout", size)
    assert message and "holdout" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("holdout", [(), ("--holdout", 6)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_image_has_a_line_that_says_where_it_is(tmp_path: Path, layout: str, holdout: tuple[object, ...]) -> None:
    of = sample()
    members = LAYOUTS[layout](of)
    archive = archives.archive(tmp_path / "a.tgz", members)
    assert archives.call(arrays.main, "--source", archive, "--layout", layout, "--out", tmp_path, *holdout) is None
    header, *lines = (tmp_path / "files.tsv").read_text().splitlines()
    assert header == "split\trow\tclass\tfile"
    seen = set()
    for split, row, name, file in (line.split("\t") for line in lines):
        images, labels = loaded(tmp_path, split)
        assert of.classes[labels[int(row)]] == name
        if layout == "folders":
            assert dict(members)[file] == archives.png(images[int(row)])
        else:
            place = {f"{member}/{k}": planes[k] for member, planes in planes_of(of, layout) for k in range(len(planes))}
            assert (archives.planes(images[int(row)][None])[0] == place[file]).all()
        seen.add(file)
    assert len(seen) == len(lines) == 26


def planes_of(of: Sample, layout: str) -> list[tuple[str, np.ndarray]]:
    """The colour planes in each member of an archive."""
    top, suffix = ("cifar-10-batches-bin", ".bin") if layout == "binary" else ("cifar-10-batches-py", "")
    return [(f"{top}/{name}{suffix}", planes) for name, planes, _ in archives.batches(of)]


def test_checksum(tmp_path: Path) -> None:
    message = cut(sample(), tmp_path, "--sha256", "0" * 64)
    digest = hashlib.sha256((tmp_path / "a.tgz").read_bytes()).hexdigest()
    assert message and digest in message and "0" * 64 in message
    assert not (tmp_path / "out").exists()
    assert cut(sample(), tmp_path, "--sha256", digest.upper()) is None


def test_params_say_what_the_command_line_does_not(tmp_path: Path, params: Callable[..., Path]) -> None:
    data = {"holdout": 6, "holdout_seed": 5}
    archive = archives.archive(tmp_path / "a.tgz", archives.binary(sample()))
    wrong = params(data=data | {"classes": ["dog", *archives.CLASSES[1:]]})
    message = archives.call(arrays.main, "--source", archive, "--params", wrong, "--out", tmp_path / "out")
    assert message and "dog" in message and "airplane" in message
    right = params(data=data | {"classes": archives.CLASSES})
    args = ["--source", archive, "--params", right, "--out", tmp_path / "out"]
    assert archives.call(arrays.main, *args) is None
    described = json.loads((tmp_path / "out/dataset.json").read_text())
    assert (described["holdout_seed"], described["counts"]["holdout"]) == (5, 6)
    assert archives.call(arrays.main, *args, "--holdout", 0) is None
    assert "holdout" not in json.loads((tmp_path / "out/dataset.json").read_text())["counts"]


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = np.save

    def full(file: object, array: np.ndarray, **options: bool) -> None:
        save(file, array, **options)
        if array.shape == (6,):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    message = cut(sample(), tmp_path)
    assert message and "No space left" in message
    assert list((tmp_path / "out").iterdir()) == []


@needs_cifar10
@pytest.mark.parametrize(("layout", "seconds"), [("binary", 4), *in_full(("folders", 20))])
def test_the_real_data_set(tmp_path: Path, layout: str, seconds: float) -> None:
    archive = real_archive(layout)
    command = [sys.executable, "-m", "dawn.arrays", "--layout", layout, "--source", archive, "--out", tmp_path]
    began = time.monotonic()
    subprocess.run(command, check=True)
    assert time.monotonic() - began < 4 * seconds, f"{seconds} s on two quiet cores"
    train, test = loaded(tmp_path, "train"), loaded(tmp_path, "test")
    assert np.bincount(train.labels).tolist() == [5000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    if layout == "binary":  # archive order: image i of a split is of class i % 10
        order = np.argsort(train.labels, kind="stable")
        train = Loaded(train.images[order], train.labels[order])
    assert hashlib.sha256(train.images.tobytes()).hexdigest() == REAL_TRAIN_BY_CLASS


REAL_TRAIN_BY_CLASS = "61bea91e73ac2b02dfb856e685981dce64abe13d4e780aa98a1ac1e7c056d03b"


@pytest.mark.parametrize(("copied", "refused"), [(0, False), (3, False), (4, True), (6, True)])
def test_a_test_split_that_is_mostly_in_train_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], copied: int, refused: bool
) -> None:
    of = sample()
    of.test[0][:copied] = of.train[0][:copied]
    of.train[0][10] = of.train[0][9]
    archive = archives.archive(tmp_path / "a.tar.gz", LAYOUTS["binary"](of))
    found = archives.call(arrays.main, "--source", archive, "--layout", "binary", "--out", tmp_path / "out")
    line = f"{copied} of 6 test images are byte for byte in train too"
    printed = capsys.readouterr().err
    if refused:
        assert found is not None
        assert f"a.tar.gz: {line}" in found
        assert not list((tmp_path / "out").glob("*"))
    else:
        assert found is None
        assert (line in printed) == (copied > 0)
        assert "1 of 20 train images are there before, byte for byte" in printed
