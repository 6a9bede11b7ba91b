"""A training of several processes that was stopped within an epoch leaves the same files as an unbroken one."""

import csv
import json

import pytest
import yaml
from conftest import experiment
from cycles import TINY as CYCLE
from cycles import domains
from gan_training import FULL_GAN, TINY_GAN
from processes import run_script

from dawn.config.experiment import merge

CLASSIFIER = {
    "train": {"epochs": 3, "batch": 16, "ema": 0.9, "batch_norm": "local", "augment": {"pad": 2, "flip": "random"}},
    "run": {"trace": True},
}
GAN = merge(TINY_GAN, {"gan": FULL_GAN | {"epochs": 2, "batch": 24}})
TIMES = {"images_per_s", "seconds"}
OF_A_RUN = TIMES | {"seconds_by_phase", "seconds_untimed", "peak_memory_bytes", "resumed", "first_step"}


def table(path):
    with path.open(newline="") as file:
        return [{k: v for k, v in row.items() if k not in TIMES} for row in csv.DictReader(file, delimiter="\t")]


def contents(folder):
    """What each file of a training says, without its times."""
    metrics = json.loads((folder / "metrics.json").read_text())
    found = {"metrics.json": {key: value for key, value in metrics.items() if key not in OF_A_RUN}}
    found |= {path.name: table(path) for path in folder.glob("*.tsv")}
    found |= {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".safetensors", ".npy")}
    return found


def trainings(folder, over, data, *runs):
    """The contents after each of several runs, each a number of processes and the steps of its trainings."""
    params = folder / "params.yaml"
    params.write_text(yaml.safe_dump(experiment(**over).model_dump(mode="json")))
    for number, (processes, *stops) in enumerate(runs):
        run_script("interrupted.py", folder / str(number), params, data, *stops, processes=processes)
        yield contents(folder / str(number))


@pytest.mark.full
@pytest.mark.parametrize("task", ["classify", "gan", "cycle"])
def test_every_file_is_that_of_an_unbroken_training(data, tmp_path, task):
    over = {"classify": CLASSIFIER, "gan": GAN, "cycle": CYCLE}[task]
    data = domains(tmp_path / "domains") if task == "cycle" else data
    unbroken, resumed = trainings(tmp_path, over, data, (2, 0), (2, 2, 3, 0))
    assert resumed.keys() == unbroken.keys()
    for name, content in unbroken.items():
        assert resumed[name] == content, name


@pytest.mark.full
def test_three_processes_exchange_gradients_in_the_same_order(data, tmp_path):
    wide = {"family": "wrn", "depth": 10, "width": 2}  # its gradients fill several buckets
    over = merge(CLASSIFIER, {"model": wide, "train": {"epochs": 2, "batch": 24, "batch_norm": "global"}})
    unbroken, resumed = trainings(tmp_path, over, data, (3, 0), (3, 2, 3, 0))
    assert resumed == unbroken


@pytest.mark.full
def test_another_number_of_processes_continues_the_sums(data, tmp_path):
    over = merge(CLASSIFIER, {"train": {"batch_norm": "global"}})
    params = tmp_path / "params.yaml"
    (unbroken,) = trainings(tmp_path, over, data, (1, 0))
    run_script("interrupted.py", tmp_path / "two", params, data, 8, processes=2)
    run_script("interrupted.py", tmp_path / "two", params, data, 0)
    for ours, theirs in zip(contents(tmp_path / "two")["curve.tsv"], unbroken["curve.tsv"], strict=True):
        for column in ("train_loss", "train_accuracy"):
            assert float(ours[column]) == pytest.approx(float(theirs[column]), rel=2e-3), column
