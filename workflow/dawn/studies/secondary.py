"""The tables of what a study measured and does not decide by."""

from collections.abc import Mapping, Sequence

from dawn.config.task import Measure
from dawn.report.numbers import DASH, interval
from dawn.report.page import Table
from dawn.studies.comparisons import contrast, reach
from dawn.studies.further import Further
from dawn.studies.improvement import Probability
from dawn.studies.measures import MEASURES
from dawn.studies.sentences import difference, span
from dawn.studies.tables import Results
from dawn.studies.verdicts import Verdict


def further(found: Sequence[Further], measure: Measure) -> Table | None:
    """What else is known of each comparison: other test images, the chance of improvement."""
    if all(f.other_images is None and f.improvement is None for f in found):
        return None
    rows = [
        [f.verdict.comparison.name, f.verdict.comparison.base, difference(f.verdict, measure),
         DASH if f.other_images is None else span(f.other_images, measure), _chance(f.improvement)]
        for f in found
    ]  # fmt: skip
    size = f"difference,{measure.points or ' ' + measure.name}"
    heads = ["variant", "against", size, "for other test images as well", "a seed is better, %"]
    kept = [i for i in range(len(heads)) if i != 3 or any(f.other_images for f in found)]
    return Table([heads[i] for i in kept], [[row[i] for i in kept] for row in rows], "Other images and single seeds")


def _chance(found: Probability | None) -> str:
    if found is None:
        return DASH
    return f"{100 * found.value:.0f} ({100 * found.low:.0f} to {100 * found.high:.0f})"


def others(results: Results, measure: Measure) -> Table:
    """The other measures of each variant, as far as they were measured: means and intervals over the seeds."""
    shown = other_measures(results, measure)
    rows = []
    for r in results.values():
        rows.append([r.name, *(interval(r.summary(m), m.digits) for m in shown)])
    heads = [f"{m.title} {'↑' if m.higher else '↓'}" for m in shown]
    return Table(["variant", *heads], rows, "Other measures (↑ higher is better, ↓ lower)")


def other_differences(verdicts: Sequence[Verdict], results: Results, measure: Measure) -> Table:
    """Each comparison in the other measures, with the 95 % interval of that difference alone."""
    shown = other_measures(results, measure)
    rows = []
    for v in verdicts:
        cells = []
        for m in shown:
            values = {name: results[name].values(m.key) for name in v.comparison.weights}
            cells.append(_difference(values, v, m) if all(values.values()) else DASH)
        rows.append([v.comparison.name, v.comparison.base, *cells])
    heads = [f"{m.title} {'↑' if m.higher else '↓'}" for m in shown]
    return Table(["variant", "against", *heads], rows, "Differences in other measures, not corrected, without verdicts")


def _difference(values: Mapping[str, Mapping[int, float]], verdict: Verdict, measure: Measure) -> str:
    used = {name: {place: values[name][seed] for place, seed in enumerate(seeds) if seed in values[name]}
            for name, seeds in verdict.seeds.items()}  # fmt: skip
    if not all(used.values()):
        return DASH
    found = contrast(used, verdict.comparison.weights, verdict.difference.paired)
    text, limits = (
        f"{found.mean:+.{measure.digits}f}",
        found.interval(reach=reach(verdict.comparison.weights, measure.scale)),
    )
    return text if limits is None else f"{text} ({span(limits, measure)})"


def contradictions(verdicts: Sequence[Verdict], results: Results, measure: Measure) -> list[str]:
    """The verdicts by KID-judge that the means in another feature space point against."""
    found = []
    for v in verdicts if measure.key == "kid" else ():
        for other in (MEASURES["kid_middle"], MEASURES["kid_random"]):
            values = {name: results[name].values(other.key) for name in v.comparison.weights}
            if v.kind not in ("better", "worse") or not all(values.values()):
                continue
            mean = contrast(values, v.comparison.weights, False).mean
            if mean * v.difference.mean < 0:
                found.append(f"{v.comparison.name} against {v.comparison.base}: the {other.name}, points the other way "
                             f"({mean:+.{other.digits}f}). Do not conclude from one feature space.")  # fmt: skip
    return found


def other_measures(results: Results, measure: Measure) -> list[Measure]:
    """The measures but the deciding one that some result has, and in which networks can differ on these data."""
    counts = [len(e["classes"]) for r in results.values() for e in r.evaluations.values() if "classes" in e]
    classes = max(counts, default=None)
    others = (m for m in MEASURES.values() if m.key != measure.key and m.informative(classes))
    return [m for m in others if any(r.values(m.key) for r in results.values())]
