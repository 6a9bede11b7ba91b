"""The pipeline of DVC for an experiment: dvc.yaml, written from what the task declares.

Each stage is a group of Snakemake's rules. DVC decides by content which stage runs; Snakemake then runs exactly the
rules of that stage (--forceall --allowed-rules). DVC does not find the modules that a command imports, so they are
listed. docs/compare.md explains the stages.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from dawn.config import registry
from dawn.config.experiment import Experiment
from dawn.config.task import Task
from dawn.core.code_deps import HERE, closure, code

FILE = "dvc.yaml"
PACKAGE = "workflow/dawn"
OF_ALL = [
    "Snakefile", "containers/Dockerfile", "requirements/runtime.lock",
    *(f"workflow/rules/{name}.smk" for name in ("common", "dvc", "hooks")),
]  # fmt: skip
SEED = "results/seed-${item.seed}"
MANIFEST = "results/manifests/${item.seed}.json"
CURVES = "results/curves.json"
# Whether a stage succeeds or fails, the summary of an earlier run is no longer that of params.yaml, so it goes first.
SUMMARY = ("metrics.json", "summary.md", "summary.html", "curves.json")
HEAD = "# Written by python -m dawn.dvc_stages from what the tasks declare (workflow/dawn/config/dvc.py).\n"
# DVC pastes a seed into a command of the shell as params.yaml has it, so params.yaml is checked before.
CHECK = {"check_settings": "env PYTHONPATH=workflow python -m dawn.dvc_stages --settings"}
Stage = dict[str, Any]


def pipeline(experiment: Experiment) -> str:
    """The text of dvc.yaml for the task of an experiment, with judges or without."""
    task, judges = experiment.declared, experiment.has_judges
    old = " ".join(f"results/{name}" for name in (*SUMMARY, *task.summary_files))
    variables = [{"written_for": {"task": task.name, "judges": judges}}, {"drop_summary": f"rm -f {old}"}, CHECK]
    stages = {"prepare": prepare(experiment)}
    if judges:
        stages["judge"] = judge()
    stages |= {extra.name: _stage(
        extra.description, [extra.target], extra.rules, ["task", *extra.params],
        ["data", "results/judge/manifests", *networks(), *_files(task, *extra.commands), *_rules(task)], extra.outputs,
    ) for extra in task.stages}  # fmt: skip
    stages |= {"train": train(task), "evaluate": evaluate(experiment), "summarize": summarize(experiment)}
    document = {"vars": variables, "stages": stages, "plots": [*map(_plot, task.plots), *task.other_plots]}
    return HEAD + yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)


def prepare(experiment: Experiment) -> Stage:
    """The archive, the arrays and what is computed from them."""
    task = experiment.declared
    files = dict.fromkeys((*task.data(experiment), *task.evaluation_data(experiment)))
    made = [name for name in files if name != "dataset.json" and name.endswith(".json")] or ["dataset.json"]
    rules = ["demo_archive", "download", "arrays", "stats", *task.data_rules]
    commands = ["demo_archive", "download", "arrays", "stats", *task.data_commands]
    depends = [*_files(task, *commands), "workflow/rules/data.smk", *(_rules(task) if task.data_rules else ())]
    targets = [f"data/{name}" for name in made]
    return _stage("Download the archive, unpack it, compute what trainings read", targets, rules,
                  ["data", *task.data_sections], depends, ["data"])  # fmt: skip


def judge() -> Stage:
    """One of the classifiers that measure what a task makes."""
    task, seed = registry.task("classify"), SEED.replace("results", "results/judge")
    depends = ["data", "workflow/presets/${judge.preset}.yaml", *networks(), *_rules(task),
               *_files(task, "train", "evaluate", "launch")]  # fmt: skip
    outputs = [MANIFEST.replace("results", "results/judge"), *(f"{seed}/{name}" for name in task.seed_files)]
    params = ["task", *task.trained_by, *task.evaluated_by, "judge.preset"]
    return _matrix("${judge.seeds}", _stage("Train and evaluate one of the classifiers that measure the result",
                   outputs[:1], ["train_judge", "evaluate_judge"], params, depends, outputs))  # fmt: skip


def train(task: Task) -> Stage:
    """A training."""
    outputs = [f"{SEED}/{name}" for name in ("metrics.json", *task.training_files)]
    depends = ["data", *task.dvc_files, *_files(task, "train", "launch"), *_rules(task)]
    return _matrix("${seeds}", _stage(f"Train {task.title} with one seed", outputs[:1], ["train"],
                   ["task", *task.trained_by], depends, outputs))  # fmt: skip


def evaluate(experiment: Experiment) -> Stage:
    """An evaluation, with the manifest of the seed."""
    task, judges = experiment.declared, experiment.has_judges
    depends = ["data", *(f"{SEED}/{name}" for name in ("metrics.json", *task.training_files)), *_rules(task)]
    depends += [*_files(task, "evaluate", "launch"), *_paths(closure(*task.evaluation_commands)), *task.dvc_files]
    depends += ["results/judge/manifests", *networks()] if judges else []
    depends += [path for extra in task.stages for path in extra.outputs]
    outputs = [MANIFEST, *(f"{SEED}/{name}" for name in ("evaluation.json", *task.evaluation_files, *task.exports))]
    params = ["task", *experiment.decided_by, *(["submission"] if task.exports else [])]
    targets = [MANIFEST, *(f"{SEED}/{name}" for name in task.exports[:1])]
    return _matrix("${seeds}", _stage(f"Evaluate {task.title} with one seed, and write its manifest", targets,
                   ["evaluate", *task.evaluation_rules], params, depends, outputs))  # fmt: skip


def summarize(experiment: Experiment) -> Stage:
    """The numbers over the seeds, and the page."""
    task = experiment.declared
    draws = ["plot"] if task.page_figures else []
    commands = ["model", "summarize", "provenance", "summary", *draws]
    outputs = [f"results/{name}" for name in (
        "curves.json", "model.json", "model.txt", "provenance.json", "summary.html", "summary.md", *task.summary_files,
        *(["plots"] if draws else []),
    )]  # fmt: skip
    depends = ["data", "results/manifests", "workflow/rules/pages.smk", *_rules(task), *_files(task, *commands)]
    params = ["task", "seeds", *experiment.decided_by, "submission.cost_per_hour"]
    stage = _stage("Summarize the seeds", ["results/metrics.json", "results/model.json", "results/summary.md"],
                   commands, params, [*depends, *task.dvc_files], outputs)  # fmt: skip
    return stage | {"metrics": ["results/metrics.json"]}


def networks() -> list[str]:
    """The families of networks, of which the judges' preset chooses one."""
    return [f"{PACKAGE}/tasks/classify/networks", "workflow/networks"]


def _stage(
    description: str, targets: Sequence[str], rules: Iterable[str], params: Iterable[str], depends: Iterable[str],
    outputs: Iterable[str],
) -> Stage:  # fmt: skip
    run = f"snakemake {' '.join(targets)} --quiet host rules progress --forceall --allowed-rules {' '.join(rules)}"
    below = [path for path in depends if not path.endswith((".py", ".cpp", ".h"))]
    inside = [path for path in depends if path not in below and not path.startswith(tuple(f"{b}/" for b in below))]
    return {
        "desc": description,
        "cmd": ["${drop_summary}", "${check_settings}", run],
        "params": list(dict.fromkeys(params)),
        "deps": sorted({*OF_ALL, *below, *inside}),
        "outs": sorted(outputs),
    }


def _matrix(seeds: str, stage: Stage) -> Stage:
    return {"desc": stage.pop("desc"), "matrix": {"seed": seeds}, **stage}


def _files(task: Task, *commands: str) -> list[str]:
    """The files that commands run for a task, with all that settings may choose."""
    return _paths(code(commands, task.name, task.optional))


def _paths(files: Iterable[Path]) -> list[str]:
    return [f"{PACKAGE}/{os.path.relpath(path, HERE)}" for path in files]


def _rules(task: Task) -> list[str]:
    return ["workflow/rules/train.smk", *(f"{PACKAGE}/tasks/{path}" for path in task.rules)]


def _plot(plot: Any) -> dict[str, Any]:
    columns = list(plot.columns) if len(plot.columns) > 1 else plot.columns[0]
    axes = {"x_label": "epoch", "y_label": plot.label, "title": plot.title}
    return {plot.title.lower().replace(" ", "_"): {"x": "epoch", "y": {CURVES: columns}, **axes}}
