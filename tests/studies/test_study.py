"""A study under the real engine: killed on the way, it goes on, shares what can be shared, and says what came out."""

import csv
import json
import re
import time

import pytest
import workspace
import yaml
from scipy import stats

pytestmark = pytest.mark.full
STUDY = {
    "question": "Is a wider network better?",
    "seeds": 2,
    "difference": 5,
    "spread": 3,
    "settings": {"timing": {"repeats": 3, "seconds": 2}, "evaluate": {"target": 5}},
    "variants": {"narrow (4)": {}, "wide (8)": {"model": {"width": 8}}},
}
SLUGS = ("narrow-4", "wide-8")


def write(place, **over):
    path = place.path / "workflow/studies/tiny.yaml"
    path.write_text(yaml.safe_dump(STUDY | over, sort_keys=False))


def killed_on_the_way(place):
    """Start the study, kill it when a seed has been evaluated; the weights of all that were, with their times."""
    with place.running("study", "study=tiny", "--cores", "1") as process:
        while not (evaluated := list(place.path.glob("results/studies/tiny/*/seed-*/evaluation.json"))):
            assert process.poll() is None
            time.sleep(0.05)
    weights = [path.with_name("model.safetensors") for path in evaluated]
    return {path: path.stat().st_mtime_ns for path in weights}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    place = workspace.make(tmp_path_factory.mktemp("study"))
    write(place)
    before = killed_on_the_way(place)
    arrays = place.path / "data/train_images.npy"
    unpacked = arrays.stat().st_mtime_ns
    assert not (place.path / "results/studies/tiny/table.csv").exists()
    run = place.snakemake("study", "study=tiny", "--cores", "1")
    assert run.returncode == 0, run.stderr
    assert "Is a wider network better?" in run.stderr
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert arrays.stat().st_mtime_ns == unpacked
    return place


def folder(place):
    return place.path / "results/studies/tiny"


def rows(place):
    with (folder(place) / "table.csv").open() as file:
        return list(csv.DictReader(file))


def accuracies(place, slug):
    return [json.loads((folder(place) / slug / f"seed-{s}/evaluation.json").read_text())["accuracy"] for s in (0, 1)]


def test_a_finished_study_runs_nothing(done):
    assert done.planned("study", "study=tiny") == set()


def test_the_table_says_what_the_seeds_did(done):
    base, other = rows(done)
    assert [base["variant"], other["variant"]] == ["narrow (4)", "wide (8)"]
    a, b = (accuracies(done, slug) for slug in SLUGS)
    assert float(base["accuracy_mean"]) == pytest.approx(sum(a) / 2)
    assert float(other["difference"]) == pytest.approx(sum(b) / 2 - sum(a) / 2)
    if b[0] - a[0] != b[1] - a[1]:
        known = stats.ttest_rel(b, a)
        assert float(other["p"]) == pytest.approx(known.pvalue)
        assert float(other["difference_low"]) == pytest.approx(known.confidence_interval(0.95).low)
    for row in (base, other):
        assert (row["target"], row["target_share"], row["seeds_to_target"]) == ("5.0", "100.0", "2")
        for name in ("epochs_to_target_mean", "seconds_to_target_mean", "parameters", "flops", "forward_seconds",
                     "forward_backward_seconds", "step_seconds", "images_per_s_mean", "peak_memory_bytes"):  # fmt: skip
            assert float(row[name]) > 0, name
    assert float(base["parameters"]) < float(other["parameters"])


def test_the_page_stands_alone(done):
    page = (folder(done) / "page.html").read_text()
    assert page.count("data:image/png;base64,") >= 3
    assert "Is a wider network better?" in page
    assert "http" not in page
    assert json.loads((folder(done) / "provenance.json").read_text())["wide-8"]["packages"]["torch"] in page
    assert (folder(done) / "table.md").read_text().startswith("# Is a wider network better?")
    for name in ("differences", "values", "price", "curves", "classes"):
        assert (folder(done) / f"plots/{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_study_leaves_the_experiment_of_the_checkout_alone(done):
    assert not (done.path / "results/params.yaml").exists()
    assert not {"arrays", "stats", "download"} & done.planned()


def test_more_seeds_keep_those_there_are_and_the_cost_is_known_before(done):
    run = done.snakemake("-n", "study", "study=tiny", "seeds=3", "submission={cost_per_hour: 3.6}")
    assert run.returncode == 0, run.stderr
    assert "study tiny: 2 variants x 3 seeds, 2 trainings to do" in run.stderr
    assert run.stderr.count("(by 2 trained)") == 2
    assert "at $3.6 an hour" in run.stderr
    assert "four times in five" in run.stderr
    assert run.stdout.count("Train a classifier with seed 2") == 2
    assert "Train a classifier with seed 1" not in run.stdout


def test_times_predict_the_cost_where_nothing_is_trained(done):
    write(done, variants={"narrow (4)": {}, "wide (8)": {"model": {"width": 8}}, "new": {"model": {"width": 6}}})
    try:
        run = done.snakemake("study_timing", "study=tiny", "--cores", "1")
        assert run.returncode == 0, run.stderr
        assert re.search(r"  new +2 to do  \(not timed\)", run.stderr)
        shown = done.snakemake("-n", "study", "study=tiny").stderr
        assert "timed on" in shown
        assert "less" not in shown
        assert done.planned("study", "study=tiny") >= {"train", "evaluate", "study_table"}
    finally:
        write(done)


def test_a_failed_variant_leaves_what_the_others_measured(done):
    diverging = {"train": {"schedule": {"peak": 1.0e9}}}
    write(done, variants={"narrow (4)": {}, "wide (8)": {"model": {"width": 8}}, "diverging": diverging})
    try:
        run = done.snakemake("study", "study=tiny", "--cores", "1", "--keep-going")
        assert run.returncode != 0
        text = (folder(done) / "partial/table.md").read_text()
        assert "Not finished, so without verdicts: diverging has 0 of 2 seeds." in text
        assert "| wide (8) | 2 |" in text
    finally:
        write(done)


def test_a_sequential_study_trains_until_it_is_decided(done):
    keys = {"seeds": {"first": 2, "most": 4, "analyses": [2, 3, 4]}, "until": "decided", "difference": 0.001}
    same = {"evaluate": {"bins": 14}}  # the same accuracies: never decided
    (folder(done).parent / "history.json").unlink()  # else it is an extension of the study of two seeds
    write(done, **keys, variants={"narrow (4)": {}, "same": same, "wide (8)": {"model": {"width": 8}}})
    try:
        plan = done.snakemake("-n", "study", "study=tiny")
        assert "3 variants x 2 to 4 seeds" in plan.stderr
        assert "Train a classifier with seed 2" not in plan.stdout
        run = done.snakemake("study", "study=tiny", "--cores", "1")
        assert run.returncode == 0, run.stderr
        found = [json.loads((folder(done) / f"analyses/{i}.json").read_text())["seeds"] for i in (1, 2)]
        assert [each["same"] for each in found] == [3, 4]
        text = (folder(done) / "table.md").read_text()
        assert "3 of 3 planned analyses were made, at 2, 3, 4 of at most 4 seeds." in text
        assert "Extended" not in text
        assert done.planned("study", "study=tiny") == set()
        refused = done.snakemake("study", "study=tiny", "seeds=5")
        assert "the interim analyses decide the seeds of this study" in refused.stderr
    finally:
        write(done)


def test_a_changed_variant_runs_alone(done):
    write(done, variants={"narrow (4)": {}, "wide (8)": {"model": {"width": 10}}})
    try:
        run = done.snakemake("-n", "study", "study=tiny")
        assert "2 trainings to do" in run.stderr
        assert run.stdout.count("Train a classifier with seed") == 2
        assert "arrays" not in run.stdout
    finally:
        write(done)


def test_two_variants_compared(done):
    run = done.snakemake("compare", "base=tiny/narrow (4)", "other=tiny/wide (8)")
    assert run.returncode == 0, run.stderr
    assert "model.width" in run.stdout
    assert "tiny/wide (8)" in run.stdout.splitlines()[-1] + run.stdout
    run = done.snakemake("compare", "base=tiny/narrow (4)")
    assert run.returncode != 0
    assert "which two results?" in run.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((), "name a study with --config study=NAME: one of augmentation"),
        (("study=tinny",), "tinny.yaml does not exist"),
        (("study=tiny", "train={epoks: 3}"), "train.epoks is not a known key; did you mean epochs?"),
    ],
)
def test_a_faulty_study_stops_before_any_job(done, settings, words):
    run = done.snakemake("study", *settings)
    assert run.returncode != 0
    assert words in run.stderr
    assert "Traceback (most recent" not in run.stderr
    assert "Execute" not in run.stderr
