"""Samples: the same in any number, between latents, of a class, as PNG files and as a data set."""

import sys

import numpy as np
import pytest
import torch
from conftest import experiment
from PIL import Image

from dawn import sample
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.data.preprocessing import Preprocessing
from dawn.engine.weights import write_weights
from dawn.tasks.gan import weights
from dawn.tasks.gan.networks import build
from dawn.tasks.gan.samples import generate
from dawn.tasks.gan.sampling import between, latents, scores, trained
from dawn.tasks.generative import cas_images, judges

NETWORK = {"architecture": "dcgan", "width": 4, "extra_layers": 0}
CLASSES = ["red", "green", "blue"]


def of_gan(**over):
    generator = {**NETWORK, "latent": 8}
    return experiment(task="gan", gan={"generator": generator, "critic": NETWORK, "conditional": True, **over})


@pytest.fixture
def model(tmp_path):
    """The weights of a conditional GAN, far enough from the initial ones to make colours."""
    return written(tmp_path / "gan.safetensors", of_gan())


def written(path, settings, classes=CLASSES):
    generator, critic = build(settings.gan, len(classes), 32, 0)
    noise = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in generator.parameters():
            weight += torch.randn(weight.shape, generator=noise) / 3
    weights.write(path, generator, critic, settings.text("data", "gan"), classes, 32)
    return path


def call(command, monkeypatch, *args):
    monkeypatch.setattr(sys, "argv", ["command", *map(str, args)])
    command.main()


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def test_a_sample_is_the_same_in_any_number():
    many = latents(5, range(20), 16)
    np.testing.assert_array_equal(latents(5, [7, 3], 16), many[[7, 3]])
    assert not np.array_equal(latents(6, [0], 16), many[:1])
    drawn = latents(0, range(4000), 16)
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02


def test_truncation_draws_again_only_what_is_beyond():
    free, cut = latents(1, range(500), 16), latents(1, range(500), 16, 0.8)
    assert np.abs(cut).max() <= 0.8
    kept = np.abs(free) <= 0.8
    np.testing.assert_array_equal(cut[kept], free[kept])
    # a normal variable inside +- 0.8: 1 - 2 t phi(t) / (2 Phi(t) - 1)
    assert cut.var() == pytest.approx(1 - 1.6 * 0.28969 / 0.57629, abs=0.01)


def test_the_way_between_latents_keeps_their_length():
    ends = latents(2, range(2), 400)
    way = between(ends[:1], ends[1:], 9)[0]
    np.testing.assert_allclose(way[[0, -1]], ends, atol=1e-6)
    lengths = np.linalg.norm(way, axis=1)
    assert lengths.min() > 0.95 * min(lengths[0], lengths[-1])
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    assert steps.max() < 1.1 * steps.min()
    np.testing.assert_allclose(between(ends[:1], ends[:1], 3)[0], np.repeat(ends[:1], 3, 0), atol=1e-6)


def test_grids_and_folders_hold_the_samples(model, tmp_path, monkeypatch):
    gan, out = trained(model), tmp_path / "grid.png"
    call(sample, monkeypatch, "--model", model, "--count", 6, "--seed", 3, "--out", out)
    made = generate(gan.generator, latents(3, range(6), 8), np.arange(6) % 3)
    sheet = pixels(out)
    assert sheet.shape == (2 * 34 - 2, 3 * 34 - 2, 3)  # a column for each class
    for i, image in enumerate(made):
        np.testing.assert_array_equal(sheet[i // 3 * 34 :, i % 3 * 34 :][:32, :32], image)
    call(sample, monkeypatch, "--model", model, "--count", 4, "--seed", 3, "--out", tmp_path / "files")
    names = sorted(p.relative_to(tmp_path / "files").as_posix() for p in tmp_path.glob("files/*/*"))
    assert names == ["blue/000002.png", "green/000001.png", "red/000000.png", "red/000003.png"]
    np.testing.assert_array_equal(pixels(tmp_path / "files/green/000001.png"), made[1])


def test_a_class_is_given_by_name_or_number(model, tmp_path, monkeypatch):
    for name, kind in (("a", "blue"), ("b", 2), ("c", "red")):
        call(sample, monkeypatch, "--model", model, "--count", 1, "--class", kind, "--out", tmp_path / f"{name}.png")
    a, b, c = (pixels(tmp_path / f"{name}.png") for name in "abc")
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_rows_pass_from_one_sample_to_another(model, tmp_path, monkeypatch):
    out = tmp_path / "rows.png"
    call(sample, monkeypatch, "--model", model, "--count", 2, "--interpolate", 5, "--class", "red", "--out", out)
    sheet = pixels(out)
    assert sheet.shape == (2 * 34 - 2, 5 * 34 - 2, 3)
    ends = generate(trained(model).generator, latents(0, [2, 3], 8), np.zeros(2, int))
    for image, column in zip(ends, (0, 4), strict=True):
        difference = sheet[34:, column * 34 :][:32, :32].astype(int) - image
        assert np.abs(difference).max() <= 1  # the batch is another


def test_the_critic_sees_pixels_as_the_generator_makes_them(model):
    gan = trained(model)
    images = generate(gan.generator, latents(0, range(3), 8), np.arange(3))
    found = scores(gan, images, np.arange(3))
    with torch.no_grad():
        made = gan.generator(torch.from_numpy(latents(0, range(3), 8)), torch.arange(3))
        np.testing.assert_allclose(found, gan.critic(made, torch.arange(3)), atol=0.01)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--class", "car"], r"--class 'car': none of red, green, blue, and no number from 0 to 2"),
        (["--class", "3"], r"--class '3': none of"),
        (["--count", "0"], "--count 0: at least 1"),
        (["--truncation", "0"], "--truncation 0.0: at least 0.01"),
        (["--interpolate", "1"], "--interpolate 1: at least 2"),
    ],
)
def test_what_cannot_be_sampled_is_refused(model, tmp_path, monkeypatch, args, words):
    with pytest.raises(InputError, match=words):
        call(sample, monkeypatch, "--model", model, *args, "--out", tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize("name", ["../../evil", "/evil", "..", ".", "", "a/b", "a\0b", "\x1b[31m"])
def test_a_class_of_a_file_of_weights_leads_to_no_folder_but_its_own(tmp_path, monkeypatch, name):
    place = f"{tmp_path}{name}" if name.startswith("/") else name
    model, out = written(tmp_path / "gan.safetensors", of_gan(), ["red", place, "blue"]), tmp_path / "in/out"
    with pytest.raises(InputError, match=r"class '.*' cannot name a folder; give --out NAME\.png or --class"):
        call(sample, monkeypatch, "--model", model, "--out", out)
    assert [path.name for path in tmp_path.rglob("*")] == ["gan.safetensors"]
    for more in (["--class", "1"], ["--interpolate", "2"]):
        call(sample, monkeypatch, "--model", model, "--count", 2, "--out", out, *more)
        assert {path.parent for path in tmp_path.rglob("*.png")} == {out}


def test_an_unconditional_gan_and_a_classifier_are_refused(tmp_path, monkeypatch, data):
    plain = written(tmp_path / "plain.safetensors", of_gan(conditional=False))
    with pytest.raises(InputError, match=r"--class red: this GAN was trained without classes"):
        call(sample, monkeypatch, "--model", plain, "--class", "red", "--out", tmp_path / "x.png")
    params = tmp_path / "params.yaml"
    params.write_text(of_gan(conditional=False).model_dump_json())
    line = ("--params", params, "--data", data, "--seed", 0, "--out", tmp_path / "set")
    with pytest.raises(InputError, match=r"a data set needs gan\.conditional"):
        call(cas_images, monkeypatch, "--model", plain, *line)
    classifier = tmp_path / "classifier.safetensors"
    write_weights(classifier, build(of_gan().gan, 3, 32, 0)[1], experiment().text("model"), CLASSES, {"size": 32})
    with pytest.raises(InputError, match=r"classifier\.safetensors holds no GAN"):
        call(sample, monkeypatch, "--model", classifier, "--out", tmp_path / "x.png")


def test_a_data_set_of_samples_has_the_classes_of_train_and_the_real_test_split(model, tmp_path, monkeypatch, data):
    params, out = tmp_path / "params.yaml", tmp_path / "set"
    params.write_text(of_gan().model_dump_json())
    call(cas_images, monkeypatch, "--params", params, "--data", data, "--model", model, "--seed", 0, "--out", out)
    labels = np.load(data / "train_labels.npy")
    np.testing.assert_array_equal(np.load(out / "train_labels.npy"), labels)
    made = generate(trained(model).generator, latents(0, range(len(labels)), 8), labels)
    np.testing.assert_array_equal(np.load(out / "train_images.npy"), made)
    np.testing.assert_array_equal(np.load(out / "test_images.npy"), np.load(data / "test_images.npy"))
    assert read_json(out / "dataset.json")["classes"] == CLASSES


@pytest.mark.parametrize(
    ("classes", "mean", "over", "words"),
    [
        (["cat"], 0.3, {}, "is a judge of the classes cat, not of red, green, blue; delete it"),
        (CLASSES, 0.4, {}, "other channel statistics"),
        (CLASSES, 0.3, {"train": {"epochs": 9}}, "was made with another train section"),
        (CLASSES, 0.3, {"data": {"holdout": 9}}, "was made with another data section"),
    ],
)
def test_another_judge_is_refused(tmp_path, data, classes, mean, over, words):
    path, wanted = tmp_path / "judge.safetensors", experiment()
    stats = tmp_path / "stats.json"
    write_json(stats, {"mean": [mean] * 3, "std": [0.15] * 3})
    theirs = Preprocessing.of(wanted, data, stats).plain()
    network = build(of_gan().gan, 3, 32, 0)[1]
    write_weights(path, network, experiment(**over).text("data", "model", "train"), classes, theirs)
    real = Preprocessing.of(wanted, data, data / "stats.json")
    with pytest.raises(InputError, match=words):
        judges.check(path, wanted, CLASSES, real)
    write_weights(path, network, wanted.text("data", "model", "train"), CLASSES, real.plain())
    judges.check(path, wanted, CLASSES, real)
