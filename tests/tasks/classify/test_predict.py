"""Predictions of trained networks for image files, as a user asks for them."""

import csv
import io
import json
import math
import statistics

import numpy as np
import pytest
import torch
from archives import call
from conftest import experiment, in_full, step
from seeds import CHANNELS, CLASSES, PREPROCESSING, pixels, write_image, write_seed
from training import arguments

from dawn import evaluate, predict, train
from dawn.core.cli import InputError
from dawn.data.collection.walk import walk
from dawn.engine.weights import read_weights
from dawn.tasks.classify.networks.build import restored
from dawn.tasks.classify.serving.predictor import Predictor

CPU = torch.device("cpu")


@pytest.fixture
def seeds(tmp_path):
    return [write_seed(tmp_path / f"results/seed-{seed}", seed) for seed in range(3)]


def asked(capsys, *args):
    """What the command prints and what it refuses."""
    refusal = call(predict.main, *args)
    out, err = capsys.readouterr()
    return out, err, refusal


def expected(seed, image):
    """Probabilities by a formula of their own, in float64, of an image that has the network's size."""
    _, header = read_weights(seed / "model.safetensors")
    assert header["preprocessing"] == PREPROCESSING
    mean, std = (np.array(CHANNELS[name]) for name in ("mean", "std"))
    x = torch.tensor(((image / 255 - mean) / std).transpose(2, 0, 1)[None], dtype=torch.float64)
    net = restored(experiment().model, seed / "model.safetensors", 3).double().eval()
    return torch.softmax(net(x), 1)[0].detach().numpy()


def test_probabilities_are_the_mean_over_the_seeds(seeds, tmp_path, capsys):
    image = pixels(32, 32)
    path = write_image(tmp_path / "photo.png", image)
    out, _, refusal = asked(capsys, "--format", "json", "--model", *seeds, path)
    assert refusal is None
    (found,) = json.loads(out)
    each = np.stack([expected(seed, image) for seed in seeds])
    mean = each.mean(0)
    best = int(mean.argmax())
    assert found["class"] == CLASSES[best]
    assert found["image"] == str(path)
    for name, value in zip(CLASSES, mean, strict=True):
        assert found["probabilities"][name] == pytest.approx(value, abs=1e-5)
    assert found["std"] == pytest.approx(statistics.stdev(each[:, best]), abs=1e-5)
    assert found["agreement"] == pytest.approx(np.mean(each.argmax(1) == best))


def test_one_seed_has_no_spread(seeds, tmp_path, capsys):
    out, _, _ = asked(capsys, write_image(tmp_path / "a.png"), "--format", "json", "--model", seeds[0])
    assert {"std", "agreement"}.isdisjoint(json.loads(out)[0])
    table, _, _ = asked(capsys, "--model", seeds[0], tmp_path / "a.png")
    assert table.splitlines()[0].split() == ["image", "class", "probability", "then"]


def test_csv_has_a_column_for_every_class(seeds, tmp_path, capsys):
    for name in ("a, b.png", "c.jpg"):
        write_image(tmp_path / "photos" / name)
    out, _, _ = asked(capsys, "--format", "csv", "--model", *seeds[:2], tmp_path / "photos")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["image"].rsplit("/")[-1] for row in rows] == ["a, b.png", "c.jpg"]
    for row in rows:
        assert math.fsum(float(row[f"p({name})"]) for name in CLASSES) == pytest.approx(1, abs=1e-6)


def test_the_table_shows_as_many_classes_as_wanted(seeds, tmp_path, capsys):
    out, _, _ = asked(capsys, "--top", 2, "--model", *seeds, write_image(tmp_path / "a.png"))
    head, line = out.splitlines()
    assert head.split() == ["image", "class", "probability", "std", "agreement", "then"]
    assert line.count("%") == 4
    assert asked(capsys, "--top", 0, "--model", seeds[0], tmp_path / "a.png")[2] == "dawn.predict: --top 0: at least 1"


def test_bad_files_are_named_together_after_the_good_ones(seeds, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    for name in ("bad.png", "worse.jpg"):
        (tmp_path / "photos" / name).write_bytes(b"not an image")
    write_image(tmp_path / "photos/good.png")
    out, err, refusal = asked(capsys, "--format", "json", "--model", seeds[0], tmp_path / "photos", tmp_path / "no.png")
    assert [one["image"] for one in json.loads(out)] == [str(tmp_path / "photos/good.png")]
    for name in ("no.png: is not there", "bad.png: is no image", "worse.jpg: is no image"):
        assert name in err
    assert refusal == "dawn.predict: 3 of the paths given could not be used; they are named above"


def test_a_folder_has_the_images_that_training_reads(seeds, tmp_path, capsys):
    photos = tmp_path / "photos"
    for name in ("photos/a.png", "photos/.b.png", "photos/.trash/c.png", "photos/@eaDir/d.png", "elsewhere/e.png"):
        write_image(tmp_path / name)
    (photos / "linked").symlink_to(tmp_path / "elsewhere")
    out, _, refusal = asked(capsys, "--format", "json", "--model", seeds[0], photos)
    assert refusal is None
    found = [one["image"] for one in json.loads(out)]
    assert found == [str(photos / "a.png"), str(photos / "linked/e.png")] == [str(photos / n) for n in walk(photos)[0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ["cat", "dog", "cow"]}, "differ in their classes; give seeds of one experiment"),
        ({"preprocessing": {**PREPROCESSING, "final_size": 24}}, "differ in their preprocessing"),
        ({"preprocessing": {}}, "does not store its preprocessing; train again"),
    ],
)
def test_networks_that_see_images_otherwise_are_refused(seeds, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        Predictor([seeds[0], write_seed(tmp_path / "other", **change)], CPU)


def test_what_is_no_model_is_refused(seeds, tmp_path, capsys):
    image = write_image(tmp_path / "a.png")
    assert "is not there; train first" in asked(capsys, "--model", tmp_path / "none", image)[2]
    assert "not a safetensors file" in asked(capsys, "--model", image, image)[2]
    assert "no image is given" in asked(capsys, "--model", *seeds)[2]


def test_images_are_scaled_to_the_size_at_which_training_ended(tmp_path):
    seed = write_seed(tmp_path / "seed-0", preprocessing={**PREPROCESSING, "final_size": 24})
    predictor = Predictor([seed], CPU)
    shapes = []
    predictor.members[0].net.register_forward_pre_hook(lambda net, args: shapes.append(tuple(args[0].shape)))
    predictor.probabilities(pixels(32, 32)[None])
    assert shapes == [(1, 3, 24, 24)]


def test_views_are_averaged_as_in_an_evaluation(seeds):
    image = pixels(32, 32)[None]
    plain, mirror = (Predictor(seeds[:1], CPU, tta).logits(image) for tta in ("none", "mirror"))
    mirrored = Predictor(seeds[:1], CPU).logits(np.ascontiguousarray(image[:, :, ::-1]))
    torch.testing.assert_close(mirror, (plain + mirrored) / 2)


def test_a_trained_network_predicts_what_the_evaluation_found(data, params, tmp_path):
    """The whole way: train, evaluate, then the test images as a user's."""
    out, path = tmp_path / "seed-0", params()
    assert call(train.main, *arguments(path, data, out, "--resume", tmp_path / "states")) is None
    weights = ["--stats", data / "stats.json", "--model", out / "model.safetensors", "--out", out]
    assert call(evaluate.main, "--params", path, "--data", data, *weights) is None
    logits = np.load(out / "predictions.npz")["logits"]
    found = Predictor([out], CPU).logits(np.load(data / "test_images.npy"))[0]
    np.testing.assert_allclose(found.numpy(), logits, atol=1e-5)


@pytest.mark.parametrize("format", ["json", *in_full("table", "csv")])
def test_names_that_the_charset_of_the_terminal_lacks_are_printed_escaped(seeds, tmp_path, format):
    path = write_image(tmp_path / "Köter \udcff.png", pixels(32, 32))
    env = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = step("predict", "--format", format, "--model", seeds[0], path, tmp_path / "missing-ö.png", env=env)
    assert r"K\xf6ter \udcff.png" in done.stdout.replace(r"\u00f6", r"\xf6")
    assert r"missing-\xf6.png" in done.stderr
    assert "Traceback" not in done.stderr and done.returncode == 1
