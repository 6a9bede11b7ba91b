"""Differences and verdicts in words."""

from dawn.config.task import Measure
from dawn.report.numbers import DASH, count, p_value
from dawn.studies.further import Further
from dawn.studies.verdicts import Interval, Verdict


def difference(verdict: Verdict, measure: Measure) -> str:
    """Return the difference and its interval, for a table."""
    text = f"{verdict.difference.mean:+.{measure.digits}f}"
    return text if verdict.interval is None else f"{text} ({span(verdict.interval, measure)})"


def span(interval: Interval, measure: Measure) -> str:
    """Return an interval of differences as text."""
    low, high = (f"{end:+.{measure.digits}f}" for end in interval)
    return f"{low} to {high}"


def short(verdict: Verdict) -> str:
    """Return the verdict in a few words, for a table; ``cannot tell: 26 seeds`` names those that would be needed."""
    margin = f"{verdict.margin:g}"
    match verdict.kind:
        case "better" | "worse" as kind:
            return f"{kind} by less than {margin}" if verdict.small else kind
        case "within":
            return f"within {margin}"
        case "not worse" | "not better" as kind:
            return f"{kind} by {margin}"
    if verdict.equal:
        return "equal in all seeds"
    more = _more(verdict) if verdict.last else None
    return "cannot tell" if more is None else f"cannot tell: {more} seeds"


def sentence(verdict: Verdict, measure: Measure) -> str:
    """Return the verdict in a sentence, with its evidence."""
    d, c = verdict.difference, verdict.comparison
    if verdict.equal:
        return f"{c.name} and {c.base} have the same {measure.name} in each of {count(d.n, 'seed')}."
    if d.error is None:
        why = "one seed has no spread" if d.n < 2 else "the seeds show no spread"
        mean = f"{d.mean:+.{measure.digits}f}{measure.points}"
        return f"Nothing can be said of {c.name} and {c.base} yet ({mean}), since {why}."
    margin, proof = f"{verdict.margin:g}{measure.points}", evidence(verdict, measure)
    match verdict.kind:
        case "better" | "worse" as kind:
            by = (
                f", by less than {margin}" if verdict.small else f" by {abs(d.mean):.{measure.digits}f}{measure.points}"
            )
            return f"{c.name} is {kind} than {c.base}{by} ({proof})."
        case "within":
            return f"{c.name} and {c.base} differ by less than {margin} ({proof})."
        case "not worse" | "not better" as kind:
            other = "better" if kind == "not worse" else "worse"
            return (f"{c.name} is {kind} than {c.base} by {margin} or more; whether it is {other}, "
                    f"{count(d.n, 'seed')} cannot tell ({proof}).{_advice(verdict, measure)}")  # fmt: skip
    return f"{count(d.n, 'seed')} cannot tell {c.name} from {c.base} ({proof}).{_advice(verdict, measure)}"


def single(further: Further) -> str | None:
    """Return McNemar's test of two trained networks in a sentence; None where it was not made."""
    if (pair := further.pair) is None:
        return None
    name, base = further.verdict.comparison.name, further.verdict.comparison.base
    low, high = pair.interval
    return (f"Of {pair.images:,} test images, {pair.only_other:,} are right with this seed of {name} alone and "
            f"{pair.only_base:,} with this seed of {base} alone (McNemar's exact test: p {_equals(pair.p)}; 95 % "
            f"interval {low:+.2f} to {high:+.2f} points). This is about these two networks on other images, not about "
            "other seeds.")  # fmt: skip


def in_addition(further: Further, measure: Measure) -> str | None:
    """Return the interval for other test images, and the probability of improvement, in a sentence."""
    said, c = [], further.verdict.comparison
    if further.other_images is not None:
        said.append(f"For other test images as well, the 95 % interval is {span(further.other_images, measure)}.")
    if (chance := further.improvement) is not None:
        value, low, high = (f"{100 * p:.0f}" for p in (chance.value, chance.low, chance.high))
        said.append(f"A seed of {c.name} is better than one of {c.base} with a probability of {value} % "
                    f"({low} to {high}).")  # fmt: skip
    return " ".join(said) or None


def evidence(verdict: Verdict, measure: Measure) -> str:
    """Return the difference; for each part of the statement its interval and its test by name; how they were taken."""
    d, parts = verdict.difference, [*_of_margin(verdict, measure), _of_difference(verdict, measure)]
    if verdict.kind in ("better", "worse"):
        parts.reverse()
    elif verdict.kind == "within":
        del parts[1:]
    mean = f"{d.mean:+.{measure.digits}f}{measure.points}, "
    stated = verdict.kind in ("better", "worse") and not verdict.small
    return f"{'' if stated else mean}{'; '.join(parts)}; {_test(verdict)} over {_seeds(verdict)}"


def _of_difference(verdict: Verdict, measure: Measure) -> str:
    """Return the interval and the p-value of whether there is a difference."""
    limits = verdict.interval
    interval = "no interval from so few" if limits is None else f"95 % interval {span(limits, measure)}"
    return f"{interval}, adjusted p of no difference {_equals(verdict.adjusted)}"


def _of_margin(verdict: Verdict, measure: Measure) -> list[str]:
    """Return the bounds and the p-value of a statement about the margin; empty where none is made."""
    margin, bounds = f"{verdict.margin:g}{measure.points}", verdict.bounds
    if bounds is None or not (verdict.small or verdict.kind in ("not worse", "not better")):
        return []
    if verdict.small:
        p = _equals(max(verdict.not_worse, verdict.not_better))
        return [
            f"95 % bounds, each by itself, {span(bounds, measure)}, adjusted p of a difference of {margin} or more {p}"
        ]
    low, high = (f"{end:+.{measure.digits}f}" for end in bounds)
    below = (verdict.kind == "not worse") == verdict.higher
    bound = f"95 % lower bound {low}" if below else f"95 % upper bound {high}"
    side = "worse" if verdict.kind == "not worse" else "better"
    return [f"{bound}, adjusted p of being {side} by {margin} or more {_equals(verdict.p_kind)}"]


def _test(verdict: Verdict) -> str:
    """Name the test that the difference was made by, in a word."""
    d = verdict.difference
    name = "paired" if d.paired else "Banerjee" if d.unequal else "Welch"
    return f"{name}, and Dunnett" if verdict.common else name


def _seeds(verdict: Verdict) -> str:
    counts = [len(seeds) for seeds in verdict.seeds.values()]
    if len({*counts}) == 1:
        return count(verdict.difference.n, "seed")
    return f"{' and '.join(map(str, counts))} seeds"


def _equals(p: float | None) -> str:
    text = p_value(p)
    return text if text.startswith("<") or text == DASH else f"= {text}"


def _more(verdict: Verdict) -> int | None:
    """Return the seeds that would be needed; None where as many were there, or more than anyone trains."""
    needed = verdict.needed
    return needed if needed is not None and needed > verdict.difference.n else None


def _advice(verdict: Verdict, measure: Measure) -> str:
    if not verdict.last:
        return ""
    size = f"a difference of {verdict.margin:g}{measure.points}"
    if (more := _more(verdict)) is not None:
        return f" At this spread, a study of {more:,} seeds a variant would detect {size} four times in five."
    if verdict.needed is None:
        return f" At this spread, {size} would take more than 10,000 seeds."
    return f" At this spread, studies of so many seeds detect {size} four times in five or more; this one did not."
