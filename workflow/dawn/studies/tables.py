"""The tables of a study as people read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from dawn.config.task import Measure
from dawn.report.numbers import DASH, fraction, interval, p_value, std
from dawn.report.page import Table
from dawn.results.measures import MEASURES
from dawn.results.statistics import robust
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
    """Each comparison with its verdict, and the tests and intervals that verdicts rest on."""
    margin = f"{verdicts[0].margin:g}" if verdicts else "the margin"
    rows = [
        [
            v.comparison.name,
            v.comparison.base,
            str(v.difference.n),
            difference(v, measure),
            p_value(v.adjusted),
            DASH if v.bounds is None else span(v.bounds, measure),
            *(DASH if v.bounds is None else p_value(p) for p in (v.not_worse, v.not_better)),
            short(v),
        ]
        for v in verdicts
    ]
    heads = [
        "variant",
        "against",
        "seeds",
        f"difference,{measure.points or ' ' + measure.name}",
        "p of no difference, adjusted",
        "95 % bounds, each by itself",
        *(f"p of {side} by {margin} or more, adjusted" for side in ("worse", "better")),
        "verdict",
    ]
    return Table(heads, rows, "Comparisons")


def measured(results: Results, measure: Measure) -> Table:
    """The measure of each variant over its seeds."""
    rows = []
    for r in results.values():
        values = list(r.values(measure.key).values())
        cells = [DASH] * 4
        if found := r.summary(measure):
            more = robust(values)
            cells = [interval(found, measure.digits), std(found, measure.digits),
                     *(f"{more[name]:.{measure.digits}f}" for name in ("median", "interquartile_mean"))]  # fmt: skip
        rows.append([r.name, str(len(values)), *cells])
    heads = ["variant", "seeds", measure.title, "std", "median", "interquartile mean"]
    return Table(heads, rows, measure.heading)


def targets(results: Results) -> Table | None:
    """The target: which fraction of the seeds reaches it, and when; None for GANs, which have none."""
    known = [(r, r.metrics, r.metrics["target"]) for r in results.values() if r.metrics and "target" in r.metrics]
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
             "seconds for one arrival", "dollars to it", "seconds of training"]  # fmt: skip
    return Table(heads, rows, f"Target of {known[0][2]['accuracy']:g} %")


def cost(results: Results) -> Table | None:
    """Size and measured speed of each network; columns that no variant has are left out."""
    known = [(r, r.metrics) for r in results.values() if r.metrics]
    columns = {"variant": [r.name for r, _ in known]}
    for head, name, digits, unit in COSTS:
        columns[head] = [_number(m.get(name), digits, unit) for _, m in known]
    columns["batch"] = [str(r.batch) for r, _ in known]
    for work in WORKS:
        columns[f"{work.replace('_', ' + ')}, ms"] = [milliseconds(r.time(work)) for r, _ in known]
    steps = [r.time("step") for r, _ in known]
    columns["of the device's peak"] = [
        DASH if step is None else f"{100 * step['share_of_peak']:.0f} %" for step in steps
    ]
    kept = {head: cells for head, cells in columns.items() if set(cells) != {DASH}}
    rows = [list(row) for row in zip(*kept.values(), strict=True)]
    return Table(list(kept), rows, "Size and speed") if known else None


def _number(value: Any, digits: int, unit: float) -> str:
    """A number, or the mean of one over the seeds, in units of ``unit``."""
    mean = value["mean"] if isinstance(value, Mapping) else value
    return DASH if mean is None else f"{mean / unit:,.{digits}f}"


def milliseconds(row: dict[str, Any] | None) -> str:
    """The median and the quartiles of a time, by a row of timing.json."""
    if row is None:
        return DASH
    return f"{1000 * row['seconds']:.3g} ({1000 * row['low']:.3g} to {1000 * row['high']:.3g})"


def disagreements(results: Results, margin: float = 0.05) -> list[str]:
    """Pairs of which one has fewer FLOPs an image and still takes longer for it in a training step.

    Both by the margin, and the quartiles of the times apart.
    """
    found = []
    known = [(r, r.metrics["flops"], s) for r in results.values() if r.metrics and r.metrics.get("flops")
             and (s := r.time("step"))]  # fmt: skip
    for a, fewer, slow in known:
        for b, more, fast in known:
            longer = slow["seconds"] / slow["batch"] / (fast["seconds"] / fast["batch"]) - 1
            apart = slow["low"] / slow["batch"] > fast["high"] / fast["batch"]
            if fewer < (1 - margin) * more and longer > margin and apart:
                found.append(f"{a.name} has {100 * (1 - fewer / more):.0f} % fewer FLOPs than {b.name}, and a step "
                             f"takes {100 * longer:.0f} % longer an image.")  # fmt: skip
    return found
