"""Two results next to each other, the settings that differ, and a verdict in a sentence.

    python -m dawn.compare results/studies/blocks/B-3-3 results/studies/blocks/B-3-1
    python -m dawn.compare "blocks/B(3,3)" "blocks/B(3,1)"        variants of a study by their names
    python -m dawn.compare base wider                             experiments of DVC
    python -m dawn.compare results base --difference 0.5          what is in results/ against one of them

The first is the base. Nothing is run: what is compared must be finished. The difference that matters is that of the
study, 0.2 points of accuracy outside one. GANs are compared by their KID-judge, CycleGANs by PSNR. The verdict on two
variants of studies is adjusted for all comparisons over these results, and noted as one of them.
"""

from pathlib import Path
from typing import Any

from dawn.config.experiment import flat
from dawn.config.plan import slug
from dawn.config.plan_records import Margin
from dawn.config.task import Measure
from dawn.core import cli
from dawn.core.reading import read_json
from dawn.report.numbers import DASH, fraction, interval, std
from dawn.results.measures import DECIDING, MEASURES, over
from dawn.studies.analysis import Analyses, Design
from dawn.studies.between import Adjusted, of_studies
from dawn.studies.further import further
from dawn.studies.sentences import in_addition, sentence, single
from dawn.studies.tables import milliseconds
from dawn.studies.variants import Result, of_directory, of_revision, same_batches, same_data
from dawn.studies.verdicts import Comparison, Verdict

STUDIES = Path("results/studies")
MATTERS = 0.2  # percentage points
ACCURACY, SECONDS, SPEED = (MEASURES[key] for key in ("accuracy", "seconds", "images_per_s"))
ALONE = "The verdict is not adjusted for other comparisons of these results."


def directory(name: str) -> Path | None:
    """The directory that a name stands for, which may be study/variant; None for an experiment of DVC."""
    study, slash, variant = name.partition("/")
    paths = [Path(name), *([STUDIES / study / slug(variant)] if slash else [])]
    return next((path for path in paths if path.is_dir()), None)


def read(name: str) -> Result:
    """Read the result of a directory, of a variant of a study, or of an experiment of DVC."""
    path = directory(name)
    result = of_revision(name) if path is None else of_directory(name, path)
    if result is None:
        variants = (p for p in sorted(STUDIES.glob("*/*/")) if (p / "manifests").is_dir())
        known = ", ".join(f"{p.parent.name}/{p.name}" for p in variants)
        raise cli.InputError(
            f"{name} is no directory of results, no variant of a study ({known or 'there are none'}) and no experiment "
            "of DVC"
        )
    return result


def matters(names: list[str], measure: Measure) -> float:
    """The difference that matters in the study that a result belongs to, else 0.2 points of accuracy."""
    for path in map(directory, names):
        if path and (about := path.parent / "study.json").is_file():
            study = read_json(about, Margin)
            if study["measure"] == measure.key:
                return float(study["difference"])
    if measure.key != "accuracy":
        raise cli.InputError(f"give --difference, the smallest difference in {measure.name} that matters")
    return MATTERS


def measured(result: Result) -> dict[str, str]:
    """All measures with their intervals, and what its training took."""
    summaries = {measure: result.summary(measure) for measure in DECIDING.values()}
    summaries[SECONDS] = over([float(training["seconds"]) for training in result.trainings.values()], SECONDS)
    return {measure.title: interval(mean, measure.digits) for measure, mean in summaries.items() if mean}


def to_target(target: dict[str, Any]) -> dict[str, str]:
    """Return which percentage of the seeds reached the target, and when."""
    goal = f"{target['accuracy']:g} %"
    return {
        f"seeds at {goal}": fraction(target),
        f"seconds to {goal}": interval(target["seconds"], SECONDS.digits),
        f"expected seconds to {goal}": interval(target.get("expected_seconds"), SECONDS.digits),
    }


def rows(result: Result) -> dict[str, str]:
    """The numbers of one result, by their names."""
    shown = {"seeds": ", ".join(map(str, result.evaluations))}
    if not result.has_predictions:
        return shown | measured(result)
    if (m := result.metrics) is None:
        return shown
    return shown | {
        ACCURACY.title: interval(m["accuracy"], ACCURACY.digits),
        "std": std(m["accuracy"], ACCURACY.digits),
        **(to_target(m["target"]) if m["target"] else {}),
        SECONDS.title: interval(m["seconds"], SECONDS.digits),
        SPEED.title: interval(m["images_per_s"], SPEED.digits),
        "peak memory, MiB": f"{m['peak_memory_bytes']['mean'] / 2**20:,.0f}",
        "parameters": f"{m['parameters']:,}",
        "MFLOP an image": f"{m['flops'] / 1e6:,.1f}",
        "forward, ms": milliseconds(result.time("forward")),
        "step, ms": milliseconds(result.time("step")),
    }


def settings(values: dict[str, Any]) -> dict[str, str]:
    """Every setting as a dotted key and its value."""
    return {key: f"{v:g}" if isinstance(v, float) else str(v) for key, v in flat(values).items()}


def decides(base: Result, other: Result) -> Measure:
    """Return the measure that the verdict is by; two tasks have nothing in common."""
    if base.task != other.task:
        tasks = f"the tasks {base.task} and {other.task}"
        raise cli.InputError(f"{base.name} and {other.name}: {tasks} have no measure in common")
    return next(iter(base.declared.deciding.values()))


def verdict(base: Result, other: Result, margin: float, measure: Measure) -> Verdict:
    """The verdict on two results as on a study of two variants, analysed once."""
    values = {"base": base.values(measure.key), "other": other.values(measure.key)}
    count = min(map(len, values.values()))
    comparison = Comparison(other.name, base.name, {"base": -1.0, "other": 1.0})
    design = Design([comparison], (count,), margin, measure.higher, scale=measure.scale)
    analyses = Analyses(design, lambda names: same_batches([base, other]))
    analyses.once(values)
    (result,) = analyses.verdicts
    assert result is not None
    return result


def comparison(base: Result, other: Result, margin: float = MATTERS, adjusted: Adjusted | None = None) -> str:
    """The comparison as text: numbers, settings that differ, the verdict; ``margin`` in units of the measure."""
    left, right = rows(base), rows(other)
    table = [(key, left.get(key, DASH), right.get(key, DASH)) for key in dict.fromkeys([*left, *right])]
    ours, theirs = settings(base.choices), settings(other.choices)
    keys = [key for key in dict.fromkeys([*ours, *theirs]) if ours.get(key) != theirs.get(key)]
    differing = [(key, ours.get(key, DASH), theirs.get(key, DASH)) for key in keys]
    lines = aligned([("", base.name, other.name), *table, ("", "", ""), *differing])
    beware = [] if same_data(base, other) else ["Beware: they did not train and test on the same data."]
    return "\n".join([*lines, "" if differing else "no setting differs", *said(base, other, margin, adjusted, beware)])


def said(base: Result, other: Result, margin: float, adjusted: Adjusted | None, beware: list[str]) -> list[str]:
    """Say what is known of the difference, the verdict last."""
    measure = decides(base, other)
    notes = [ALONE] if adjusted is None else adjusted.notes
    result = verdict(base, other, margin, measure) if adjusted is None else adjusted.verdict
    if result is None:
        return [*beware, *notes]
    counts = (result.difference.n,) if adjusted is None else adjusted.counts
    (more,) = further([result], {"base": base, "other": other}, measure, counts)
    last = " ".join([sentence(result, measure), *beware])
    return [*filter(None, (single(more), in_addition(more, measure), two_seeds(result))), *notes, last]


def two_seeds(verdict: Verdict) -> str | None:
    """Say what two seeds show against more: their spread has one degree of freedom."""
    counts = {name: len(seeds) for name, seeds in verdict.seeds.items()}
    few = [name for name, count in counts.items() if count == 2]
    if verdict.difference.error is None or not verdict.difference.unequal or not few:
        return None
    name = {"base": verdict.comparison.base, "other": verdict.comparison.name}[few[0]]
    return (f"The two seeds of {name} tell little of its spread: as far as this decides, the interval is 12.7 standard "
            "errors wide on each side, and further seeds of the other one do not narrow it.")  # fmt: skip


def aligned(table: list[tuple[str, str, str]]) -> list[str]:
    """Lines of three columns, each as wide as it must be."""
    widths = [max(len(row[i]) for row in table) for i in range(3)]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]


def main() -> None:
    """Parse the command line, read both results, print the comparison."""
    parser = cli.parser(main)
    parser.add_argument("base", nargs="?", default="", help="a directory, study/variant, or an experiment of DVC")
    parser.add_argument("other", nargs="?", default="", help="what is compared with it")
    parser.add_argument(
        "--difference",
        type=float,
        help="difference that matters, in points of accuracy or in KID-judge (the study's, or 0.2 points)",
    )
    args = parser.parse_args()
    if not (args.base and args.other):
        raise cli.InputError(
            "which two results? python -m dawn.compare A B, or snakemake compare --config base=A other=B"
        )
    base, other, margin = read(args.base), read(args.other), args.difference
    if margin is None:
        margin = matters([args.base, args.other], decides(base, other))
    places = [directory(name) for name in (args.base, args.other)]
    adjusted = None
    if (one := places[0]) and (two := places[1]):
        adjusted = of_studies((one, base), (two, other), decides(base, other), margin)
    print(comparison(base, other, margin, adjusted))


if __name__ == "__main__":
    cli.run(main)
