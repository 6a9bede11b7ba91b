"""Archives whose members are whole but hold what the layout does not allow."""

import pickle
from collections.abc import Callable
from pathlib import Path

import archives
import pytest
from archives import sample
from refusals import BINARY, PYTHON, SAMPLE, refused, swap

MANY = "\n".join(map(str, range(257))).encode()


@pytest.mark.parametrize("change", [lambda d: d + b"\0", lambda d: d[:-1], lambda d: d[:3072]])
def test_records_that_are_not_whole(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    name = f"{BINARY}/data_batch_3.bin"
    members = archives.binary(SAMPLE)
    message = refused(tmp_path, "binary", swap(members, name, change(dict(members)[name])))
    assert "data_batch_3.bin" in message and "3073" in message


def test_a_label_out_of_range(tmp_path: Path) -> None:
    wrong = sample()
    wrong.test[1][0] = 3
    for layout in ("binary", "python"):
        message = refused(tmp_path, layout, archives.LAYOUTS[layout](wrong))
        assert "test_batch" in message and "label 3" in message and "0 to 2" in message


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2, 0, 1], [-1, 0, 1, 2], [256, 0, 1, 2], [2**40, 0, 1, 2]])
def test_pickled_labels_that_do_not_fit(tmp_path: Path, labels: list[int]) -> None:
    content = {b"data": archives.planes(SAMPLE.train[0][:4]), b"labels": labels}
    name = f"{PYTHON}/data_batch_1"
    assert "data_batch_1" in refused(tmp_path, "python", swap(archives.python(SAMPLE), name, pickle.dumps(content, 2)))


@pytest.mark.parametrize("layout", archives.LAYOUTS)
def test_a_class_without_images(tmp_path: Path, layout: str) -> None:
    of = archives.Sample((*archives.CLASSES, "deer"), SAMPLE.train, SAMPLE.test)
    says = "labels.txt expects 'airplane, bird, cat, deer'" if layout == "folders" else "no train image of class 'deer'"
    assert says in refused(tmp_path, layout, archives.LAYOUTS[layout](of))


@pytest.mark.parametrize(
    "names",
    [b"", b"\n\n", b"a\n\nb", b"a\nb\nb", b"a\n b\nc", b"a\nb\x1b[2J\nc", b"\xff\xfe\nb\nc", MANY],
)
def test_class_names_that_are_none(tmp_path: Path, names: bytes) -> None:
    message = refused(tmp_path, "binary", swap(archives.binary(SAMPLE), f"{BINARY}/batches.meta.txt", names))
    assert "batches.meta.txt" in message
    message = refused(tmp_path, "folders", swap(archives.folders(SAMPLE), "cifar10/labels.txt", names))
    assert "labels.txt" in message


def test_folders_that_do_not_fit(tmp_path: Path) -> None:
    members = archives.folders(SAMPLE)
    data = archives.png(SAMPLE.train[0][0])
    expects = "labels.txt expects 'airplane, bird, cat'"
    assert expects in refused(tmp_path, "folders", [*members, ("cifar10/train/horse/1.png", data)])
    assert "'b', 'cifar10' would" in refused(tmp_path, "folders", [*members, ("b/train/cat/1.png", data)])
    train_only = [member for member in members if "/test/" not in str(member[0])]
    assert "no folders train and test" in refused(tmp_path, "folders", train_only)
    no_cat = [member for member in members if "/test/cat/" not in str(member[0])]
    assert "no test image of class 'cat'" in refused(tmp_path, "folders", no_cat)
    for name in ("cifar10/train/cat/1.txt", "b/labels.txt", "cifar10/train/cat/.1.png", "extra.bin"):
        assert f"unexpected member '{name}'" in refused(tmp_path, "folders", [*members, (name, data)])
    assert expects in refused(tmp_path, "folders", [*members, ("cifar10/1.png", data)])
