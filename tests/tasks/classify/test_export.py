"""Exported networks, run by what needs none of this package."""

import json
import re
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from archives import call, png
from conftest import ROOT
from PIL import Image
from seeds import CLASSES, PREPROCESSING, pixels, write_image, write_seed

from dawn import export
from dawn.data.image_file import read_image
from dawn.tasks.classify.serving import exported
from dawn.tasks.classify.serving.predictor import Predictor, load_trained
from dawn.tasks.classify.serving.resize import scaled

NETWORKS = {
    "darknet": {},
    "darknet-smaller-input": {"preprocessing": {**PREPROCESSING, "final_size": 24}},
    "wrn": {"model": {"family": "wrn", "depth": 10, "width": 0.5}},
    "airbench": {"model": {"family": "airbench", "widths": [4, 8]}},
    "torchvision": {"model": {"family": "torchvision", "name": "shufflenet_v2_x0_5"}},
}


def images(n, size=32):
    return np.random.default_rng(n).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def run_onnx(path, pixels):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"images": pixels})[0]


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n == "darknet-smaller-input" else pytest.mark.full)
                                  for n in NETWORKS])  # fmt: skip
def test_onnx_has_the_networks_logits_for_any_batch(name, tmp_path, capsys):
    seed = write_seed(tmp_path / "seed-0", **NETWORKS[name])
    assert call(export.main, "--model", seed, "--format", "onnx") is None
    assert "its logits differ by" in capsys.readouterr().out
    for n in (1, 5):
        expected = Predictor([seed], torch.device("cpu")).logits(images(n))[0]
        np.testing.assert_allclose(run_onnx(seed / "model.onnx", images(n)), expected, atol=1e-4)
    photos = [pixels(height, width) for height, width in ((90, 41), (20, 33), (33, 100))]
    small = np.stack([read_image(png(photo), 32, "crop") for photo in photos])
    found = [run_onnx(seed / "model.onnx", photo[None])[0] for photo in photos]
    np.testing.assert_allclose(found, Predictor([seed], torch.device("cpu")).logits(small)[0], atol=1e-4)


@pytest.mark.parametrize("resize", ["crop", "stretch"])
def test_scaling_is_pillows_to_the_last_bit(resize):
    rng = np.random.default_rng(0)
    for n in range(60):
        height, width = rng.integers(1, 220, 2).tolist()
        size = int(rng.choice([1, 7, 32, 48, 64, 100]))
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        pixels = pixels if n % 3 else (pixels > 127) * np.uint8(255)
        ours = scaled(torch.from_numpy(pixels[None]), size, resize)[0].numpy()
        assert np.array_equal(ours, read_image(png(pixels), size, resize)), (height, width, size)


@pytest.mark.full
def test_the_tutorials_code_answers_as_the_prediction_does(tmp_path, monkeypatch):
    seed, photo = write_seed(tmp_path / "experiments/photos/results/seed-0"), tmp_path / "photo.jpg"
    assert call(export.main, "--model", seed, "--format", "onnx") is None
    predictor = Predictor([seed], torch.device("cpu"))
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", (ROOT / "docs/tutorials/use.md").read_text(), re.DOTALL)[1]
    for height, width, orientation in ((300, 500, 1), (500, 300, 1), (90, 40, 6), (32, 32, 1), (20, 30, 3)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        write_image(photo, pixels(height, width), exif=exif)
        exec(code, names := {})
        assert names["classes"] == CLASSES
        expected = predictor.logits(read_image(photo, 32, "crop")[None])[0]
        np.testing.assert_allclose(names["logits"], expected, atol=1e-4)


def test_onnx_is_one_checked_file_that_knows_its_classes(tmp_path):
    trained = load_trained(write_seed(tmp_path / "seed-0"))
    path = tmp_path / "out/model.onnx"
    exported.write_onnx(path, exported.traced(trained)[0], trained)
    assert [p.name for p in path.parent.iterdir()] == ["model.onnx"]
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    known = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert known["classes"] == CLASSES
    assert known["preprocessing"] == PREPROCESSING
    assert [entry.version for entry in model.opset_import if not entry.domain] == [exported.OPSET]


def test_the_archive_runs_without_the_package(tmp_path):
    seed = write_seed(tmp_path / "seed-0")
    assert call(export.main, "--model", seed, "--format", "torch") is None
    np.save(tmp_path / "images.npy", images(2))
    script = (
        "import json, sys, numpy, torch; extra = {'dawn.json': ''}\n"
        "net = torch.export.load('seed-0/model.pt2', extra_files=extra).module()\n"
        "numpy.save('logits.npy', net(torch.from_numpy(numpy.load('images.npy'))).detach().numpy())\n"
        "print(json.loads(extra['dawn.json'])['classes'], 'dawn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{json.dumps(CLASSES)} False"
    expected = Predictor([seed], torch.device("cpu")).logits(images(2))[0]
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, atol=1e-5)


def test_an_export_that_computes_something_else_is_refused_and_removed(tmp_path, monkeypatch):
    seed = write_seed(tmp_path / "seed-0")
    monkeypatch.setitem(export.FORMATS, "torch", (*export.FORMATS["torch"][:2], lambda *_: 0.5))
    assert "model.pt2 differs by 0.5" in call(export.main, "--model", seed, "--format", "torch")
    assert not (seed / "model.pt2").exists()


def test_missing_packages_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: None if name == "onnxscript" else object())
    assert "ONNX needs onnxscript, not installed" in call(export.main, "--model", tmp_path)
