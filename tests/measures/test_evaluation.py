"""All measures at once: what they say of sets whose faults are known."""

import json

import numpy as np
import pytest
from simulations import clusters

from dawn.measures.copying import nearest_pixels, ratio
from dawn.measures.evaluation import Judge, evaluation, references
from dawn.measures.image_sets import blur, image_sets, one_class
from dawn.measures.kid import kid, own_sums
from dawn.measures.manifold import manifold

N, TRAIN, CLASSES = 120, 360, 10


def pixels(rng, n):
    return rng.integers(0, 256, (n, 16, 16, 3), dtype=np.uint8)


def logits(rng, n):
    return np.eye(CLASSES)[np.arange(n) % CLASSES] + 0.1 * rng.standard_normal((n, CLASSES))


@pytest.fixture(scope="module")
def world():
    """Two judges of images that are noise, whose features are clusters: samples are wider than real images."""
    rng = np.random.default_rng(0)
    train, test = pixels(rng, TRAIN), pixels(rng, N)
    images = {"test": test, **image_sets(train, np.arange(TRAIN) % CLASSES, N)}
    widths = {"samples": 1.3, "test": 1, "copier": 1, "noise": 3, "blur": 0.5, "one_class": 1}
    judges = []
    for _ in range(2):
        layers = {
            layer: {name: clusters(rng, len(images.get(name, test)), scale) for name, scale in widths.items()}
            for layer in ("penultimate", "middle")
        }
        layers["middle"]["train"] = clusters(rng, TRAIN)
        judges.append(Judge(layers, {"samples": logits(rng, N), "test": logits(rng, N)}))
    return judges, pixels(rng, N), images, np.arange(N) % CLASSES, train


@pytest.fixture(scope="module")
def result(world):
    judges, samples, images, labels, train = world
    samples[7] = train[31, :, ::-1]
    pixels = ratio(nearest_pixels(images["test"], train)[0])
    known = references(judges, images, labels, pixels=pixels)
    critic = np.linspace(0, 2, 50), np.linspace(-1, 1, 40)
    return evaluation(judges, samples, images["test"], known, labels, critic, train=train, pixels=pixels)


def test_every_measure_has_its_interval_judges_and_references(result):
    expected = {"kid", "fd", "kid_middle", "fd_middle", "precision", "recall", "density", "coverage", "entropy",
                "total_variation", "class_accuracy", "c_t", "copied", "copied_middle", "critic_gap",
                "checkerboard"}  # fmt: skip
    expected |= {f"{name}_distance" for name in ("density", "c_t", "critic_gap", "checkerboard")}
    expected |= {f"checkerboard_{axis}{period}" for axis in "xy" for period in (2, 4)}
    assert set(result["measures"]) == expected
    sets = {"floor", "copier", "noise", "blur", "one_class"}
    for name, entry in result["measures"].items():
        assert entry["low"] <= entry["value"] <= entry["high"], name
        if not name.startswith("critic_gap"):
            known = set(entry["references"])
            by_judges = "checkerboard" not in name and name != "copied"
            assert ("judges" in entry) == by_judges
            if name in ("entropy", "total_variation", "class_accuracy"):
                assert known == {"test"}
            else:
                copying = {"c_t", "c_t_distance", "copied", "copied_middle"}
                assert known == ({"floor", "copier"} if name in copying else sets)
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_the_references_are_in_their_order(result):
    kid_ = result["measures"]["kid"]
    known = {name: entry["value"] for name, entry in kid_["references"].items()}
    assert known["floor"] < kid_["value"] < known["noise"]
    for copied in (result["measures"]["copied"], result["measures"]["copied_middle"]):
        assert copied["references"]["copier"]["value"] > 95 > 5 > copied["references"]["floor"]["value"]
        assert copied["references"]["copier"]["p"] < 0.001 < copied["p"]
    assert result["measures"]["c_t"]["references"]["copier"]["value"] < -5
    assert result["measures"]["kid"]["references"]["floor"]["n"] == N // 2


def test_classes_and_the_critic(result):
    measures = result["measures"]
    assert [entry["value"] for entry in result["classes"]] == pytest.approx([0.1] * CLASSES)
    assert measures["class_accuracy"]["value"] == 1
    assert measures["entropy"]["value"] == pytest.approx(np.log(CLASSES))
    assert measures["total_variation"]["value"] == pytest.approx(0)
    assert measures["critic_gap"]["value"] == pytest.approx(1)
    assert result["images"] == {"samples": N, "test": N}


def test_the_nearest_train_images_are_listed_the_most_similar_first(result):
    shown = result["nearest"]
    assert shown["ratio"] == sorted(shown["ratio"])
    assert (shown["samples"][0], shown["train"][0][0], shown["ratio"][0]) == (7, 31, 0)  # its mirror image is a copy
    assert result["nearest_of_first"]["samples"] == list(range(32))


def test_a_generator_without_a_class_has_less_coverage_and_recall():
    rng = np.random.default_rng(1)
    test = clusters(rng, 600)
    whole, dropped = (manifold(clusters(rng, 600, first=first), test, 5) for first in (0, 1))
    for name in ("coverage", "recall"):
        assert dropped[name].value < whole[name].value - 0.04
        assert dropped[name].interval()[1] < whole[name].value
    assert abs(dropped["precision"].value - whole["precision"].value) < 0.04


def test_the_sums_of_a_set_that_are_known_are_not_computed_again():
    rng = np.random.default_rng(2)
    x, y = clusters(rng, 60), clusters(rng, 80)
    assert kid(x, y, own_sums(y)).entry() == kid(x, y).entry()
    assert kid(x, y, 0 * own_sums(y)).value != kid(x, y).value


def test_sets_of_images_are_deterministic_and_what_their_names_say():
    rng = np.random.default_rng(3)
    train, labels = pixels(rng, 50), np.arange(50) % 5
    sets, again = image_sets(train, labels, 20), image_sets(train, labels, 20)
    for name, images in sets.items():
        assert images.dtype == np.uint8
        assert images.shape == (20, 16, 16, 3)
        assert (images == again[name]).all()
    assert {image.tobytes() for image in sets["copier"]} <= {image.tobytes() for image in train}
    assert len({image.tobytes() for image in sets["copier"]}) == 20
    assert sets["noise"].mean() == pytest.approx(127.5, abs=2)
    assert sets["blur"].mean() == pytest.approx(sets["copier"].mean(), abs=1)
    assert sets["blur"].std() < sets["copier"].std() / 3
    assert (sets["one_class"][:10] == train[labels == 0]).all()
    assert (sets["one_class"][10:] == train[labels == 0][:, :, ::-1]).all()
    assert len(one_class(train, labels, 40)) == 20


def test_the_blur_is_the_same_at_every_size_and_keeps_colours_apart():
    images = np.zeros((1, 32, 32, 3), np.uint8)
    images[0, 16, 16, 0] = 255
    found = blur(images)[0]
    assert found[..., 1:].max() == 0
    assert found[16, 16, 0] == pytest.approx(255 / (2 * np.pi * 2.0**2), abs=1)
    large = np.full((1, 64, 64, 3), 50, np.uint8)
    assert (blur(large) == large).all()
