"""CIFAR-100's archives, python and binary, with fine and coarse labels."""

import json
import pickle

import numpy as np
import pytest
from archives import archive, call, planes

from dawn import arrays

FINE = tuple(f"fine {i}" for i in range(6))
COARSE = ("even", "odd")


@pytest.fixture
def splits():
    """Images, fine labels and coarse labels of each split; every class is in both."""
    rng = np.random.default_rng(0)
    return {
        name: (rng.integers(0, 256, (n, 32, 32, 3), np.uint8), np.arange(n) % 6, np.arange(n) % 2)
        for name, n in (("train", 30), ("test", 12))
    }


def python(splits):
    top = "cifar-100-python"
    members = [(f"{top}/file.txt~", b"left by an editor"), (top, b"")]
    for name, (images, fine, coarse) in splits.items():
        content = {
            b"filenames": [b"a.png"] * len(fine), b"batch_label": b"training batch 1 of 1", b"data": planes(images),
            b"fine_labels": fine.tolist(), b"coarse_labels": coarse.tolist(),
        }  # fmt: skip
        members.append((f"{top}/{name}", pickle.dumps(content, 2)))
    names = {"fine_label_names": list(FINE), "coarse_label_names": list(COARSE)}
    return [*members, (f"{top}/meta", pickle.dumps(names, 2))]


def binary(splits):
    top = "cifar-100-binary"
    members = []
    for name, (images, fine, coarse) in splits.items():
        labels = np.stack([coarse, fine], 1).astype(np.uint8)
        members.append((f"{top}/{name}.bin", np.concatenate([labels, planes(images)], 1).tobytes()))
    for kind, names in (("fine", FINE), ("coarse", COARSE)):
        members.append((f"{top}/{kind}_label_names.txt", "\n".join(names).encode()))
    return members


LAYOUTS = {"cifar100-python": python, "cifar100-binary": binary}


def run(tmp_path, layout, members, *more):
    path = archive(tmp_path / "cifar100.tar.gz", members)
    return call(arrays.main, "--source", path, "--layout", layout, "--out", tmp_path / "data", *more)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("labels", "classes"), [("fine", FINE), ("coarse", COARSE)])
def test_both_layouts_have_both_kinds_of_labels(tmp_path, splits, layout, labels, classes):
    assert run(tmp_path, layout, LAYOUTS[layout](splits), "--labels", labels) is None
    about = json.loads((tmp_path / "data/dataset.json").read_text())
    assert about["classes"] == list(classes)
    assert (about["layout"], about["labels"]) == (layout, labels)
    for name, (images, fine, coarse) in splits.items():
        assert np.array_equal(np.load(tmp_path / f"data/{name}_images.npy"), images)
        assert np.array_equal(np.load(tmp_path / f"data/{name}_labels.npy"), fine if labels == "fine" else coarse)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_fine_is_the_default(tmp_path, splits, layout):
    assert run(tmp_path, layout, LAYOUTS[layout](splits)) is None
    assert json.loads((tmp_path / "data/dataset.json").read_text())["labels"] == "fine"


def test_what_is_missing_or_damaged_is_named(tmp_path, splits):
    assert "has no cifar-100-python/test" in run(
        tmp_path, "cifar100-python", [m for m in python(splits) if not m[0].endswith("test")]
    )
    assert "unexpected member" in run(tmp_path, "cifar100-python", binary(splits))
    cut = [(name, data[:-1] if name.endswith("train.bin") else data) for name, data in binary(splits)]
    assert "no whole number of records of 3074 bytes" in run(tmp_path, "cifar100-binary", cut)
    wrong = [(n, d.replace(b"fine_labels", b"fine_lobels") if n.endswith("train") else d) for n, d in python(splits)]
    assert "'labels' is no list of integers" in run(tmp_path, "cifar100-python", wrong)
