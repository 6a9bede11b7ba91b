"""The tables of a study as people read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from dawn.report.numbers import DASH, fraction, interval, p_value, std
from dawn.report.page import Table
from dawn.results.statistics import robust, spread
from dawn.studies.measures import Measure
from dawn.studies.sentences import difference, short
from dawn.studies.variants import Result
from dawn.studies.verdicts import Verdict

WORKS = ("forward", "forward_backward", "step")
Results = Mapping[str, Result]


def comparisons(verdicts: Sequence[Verdict], measure: Measure) -> Table:
    """Each comparison with its verdict."""
    rows = [
        [
            v.comparison.name,
            v.comparison.base,
            str(v.difference.n),
            difference(v, measure),
            p_value(v.adjusted),
            short(v),
        ]
        for v in verdicts
    ]
    heads = [
        "variant",
        "against",
        "seeds",
        f"difference,{measure.points or ' ' + measure.name}",
        "adjusted p",
        "verdict",
    ]
    return Table(heads, rows, "Comparisons")


def measured(results: Results, measure: Measure) -> Table:
    """The measure of each variant over its seeds."""
    rows = []
    for r in results.values():
        values = list(r.values(measure.key).values())
        cells = [DASH] * 4
        if values:
            found, more = spread(values, measure.scale), robust(values)
            cells = [interval(found, measure.digits), std(found, measure.digits),
                     *(f"{more[name]:.{measure.digits}f}" for name in ("median", "interquartile_mean"))]  # fmt: skip
        rows.append([r.name, str(len(values)), *cells])
    heads = ["variant", "seeds", measure.title, "std", "median", "interquartile mean"]
    return Table(heads, rows, measure.name.capitalize())


def targets(results: Results) -> Table:
    """The target: which fraction of the seeds reaches it, and when."""
    known = [(r, r.metrics, r.metrics["target"]) for r in results.values() if r.metrics]
    rows = [
        [r.name, fraction(t), f"{t['seeds_in_training']} of {m['seeds']}", interval(t["epochs"], 1),
         interval(t["seconds"], 1), interval(t["expected_seconds"], 1), interval(t["dollars"], 4),
         interval(m["seconds"], 1)]
        for r, m, t in known
    ]  # fmt: skip
    heads = ["variant", "seeds at it in the end", "reached in training", "epochs to it", "seconds to it",
             "seconds for one arrival", "dollars to it", "seconds of training"]  # fmt: skip
    return Table(heads, rows, f"Target of {known[0][2]['accuracy']:g} %")


def cost(results: Results) -> Table:
    """Size and measured speed of each network."""
    rows = []
    for r in results.values():
        if (m := r.metrics) is None:
            continue
        step = r.time("step")
        peak = DASH if step is None else f"{100 * step['share_of_peak']:.0f} %"
        rows.append([r.name, f"{m['parameters']:,}", f"{m['flops'] / 1e6:,.1f}", str(r.choices["train"]["batch"]),
                     *(milliseconds(r.time(work)) for work in WORKS), peak, f"{m['images_per_s']['mean']:,.0f}",
                     f"{m['peak_memory_bytes']['mean'] / 2**20:,.0f}"])  # fmt: skip
    heads = ["variant", "parameters", "MFLOP", "batch", "forward, ms", "forward + backward, ms", "step, ms",
             "of the device's peak", "images/s in training", "peak memory, MiB"]  # fmt: skip
    return Table(heads, rows, "Size and speed")


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
    known = [(r, r.metrics["flops"], s) for r in results.values() if r.metrics and (s := r.time("step"))]
    for a, fewer, slow in known:
        for b, more, fast in known:
            longer = slow["seconds"] / slow["batch"] / (fast["seconds"] / fast["batch"]) - 1
            apart = slow["low"] / slow["batch"] > fast["high"] / fast["batch"]
            if fewer < (1 - margin) * more and longer > margin and apart:
                found.append(f"{a.name} has {100 * (1 - fewer / more):.0f} % fewer FLOPs than {b.name}, and a step "
                             f"takes {100 * longer:.0f} % longer an image.")  # fmt: skip
    return found
