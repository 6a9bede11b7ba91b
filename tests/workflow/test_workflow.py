"""The workflow under the real engine: what runs, what runs again, and what must not."""

import hashlib
import json
import os
import signal
import subprocess
import time

import pytest
import workspace

pytestmark = pytest.mark.full
AFTER_TRAINING = {"evaluate", "summarize", "summary", "all"}
ON_TRAINING = AFTER_TRAINING | {"train", "dawnbench", "provenance"}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A workspace where everything has run once."""
    place = workspace.make(tmp_path_factory.mktemp("workflow"))
    run = place.snakemake()
    assert run.returncode == 0, run.stderr
    assert "test accuracy over 1 seed" in run.stderr
    return place


def test_everything_is_there(done):
    results = done.path / "results"
    metrics = json.loads((results / "metrics.json").read_text())
    assert metrics["seeds"] == 1
    assert 0 <= metrics["accuracy"]["mean"] <= 100
    names = {path.name for path in (results / "seed-0").iterdir()}
    assert names == {
        "model.safetensors", "curve.tsv", "metrics.json", "dawnbench.json", "dawnbench.tsv",
        "evaluation.json", "predictions.npz", "confusion.csv",
    }  # fmt: skip
    assert json.loads((results / "provenance.json").read_text())["data"]["sha256"]
    assert "parameters" in (results / "model.txt").read_text()
    assert not list(done.path.glob("**/*.partial"))
    assert not (done.path / ".resume").exists()


def test_nothing_is_left_to_do(done):
    assert done.planned() == set()


def test_touching_code_runs_nothing(done):
    for path in (done.path / "workflow/dawn").glob("*.py"):
        os.utime(path)
    assert done.planned() == set()


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("train.py", ON_TRAINING),
        ("schedule.py", ON_TRAINING),
        ("evaluate.py", AFTER_TRAINING),
        ("summarize.py", {"summarize", "summary", "all"}),
        ("nets/darknet.py", ON_TRAINING | {"model"}),
        ("archive/tar.py", {"arrays", "stats", "model"} | ON_TRAINING),
    ],
)
def test_editing_code_runs_what_it_decides(done, module, rules):
    path = done.path / "workflow/dawn" / module
    text = path.read_text()
    path.write_text(text + "\n# edited\n")
    try:
        assert done.planned() == rules
    finally:
        path.write_text(text)
    assert done.planned() == set()


@pytest.mark.parametrize(
    ("setting", "rules"),
    [
        ("evaluate={tta: mirror}", AFTER_TRAINING),
        ("run={save_every: 5}", set()),
        ("lr_find={steps: 20}", set()),
        ("train={epochs: 2, batch: 32, schedule: {peak: 0.2}}", ON_TRAINING),
        ("model={blocks: [1], width: 4}", {"model"} | ON_TRAINING),
        ("submission={author: me}", {"dawnbench", "all"}),
        ("seeds=[0, 1]", {"model", "provenance"} | ON_TRAINING),
    ],
)
def test_a_setting_runs_what_it_decides(done, setting, rules):
    assert done.planned(setting) == rules


def test_a_bad_setting_stops_before_any_job(done):
    for setting, words in (
        ("train={epoks: 3}", "train.epoks is not a known key; did you mean epochs?"),
        ("train={batch: -1}", 'train.batch = "-1"'),
        ("nonsense=1", "nonsense is not a known key"),
    ):
        run = done.snakemake(setting)
        assert run.returncode != 0
        assert words in run.stderr
        assert "Traceback" not in run.stderr
        assert "Execute" not in run.stderr


def test_an_evaluation_setting_trains_nothing_anew(done):
    weights = done.path / "results/seed-0/model.safetensors"
    before = weights.stat().st_mtime_ns
    run = done.snakemake("evaluate={tta: six}")
    assert run.returncode == 0, run.stderr
    assert weights.stat().st_mtime_ns == before
    assert done.planned("evaluate={tta: six}") == set()
    assert done.snakemake().returncode == 0


def test_the_range_test_is_a_target(done):
    run = done.snakemake("results/lr_find.png", "lr_find={steps: 12}")
    assert run.returncode == 0, run.stderr
    assert (done.path / "results/lr_find.png").read_bytes().startswith(b"\x89PNG")
    assert set(json.loads((done.path / "results/lr_find.json").read_text())) == {"steepest", "lowest_tenth"}


def test_killed_it_resumes_with_the_same_weights(done):
    long = "train={epochs: 30, batch: 32, schedule: {peak: 0.05}}"
    seed = done.path / "results/seed-5"
    target = "results/seed-5/model.safetensors"
    assert done.snakemake(target, long, "--forceall").returncode == 0
    whole = (seed / "model.safetensors").read_bytes()
    (seed / "model.safetensors").unlink()
    data = f"data={{urls: [{done.archive}], sha256: null, bytes: null, layout: binary, classes: null}}"
    process = subprocess.Popen(
        [workspace.BIN / "snakemake", target, "--config", data, *workspace.SMALL, long],
        cwd=done.path, env=workspace.environment(), start_new_session=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not list(done.path.glob(".resume/*/seed-5/state.pt")):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (seed / "model.safetensors").exists()
    assert done.snakemake("--unlock").returncode == 0
    run = done.snakemake(target, long)
    assert run.returncode == 0, run.stderr
    assert "goes on after step" in run.stderr
    assert (seed / "model.safetensors").read_bytes() == whole


def test_lint_and_format_are_clean(done):
    run = done.snakemake("--lint")
    assert run.returncode == 0, run.stderr + run.stdout


def test_a_stopped_training_is_retried_and_goes_on(done):
    target, long = "results/seed-6/model.safetensors", "train={epochs: 40, batch: 32, schedule: {peak: 0.05}}"
    data = f"data={{urls: [{done.archive}], sha256: null, bytes: null, layout: binary, classes: null}}"
    process = subprocess.Popen(
        [workspace.BIN / "snakemake", target, "--retries", "1", "--config", data, *workspace.SMALL, long],
        cwd=done.path, env=workspace.environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not list(done.path.glob(".resume/*/seed-6/state.pt")):
        assert process.poll() is None
        time.sleep(0.05)
    subprocess.run(["pkill", "-TERM", "-f", f"dawn.train .*--out {target.rpartition('/')[0]}"], check=True)
    _, shown = process.communicate(timeout=300)
    assert process.returncode == 0, shown
    assert "goes on after step" in shown


def test_a_holdout_is_watched_in_place_of_the_test_split(done):
    settings = f"data={{urls: [{done.archive}], sha256: null, bytes: null, layout: binary, classes: null, holdout: 40}}"
    run = done.snakemake("results/seed-0/metrics.json", settings)
    assert run.returncode == 0, run.stderr
    assert "holdout" in run.stderr
    assert json.loads((done.path / "results/seed-0/metrics.json").read_text())["monitored"] == "holdout"
    dataset = json.loads((done.path / "data/dataset.json").read_text())
    assert dataset["counts"] == {"train": 280, "test": 100, "holdout": 40}


def test_a_source_that_is_its_own_target_is_refused(done):
    (done.path / "resources/own.tar.gz").write_bytes(done.archive.read_bytes())
    data = "data={urls: [resources/own.tar.gz], sha256: null, bytes: null, layout: binary, classes: null}"
    run = done.snakemake(data)
    assert run.returncode != 0
    assert "data.urls names resources/own.tar.gz" in run.stderr
    assert (done.path / "resources/own.tar.gz").read_bytes() == done.archive.read_bytes()


def test_an_archive_that_is_there_and_right_is_not_fetched_again(done):
    digest = hashlib.sha256(done.archive.read_bytes()).hexdigest()
    said = []
    for holdout in (20, 30):
        data = f"data={{urls: [{done.archive}], sha256: {digest}, layout: binary, classes: null, holdout: {holdout}}}"
        run = done.snakemake("data/dataset.json", data)
        assert run.returncode == 0, run.stderr
        said.append(run.stderr)
    assert "there already, proven by its sha256" in said[1]
    other = f"data={{urls: [{done.archive}], sha256: {'0' * 64}, layout: binary, classes: null, holdout: 10}}"
    run = done.snakemake("data/dataset.json", other)
    assert run.returncode != 0
    assert digest in run.stderr
    assert "0" * 64 in run.stderr
