"""The tables of a study as programs read them: a row a variant, a comparison, a seed. None where there is no number."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dawn.core.files import write_table
from dawn.results.curve import at_target, read_curve
from dawn.results.statistics import spread
from dawn.studies.measures import Measure
from dawn.studies.sentences import short
from dawn.studies.tables import WORKS, Results
from dawn.studies.variants import Result
from dawn.studies.verdicts import Verdict

Row = dict[str, Any]


def variants(results: Results, measure: Measure, verdicts: Sequence[Verdict]) -> list[Row]:
    """A row for each variant, with its comparison where it has exactly one."""
    own = {r.name: [v for v in verdicts if v.comparison.name == r.name] for r in results.values()}
    return [_variant(r, measure, own[r.name][0] if len(own[r.name]) == 1 else None) for r in results.values()]


def _variant(result: Result, measure: Measure, verdict: Verdict | None) -> Row:
    """Accuracies and fractions in percent, times in seconds."""
    row: Row = {"variant": result.name, "seeds": len(result.evaluations)}
    values = list(result.values(measure.key).values())
    row |= _spread(measure.key, spread(values, measure.scale) if values else None, std=True)
    row |= _metrics(result.metrics)
    row |= {"batch": result.choices["train"]["batch"]}
    for work in WORKS:
        time = result.time(work) or {}
        row |= {f"{work}_{name}": time.get(name) for name in ("seconds", "low", "high", "share_of_peak")}
    return row | _verdict(verdict)


def _metrics(metrics: Mapping[str, Any] | None) -> Row:
    m = metrics or {}
    t = m.get("target", {})
    row = {"target": t.get("accuracy"), "target_share": t.get("share"), "target_share_low": t.get("low"),
           "target_share_high": t.get("high"), "seeds_to_target": t.get("seeds_in_training")}  # fmt: skip
    for name in ("epochs", "seconds", "expected_seconds"):
        row |= _spread(f"{name}_to_target", t.get(name))
    row |= {"dollars_to_target": (t.get("dollars") or {}).get("mean")}
    row |= {"training_dollars": (m.get("dollars") or {}).get("mean")}
    row |= {name: m.get(name) for name in ("parameters", "flops")}
    row |= _spread("images_per_s", m.get("images_per_s")) | _spread("training_seconds", m.get("seconds"))
    return row | {"peak_memory_bytes": m.get("peak_memory_bytes", {}).get("mean")}


def _spread(name: str, value: Mapping[str, Any] | None, std: bool = False) -> Row:
    ends = ("mean", "low", "high", *(("std",) if std else ()))
    return {f"{name}_{end}": value[end] if value else None for end in ends}


def _verdict(verdict: Verdict | None) -> Row:
    names = ("difference", "difference_low", "difference_high", "simultaneous_low", "simultaneous_high", "paired",
             "p", "p_adjusted", "p_not_worse", "p_not_better", "analysis", "seeds_needed", "verdict")  # fmt: skip
    if verdict is None:
        return dict.fromkeys(names)
    d, none = verdict.difference, (None, None)
    values = (d.mean, *(verdict.interval or none), *(verdict.simultaneous or none), d.paired, verdict.p,
              verdict.adjusted, verdict.not_worse, verdict.not_better, verdict.analysis + 1, verdict.needed,
              short(verdict))  # fmt: skip
    return dict(zip(names, values, strict=True))


def comparison(verdict: Verdict) -> Row:
    """A comparison with its verdict."""
    c = verdict.comparison
    return {"variant": c.name, "against": c.base, "seeds": verdict.difference.n} | _verdict(verdict)


def seeds(results: Results, study: Path) -> list[Row]:
    """A row for each seed of each variant."""
    found = []
    for slug, result in results.items():
        target = result.choices["evaluate"]["target"]
        for seed, e in result.evaluations.items():
            row = at_target(read_curve(study / slug / f"seed-{seed}" / "curve.tsv"), target)
            t = result.trainings[seed]
            found.append({
                "variant": result.name, "seed": seed, **{name: e[name] for name in ("accuracy", "top5", "loss")},
                "calibration_error": e["calibration_error"], "train_loss": t["train_loss"],
                "seconds": t["seconds"], "seconds_untimed": sum(t["seconds_untimed"].values()),
                "seconds_to_target": row and row.seconds, "epochs_to_target": row and row.epoch,
                "images_per_s": t["images_per_s"], "peak_memory_bytes": t["peak_memory_bytes"],
                "device": t["device"],
            })  # fmt: skip
    return found


def write(path: Path, rows: Sequence[Row]) -> None:
    """Rows as CSV; text in quotes."""
    cells = [[f'"{v}"' if isinstance(v, str) else v for v in row.values()] for row in rows]
    write_table(path, list(rows[0]), cells, separator=",")
