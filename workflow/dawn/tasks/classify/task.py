"""A classifier: what it declares of itself. Imports no torch."""

from itertools import compress
from typing import Any

from dawn.config.task import Curve, Figure, Measure, Plot, Task, arrays
from dawn.tasks.classify import records
from dawn.tasks.classify.networks.settings import Model
from dawn.tasks.classify.settings import Evaluate, LrFind, Timing, Train

MEASURES = (
    Measure("accuracy", "accuracy", "%", 2, "higher", "percent", hits=True, decides=True, by_epoch=True),
    Measure("top5", "top-5 accuracy", "%", 2, "higher", "percent", hits=True, decides=True, constant_up_to=5),
    Measure("loss", "loss", "nats", 4, "lower", "positive", decides=True, by_epoch=True),
    Measure("calibration_error", "calibration error", "", 4, "lower", "fraction", decides=True),
    Measure("calibration_error_if_calibrated", "calibration error if calibrated", "", 4, "lower", "fraction"),
)
FIGURES = (
    Figure("curves", "2 Training", "loss and accuracy by epoch"),
    Figure("cycle", "2 Training", "learning rate and momentum"),
    Figure("time", "2 Training", "time to the target"),
    Figure("calibration", "3 Errors", "calibration"),
    Figure("classes", "3 Errors", "errors of each class"),
    Figure("confusion", "3 Errors", "confusion of the classes"),
    Figure("mistakes", "3 Errors", "most confident mistakes"),
    Figure("filters", "4 Images", "first-layer filters"),
)
PLOTS = (
    Plot(("accuracy", "train_accuracy"), "percent", "Accuracy"),
    Plot(("loss", "train_loss"), "cross-entropy", "Loss"),
    Plot(("lr",), "learning rate", "Learning rate"),
    Plot(("momentum",), "momentum", "Momentum"),
)
OTHER_PLOTS = (
    {"confusion": {"template": "confusion", "x": "actual", "y": {"results/confusion.csv": "predicted"},
                   "title": "Confusion"}},
    {"classes": {"template": "bar_horizontal_sorted", "x": "recall", "y": {"results/classes.csv": "class"},
                 "x_label": "percent of the class found", "title": "Accuracy of each class"}},
)  # fmt: skip

OPTIONAL = (
    ("tasks.classify.preparation", "kernels.network"),
    ("tasks.classify.preparation", "tasks.classify.cuda_graph"),
    ("tasks.classify.optimizer", "tasks.classify.muon"),
)


def check_divisible(train: Train, processes: int) -> None:
    """Raise ValueError unless the batch splits evenly over processes and micro-batches."""
    if train.batch % (processes * train.accumulate):
        raise ValueError(
            f"train.batch {train.batch} is not divisible by {processes} processes x train.accumulate {train.accumulate}"
        )


def check(experiment: Any) -> None:
    """Raise ValueError for settings that do not fit together."""
    train, run = experiment.train, experiment.run
    smallest = min((size for _, size in train.sizes), default=experiment.data.side)
    if fault := train.augment.beyond(smallest):
        raise ValueError(fault)
    if isinstance(run.processes, int):
        check_divisible(train, run.processes * run.nodes)


def modules(experiment: Any) -> tuple[tuple[str, str], ...]:
    """The network of the family, and what else the settings choose, each after the module that imports it."""
    network = ("tasks.classify.networks.build", f"tasks.classify.networks.{experiment.model.family}.network")
    train = experiment.train
    used = (train.custom_kernels, train.cuda_graph, train.optimizer == "muon")
    return (network, *compress(OPTIONAL, used))


TASK = Task(
    name="classify",
    title="a classifier",
    sections={
        "model": (Model, ...),
        "train": (Train, ...),
        "evaluate": (Evaluate, Evaluate()),
        "lr_find": (LrFind, LrFind()),
        "timing": (Timing, Timing()),
    },
    main="train",
    networks=("model",),
    trained_by=("data", "model", "train"),
    evaluated_by=("evaluate",),
    evaluation_files=("confusion.csv", "predictions.npz"),
    summary_files=("classes.csv", "confusion.csv", "mistakes.csv"),
    measures=MEASURES,
    training=records.Training,
    evaluation=records.Evaluation,
    summary=records.Summary,
    figures=FIGURES,
    other_figures=("images",),
    plots=PLOTS,
    curve=Curve("accuracy", "accuracy, %", "Accuracy on the {split} split during training"),
    data=lambda experiment: (*arrays(experiment), "stats.json"),
    evaluation_data=lambda experiment: ("files.tsv",),
    last_size=lambda experiment: next((size for _, size in experiment.train.sizes[-1:]), experiment.data.side),
    check=check,
    modules=modules,
    optional=OPTIONAL,
    parallel_evaluation=True,
    rules=("classify/rules.smk",),
    evaluation_rules=("dawnbench",),
    evaluation_commands=("dawnbench",),
    dvc_files=("workflow/networks", "workflow/dawn/tasks/classify/networks/${model.family}"),
    other_plots=OTHER_PLOTS,
    exports=("dawnbench.json", "dawnbench.tsv"),
)
