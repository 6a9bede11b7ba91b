"""The table of a study: all of it a row a variant for machines, and in three parts for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dawn.studies.gather import Result
from dawn.studies.statistics import Judged
from dawn.studies.words import DASH, interval, milliseconds, p_value, short, signed

WORKS = ("forward", "forward_backward", "step")


@dataclass(frozen=True)
class Part:
    """A table to be read: its title, the heads of its columns, its rows."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The part in Markdown; numbers to the right."""
        lines = [self.heads, ["---", *["---:"] * (len(self.heads) - 1)], *self.rows]
        return f"**{self.title}**\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def flat(result: Result, judged: Judged | None) -> dict[str, Any]:
    """A variant in one row. Accuracies and shares in percent, times in seconds; None where there is nothing."""
    m, target = result.metrics, result.metrics["target"]
    row: dict[str, Any] = {"variant": result.name, "seeds": m["seeds"]}
    row |= _spread("accuracy", m["accuracy"], std=True)
    row |= {"target": target["accuracy"], "target_share": target["share"], "target_share_low": target["low"],
            "target_share_high": target["high"], "seeds_to_target": target["seeds_in_training"]}  # fmt: skip
    row |= _spread("epochs_to_target", target["epochs"]) | _spread("seconds_to_target", target["seconds"])
    dollars = {"dollars_to_target": target["dollars"], "training_dollars": m["dollars"]}
    row |= {name: value["mean"] if value else None for name, value in dollars.items()}
    row |= {"parameters": m["parameters"], "flops": m["flops"], "batch": result.choices["train"]["batch"]}
    for work in WORKS:
        time = result.time(work) or dict.fromkeys(("seconds", "low", "high", "share_of_peak"))
        row |= {f"{work}_{name}": time[name] for name in ("seconds", "low", "high", "share_of_peak")}
    row |= _spread("images_per_s", m["images_per_s"]) | _spread("training_seconds", m["seconds"])
    row |= {"peak_memory_bytes": m["peak_memory_bytes"]["mean"]}
    d = judged.difference if judged else None
    row |= {f"difference{end}": getattr(d, name, None) for end, name in
            (("", "mean"), ("_low", "low"), ("_high", "high"), ("_paired", "paired"))}  # fmt: skip
    row |= {"p": d.p if d else None, "p_holm": judged.p if judged else None}
    return row | {"verdict": judged.verdict if judged else "base", "seeds_needed": judged.needed if judged else None}


def _spread(name: str, value: dict[str, Any] | None, std: bool = False) -> dict[str, Any]:
    ends = ("mean", "low", "high", *(("std",) if std else ()))
    return {f"{name}_{end}": value[end] if value else None for end in ends}


def parts(results: Mapping[str, Result], judged: Mapping[str, Judged]) -> list[Part]:
    """The table in three parts: what came out, what it took to the target, what the network costs."""
    return [accuracy(results, judged), arrival(results), price(results)]


def accuracy(results: Mapping[str, Result], judged: Mapping[str, Judged]) -> Part:
    """Accuracy and difference to the base."""
    rows = []
    for key, r in results.items():
        a = r.metrics["accuracy"]
        std = DASH if a["std"] is None else f"{a['std']:.2f}"
        against = (
            [signed(judged[key]), p_value(judged[key].p), short(judged[key])]
            if key in judged
            else ["base", *[DASH] * 2]
        )
        rows.append([r.name, str(len(r.accuracy)), interval(a), std, *against])
    heads = ["variant", "seeds", "accuracy, %", "std", "difference to the base", "p (Holm)", "verdict"]
    return Part("Accuracy", heads, rows)


def arrival(results: Mapping[str, Result]) -> Part:
    """The target: who reaches it, and when."""
    rows = []
    for r in results.values():
        t = r.metrics["target"]
        share = f"{t['share']:.0f} % ({t['low']:.0f} to {t['high']:.0f})"
        rows.append([r.name, share, f"{t['seeds_in_training']} of {r.metrics['seeds']}", interval(t["epochs"], 1),
                     interval(t["seconds"], 1), interval(t["dollars"], 4),
                     interval(r.metrics["seconds"], 1)])  # fmt: skip
    target = next(iter(results.values())).metrics["target"]["accuracy"]
    heads = ["variant", "share of seeds at it", "reached in training", "epochs to it", "seconds to it",
             "dollars to it", "seconds of training"]  # fmt: skip
    return Part(f"Target of {target:g} %", heads, rows)


def price(results: Mapping[str, Result]) -> Part:
    """Size and measured speed of each network."""
    rows = []
    for r in results.values():
        m, step = r.metrics, r.time("step")
        peak = DASH if step is None else f"{100 * step['share_of_peak']:.0f} %"
        rows.append([r.name, f"{m['parameters']:,}", f"{m['flops'] / 1e6:,.1f}", str(r.choices["train"]["batch"]),
                     *(milliseconds(r.time(work)) for work in WORKS), peak, f"{m['images_per_s']['mean']:,.0f}",
                     f"{m['peak_memory_bytes']['mean'] / 2**20:,.0f}"])  # fmt: skip
    heads = ["variant", "parameters", "MFLOP", "batch", "forward, ms", "forward + backward, ms", "step, ms",
             "of the device's peak", "images/s in training", "peak memory, MiB"]  # fmt: skip
    return Part("Size and speed", heads, rows)


def disagreements(results: Mapping[str, Result], margin: float = 0.05) -> list[str]:
    """Pairs of which one has fewer FLOPs an image and yet takes longer for it in a training step.

    Both by the margin, and the quartiles of the times apart.
    """
    found = []
    known = [(r, r.metrics["flops"], s) for r in results.values() if (s := r.time("step"))]
    for a, fewer, slow in known:
        for b, more, fast in known:
            longer = slow["seconds"] / slow["batch"] / (fast["seconds"] / fast["batch"]) - 1
            apart = slow["low"] / slow["batch"] > fast["high"] / fast["batch"]
            if fewer < (1 - margin) * more and longer > margin and apart:
                found.append(f"{a.name} has {100 * (1 - fewer / more):.0f} % fewer FLOPs than {b.name}, and a step "
                             f"takes {100 * longer:.0f} % longer an image.")  # fmt: skip
    return found
