"""Experiments side by side: what the tutorials say, followed in order, leaves every network as it was trained."""

import hashlib
import re
import shutil
import subprocess
import urllib.request
import zipfile

import psutil
import pytest
import workspace
from conftest import ROOT
from photo_folder import COLOURS, photos

pytestmark = [pytest.mark.full, pytest.mark.timeout(3600)]  # thirty starts of an engine
WEIGHTS = "results/seed-0/model.safetensors"
PHOTOS = f"experiments/photos/{WEIGHTS}"
SERVED = re.compile(r"http://127\.0\.0\.1:\d+")


def commands(page):
    """The lines of the shell of a tutorial, in order, without the section of DVC."""
    text = re.sub(r"\n## With DVC\n.*?(?=\n## )", "", (ROOT / f"docs/tutorials/{page}.md").read_text(), flags=re.DOTALL)
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if not line.startswith("source ")]


def shell(place, line):
    """Run a line as it stands, and return its exit status and what it prints; a page is served until it answers."""
    env = workspace.environment()
    env["PATH"] = f"{workspace.BIN}:{env['PATH']}"
    env["PYTHONPATH"] = str(place.path / "workflow")
    line, printed = ["bash", "-c", line], ""
    with subprocess.Popen(
        line, cwd=place.path, text=True, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for text in process.stdout:
            printed += text
            if found := SERVED.search(text):
                with urllib.request.urlopen(found[0], timeout=60) as page:
                    printed += page.read().decode()
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.terminate()
    return process.returncode, printed


def sums(folder):
    """The checksum of each file of a directory of results that no page rewrites."""
    names = ("model.safetensors", "metrics.json", "curve.tsv", "evaluation.json", "predictions.npz")
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.name in names
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A checkout in which params.yaml has run, then the tutorial of one's own images, as it stands."""
    made = workspace.make(tmp_path_factory.mktemp("side"), train=128, test=40)
    workspace.write_params(made)
    photos(made.path / "photos", 12)
    shutil.copy(made.path / "photos/rose/00.png", made.path / "photo.jpg")
    shutil.copytree(ROOT / "requirements", made.path / "requirements", dirs_exist_ok=True)
    (made.path / ".venv").mkdir()
    (made.path / ".venv/bin").symlink_to(workspace.BIN)
    (made.path / ".venv/ready").touch()
    assert shell(made, "snakemake")[0] == 0
    before = sums(made.path / "results")
    assert len(before) > 4
    for line in commands("my-data"):
        if line.startswith("python -m dawn.preset new"):
            status, out = shell(made, line)
            assert status == 0, out
            preset = made.path / "workflow/presets/photos.yaml"
            preset.write_text(re.sub(r"epochs: \d+", "epochs: 2", preset.read_text()))  # the test's only change
            continue
        status, out = shell(made, line)
        assert status == 0, f"{line}\n{out}"
    assert sums(made.path / "results") == before
    assert sum("snakemake" in line for line in commands("my-data")) == 2
    return made


def test_the_tutorial_of_use_reads_the_network_of_the_photos_and_no_other(place):
    results, before = place.path / "experiments/photos/results", sums(place.path)
    assert {place.path / WEIGHTS, place.path / PHOTOS} <= before.keys()
    printed = {}
    for line in commands("use"):
        status, printed[line] = shell(place, line)
        busy = line.startswith("snakemake app") and "port 8000" in printed[line]  # of another program of this machine
        assert status == 0 or busy or SERVED.search(printed[line]), f"{line}\n{printed[line]}"
        after = sums(place.path)
        changed = {path for path, digest in before.items() if after[path] != digest}
        assert changed <= {results / "metrics.json"}, line  # the numbers over one seed, then over three
    whole = "\n".join(printed.values())
    assert "Train a classifier with seed 2" in whole
    assert "Train a classifier with seed 0" not in whole
    assert "Download" not in whole
    for name in COLOURS:
        assert name in printed["python -m dawn.predict --model experiments/photos/results/seed-0 photo.jpg photos/"]
        assert name in (results / "model-card.md").read_text()
    assert "--model experiments/photos/results/seed-0" in (results / "model-card.md").read_text()
    with zipfile.ZipFile(results / "crate.zip") as crate:
        packed = crate.read("results/seed-0/model.safetensors")
        assert "layout: folders" in crate.read("results/params.yaml").decode()
    assert hashlib.sha256(packed).hexdigest() == before[place.path / PHOTOS]
    assert (results / "report.html").stat().st_size > 1e6
    (block,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs/tutorials/use.md").read_text(), re.DOTALL | re.MULTILINE
    )
    status, out = shell(place, f"python - <<'END'\n{block}\nEND")
    assert status == 0, out
    assert out.strip().splitlines()[-1] in COLOURS
    assert not (place.path / "results/model-card.md").exists()


def test_what_uses_a_network_takes_the_finished_one_whatever_has_changed_since(place):
    before, settings = sums(place.path), (place.path / "params.yaml").read_text()
    code = place.path / "workflow/dawn/train.py"
    code.write_text(code.read_text() + "\n# edited\n")
    (place.path / "params.yaml").write_text(settings.replace("epochs: 2\n", "epochs: 1\n").replace("[0]", "[0, 5]", 1))
    try:
        for line in ("snakemake model_card crate", "snakemake results/crate.zip", "make report"):
            status, out = shell(place, line)
            assert status == 0, out
            assert "Train" not in out
    finally:
        (place.path / "params.yaml").write_text(settings)
    assert sums(place.path) == before
    card = (place.path / "results/model-card.md").read_text()
    assert "2 epochs" in card
    assert "blue sky" not in card


@pytest.mark.parametrize("target", ["app", "crate", "model_card", "plots", "results/model-card.md"])
def test_what_uses_a_network_says_in_one_line_what_to_run_where_there_is_none(place, tmp_path, target):
    status, out = shell(place, f"snakemake {target} --config name=none")
    assert status == 1
    (line,) = [line for line in out.splitlines() if "train one" in line]
    assert line.startswith(
        f"there is no experiment none, and {target} makes none; train one: snakemake --config name=none"
    )
    assert f"snakemake {target} --config name=photos" in line
    assert not (place.path / "experiments/none").exists()
    status, out = shell(place, f"snakemake {target} --directory {tmp_path}")
    assert status == 1
    assert f"results has no trained network, and {target} makes none; train one: snakemake" in out
    assert {path.name for path in tmp_path.iterdir()} <= {".snakemake"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "snakemake --config name=photos",
            "holds the experiment of workflow/presets/photos.yaml, and this one is of params",
        ),
        ("snakemake --configfile elsewhere/photos.yaml", "and this one is of elsewhere/photos.yaml"),
        ("snakemake data/stats.json --config 'data={urls: [x/cifar.tar.gz]}'", "on other images"),
        ("snakemake study --config study=demo", "results has a finished experiment on other images"),
        ("snakemake --directory . --config name=photos", "give one of them"),
        ("snakemake --config name=../photos", "name = ../photos: cannot name a directory"),
    ],
)
def test_another_experiment_replaces_nothing(place, line, said):
    before = sums(place.path)
    (place.path / "elsewhere").mkdir(exist_ok=True)
    text = (place.path / "workflow/presets/photos.yaml").read_text()
    (place.path / "elsewhere/photos.yaml").write_text(text.replace("epochs: 2", "epochs: 1"))
    status, out = shell(place, line)
    assert status == 1
    assert said in out
    assert sums(place.path) == before


def test_variants_of_an_experiment_with_a_name_are_compared_by_their_names(place):
    line = "snakemake -np compare --config name=photos base=results 'other=blocks/B(3,1)' difference=0.5"
    status, out = shell(place, line)
    assert status == 0, out
    assert "python -m dawn.compare ../../results 'blocks/B(3,1)' --difference 0.5" in out


def test_a_message_says_in_which_directory_its_paths_start(place):
    changed = place.path / "experiments/photos/results/seed-0/evaluation.json"
    before = changed.read_bytes()
    changed.write_bytes(before + b" ")
    try:
        status, out = shell(place, "snakemake model_card --config name=photos")
        assert status == 1
        assert re.search(r"dawn\.\w+ in experiments/photos: results/seed-0/evaluation.json was changed", out), out
        assert "dawn: in experiments/photos: paths above that are relative start there" in out
    finally:
        changed.write_bytes(before)


def test_an_experiment_that_is_made_again_is_named_with_what_changed(place):
    other = hashlib.sha256((place.path / WEIGHTS).read_bytes()).hexdigest()
    status, out = shell(place, "snakemake --configfile workflow/presets/photos.yaml --config 'train={epochs: 1}'")
    assert status == 0, out
    assert "dawn: made again: results/seed-0 (train.epochs: 2" in out
    assert hashlib.sha256((place.path / WEIGHTS).read_bytes()).hexdigest() == other
