"""Where a result came from, as parts of a page: the time by phase, the machine, code and data."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dawn.report.page import Block, Bullets, Heading, Paragraph, Table
from dawn.results.independence import described, suspicious
from dawn.results.phases import PHASES, TIMED


def times(trainings: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Seconds of a training by phase, over the seeds; ``trainings`` are their metrics.json."""
    rows = []
    measured = [{**training["seconds_by_phase"], **training["seconds_untimed"]} for training in trainings]
    for phase, text in PHASES.items():
        seconds = [by_phase[phase] for by_phase in measured if phase in by_phase]
        if not any(value >= 0.05 for value in seconds):
            continue  # rounds to nothing
        span = f"{min(seconds):,.1f} to {max(seconds):,.1f}" if len(seconds) > 1 else ""
        timed = "timed" if phase in TIMED else "not timed"
        rows.append((phase, text, timed, f"{statistics.fmean(seconds):,.1f}", span))
    return [Heading("Seconds of a training"), Table(("phase", "what is done", "clock", "mean", "range"), rows)]


def equal_seeds(seeds: Sequence[Path]) -> list[Block]:
    """A paragraph where seeds, given by their directories, have equal losses; independent trainings do not."""
    curves = {int(path.name.removeprefix("seed-")): (path / "curve.tsv").read_text(encoding="utf-8") for path in seeds}
    return [Paragraph(text, bold=True) for text in suspicious(curves)]


def differing(provenance: Mapping[str, Any]) -> dict[str, str]:
    """In what the machines and packages of the seeds differ, with the values of each: at most five lines."""
    parts = provenance.get("differences", {})
    lines = {
        name: "; ".join(f"{value} (seed {', '.join(map(str, seeds))})" for value, seeds in values.items())
        for name, values in list(parts.items())[:5]
    }
    return lines | ({"more": f"{len(parts) - 5} parts, see provenance.json"} if len(parts) > 5 else {})


def high_losses(trainings: Sequence[Mapping[str, Any]]) -> list[Block]:
    """A paragraph where the loss of a training was far too high after its first tenth; others have no mark."""
    marked = {training["seed"]: training["high_loss"] for training in trainings if training.get("high_loss")}
    if not marked:
        return []
    first, *others = (
        f"seed {seed} had a mean loss of {mark['loss']:.4g} in epoch {mark['epoch']:g}" for seed, mark in marked.items()
    )
    mark = next(iter(marked.values()))
    text = "; ".join([f"Diverged: {first}", *others])
    return [Paragraph(f"{text}. A constant output has {mark['constant_output']:.3g}; {mark['remedy']}.", bold=True)]


def origin(provenance: Mapping[str, Any], trainings: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The machine, and what the numbers came out of: provenance.json, and metrics.json of each training."""
    training = trainings[0]
    machine, code, data = provenance["machine"], provenance["code"], provenance["data"]
    gpus, torch = "; ".join(machine["gpus"]) or "none", provenance["packages"].get("torch", "unknown")
    where = [
        f"trained on: {training['processes']} x {training['device']}, {training['precision']}",
        f"CPU: {machine['cpu']}, {machine['cores']} cores; GPU: {gpus}",
        f"{machine['system']}; Python {provenance['python']}, torch {torch}",
        f"container: {machine['image'] or 'none'}",
        *(f"the seeds differ in {name}: {values}" for name, values in differing(provenance).items()),
    ]
    commit = "not in a git repository" if code["commit"] is None else code["commit"]
    made = [
        f"code: {commit}{', with uncommitted changes' if code['dirty'] else ''}",
        *(f"{name}: sha256 {digest[:16]}" for name, digest in code["locks"].items()),
        f"data: sha256 {data.get('sha256') or 'unknown'}",
        described(trainings),
        f"written {provenance['written']}",
    ]
    return [Heading("Machine"), Bullets(where), Heading("Provenance"), Bullets(made)]
