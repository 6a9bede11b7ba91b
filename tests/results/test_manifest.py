"""Seals, and what is gathered for DVC: the mean seed's curve, the classes, dollars."""

import pytest
import torch
from conftest import experiment
from test_summarize import seed

from dawn.core.cli import InputError
from dawn.core.files import read_json, write_json, write_text
from dawn.models.weights import write_weights
from dawn.results.manifest import check, manifest
from dawn.summarize import curves, plots, summarize


@pytest.fixture
def judged(tmp_path):
    """Two seeds with all their files."""
    made = []
    for number, accuracies in enumerate(([50.0, None, 90.0], [60.0, None, 94.0])):
        path = seed(tmp_path, number, accuracies)
        write_weights(
            path / "model.safetensors", torch.nn.Linear(2, 2), experiment().text("data", "model", "train"), [], {}
        )
        classes = {"cat": {"recall": 80.0 + number, "precision": None}, "dog": {"recall": None, "precision": None}}
        write_json(path / "evaluation.json", read_json(path / "evaluation.json") | {"classes": classes})
        write_text(path / "confusion.csv", f"actual,predicted\ncat,{number}\n")
        write_text(path / "predictions.npz", "")
        made.append(path)
    return made


def test_a_seal_fits_its_files_and_its_experiment_alone(judged, tmp_path):
    write_json(tmp_path / "manifests/0.json", manifest(experiment(), judged[0]))
    check(experiment(), judged[0], tmp_path / "manifests")
    check(experiment(run={"save_every": 7}), judged[0], tmp_path / "manifests")
    with pytest.raises(InputError, match="another evaluate section"):
        check(experiment(evaluate={"tta": "six"}), judged[0], tmp_path / "manifests")
    write_text(judged[0] / "curve.tsv", "epoch\n")
    with pytest.raises(InputError, match=r"curve.tsv is not the file that was sealed"):
        check(experiment(), judged[0], tmp_path / "manifests")


def test_weights_of_another_experiment_are_not_sealed(judged):
    with pytest.raises(InputError, match="another train section"):
        manifest(experiment(train={"epochs": 3}), judged[0])
    (judged[0] / "model.safetensors").write_bytes(b"short")
    with pytest.raises(InputError, match="not a safetensors file"):
        manifest(experiment(), judged[0])


def test_the_curve_is_that_of_the_mean_seed(judged):
    assert [row["accuracy"] for row in curves(judged)] == [55.0, None, 92.0]


def test_what_dvc_plots(judged, tmp_path):
    plots(judged, tmp_path)
    assert (tmp_path / "confusion.csv").read_text() == "actual,predicted\ncat,0\ncat,1\n"
    assert (tmp_path / "classes.csv").read_text() == "class,recall,precision\ncat,80.5,\ndog,,\n"


def test_dollars_are_seconds_at_a_price(judged):
    found = summarize(judged, 94.0, {"parameters": 1, "flops": 2}, price=7.2)
    assert found["dollars"]["mean"] == pytest.approx(30 * 7.2 / 3600)
    assert found["target"]["dollars"]["mean"] == pytest.approx(30 * 7.2 / 3600)
    assert summarize(judged, 94.0, {"parameters": 1, "flops": 2})["dollars"] is None
