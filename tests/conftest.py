"""Small data, small experiments, and steps run as a user runs them."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core.files import write_json

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the tests expect the results of a CPU; tests/bench/gpu.py measures a GPU
pytest_plugins = ["finished"]
ROOT = Path(__file__).resolve().parent.parent
CLASSES = ["red", "green", "blue"]
TINY = {
    "data": {"urls": ["tiny.tar.gz"], "sha256": None, "bytes": None, "layout": "binary", "classes": None},
    "model": {"blocks": [1, 1], "width": 4, "bn_momentum": 0.1},
    "train": {"epochs": 2, "batch": 16, "schedule": {"peak": 0.1}, "precision": "fp32"},
    "evaluate": {"target": 50},
}


def experiment(**over: object) -> Experiment:
    """The lesson made tiny, with settings merged over it."""
    return check(merge(merge(lesson(), TINY), over))


@cache
def lesson() -> dict[str, Any]:
    """The settings in params.yaml; not to be changed."""
    return read(ROOT / "params.yaml")


def in_full(*cases: Any) -> list[Any]:
    """These cases of a parametrized test, for ``make test-all`` alone: the others test the same in less time."""
    return [pytest.param(*(c if isinstance(c, tuple) else (c,)), marks=pytest.mark.full) for c in cases]


@pytest.fixture(scope="session")
def avx512() -> None:
    """Skips where the custom convolutions cannot run; asks while tests run, since the answer needs a C++ compiler."""
    from dawn.kernels.network import can_convolve

    if not can_convolve():
        pytest.skip("this CPU has no AVX-512 BF16, or has AMX")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the figures of ``dawn.study``, which take most of its time."""
    from dawn import study

    monkeypatch.setattr(study, "draw", lambda *_: [])


@pytest.fixture
def params(tmp_path: Path) -> Callable[..., Path]:
    """Write an experiment to a file."""

    def write(**over: object) -> Path:
        path = tmp_path / "experiment.yaml"
        path.write_text(yaml.safe_dump(experiment(**over).model_dump(mode="json")))
        return path

    return write


def write_colours(folder: Path, counts: dict[str, int], /, **about: object) -> Path:
    """Write images of CLASSES, each of a colour with noise, as many as each split has, and what is said about them."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for split, count in counts.items():
        labels = (np.arange(count) % 3).astype(np.uint8)
        images = rng.integers(0, 120, (count, 32, 32, 3), dtype=np.uint8)
        images[np.arange(count), :, :, labels] += 60
        np.save(folder / f"{split}_images.npy", images)
        np.save(folder / f"{split}_labels.npy", labels)
    write_json(folder / "dataset.json", {"classes": CLASSES, **about})
    write_json(folder / "stats.json", {"mean": [0.3, 0.3, 0.3], "std": [0.15, 0.15, 0.15]})
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Arrays of 96 train and 50 test images."""
    return write_colours(tmp_path_factory.mktemp("data"), {"train": 96, "test": 50})


def step(module: str, *args: object, processes: int = 1, **kwargs: Any) -> "subprocess.CompletedProcess[str]":
    """Run ``python -m dawn.<module>`` in a process of its own, or through torchrun in several."""
    launch = ["dawn.launch", "--processes", str(processes)] if processes > 1 else []
    line = [sys.executable, "-m", *launch, f"dawn.{module}", *map(str, args)]
    env = os.environ | {"OMP_NUM_THREADS": "1"} | kwargs.pop("env", {})
    return subprocess.run(line, capture_output=True, text=True, env=env, check=False, **kwargs)
