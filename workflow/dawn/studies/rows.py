"""The tables of a study as programs read them: a row a variant, a comparison, a seed. None where there is no number."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dawn.config.task import Measure
from dawn.core.cli import InputError
from dawn.core.files import write_table
from dawn.results import measurement
from dawn.results.curve import at_target, read_columns
from dawn.results.measures import DECIDING
from dawn.studies.from_curves import KEYS
from dawn.studies.further import Further
from dawn.studies.sentences import short
from dawn.studies.tables import WORKS, Results, other_measures
from dawn.studies.variants import Result
from dawn.studies.verdicts import Verdict

Row = dict[str, Any]
OF_GANS = tuple(f"{network}_{size}" for network in ("generator", "critic") for size in ("parameters", "flops"))


def variants(results: Results, measure: Measure, verdicts: Sequence[Verdict]) -> list[Row]:
    """Return a row for each variant, with its comparison where it has exactly one."""
    rows = []
    for result in results.values():
        compared = [v for v in verdicts if v.comparison.name == result.name]
        rows.append(_variant(result, measure, compared[0] if len(compared) == 1 else None))
    return _alike(rows, empty=all(r.has_predictions for r in results.values()))


def _alike(rows: Sequence[Row], empty: bool) -> list[Row]:
    """Return the rows with the columns of all; those that are empty in all rows only on demand."""
    names = dict.fromkeys(name for row in rows for name in row)
    kept = [name for name in names if empty or any(row.get(name) is not None for row in rows)]
    return [{name: row.get(name) for name in kept} for row in rows]


def _variant(result: Result, measure: Measure, verdict: Verdict | None) -> Row:
    """Return accuracies and fractions in percent, times in seconds."""
    row: Row = {"variant": result.name, "seeds": len(result.evaluations)}
    row |= _spread(measure.key, result.summary(measure), std=True)
    for other in () if result.has_predictions else other_measures({"": result}, measure):
        row |= _spread(other.key, result.summary(other))
    row |= _metrics(result.metrics or {})
    row |= {"batch": result.batch}
    for work in WORKS:
        time = result.time(work) or {}
        row |= {f"{work}_{name}": time.get(name) for name in ("seconds", "low", "high", "share_of_peak")}
    return row | _verdict(verdict)


def _metrics(m: Mapping[str, Any]) -> Row:
    t = m.get("target") or {}
    row = {"target": t.get("accuracy"), "target_share": t.get("share"), "target_share_low": t.get("low"),
           "target_share_high": t.get("high"), "seeds_to_target": t.get("seeds_in_training")}  # fmt: skip
    for name in ("epochs", "seconds", "expected_seconds"):
        row |= _spread(f"{name}_to_target", t.get(name))
    row |= {"dollars_to_target": (t.get("dollars") or {}).get("mean")}
    row |= {"training_dollars": (m.get("dollars") or {}).get("mean")}
    row |= {name: m.get(name) for name in ("parameters", "flops", *OF_GANS) if name not in OF_GANS or name in m}
    row |= _spread("images_per_s", m.get("images_per_s")) | _spread("training_seconds", m.get("seconds"))
    return row | {"peak_memory_bytes": m.get("peak_memory_bytes", {}).get("mean")}


def _spread(name: str, value: Mapping[str, Any] | None, std: bool = False) -> Row:
    ends = ("mean", "low", "high", *(("std",) if std else ()))
    return {f"{name}_{end}": value[end] if value else None for end in ends}


def _verdict(v: Verdict | None) -> Row:
    """Return the numbers of a verdict; the same columns without one."""
    return {
        "difference": v and v.difference.mean,
        **_ends("difference", v and v.interval),
        **_ends("simultaneous", v and v.simultaneous),
        **_ends("bound", v and v.bounds),
        "paired": v and v.difference.paired,
        "p": v and v.p,
        "p_adjusted": v and v.adjusted,
        "p_not_worse": v and v.not_worse,
        "p_not_better": v and v.not_better,
        "analysis": v and v.analysis + 1,
        "seeds_needed": v and v.needed,
        "verdict": v and short(v),
    }


def _ends(name: str, interval: Any) -> Row:
    return dict(zip((f"{name}_low", f"{name}_high"), interval or (None, None), strict=True))


def comparison(further: Further) -> Row:
    """Return a comparison with its verdict and what else is known of it."""
    c, chance, pair = further.verdict.comparison, further.improvement, further.pair
    return {
        "variant": c.name,
        "against": c.base,
        "seeds": further.verdict.difference.n,
        **_verdict(further.verdict),
        **_ends("other_images", further.other_images),
        "improvement": chance and chance.value,
        **_ends("improvement", chance and (chance.low, chance.high)),
        "mcnemar_p": pair and pair.p,
    }


def seeds(results: Results, study: Path) -> list[Row]:
    """Return a row for each seed of each variant."""
    rows = []
    for slug, result in results.items():
        for seed in result.evaluations:
            measured = {key: result.values(key).get(seed) for key in (*DECIDING, *KEYS)}
            row: Row = {"variant": result.name, "seed": seed}
            row |= {key: number for key, number in measured.items() if number is not None}
            row |= _training(result.trainings[seed])
            if target := result.choices.get("evaluate", {}).get("target"):
                reached = at_target(read_columns(study / slug / f"seed-{seed}" / "curve.tsv"), target) or {}
                row |= {"seconds_to_target": reached.get("seconds"), "epochs_to_target": reached.get("epoch")}
            rows.append(row)
    return _alike(rows, empty=True)


def _training(training: Mapping[str, Any]) -> Row:
    """Return what metrics.json holds of a training, as far as its task has it."""
    names = ("train_loss", "seconds", "images_per_s", "peak_memory_bytes", "device")
    untimed = sum(training.get("seconds_untimed", {}).values())
    return {name: training[name] for name in names if name in training} | {"seconds_untimed": untimed}


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as CSV."""
    write_table(path, list(rows[0]), [list(row.values()) for row in rows], separator=",")


def save_measurement(path: Path | None, what: str, results: Results, folder: Path) -> None:
    """Write a measurement of finished trainings, which are in directories of ``folder``; nothing without a path.

    A row has the numbers of a training, and all measures of its evaluation.
    """
    if path is None:
        return
    trainings = [(result, seed) for result in results.values() for seed in result.evaluations]
    measured = []
    for row, (result, seed) in zip(seeds(results, folder), trainings, strict=True):
        training, entries = result.trainings[seed], result.evaluations[seed].get("measures", {})
        # The measures of a GAN or CycleGAN; a classifier's are in the row of the study.
        values = {name: entry["value"] if isinstance(entry, Mapping) else entry for name, entry in entries.items()}
        measured.append(measurement.training(training, result.name, training | values | row))
    measurement.save(path, what, measured, _provenance(results))


def _provenance(results: Results) -> dict[str, Any]:
    """Return the provenance of the results; an InputError where they were not made by one code on one machine."""
    records = [(result.name, result.provenance) for result in results.values()]
    (base, first), *_ = records
    for name, record in records:
        if record is None or first is None or "command" not in record:
            raise InputError(f"{name or 'the run'} has no provenance.json that names its command; run snakemake again")
        if other := [part for part in ("code", "python", "machine", "packages") if record[part] != first[part]]:
            raise InputError(f"{base} and {name} were not run with the same {', '.join(other)}, of which a measurement "
                             "has one; run the older one again, or measure each variant by itself")  # fmt: skip
    return max((record for _, record in records if record), key=lambda record: record["written"])
