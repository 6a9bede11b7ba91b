"""The tables of a study as people read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from dawn.config.task import Measure
from dawn.report.numbers import DASH, fraction, interval, p_value, std
from dawn.report.page import Table
from dawn.results.measures import DECIDING, MEASURES
from dawn.results.statistics import robust
from dawn.studies.comparisons import contrast, reach
from dawn.studies.further import Further, Probability
from dawn.studies.sentences import difference, short, span
from dawn.studies.variants import Result
from dawn.studies.verdicts import Verdict

WORKS = ("forward", "forward_backward", "step")
SECONDS, SPEED, EPOCHS, DOLLARS = (MEASURES[key] for key in ("seconds", "images_per_s", "epochs", "dollars"))
COSTS = (
    ("parameters", "parameters", 0, 1), ("MFLOP", "flops", 1, 1e6),
    ("generator's parameters", "generator_parameters", 0, 1), ("critic's parameters", "critic_parameters", 0, 1),
    ("generator's MFLOP", "generator_flops", 1, 1e6), ("critic's MFLOP", "critic_flops", 1, 1e6),
    (SECONDS.title, SECONDS.key, SECONDS.digits, 1), (SPEED.title, SPEED.key, SPEED.digits, 1),
    ("peak memory, MiB", "peak_memory_bytes", 0, 2**20),
)  # fmt: skip
Results = Mapping[str, Result]


def comparisons(verdicts: Sequence[Verdict], measure: Measure) -> Table:
    """Return each comparison with its verdict, and the tests and intervals that verdicts rest on."""
    margin = f"{verdicts[0].margin:g}" if verdicts else "the margin"
    rows = [
        [v.comparison.name, v.comparison.base, str(v.difference.n), difference(v, measure), p_value(v.adjusted),
         DASH if v.bounds is None else span(v.bounds, measure),
         *(DASH if v.bounds is None else p_value(p) for p in (v.not_worse, v.not_better)), short(v)]
        for v in verdicts
    ]  # fmt: skip
    heads = ["variant", "against", "seeds", _difference_of(measure), "p of no difference, adjusted",
             "95 % bounds, each by itself",
             *(f"p of {side} by {margin} or more, adjusted" for side in ("worse", "better")), "verdict"]  # fmt: skip
    return Table(heads, rows, "Comparisons")


def _difference_of(measure: Measure) -> str:
    return f"difference,{measure.points or ' ' + measure.name}"


def further(more: Sequence[Further], measure: Measure) -> Table | None:
    """Return what else is known of each comparison: other test images, the chance of improvement."""
    if all(f.other_images is None and f.improvement is None for f in more):
        return None
    columns: dict[str, list[Any]] = {
        "variant": [f.verdict.comparison.name for f in more],
        "against": [f.verdict.comparison.base for f in more],
        _difference_of(measure): [difference(f.verdict, measure) for f in more],
        "for other test images as well": [f.other_images and span(f.other_images, measure) for f in more],
        "a seed is better, %": [f.improvement and _percent(f.improvement) for f in more],
    }
    if not any(f.other_images for f in more):
        del columns["for other test images as well"]
    return _by_column(columns, "Other images and single seeds")


def _percent(chance: Probability) -> str:
    return f"{100 * chance.value:.0f} ({100 * chance.low:.0f} to {100 * chance.high:.0f})"


def _by_column(columns: Mapping[str, Sequence[Any]], title: str) -> Table:
    """Return a table of these columns; a dash where there is no value."""
    rows = [[DASH if cell is None else cell for cell in row] for row in zip(*columns.values(), strict=True)]
    return Table(list(columns), rows, title)


def measured(results: Results, measure: Measure) -> Table:
    """Return the measure of each variant over its seeds."""
    rows = []
    for r in results.values():
        values, cells = list(r.values(measure.key).values()), [DASH] * 4
        if mean := r.summary(measure):
            more = robust(values)
            cells = [interval(mean, measure.digits), std(mean, measure.digits),
                     *(f"{more[name]:.{measure.digits}f}" for name in ("median", "interquartile_mean"))]  # fmt: skip
        rows.append([r.name, str(len(values)), *cells])
    heads = ["variant", "seeds", measure.title, "std", "median", "interquartile mean"]
    return Table(heads, rows, measure.heading)


def targets(results: Results) -> Table | None:
    """Return which fraction of the seeds reaches the target, and when; None where none is set."""
    known = [(r, r.metrics, r.metrics["target"]) for r in results.values() if r.metrics and r.metrics.get("target")]
    if not known:
        return None
    rows = [
        [r.name, fraction(t), f"{t['seeds_in_training']} of {m['seeds']}",
         interval(t["epochs"], EPOCHS.digits), interval(t["seconds"], SECONDS.digits),
         interval(t["expected_seconds"], SECONDS.digits), interval(t["dollars"], DOLLARS.digits),
         interval(m["seconds"], SECONDS.digits)]
        for r, m, t in known
    ]  # fmt: skip
    heads = ["variant", "seeds at it in the end", "reached in training", "epochs to it", "seconds to it",
             "expected seconds to it", "dollars to it", "seconds of training"]  # fmt: skip
    return Table(heads, rows, f"Target of {known[0][2]['accuracy']:g} %")


def cost(results: Results) -> Table | None:
    """Return size and measured speed of each network; columns that no variant has are left out."""
    known = [(r, r.metrics) for r in results.values() if r.metrics]
    if not known:
        return None
    columns: dict[str, list[Any]] = {"variant": [r.name for r, _ in known]}
    for head, name, digits, unit in COSTS:
        columns[head] = [_number(m.get(name), digits, unit) for _, m in known]
    columns["batch"] = [str(r.batch) for r, _ in known]
    for work in WORKS:
        columns[f"{work.replace('_', ' + ')}, ms"] = [milliseconds(r.time(work)) for r, _ in known]
    steps = [r.time("step") for r, _ in known]
    columns["of the device's peak"] = [step and f"{100 * step['share_of_peak']:.0f} %" for step in steps]
    kept = {head: cells for head, cells in columns.items() if set(cells) - {None, DASH}}
    return _by_column(kept, "Size and speed")


def _number(value: Any, digits: int, unit: float) -> str | None:
    """Return a number, or the mean of one over the seeds, in units of ``unit``."""
    mean = value["mean"] if isinstance(value, Mapping) else value
    return None if mean is None else f"{mean / unit:,.{digits}f}"


def milliseconds(row: dict[str, Any] | None) -> str:
    """Return the median and the quartiles of a time, by a row of timing.json."""
    if row is None:
        return DASH
    return f"{1000 * row['seconds']:.3g} ({1000 * row['low']:.3g} to {1000 * row['high']:.3g})"


def disagreements(results: Results, margin: float = 0.05) -> list[str]:
    """Name the pairs of which one has fewer FLOPs an image and still takes longer for it in a training step.

    Both by the margin, and the quartiles of the times apart.
    """
    pairs = []
    known = [(r, r.metrics["flops"], s) for r in results.values() if r.metrics and r.metrics.get("flops")
             and (s := r.time("step"))]  # fmt: skip
    for a, fewer, slow in known:
        for b, more, fast in known:
            longer = slow["seconds"] / slow["batch"] / (fast["seconds"] / fast["batch"]) - 1
            apart = slow["low"] / slow["batch"] > fast["high"] / fast["batch"]
            if fewer < (1 - margin) * more and longer > margin and apart:
                pairs.append(f"{a.name} has {100 * (1 - fewer / more):.0f} % fewer FLOPs than {b.name}, and a step "
                             f"takes {100 * longer:.0f} % longer an image.")  # fmt: skip
    return pairs


def others(results: Results, measure: Measure) -> Table:
    """Return the other measures of each variant, as far as they were measured: means and intervals over the seeds."""
    shown = other_measures(results, measure)
    rows = [[r.name, *(interval(r.summary(m), m.digits) for m in shown)] for r in results.values()]
    return Table(["variant", *map(_directed, shown)], rows, "Other measures (↑ higher is better, ↓ lower)")


def other_differences(verdicts: Sequence[Verdict], results: Results, measure: Measure) -> Table:
    """Return each comparison in the other measures, with the 95 % interval of that difference alone."""
    shown = other_measures(results, measure)
    rows = [[v.comparison.name, v.comparison.base, *(_difference(v, results, m) for m in shown)] for v in verdicts]
    return Table(["variant", "against", *map(_directed, shown)], rows,
                 "Differences in other measures, not corrected, without verdicts")  # fmt: skip


def _directed(measure: Measure) -> str:
    return f"{measure.title} {'↑' if measure.higher else '↓'}"


def _difference(verdict: Verdict, results: Results, measure: Measure) -> str:
    """Return the difference in another measure of the seeds of a verdict, as far as they have it."""
    weights, used = verdict.comparison.weights, {}
    for name, seeds in verdict.seeds.items():
        values = results[name].values(measure.key)
        used[name] = {place: values[seed] for place, seed in enumerate(seeds) if seed in values}
    if not all(used.values()):
        return DASH
    d = contrast(used, weights, verdict.difference.paired)
    limits = d.interval(reach=reach(weights, measure.scale))
    return f"{d.mean:+.{measure.digits}f}" + (f" ({span(limits, measure)})" if limits else "")


def contradictions(verdicts: Sequence[Verdict], results: Results, measure: Measure) -> list[str]:
    """Name the verdicts by KID-judge that the means in another feature space point against."""
    against = []
    for v in verdicts if measure.key == "kid" else ():
        for other in (DECIDING["kid_middle"], DECIDING["kid_random"]):
            values = {name: results[name].values(other.key) for name in v.comparison.weights}
            if v.kind not in ("better", "worse") or not all(values.values()):
                continue
            mean = contrast(values, v.comparison.weights, False).mean
            if mean * v.difference.mean < 0:
                against.append(f"{v.comparison.name} against {v.comparison.base}: the {other.name}, points the other "
                               f"way ({mean:+.{other.digits}f}). Do not conclude from one feature space.")  # fmt: skip
    return against


def other_measures(results: Results, measure: Measure) -> list[Measure]:
    """Return the measures but the deciding one that some result has, and in which networks can differ on these data."""
    counts = [len(e["classes"]) for r in results.values() for e in r.evaluations.values() if "classes" in e]
    classes = max(counts, default=None)
    others = (m for m in DECIDING.values() if m.key != measure.key and m.informative(classes))
    return [m for m in others if any(r.values(m.key) for r in results.values())]
