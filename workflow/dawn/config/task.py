"""What a task declares of itself, as plain data: settings, files, measures, figures. Imports no torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from dawn.config import records
from dawn.core.cli import InputError

Better = Literal["higher", "lower", "0", "1"]
Scale = Literal["fraction", "percent", "similarity", "positive", "any"]  # the range of a mean (results/statistics.py)


@dataclass(frozen=True)
class Measure:
    """A quantity of a training or of its evaluation, declared once for all files and pages.

    key      its name in evaluation.json, or in metrics.json of a seed
    unit     of a value
    digits   after the point, wherever it is printed
    better   which values are the better ones
    scale    the range of a mean, for its interval
    log      whether its values differ by orders of magnitude
    hits     whether it is a percentage of the test images, each right or wrong
    decides  whether a study can decide by it
    by_epoch whether the curve has it at the ends of epochs, under the same name
    constant_up_to  the number of classes up to which all networks have the same value, so that pages leave it out
    """

    key: str
    name: str
    unit: str
    digits: int
    better: Better
    scale: Scale
    log: bool = False
    hits: bool = False
    decides: bool = False
    by_epoch: bool = False
    constant_up_to: int = 0

    def informative(self, classes: int | None) -> bool:
        """Return whether networks can differ in it on data of so many classes; None where the number is not known."""
        return classes is None or classes > self.constant_up_to

    @property
    def title(self) -> str:
        """Its name and unit, for an axis or a column."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    @property
    def heading(self) -> str:
        """Its name with a capital letter."""
        return self.name[0].upper() + self.name[1:]

    @property
    def suffix(self) -> str:
        """The unit as it follows a value."""
        return f" {self.unit}" if self.unit else ""

    @property
    def points(self) -> str:
        """The unit as it follows a difference."""
        return " points" if self.unit == "%" else self.suffix

    @property
    def higher(self) -> bool:
        """Whether the higher value is the better one, for a comparison."""
        return self.better == "higher"


class Figure(NamedTuple):
    """A figure of ``snakemake plots``: its file plots/NAME.png, its category in the report, its title there.

    Its caption is captions/NAME.rst in the folder of the task.
    """

    name: str
    category: str
    title: str


class Curve(NamedTuple):
    """The curve that a study draws along the training, by epoch and by seconds.

    ``column`` is one of curve.tsv; or, where it is None, the values are the entries ``progress`` of evaluation.json,
    one for each of the epochs at which samples are kept. ``axis`` and ``heading`` name it.
    """

    column: str | None
    axis: str
    heading: str


class Stage(NamedTuple):
    """A stage of DVC between those of the judges and the training: a target of Snakemake, and what it depends on.

    ``rules`` are those that make the target, ``params`` the settings, ``commands`` the modules that run.
    """

    name: str
    description: str
    target: str
    rules: tuple[str, ...]
    params: tuple[str, ...]
    commands: tuple[str, ...]
    outputs: tuple[str, ...]


class Plot(NamedTuple):
    """A plot of ``dvc plots``: columns of curves.json by epoch."""

    columns: tuple[str, ...]
    label: str
    title: str


def _none(experiment: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Task:
    """One kind of network that is trained.

    name            value of ``task`` in params.yaml, and the package in dawn/tasks
    title           in words: a classifier
    sections        sections of params.yaml: type and default, as pydantic's create_model takes them
    main            the section that has ``epochs`` and ``batch``
    trained_by      sections that decide the weights of a seed
    evaluated_by    sections that decide what an evaluation makes of them
    training_files  what a training leaves in the directory of a seed, besides metrics.json
    evaluation_files  what an evaluation leaves there, besides evaluation.json
    networks        sections that decide the networks
    training        type of metrics.json of a seed
    evaluation      type of evaluation.json
    summary         type of metrics.json over the seeds
    provenance      type of provenance.json
    summary_files   what the summary over the seeds leaves, besides metrics.json and curves.json
    measures        in the order of a page; the first that decides is the default of a study
    curve           what a study draws along the training
    figures         what dawn.plot draws
    other_figures   names of further figures, drawn by rules of the task
    page_figures    names of the figures on the page
    plots           what DVC plots
    about           the file below data/ that describes the data: classes, counts, source
    data            returns the files below data/ that a training reads
    evaluation_data  returns the further ones that an evaluation reads
    last_size       returns the side in pixels of the images at the end of a training
    check           raises ValueError for sections that do not fit together
    check_data      raises InputError for data, by dataset.json, that is too small for the training or its evaluation
    needs_judges    returns whether trained classifiers measure the result
    judges_decide   whether ``evaluated_by`` decides nothing without judges
    measurable      returns why an experiment does not have a measure, or None
    parallel_evaluation  whether several processes can share an evaluation
    generated       returns whether the images are drawn, from no archive
    modules         returns modules that the settings choose: the module that imports one by name, and its name
    exports         files of a seed that other programs read, made by rules of the task
    rules           files of Snakemake's rules below dawn/tasks
    data_rules      of these, the ones that make files below data/, from the sections ``data_sections`` too
    data_commands   the modules that they run
    evaluation_rules     further rules that the evaluation of a seed takes
    evaluation_commands  the modules that they run
    stages          further stages of DVC
    optional        those of the modules that some experiments use, on which the stages of DVC depend in all
    dvc_files       other files that settings choose, by names in which DVC puts the settings
    other_plots     plots of DVC that are not of curves.json
    """

    name: str
    title: str
    sections: Mapping[str, tuple[Any, Any]]
    main: str
    networks: tuple[str, ...]
    trained_by: tuple[str, ...]
    measures: tuple[Measure, ...]
    curve: Curve
    evaluated_by: tuple[str, ...] = ()
    training_files: tuple[str, ...] = ("curve.tsv", "model.safetensors")
    evaluation_files: tuple[str, ...] = ()
    training: type[records.Training] = records.Training
    evaluation: type[records.Evaluation] = records.Evaluation
    summary: type[records.Summary] = records.Summary
    provenance: type[records.Origin] = records.Provenance
    summary_files: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    other_figures: tuple[str, ...] = ()
    page_figures: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    about: str = "dataset.json"
    data: Callable[[Any], tuple[str, ...]] = field(default=lambda experiment: arrays(experiment))
    evaluation_data: Callable[[Any], tuple[str, ...]] = _none
    last_size: Callable[[Any], int] = lambda experiment: int(experiment.data.side)
    check: Callable[[Any], None] = lambda experiment: None
    check_data: Callable[[Any, Mapping[str, Any]], None] = lambda experiment, about: check_batch(experiment, about)
    needs_judges: Callable[[Any], bool] = lambda experiment: False
    judges_decide: bool = False
    measurable: Callable[[Measure, Any], str | None] = lambda measure, experiment: None
    parallel_evaluation: bool = False
    generated: Callable[[Any], bool] = lambda experiment: False
    modules: Callable[[Any], tuple[tuple[str, str], ...]] = lambda experiment: ()
    exports: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    data_rules: tuple[str, ...] = ()
    data_sections: tuple[str, ...] = ()
    data_commands: tuple[str, ...] = ()
    evaluation_rules: tuple[str, ...] = ()
    evaluation_commands: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    optional: tuple[tuple[str, str], ...] = ()
    dvc_files: tuple[str, ...] = ()
    other_plots: tuple[Mapping[str, Any], ...] = ()

    @property
    def seed_files(self) -> tuple[str, ...]:
        """All files of a finished seed, sorted."""
        return tuple(sorted((*self.training_files, *self.evaluation_files, "metrics.json", "evaluation.json")))

    @property
    def deciding(self) -> dict[str, Measure]:
        """The measures by which a study can decide, by key; the first is the default."""
        return {measure.key: measure for measure in self.measures if measure.decides}


def check_batch(experiment: Any, about: Mapping[str, Any]) -> None:
    """Raise InputError unless the train split fills a batch."""
    batch, images, section = experiment.main.batch, about["counts"]["train"], experiment.declared.main
    if batch > images:
        raise InputError(f"{section}.batch = {batch} is more than the {images} images of the train split; lower it")


def arrays(experiment: Any) -> tuple[str, ...]:
    """The files below data/ with the images and labels of each split, and what describes them."""
    splits = ("train", "test", *(["holdout"] if experiment.data.holdout else []))
    return (*(f"{split}_{part}.npy" for split in splits for part in ("images", "labels")), "dataset.json")
