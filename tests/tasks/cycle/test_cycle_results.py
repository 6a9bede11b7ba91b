"""What is made of a trained CycleGAN: measures, figures, a page, translations of images of one's own."""

import json
import re

import numpy as np
import pytest
import torch
import yaml
from archives import call
from conftest import ROOT
from cycles import domains, settings
from PIL import Image
from seeds import write_image

from dawn import evaluate, model, plot, provenance, summarize, summary, train, translate
from dawn.data.image_file import read_image
from dawn.measures.translation import Seen, by_judges, mean_image
from dawn.results.curve import read_curve
from dawn.results.manifest import verify
from dawn.tasks.cycle.curve import CycleMetrics
from dawn.tasks.cycle.translation import round_trip, to_input
from dawn.tasks.cycle.weights import restored
from dawn.tasks.generative.pixels import to_pixels


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of two seeds of the tiny CycleGAN: trained, evaluated, summarized, drawn, described."""
    root = tmp_path_factory.mktemp("run")
    data, results = domains(root / "data", test=6), root / "results"
    params = results / "params.yaml"
    params.parent.mkdir()
    chosen = settings({"test": 6}, epochs=2).model_dump(mode="json") | {"seeds": [0, 1]}
    params.write_text(yaml.safe_dump(chosen))
    seeds = [results / f"seed-{seed}" for seed in (0, 1)]
    both = ["--params", params, "--data", data]
    for number, seed in enumerate(seeds):
        more = ["--seed", number, "--out", seed, "--resume", root / "resume"]
        assert call(train.main, *both, *more) is None
        manifest = results / f"manifests/{number}.json"
        more = ["--model", seed / "model.safetensors", "--out", seed, "--manifest", manifest]
        assert call(evaluate.main, *both, *more) is None
    metrics, origin = results / "metrics.json", results / "provenance.json"
    described = results / "model.json"
    assert call(model.main, "--params", params, "--data", data, "--out", described) is None
    line = ["--params", params, "--model", described, "--out", metrics, "--plots", results]
    assert call(summarize.main, *seeds, *line) is None
    assert call(plot.main, *seeds, *both, "--out", results / "plots") is None
    about = ["--about", "domains.json", "--out", origin]
    assert call(provenance.main, "--root", ROOT, "--data", data, *about) is None
    page = ["--metrics", metrics, "--provenance", origin, "--plots", results / "plots", "--root", ROOT]
    assert call(summary.main, *seeds, "--params", params, *page, "--out", results / "summary.md") is None
    return root


def evaluation(run, seed=0):
    return json.loads((run / f"results/seed-{seed}/evaluation.json").read_text())


def test_the_measures_are_those_of_the_files(run):
    found = evaluation(run)["measures"]
    a, b, train_b = (np.load(run / f"data/domain_{name}.npy") for name in ("a_test", "b_test", "b_train"))
    in_b = np.load(run / "results/seed-0/in_b.npy")

    def decibels(images, truth):
        return 10 * np.log10(255**2 / np.mean((images.astype(float) - truth) ** 2))

    assert found["psnr_to_b"]["value"] == pytest.approx(decibels(in_b, b))
    known = found["psnr_to_b"]["references"]
    assert known["identity"]["value"] == pytest.approx(decibels(a, b))
    assert known["mean_image"]["value"] == pytest.approx(decibels(mean_image(train_b)[None], b))
    above = found["psnr_above_identity_to_b"]["value"]
    assert above == pytest.approx(found["psnr_to_b"]["value"] - known["identity"]["value"])
    assert found["psnr"]["value"] == pytest.approx((found["psnr_to_b"]["value"] + found["psnr_to_a"]["value"]) / 2)
    assert found["psnr_to_b"]["low"] < found["psnr_to_b"]["value"] < found["psnr_to_b"]["high"]


def test_translations_are_those_of_the_weights_and_the_cycle_error_that_of_the_cycle(run):
    nets = restored(run / "results/seed-0/model.safetensors").nets
    a = np.load(run / "data/domain_a_test.npy")
    with torch.no_grad():
        there = nets.to_b(to_input(a, torch.device("cpu")))
        back = nets.to_a(there)
    assert np.array_equal(np.load(run / "results/seed-0/in_b.npy"), to_pixels(there))
    error = (back - to_input(a, torch.device("cpu"))).abs().mean() * 127.5
    found = evaluation(run)["measures"]
    assert found["cycle_error_to_b"]["value"] == pytest.approx(float(error), rel=1e-4)
    assert found["cycle_error_noise_to_b"]["value"] != found["cycle_error_to_b"]["value"]
    assert found["cycle_error_noise"]["noise"] == 4


def seen(rng, classes, shift):
    """What a judge makes of images of these classes whose features are normal about ``shift``."""
    return Seen(rng.normal(shift, 1, (len(classes), 8)), np.eye(4)[classes])


def test_judges_see_the_target_in_what_is_like_it_and_the_source_in_what_is_not():
    rng = np.random.default_rng(0)
    deer, horses = np.full(200, 2), np.full(200, 3)
    half = np.concatenate([deer[:100], horses[:100]])
    judges = range(2)
    sources, real, good = ([seen(rng, *what) for _ in judges] for what in ((horses, 1), (deer, 0), (deer, 0)))
    measures = by_judges(good, sources, real, [1, 2])
    assert measures["target_accuracy"]["value"] == 1
    assert {key: found["value"] for key, found in measures["target_accuracy"]["references"].items()} == {
        "identity": 0, "real": 1
    }  # fmt: skip
    kid, known = measures["kid"], measures["kid"]["references"]
    assert kid["low"] < 0 < kid["high"]
    assert abs(known["real"]["value"]) < 0.1 * known["identity"]["value"]
    bad = by_judges([seen(rng, half, 1) for _ in judges], sources, real, [1, 2])
    assert bad["target_accuracy"]["value"] == 0.5
    assert bad["kid"]["low"] > kid["high"]
    assert bad["kid"]["value"] == pytest.approx(known["identity"]["value"], rel=0.2)


def test_too_few_real_images_have_no_halves_to_compare():
    rng = np.random.default_rng(0)
    few = [seen(rng, np.zeros(7, int), 0)]
    assert set(by_judges(few, few, few, [0])["kid"]["references"]) == {"identity"}


class Hiding(torch.nn.Module):
    """Generators that hide an image in the last bits of an empty one, and find it there."""

    def __init__(self, back):
        super().__init__()
        self.back = back
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        return images * 1000 if self.back else images / 1000


def test_noise_finds_a_source_that_is_hidden_and_leaves_a_plain_cycle():
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    hiding = [round_trip(Hiding(False), Hiding(True), images, noise, "x")[1].mean() for noise in (0.0, 4.0)]
    assert hiding[0] < 0.01
    assert hiding[1] > 1000
    plain = torch.nn.Conv2d(3, 3, 1, bias=False)
    torch.nn.init.dirac_(plain.weight)
    returned, errors = round_trip(plain, plain, images, 4.0, "x")
    assert 2.9 < errors.mean() < 3.5  # sqrt(2 / pi) times 4
    assert np.abs(returned.astype(int) - images).max() < 25


def test_files_round_trip_and_are_verified(run):
    seed = run / "results/seed-0"
    assert len(read_curve(seed / "curve.tsv", CycleMetrics)) == 2
    assert np.load(seed / "progress.npy").shape == (2, 12, 32, 32, 3)
    assert set(verify(seed)["sha256"]) >= {"in_a.npy", "in_b.npy", "back_a.npy", "back_b.npy", "progress.npy"}
    metrics = json.loads((run / "results/metrics.json").read_text())
    assert metrics["seeds"] == 2
    values = [evaluation(run, seed)["measures"]["psnr"]["value"] for seed in (0, 1)]
    assert metrics["psnr"]["mean"] == pytest.approx(np.mean(values))
    assert metrics["psnr"]["std"] == pytest.approx(np.std(values, ddof=1))
    assert metrics["psnr"]["low"] is None, "two seeds do not bound their mean"
    assert len(json.loads((run / "results/curves.json").read_text())) == 2


def test_the_page_says_what_was_measured_on_which_images(run):
    page = (run / "results/summary.md").read_text()
    assert re.match(r"# Translations .* dB .* above the identity over 2 seeds", page)
    assert "10 images of domain A (filled) and 10 of domain B (outlined) of 32 x 32 pixels, for 2 epochs" in page
    assert "All measures are of the 6 and 6 test images, on which nothing was trained." in page
    assert "![Source, translation and cycle of the first test images](plots/cycle-images.png)" in page
    for name in ("images", "progress", "curves"):
        with Image.open(run / f"results/plots/cycle-{name}.png") as image:
            assert min(image.size) > 100
    assert 'src="data:image/png;base64' in (run / "results/summary.html").read_text()


def own_images(folder):
    (folder / "deep").mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "one.png")
    Image.fromarray(pixels[..., 0]).save(folder / "deep/two.jpg")
    return folder


@pytest.mark.parametrize("to", ["a", "b"])
def test_images_of_ones_own_are_translated(run, tmp_path, to):
    photos, out = own_images(tmp_path / "photos"), tmp_path / "out"
    line = ["--model", run / "results/seed-0", "--in", photos, "--to", to, "--out", out]
    assert call(translate.main, *line) is None
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.png")) == ["deep/two.jpg.png", "one.png.png"]
    nets = restored(run / "results/seed-0/model.safetensors").nets
    source = read_image(photos / "one.png", 32, "crop")
    with torch.no_grad():
        expected = to_pixels(getattr(nets, f"to_{to}")(to_input(source[None], torch.device("cpu"))))[0]
    assert np.array_equal(np.asarray(Image.open(out / "one.png.png")), expected)


def test_images_of_like_names_have_a_translation_each_and_none_is_translated_again(run, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    for name in ("a.b.png", "a_b.png", "c.jpg", "c_jpg.png", "c.png"):
        write_image(photos / name)
    line = ["--model", run / "results/seed-0", "--in", photos, "--out"]
    assert call(translate.main, *line, out) is None
    assert sorted(p.name for p in out.iterdir()) == sorted(f"{p.name}.png" for p in photos.iterdir())
    for inside in (photos, photos / "out", photos / "new/../out"):
        assert f"--out {inside} is in --in {photos}" in call(translate.main, *line, inside)
    assert len(list(photos.iterdir())) == 5


def test_what_cannot_be_translated_is_named_in_a_line(run, tmp_path, capsys):
    photos, out = own_images(tmp_path / "photos"), tmp_path / "out"
    (photos / "bad.png").write_bytes(b"no image")
    (photos / "cut.png").write_bytes((photos / "one.png").read_bytes()[:500])
    line = ["--model", run / "results/seed-0", "--in", photos, "--out", out]
    assert call(translate.main, *line) == "dawn.translate: 2 of 4 images could not be read; they are named above"
    printed = capsys.readouterr().err
    assert "bad.png: is no image of a known format" in printed
    assert "cut.png: is a damaged image" in printed
    assert len(list(out.rglob("*"))) == 3  # two images and a folder
    (tmp_path / "empty").mkdir()
    line[3] = tmp_path / "empty"
    assert "has no image file" in call(translate.main, *line)
    line[3] = photos / "one.png"
    assert "is no folder; name a folder of images" in call(translate.main, *line)


def test_weights_of_another_kind_or_another_experiment_are_refused(run, tmp_path):
    header = tmp_path / "model.safetensors"
    header.write_bytes((2).to_bytes(8, "little") + b"{}")
    message = call(translate.main, "--model", header, "--in", own_images(tmp_path / "photos"), "--out", tmp_path / "o")
    assert "holds no CycleGAN; give the model.safetensors of an experiment with task cycle" in message
    params = tmp_path / "params.yaml"
    params.write_text(yaml.safe_dump(settings({"test": 6}, epochs=3).model_dump(mode="json")))
    seed, out = run / "results/seed-0", tmp_path / "out"
    line = ["--params", params, "--data", run / "data", "--model", seed / "model.safetensors"]
    message = call(evaluate.main, *line, "--out", out)
    assert "was made with another cycle section" in message
    assert not out.exists()


def test_the_training_is_a_command_that_repeats_itself(run, tmp_path, capsys):
    line = ["--params", run / "results/params.yaml", "--data", run / "data", "--seed", 0, "--out", tmp_path / "out"]
    assert call(train.main, *line, "--resume", tmp_path / "resume") is None
    printed = capsys.readouterr().err
    assert re.search(r"seed 0  epoch 2/2  adversarial [\d.]+  cycle [\d.]+ .* test [\d.]+ dB", printed)
    ours, theirs = (path / "model.safetensors" for path in (tmp_path / "out", run / "results/seed-0"))
    assert ours.read_bytes() == theirs.read_bytes()
    assert not (tmp_path / "resume").exists()
