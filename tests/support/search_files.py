"""A search on disk, as far as its steps read its files: search.json, the rungs and the results of their trials."""

import yaml
from conftest import ROOT

from dawn.config.search import plan
from dawn.core.files import write_json, write_text
from dawn.core.reading import read_json

GOOD = {
    "question": "Which peak?",
    "settings": {
        "data": {"urls": ["tiny.tar.gz"], "sha256": None, "bytes": None, "layout": "binary", "classes": None,
                 "holdout": 20},
        "model": {"blocks": [1, 1], "width": 4, "bn_momentum": 0.1},
        "train": {"batch": 16, "schedule": {"peak": 0.1}, "precision": "fp32"},
    },
    "space": {"train.schedule.peak": {"low": 0.01, "high": 1, "log": True}, "model.width": {"choices": [4, 8]}},
    "trials": 4,
    "rounds": 2,
    "epochs": {"first": 1, "most": 2, "factor": 2},
    "difference": 1,
    "spread": 0.5,
}  # fmt: skip

# A search of the workspace's small experiment; the last choice diverges.
SEARCH = {
    "question": "Which peak?",
    "settings": {"data": {"holdout": 60}},
    "space": {"train.schedule.peak": {"choices": [0.05, 0.1, 0.2, 1e9]}},
    "trials": 3,
    "rounds": 1,
    "epochs": {"first": 1, "most": 2, "factor": 3},
    "difference": 5,
    "spread": 2,
}


def planned(folder, over=None, **keys):
    """The plan of a search file with these keys; those that are None are left out."""
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in (GOOD | keys).items() if v is not None}, sort_keys=False))
    return plan(path, ROOT / "params.yaml", ROOT / "workflow/presets", over or {})


def write_plan(folder, **keys):
    """A directory with search.json, and its plan."""
    found = planned(folder, **keys)
    directory = folder / "results"
    write_text(directory / "search.json", found.text)
    return found, directory


def run_rung(directory, round, rung, accuracy):
    """Write the result of each trial of a proposed rung: ``accuracy(number, settings)``, None for a diverged one."""
    proposed = read_json(directory / f"round-{round}" / f"rung-{rung}.json")
    for trial in proposed["trials"]:
        found = accuracy(trial["trial"], trial["settings"])
        path = directory / f"round-{round}" / f"rung-{rung}" / f"trial-{trial['trial']}" / "trial.json"
        write_json(path, {"accuracy": found, "loss": 1.0, "seconds": 3.0, "cause": trial["cause"]})
    return [trial["trial"] for trial in proposed["trials"]]
