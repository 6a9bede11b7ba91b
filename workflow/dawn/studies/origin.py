"""What the results of a study came out of: code, packages, machines, data."""

from collections.abc import Mapping, Sequence
from typing import Any

from dawn.studies.variants import Result

Record = Mapping[str, Any]


def origin(results: Mapping[str, Result]) -> dict[str, Any]:
    """The provenance of each variant, and the devices that its seeds were trained on."""
    return {
        slug: {"trained_on": sorted({t["device"] for t in r.trainings.values()}), **(r.provenance or {})}
        for slug, r in results.items()
    }


def lines(results: Mapping[str, Result]) -> list[str]:
    """The same for people; what differs between variants is listed value by value."""
    records = [r.provenance for r in results.values() if r.provenance]
    devices = sorted({t["device"] for r in results.values() for t in r.trainings.values()})
    found = [f"trained on: {', '.join(devices)}"] if devices else []
    for name, value in (
        ("code", _code), ("torch", lambda r: str(r["packages"].get("torch", "unknown"))),
        ("Python", lambda r: str(r["python"])), ("machine", _machine),
        ("data", lambda r: f"sha256 {r['data'].get('sha256') or 'unknown'}"),
    ):  # fmt: skip
        values = _different(records, value)
        found += [f"{name}: {'; '.join(values)}"] if values else []
    return found


def warnings(results: Mapping[str, Result]) -> list[str]:
    """What makes a comparison unfair: variants that were trained by different code or timed on different devices."""
    records = [r.provenance for r in results.values() if r.provenance]
    found = [f"The variants were not trained by the same {name}: {'; '.join(values)}."
             for name, value in (("code", _code), ("torch", lambda r: str(r["packages"].get("torch"))))
             if len(values := _different(records, value)) > 1]  # fmt: skip
    for what, devices in (
        ("trained", {t["device"] for r in results.values() for t in r.trainings.values()}),
        ("timed", {r.timing["device"] for r in results.values() if r.timing}),
    ):
        if len(devices) > 1:
            found.append(f"The variants were {what} on different devices, so their times do not compare: "
                         f"{', '.join(sorted(devices))}.")  # fmt: skip
    return found


def _different(records: Sequence[Record], value: Any) -> list[str]:
    return list(dict.fromkeys(value(record) for record in records))


def _code(record: Record) -> str:
    code = record["code"]
    if code["commit"] is None:
        return "not in a git repository"
    return f"{code['commit']}{' with uncommitted changes' if code['dirty'] else ''}"


def _machine(record: Record) -> str:
    machine = record["machine"]
    return "; ".join([f"{machine['cpu']}, {machine['cores']} cores", *machine["gpus"]])
