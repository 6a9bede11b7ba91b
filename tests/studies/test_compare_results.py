"""Two results side by side: directories, variants of a study, experiments of DVC."""

import subprocess

import pytest
import workspace
import yaml
from archives import call
from study_files import finished

from dawn import compare
from dawn.core.cli import InputError
from dawn.core.files import write_json, write_text
from dawn.core.reading import read_json
from dawn.studies.outcome import load
from dawn.studies.variants import of_directory, of_variant, same_batches

BASE = {0: 93.0, 1: 93.1, 2: 92.9, 3: 93.05}
BETTER = {0: 93.6, 1: 93.75, 2: 93.4, 3: 93.6}


def test_a_clear_difference(tmp_path, capsys):
    a, b = finished(tmp_path / "a", BASE), finished(tmp_path / "b", BETTER, train={"epochs": 9})
    assert call(compare.main, a, b) is None
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith(f"{b} is better than {a} by 0.57 points (95 % interval +0.4")
    assert lines[-1].endswith("paired over 4 seeds).")
    assert any(line.split() == ["train.epochs", "2", "9"] for line in lines)
    assert any(line.split()[:2] == ["MFLOP", "an"] for line in lines)


@pytest.mark.parametrize(
    ("accuracies", "over", "words"),
    [
        ({0: 93.1}, {}, "since one seed has no spread"),
        ({0: 93.05, 1: 93.08, 2: 92.95, 3: 93.0}, {}, "differ by less than 0.2 points"),
        ({0: 92.6, 1: 93.9, 2: 92.7, 3: 93.5}, {}, "4 seeds cannot tell"),
        (BETTER, {"train": {"batch": 8}}, "Welch over 4 seeds"),
        ({5: 93.6, 6: 93.7, 7: 93.5}, {}, "Banerjee over 4 and 3 seeds"),
        (BETTER, {"data": {"holdout": 3}}, "Beware: they did not train and test on the same data."),
        (BETTER, {"archive": "1" * 64}, "Beware: they did not train and test on the same data."),
    ],
)
def test_what_can_be_said(tmp_path, accuracies, over, words):
    a, b = finished(tmp_path / "a", BASE), finished(tmp_path / "b", accuracies, **over)
    assert words in compare.comparison(of_directory("a", a), of_directory("b", b)).splitlines()[-1]


@pytest.mark.parametrize("known", [True, False])
def test_the_same_archive_from_another_place_is_the_same_data(tmp_path, known):
    data = {"urls": ["elsewhere/tiny.tar.gz"], "sha256": None, "bytes": 5}
    a, b = finished(tmp_path / "a", BASE), finished(tmp_path / "b", BETTER, data=data)
    if not known:
        (b / "provenance.json").unlink()
    last = compare.comparison(of_directory("a", a), of_directory("b", b)).splitlines()[-1]
    assert ("Beware" in last, "paired over 4 seeds" in last) == (not known, known)


def test_an_edited_evaluation_is_refused(tmp_path):
    a, b = finished(tmp_path / "a", BASE), finished(tmp_path / "b", BETTER)
    path = b / "seed-2/evaluation.json"
    write_json(path, read_json(path) | {"accuracy": 99.0})
    refusal = r"seed-2/evaluation.json was changed after the evaluation"
    with pytest.raises(InputError, match=refusal):
        of_directory("b", b)
    with pytest.raises(InputError, match=refusal):
        of_variant("b", b, range(4))
    assert "seed-2/evaluation.json was changed" in call(compare.main, a, b)


def test_the_difference_that_matters_is_that_of_the_study(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, values in (("a", BASE), ("b", BETTER)):
        finished(tmp_path / f"results/studies/wide/{name}", values)
    plan = {"name": "wide", "variants": {"a": "a", "b": "b"}, "seeds": [0], "analyses": [1], "comparisons": []}
    about = plan | {"test": "holm", "difference": 0.9, "measure": "accuracy"}
    write_json(tmp_path / "results/studies/wide/study.json", about)
    for options, words in (((), ", by less than 0.9 points"), (("--difference", "0.3"), " by 0.57 points")):
        assert call(compare.main, "wide/a", "wide/b", *options) is None
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith(f"wide/b is better than wide/a{words}")


@pytest.mark.parametrize("difference", ["nan", "inf", "0", "-0.2", "1e10"])
def test_a_difference_that_cannot_matter_is_refused(tmp_path, difference):
    a, b = finished(tmp_path / "a", BASE), finished(tmp_path / "b", BETTER)
    refusal = call(compare.main, a, b, f"--difference={difference}")
    assert refusal == f"dawn.compare: --difference {float(difference):g}: a number above 0, at most 1e+09"


def test_the_difference_that_matters_is_at_least_one_of_the_test_images(tmp_path, monkeypatch):
    """Before: 0.2 points, which one of 200 images exceeds, and a number of seeds to detect them."""
    monkeypatch.chdir(tmp_path)
    for name, values in (("a", BASE), ("b", {seed: value + 0.4 for seed, value in BETTER.items()})):
        finished(tmp_path / f"results/studies/wide/{name}", values)
    names = [str(tmp_path / f"results/studies/wide/{name}") for name in "ab"]
    results = [compare.read(name) for name in names]
    assert compare.matters(names, compare.ACCURACY, results) == 0.5
    plan = {"name": "wide", "variants": {"a": "a", "b": "b"}, "seeds": [0, 1, 2, 3], "analyses": [4], "test": "holm"}
    contrast = {"name": "b", "base": "a", "weights": {"a": -1.0, "b": 1.0}}
    about = plan | {"comparisons": [contrast], "difference": None, "measure": "accuracy"}
    write_json(tmp_path / "results/studies/wide/study.json", about)
    assert compare.matters(names, compare.ACCURACY, results) == 0.5
    assert [found.margin for found in load(tmp_path / "results/studies/wide").verdicts] == [0.5]


def test_seeds_of_an_earlier_experiment_are_passed_over(tmp_path):
    folder = finished(tmp_path, {0: 80.0, 1: 81.0, 2: 82.0}, train={"epochs": 9})
    finished(tmp_path, {0: 93.0, 1: 94.0})
    assert of_directory("x", folder).values("accuracy") == {0: 93.0, 1: 94.0}


def test_a_variant_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished(tmp_path / "results/studies/blocks/B-3-1", BASE)
    assert compare.read("blocks/B(3,1)").values("accuracy") == BASE
    with pytest.raises(InputError, match=r"blocks/B\(3,3\) is no directory .*\(blocks/B-3-1\).* no experiment of DVC"):
        compare.read("blocks/B(3,3)")
    assert "which two results?" in call(compare.main, "blocks/B(3,1)")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no finished experiment"):
        compare.read("empty")


def test_a_variant_has_the_first_seeds_that_are_finished(tmp_path):
    folder = finished(tmp_path, BASE)
    assert list(of_variant("x", folder, [0, 1, 2, 3, 4]).evaluations) == [0, 1, 2, 3]
    (folder / "manifests/1.json").unlink()
    assert list(of_variant("x", folder, [0, 1, 2, 3, 4]).evaluations) == [0]


def test_the_order_of_the_data_decides_the_pairing(tmp_path):
    def result(name, **over):
        return of_directory(name, finished(tmp_path / name, BASE if name == "a" else BETTER, **over))

    a = result("a")
    assert same_batches([a, result("b", train={"epochs": 5}, model={"width": 8})])
    assert not same_batches([a, result("c", train={"batch": 8})])


@pytest.mark.full
def test_experiments_of_dvc_are_read_from_its_cache(tmp_path, monkeypatch):
    def run(*line):
        subprocess.run(line, cwd=tmp_path, check=True, capture_output=True, env=workspace.environment())

    run("git", "init", "--quiet")
    run("git", "config", "user.name", "A")
    run("git", "config", "user.email", "a@example.org")
    dvc = workspace.BIN / "dvc"
    run(dvc, "init", "--quiet")
    files = ("evaluation.json", "metrics.json", "predictions.npz")
    outs = [f"results/seed-{seed}/{name}" for seed in (0, 1) for name in files]
    stage = {"cmd": "true", "params": ["train"], "outs": outs, "metrics": ["results/metrics.json"]}
    write_text(tmp_path / "dvc.yaml", yaml.safe_dump({"stages": {"all": stage}}))
    write_text(tmp_path / ".gitignore", "/results/\n")
    for name, values in (("base", {0: 93.0, 1: 93.1}), ("wider", {0: 94.0, 1: 94.2})):
        finished(tmp_path / "results", values, train={"epochs": len(name)})
        write_text(tmp_path / "params.yaml", (tmp_path / "results/params.yaml").read_text())
        run("git", "add", "--all")
        run("git", "commit", "--quiet", "--allow-empty", "-m", name)
        run(dvc, "commit", "--force", "--quiet")
        run(dvc, "exp", "save", "--name", name)
    monkeypatch.chdir(tmp_path)
    shown = compare.comparison(compare.read("base"), compare.read("wider"))
    assert shown.splitlines()[-1].startswith("wider is better than base by 1.05 points")
    assert any(line.split() == ["train.epochs", "4", "5"] for line in shown.splitlines())
    with pytest.raises(InputError, match="nothing is no directory"):
        compare.read("nothing")
    write_json(tmp_path / "results/metrics.json", {"other": 1})
    assert compare.read("base").values("accuracy") == {0: 93.0, 1: 93.1}
