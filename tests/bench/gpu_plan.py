"""The stages of tests/bench/gpu.py and their experiments, the most important first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, check, merge, read

ROOT = Path(__file__).resolve().parents[2]
Variant = tuple[str, Mapping[str, Any]]  # a preset, or lesson, and the settings merged over it

PROCESSES = 5  # of the stage record

# On a CPU the same script end to end, in seconds: --tiny.
TINY_NETS: dict[str, dict[str, Any]] = {
    "lesson": {"blocks": [1], "width": 4},
    "wrn22": {"depth": 10, "width": 1},
    "record": {"widths": [8, 8]},
    "record-sgd": {"widths": [8, 8]},
    "airbench-muon": {"widths": [8, 8]},
}
TINY_TRAIN = {"epochs": 2, "batch": 40, "sizes": [], "compile": False, "cuda_graph": False}


@dataclass(frozen=True)
class Stage:
    """One question. ``seconds`` is the expected time on an H100 or H200, ``most`` the limit.

    The seeds are divided among ``processes``, one after the other: a process compiles and chooses its algorithms anew,
    which is a part of the spread. ``with_programs`` says whether published programs, if given, run in turn with the
    variants.
    """

    name: str
    kind: str  # limits | runs | profile
    question: str
    seconds: int
    most: int
    seeds: int = 1
    variants: Mapping[str, Variant] = field(default_factory=dict)
    processes: int = 1
    with_programs: bool = False


def preset(name: str) -> dict[str, Any]:
    """Return the settings of a preset."""
    return read(ROOT / f"workflow/presets/{name}.yaml")


def but_for_sgd(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return of the preset record what has nothing to do with Muon, to be merged over airbench94's SGD."""
    train, evaluate = record["train"], record["evaluate"]
    return {
        "model": {key: record["model"][key] for key in ("activation", "bn_momentum")},
        "train": {key: train[key] for key in ("epochs", "label_smoothing")}
        | {"augment": {key: train["augment"][key] for key in ("offset", "gain")}},
        "evaluate": {key: evaluate[key] for key in ("tta", "tta_fraction")},
    }


def plan(seeds: int) -> list[Stage]:
    """Return all stages; ``seeds`` is the number for the preset record, the others are in proportion."""
    few = max(1, seeds // 5)
    record: Variant = ("record", {})

    def record_with(**train: Any) -> Variant:
        return "record", {"train": train}

    parts = {
        "record": record,
        "without whitening": ("record", {"model": {"whiten": False}}),
        "without Dirac filters": ("record", {"model": {"dirac": False}}),
        "SGD, not Muon": ("record-sgd", but_for_sgd(preset("record"))),
    }
    precisions = {kind: record_with(precision=kind, cuda_graph=False) for kind in ("half", "fp16", "bf16")}
    graphs = {"CUDA graphs": record_with(cuda_graph=True), "no CUDA graphs": record_with(cuda_graph=False)}
    peers = {"record": record, "airbench, Muon": ("airbench-muon", {}), "airbench, SGD": ("record-sgd", {})}
    return [
        Stage("limits", "limits", "peak of the card", 20, 60),
        Stage(
            "record",
            "runs",
            "accuracy and time of the record preset, in several processes",
            90 + 3 * seeds,
            480,
            seeds,
            {"record": record},
            processes=min(PROCESSES, seeds),
        ),
        Stage(
            "peers",
            "runs",
            "compared with the published recipes, alternating",
            120 + 9 * few,
            300,
            few,
            peers,
            with_programs=True,
        ),
        Stage("profile", "profile", "where the time of a step goes", 60, 180, 1, {"record": record}),
        Stage("wrn22", "runs", "the DAWNBench entry", 90, 300, 1, {"wrn22": ("wrn22", {})}),
        Stage("lesson", "runs", "params.yaml itself", 120, 300, max(1, seeds // 17), {"lesson": ("lesson", {})}),
        Stage("graphs", "runs", "with and without CUDA graphs", 90 + 6 * few, 240, few, graphs),
        Stage("precision", "runs", "half, autocast fp16, bf16", 150 + 9 * few, 300, few, precisions),
        Stage("ablation", "runs", "effect of each part", 240 + 12 * few, 420, few, parts),
    ]


def experiment(variant: Variant, tiny: bool) -> Experiment:
    """Return the experiment of a variant; with ``tiny`` one that takes a CPU a second."""
    name, over = variant
    below = read(ROOT / "params.yaml")
    if name != "lesson":
        below = merge(below, preset(name))
    settings = merge(below, over)
    if tiny:
        train: dict[str, Any] = TINY_TRAIN | ({"precision": "fp32"} if "precision" not in over.get("train", {}) else {})
        settings = merge(
            settings, {"model": TINY_NETS[name], "train": train, "evaluate": {"target": 10, "precision": "fp32"}}
        )
    return check(settings, f"{name} with {dict(over)}")
