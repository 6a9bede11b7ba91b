"""Two results side by side: directories, variants of a study, experiments of DVC."""

import subprocess

import pytest
import workspace
import yaml
from conftest import experiment, step

from dawn import compare
from dawn.config.experiment import CHOICES
from dawn.core.cli import InputError
from dawn.core.files import write_json, write_text
from dawn.results.manifest import choices
from dawn.results.statistics import fraction, spread
from dawn.studies.gather import compared, of_seals, of_variant


def finished(folder, accuracies, **over):
    """What a finished experiment leaves, as far as a comparison looks."""
    chosen = experiment(seeds=sorted(accuracies), **over)
    values = list(accuracies.values())
    for seed, accuracy in accuracies.items():
        write_json(folder / f"seed-{seed}/evaluation.json", {"accuracy": accuracy})
        write_json(folder / f"manifests/{seed}.json", {"choices": choices(chosen, *CHOICES)})
    metrics = {
        "seeds": len(values),
        "accuracy": spread(values, "percent"),
        "target": {
            "accuracy": 50.0,
            **fraction(len(values), len(values)),
            "seconds": spread(values, "positive"),
            "epochs": None,
        },
        "seconds": spread(values, "positive"),
        "images_per_s": spread(values, "positive"),
        "peak_memory_bytes": spread(values, "positive"),
        "parameters": 1000,
        "flops": 2_000_000,
    }
    write_json(folder / "metrics.json", metrics)
    write_text(folder / "params.yaml", yaml.safe_dump(chosen.model_dump(mode="json")))
    return folder


BASE = {0: 93.0, 1: 93.1, 2: 92.9, 3: 93.05}
BETTER = {0: 93.6, 1: 93.75, 2: 93.4, 3: 93.6}


def test_a_clear_difference(tmp_path):
    a, b = finished(tmp_path / "a", BASE), finished(tmp_path / "b", BETTER, train={"epochs": 9})
    done = step("compare", a, b)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1].startswith(f"{b} is better than {a} by 0.57 points (95 % interval +0.4")
    assert lines[-1].endswith("paired over 4 seeds).")
    assert any(line.split() == ["train.epochs", "2", "9"] for line in lines)
    assert any(line.split()[:2] == ["MFLOP", "an"] for line in lines)


@pytest.mark.parametrize(
    ("accuracies", "over", "words"),
    [
        ({0: 93.1}, {}, "which says nothing yet, since one seed has no spread"),
        ({0: 93.02, 1: 93.13, 2: 92.91, 3: 93.06}, {}, "differ by less than 0.2 points"),
        ({0: 92.6, 1: 93.9, 2: 92.7, 3: 93.5}, {}, "4 seeds cannot tell"),
        (BETTER, {"train": {"batch": 8}}, "Welch over 4 seeds"),
        ({5: 93.6, 6: 93.7, 7: 93.5}, {}, "Welch over 3 seeds"),
        (BETTER, {"data": {"holdout": 3}}, "Beware: they did not train and test on the same data."),
    ],
)
def test_what_can_be_said(tmp_path, accuracies, over, words):
    a, b = finished(tmp_path / "a", BASE), finished(tmp_path / "b", accuracies, **over)
    assert words in compare.told(of_seals("a", a), of_seals("b", b)).splitlines()[-1]


def test_seeds_of_an_earlier_experiment_are_passed_over(tmp_path):
    folder = finished(tmp_path, {0: 80.0, 1: 81.0, 2: 82.0}, train={"epochs": 9})
    finished(tmp_path, {0: 93.0, 1: 94.0})
    assert of_seals("x", folder).accuracy == {0: 93.0, 1: 94.0}


def test_a_variant_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished(tmp_path / "results/studies/blocks/B-3-1", BASE)
    assert compare.found("blocks/B(3,1)").accuracy == BASE
    with pytest.raises(InputError, match=r"blocks/B\(3,3\) is no directory .*\(blocks/B-3-1\).* no experiment of DVC"):
        compare.found("blocks/B(3,3)")
    assert "which two results?" in step("compare", "blocks/B(3,1)").stderr
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty holds no finished experiment"):
        compare.found("empty")


def test_an_unfinished_result_is_refused(tmp_path):
    folder = finished(tmp_path, BASE)
    (folder / "metrics.json").unlink()
    with pytest.raises(InputError, match=r"x has no metrics\.json; finish it"):
        of_variant("x", folder)


def test_the_order_of_the_data_decides_the_pairing(tmp_path):
    def result(name, **over):
        return of_seals(name, finished(tmp_path / name, BASE if name == "a" else BETTER, **over))

    a = result("a")
    assert compared(a, result("b", train={"epochs": 5}, model={"width": 8})).paired
    assert not compared(a, result("c", train={"batch": 8})).paired


@pytest.mark.full
def test_experiments_of_dvc_are_read_from_its_cache(tmp_path, monkeypatch):
    def run(*line):
        subprocess.run(line, cwd=tmp_path, check=True, capture_output=True, env=workspace.environment())

    run("git", "init", "--quiet")
    run("git", "config", "user.name", "A")
    run("git", "config", "user.email", "a@example.org")
    dvc = workspace.BIN / "dvc"
    run(dvc, "init", "--quiet")
    outs = [f"results/seed-{seed}/evaluation.json" for seed in (0, 1)]
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
    shown = compare.told(compare.found("base"), compare.found("wider"))
    assert shown.splitlines()[-1].startswith("wider is better than base by 1.05 points")
    assert any(line.split() == ["train.epochs", "4", "5"] for line in shown.splitlines())
    with pytest.raises(InputError, match="nothing is no directory"):
        compare.found("nothing")
    write_json(tmp_path / "results/metrics.json", {"other": 1})
    assert compare.found("base").accuracy == {0: 93.0, 1: 93.1}
