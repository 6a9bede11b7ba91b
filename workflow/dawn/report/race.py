"""The heats of a race gathered: means with their intervals, the clock by phase, what stands beside it, the energy."""

import importlib.metadata
import statistics
from collections.abc import Sequence
from typing import Any

from dawn.report.numbers import described
from dawn.results.phases import PHASES
from dawn.results.statistics import Scale, fraction, spread


def tally(rows: Sequence[dict[str, Any]], target: float) -> dict[str, Any]:
    """The race over its heats, each a row of dawn.race's; times in seconds, shares in percent."""
    first, phases = rows[0], list(dict.fromkeys(phase for row in rows for phase in row["seconds_by_phase"]))
    beside = {name: [row["seconds_untimed"][name] for row in rows] for name in first["seconds_untimed"]}
    arrivals = [row["arrived"] for row in rows if row["arrived"] is not None]
    used = [row["joules"] for row in rows]
    return {
        "seeds": len(rows),
        "accuracy": _spread([row["accuracy"] for row in rows], "percent"),
        "target": {"accuracy": target, **fraction(sum(row["accuracy"] >= target for row in rows), len(rows))},
        "clock": _spread([row["seconds"] for row in rows], "positive"),
        "phases": {
            phase: _spread([row["seconds_by_phase"].get(phase, 0.0) for row in rows], "positive") for phase in phases
        },
        "beside": {
            name: {"first": v[0], "rest": statistics.fmean(v[1:]) if v[1:] else None, "total": sum(v)}
            for name, v in beside.items()
        },
        "arrived": {"seeds": len(arrivals), "seconds": spread(arrivals, "positive") if arrivals else None},
        "images_per_s": _spread([row["images_per_s"] for row in rows], "positive"),
        "joules": None if None in used else _spread(used, "positive"),
        "resumed": sum(row["resumed"] > 0 for row in rows),
        "torch": importlib.metadata.version("torch"),
        **{name: first[name] for name in ("energy_source", "parameters", "precision", "device", "processes")},
        "heats": list(rows),
    }


def _spread(values: list[float], scale: Scale) -> dict[str, float | None]:
    return spread(values, scale) | {"least": min(values), "most": max(values)}


def line(row: dict[str, Any]) -> str:
    """One heat on one line."""
    parts = ", ".join(f"{phase} {seconds:.3f}" for phase, seconds in row["seconds_by_phase"].items())
    beside = sum(row["seconds_untimed"].values())
    used = "" if row["joules"] is None else f"  {row['joules']:,.0f} J"
    return (
        f"seed {row['seed']}  {row['accuracy']:.2f} %  {row['seconds']:.3f} s on the clock ({parts})"
        f"  {beside:.1f} s beside it{used}"
    )


def page(found: dict[str, Any]) -> str:
    """The race as a page of Markdown."""
    n, device = found["seeds"], found["device"].replace("cpu", "CPU")
    lines = [
        f"**{described(found['accuracy'], 2, ' %')}** after **{described(found['clock'], 3, ' s')}** on the clock, "
        f"{n} seed{'s' * (n > 1)}, {found['processes']} x {device}, {found['precision']}, torch {found['torch']}",
        "",
        "| | mean | std | 95 % interval | least | most |",
        "|---|---|---|---|---|---|",
        _row("accuracy, %", found["accuracy"], 2),
        _row("the clock, s", found["clock"], 3),
        *[_row(f"- {PHASES[phase]}, s", value, 3) for phase, value in found["phases"].items()],
        _row("training images/s", found["images_per_s"], 0),
        *([_row("energy of the clock, J", found["joules"], 0)] if found["joules"] else []),
        "",
        *_remarks(found),
        "",
        "| beside the clock, s | first seed | mean of the others | in all |",
        "|---|---|---|---|",
    ]
    for name, value in found["beside"].items():
        rest = "" if value["rest"] is None else f"{value['rest']:.3f}"
        lines.append(f"| {name} | {value['first']:.3f} | {rest} | {value['total']:.3f} |")
    return "\n".join([*lines, ""])


def _row(name: str, value: dict[str, float | None], digits: int) -> str:
    low, high, std = value["low"], value["high"], value["std"]
    ends = "" if low is None else f"{low:,.{digits}f} to {high:,.{digits}f}"
    about = "" if std is None else f"{std:,.{digits}f}"
    least, most = f"{value['least']:,.{digits}f}", f"{value['most']:,.{digits}f}"
    return f"| {name} | {value['mean']:,.{digits}f} | {about} | {ends} | {least} | {most} |"


def _remarks(found: dict[str, Any]) -> list[str]:
    n, target, arrived = found["seeds"], found["target"], found["arrived"]
    goal = f"{target['accuracy']:g} %"
    times = (
        f"{described(arrived['seconds'], 3, ' s')}, {arrived['seeds']} of {n} seeds" if arrived["seconds"] else "never"
    )
    remarks = [
        f"- at or above {goal}: {target['share']:.0f} % of the seeds (95 % interval {target['low']:.0f} to "
        f"{target['high']:.0f})",
        f"- first monitored at {goal}: {times}",
        f"- energy: {_energy(found)}",
    ]
    return remarks + [f"- interrupted and continued: {found['resumed']} of {n} seeds"] * bool(found["resumed"])


def _energy(found: dict[str, Any]) -> str:
    of = {"nvml": "of the GPUs alone, by their own counter", "rapl": "of the machine's CPU packages and memory (RAPL)"}
    return "not told by this device" if found["joules"] is None else of[found["energy_source"]]
