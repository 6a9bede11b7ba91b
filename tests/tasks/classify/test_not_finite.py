"""Weights with NaN or infinity are refused by every command that loads them, in one line that names the tensor."""

import json

import pytest
import torch
from archives import call
from conftest import experiment
from safetensors import safe_open
from safetensors.torch import save_file
from seeds import CLASSES, PREPROCESSING, write_image, write_seed

from dawn import evaluate, export, predict, sample, serve, translate
from dawn.core.cli import InputError
from dawn.engine.weights import read_weights
from dawn.tasks.cycle import networks as cycle_networks
from dawn.tasks.cycle import weights as cycle_weights
from dawn.tasks.gan import networks as gan_networks
from dawn.tasks.gan import weights as gan_weights
from dawn.tasks.generative.pixels import to_pixels

NETWORK = {"architecture": "dcgan", "width": 4, "extra_layers": 0}


def changed(path, value, name=None, header=None):
    """The file with one value of one tensor (the first, or that of a name), or with another header."""
    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
        metadata = file.metadata()
    name = name or next(key for key in tensors if tensors[key].numel())
    if value is not None:
        tensors[name].view(-1)[0] = value
    save_file(tensors, path, metadata=metadata if header is None else {"dawn": header})
    return name


@pytest.fixture
def seed(tmp_path):
    return write_seed(tmp_path / "seed-0")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_predict_refuses(seed, tmp_path, value, capsys):
    name = changed(seed / "model.safetensors", value)
    refusal = call(predict.main, "--model", seed, write_image(tmp_path / "a.png"))
    assert refusal.startswith(f"dawn.predict: {seed}/model.safetensors: 1 of ")
    assert f" values of the tensor {name} are NaN or infinite; " in refusal
    assert "train again" in refusal
    assert "\n" not in refusal
    assert capsys.readouterr().out == ""


def test_export_and_serve_refuse(seed):
    changed(seed / "model.safetensors", float("nan"))
    for command in (export.main, serve.main):
        assert "are NaN or infinite" in call(command, "--model", seed)
    assert [path.name for path in seed.iterdir()] == ["model.safetensors"]


def test_sample_refuses(tmp_path):
    settings = experiment(task="gan", gan={"generator": {**NETWORK, "latent": 8}, "critic": NETWORK})
    path, out = tmp_path / "gan.safetensors", tmp_path / "grid.png"
    generator, critic = gan_networks.build(settings.gan, 3, 32, 0)
    gan_weights.write(path, generator, critic, settings.text("data", "gan"), CLASSES, 32)
    assert call(sample.main, "--model", path, "--count", 4, "--out", out) is None
    out.unlink()
    name = changed(path, float("inf"))
    refusal = call(sample.main, "--model", path, "--count", 4, "--out", out)
    assert f"values of the tensor {name} are NaN or infinite" in refusal
    assert not out.exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_generated_images_that_are_not_finite_are_refused(value):
    images = torch.zeros(2, 3, 4, 4)
    assert (to_pixels(images) == 128).all()
    images[1, 2, 3, 3] = value
    with pytest.raises(InputError, match="the generator gives images that are NaN or infinite; train again"):
        to_pixels(images)


def test_translate_refuses(tmp_path):
    settings = experiment(task="cycle", cycle={"generator": {"width": 4, "blocks": 1}, "critic": {"width": 4}})
    path, out = tmp_path / "cycle.safetensors", tmp_path / "out"
    nets = cycle_networks.build(settings.cycle, 32, 0)
    cycle_weights.write(path, nets, settings.text("data", "cycle"), ["a", "b"], {"size": 32, "resize": "crop"})
    write_image(tmp_path / "photos/one.png")
    line = ["--model", path, "--in", tmp_path / "photos", "--out", out]
    assert call(translate.main, *line) is None
    changed(path, float("nan"))
    assert "are NaN or infinite" in call(translate.main, *line)


def test_other_types_than_floats_are_read(tmp_path):
    path = tmp_path / "some.safetensors"
    save_file({"count": torch.tensor([3]), "half": torch.ones(2, dtype=torch.bfloat16), "none": torch.empty(0)}, path)
    assert set(read_weights(path)[0]) == {"count", "half", "none"}
    save_file({"half": torch.tensor([1.0, float("inf"), float("nan")], dtype=torch.float16)}, path)
    with pytest.raises(InputError, match="2 of 3 values of the tensor half are NaN or infinite"):
        read_weights(path)


def test_finite_weights_whose_logits_overflow_are_refused(seed, tmp_path):
    path = seed / "model.safetensors"
    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
        metadata = file.metadata()
    save_file({key: torch.full_like(t, 3e38) for key, t in tensors.items()}, path, metadata=metadata)
    found = call(predict.main, "--model", seed, write_image(tmp_path / "a.png"))
    assert (
        found == f"dawn.predict: {path} gives logits that are NaN or infinite; train again, with a lower learning rate"
    )


@pytest.mark.parametrize("weight", [float("nan"), 3e38])
def test_evaluate_refuses_and_writes_nothing(data, params, tmp_path, weight):
    out = write_seed(tmp_path / "seed-0")
    path = out / "model.safetensors"
    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
        metadata = file.metadata()
    save_file({key: torch.full_like(t, weight) for key, t in tensors.items()}, path, metadata=metadata)
    line = ["--params", params(), "--data", data, "--stats", data / "stats.json", "--model", path, "--out", out]
    assert "NaN or infinite" in call(evaluate.main, *line)
    assert [file.name for file in out.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"mean": [float("nan"), 0, 0]}, "NaN is no number of JSON"),
        ({"std": [0.2, 0.0, 0.1]}, "the preprocessing has mean"),
        ({"std": [1, float("inf"), 1]}, "Infinity is no number of JSON"),
    ],
)
def test_a_preprocessing_that_makes_nan_is_refused(seed, tmp_path, wrong, words):
    path = seed / "model.safetensors"
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["dawn"])
    changed(path, None, header=json.dumps(header | {"preprocessing": {**PREPROCESSING, **wrong}}))
    refusal = call(predict.main, "--model", seed, write_image(tmp_path / "a.png"))
    assert words in refusal


def test_a_header_that_is_no_json_is_refused(seed):
    changed(seed / "model.safetensors", None, header="{")
    with pytest.raises(InputError, match=r"is not JSON .*; train again"):
        read_weights(seed / "model.safetensors")
