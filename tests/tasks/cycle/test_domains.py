"""The domains of a CycleGAN: of classes, transformed, drawn; with the truth where there is one."""

import colorsys
import json

import numpy as np
import pytest
import yaml
from archives import call
from cycles import domains, settings

from dawn.tasks.cycle import domains as step
from dawn.tasks.cycle.colours import grey, hue_turned
from dawn.tasks.cycle.domains import made
from dawn.tasks.cycle.styles import PERMUTED, draw_pairs


def arrays(folder):
    return {path.stem: np.load(path) for path in folder.glob("domain_*.npy")}


def run(tmp_path, data, **over):
    """Call the step; what it refuses, or None."""
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump(settings(over).model_dump(mode="json")))
    return call(step.main, "--params", params, "--data", data)


@pytest.fixture
def classes(tmp_path):
    """Arrays of three classes, each image of a colour of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    for split, count in (("train", 24), ("test", 12)):
        labels = (np.arange(count) % 3).astype(np.uint8)
        images = np.zeros((count, 32, 32, 3), np.uint8) + np.arange(count, dtype=np.uint8)[:, None, None, None] * 5
        images[..., 0] += 40
        np.save(folder / f"{split}_images.npy", images)
        np.save(folder / f"{split}_labels.npy", labels)
    (folder / "dataset.json").write_text(json.dumps({"classes": ["cat", "dog", "horse"]}))
    return folder


def test_drawn_pairs_differ_in_style_alone():
    filled, outlined = draw_pairs(60, 0, "test")
    assert (filled[:, 0, 0][:, PERMUTED] == outlined[:, 0, 0]).all()  # the ground, its channels permuted
    back = outlined[..., np.argsort(PERMUTED)]
    outside = (filled == filled[:, :1, :1]).all(-1)
    assert np.array_equal(back[outside], filled[outside])
    drawn = (filled != filled[:, :1, :1]).any(-1).sum((1, 2))
    line = (outlined != outlined[:, :1, :1]).any(-1).sum((1, 2))
    assert (line <= drawn).all()
    assert (line < 0.85 * drawn).sum() > 40


def test_drawings_are_those_of_the_seed_and_the_part():
    one, same, other, part = (draw_pairs(6, *key)[0] for key in ((0, "a"), (0, "a"), (1, "a"), (0, "b")))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, part)


def test_the_domains_of_shapes_are_unpaired_to_train_and_paired_to_test(tmp_path):
    folder = domains(tmp_path)
    found, about = arrays(folder), json.loads((folder / "domains.json").read_text())
    assert about["names"] == ["filled", "outlined"]
    assert about["paired"]
    assert about["counts"] == {name: len(images) for name, images in found.items()}
    filled, outlined = draw_pairs(4, 0, "test")
    assert np.array_equal(found["domain_a_test"], filled)
    assert np.array_equal(found["domain_b_test"], outlined)
    a, b = draw_pairs(10, 0, "a"), draw_pairs(10, 0, "b")
    assert np.array_equal(found["domain_a_train"], a[0])
    assert np.array_equal(found["domain_a_train_in_b"], a[1])
    assert np.array_equal(found["domain_b_train"], b[1])
    assert np.array_equal(found["domain_b_train_in_a"], b[0])


def test_a_turn_by_120_degrees_exchanges_channels_and_any_turn_keeps_grey():
    images = np.random.default_rng(0).integers(60, 190, (4, 8, 8, 3), dtype=np.uint8)
    assert np.array_equal(hue_turned(images, 120), images[..., [2, 0, 1]])
    assert np.array_equal(hue_turned(images, 240), images[..., [1, 2, 0]])
    flat = np.repeat(images[..., :1], 3, -1)
    assert np.array_equal(hue_turned(flat, 77), flat)
    red = np.full((1, 1, 1, 3), (200, 100, 100), np.uint8)
    hue = colorsys.rgb_to_hsv(*(hue_turned(red, 60)[0, 0, 0] / 255))[0]
    assert hue == pytest.approx(1 / 6, abs=0.01)


def test_grey_is_the_luma():
    colours = np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]]], np.uint8)
    assert grey(colours)[0, 0].tolist() == [[76] * 3, [150] * 3, [29] * 3, [9] * 3]


@pytest.mark.parametrize("kind", ["hue", "grey"])
def test_a_transformed_domain_has_halves_that_share_no_image(classes, tmp_path, kind):
    assert run(tmp_path, classes, kind=kind, a=[]) is None
    found = arrays(classes)
    change = grey if kind == "grey" else (lambda images: hue_turned(images, 120))
    for train, other in (("domain_a_train", "domain_a_train_in_b"), ("domain_b_train_in_a", "domain_b_train")):
        assert np.array_equal(change(found[train]), found[other])
    halves = [{image.tobytes() for image in found[n]} for n in ("domain_a_train", "domain_b_train_in_a")]
    assert [len(half) for half in halves] == [12, 12]
    assert not halves[0] & halves[1]
    assert np.array_equal(found["domain_a_test"], np.load(classes / "test_images.npy"))
    assert np.array_equal(change(found["domain_a_test"]), found["domain_b_test"])


def test_classes_are_domains_without_a_truth_and_forget_an_older_one(classes, tmp_path):
    assert run(tmp_path, classes, kind="grey", a=[]) is None
    assert run(tmp_path, classes, kind="classes", a=["cat", "horse"], b=["dog"]) is None
    found, about = arrays(classes), json.loads((classes / "domains.json").read_text())
    assert sorted(found) == ["domain_a_test", "domain_a_train", "domain_b_test", "domain_b_train"]
    assert about["names"] == ["cat, horse", "dog"]
    assert about["counts"]["domain_a_train"] == 16
    labels = np.load(classes / "train_labels.npy")
    assert np.array_equal(found["domain_a_train"], np.load(classes / "train_images.npy")[labels != 1])


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"kind": "classes", "a": ["cow"], "b": ["dog"]}, "domains.a: cow is no class of"),
        ({"kind": "hue", "a": ["cow"]}, "domains.a: cow is no class of"),
    ],
)
def test_classes_that_are_not_there_are_refused_and_nothing_is_written(classes, tmp_path, over, message):
    before = sorted(classes.iterdir())
    assert message in run(tmp_path, classes, **over)
    assert sorted(classes.iterdir()) == before


def test_too_few_images_and_overlapping_domains_are_refused(classes, tmp_path):
    np.save(classes / "test_labels.npy", np.array([1] * 11 + [0], np.uint8))
    assert "1 test images of cat; at least 4 are needed" in run(tmp_path, classes, kind="classes", a=["cat"], b=["dog"])
    with pytest.raises(Exception, match="class dog is in a and in b; the domains must differ"):
        settings({"kind": "classes", "a": ["dog"], "b": ["dog", "cat"]})
    (classes / "train_images.npy").write_bytes(b"\x93NUMPY")
    assert "is not a whole .npy array" in run(tmp_path, classes, kind="grey", a=[])


def test_many_images_are_transformed_in_blocks(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (4500, 4, 4, 3), dtype=np.uint8)
    monkeypatch.setattr("dawn.tasks.cycle.domains.of_classes", lambda data, split, names, key: images)
    found = made(None, settings({"kind": "grey"}).domains)
    assert np.array_equal(found["domain_b_test"], grey(images))
