"""The measurement on a GPU as a page of Markdown for docs/results.md."""

import statistics
from typing import Any

from dawn.report.numbers import described
from dawn.report.numbers import fraction as share
from dawn.results.independence import sharing, without_intervals
from dawn.results.independence import starting_points as independent
from dawn.results.measures import MEASURES
from dawn.results.measures import over as over_seeds
from dawn.results.statistics import fraction, spread

TARGET = 94.0
HEAD = "| stage | experiment | n | accuracy, % | at 94 % | the clock, s | images/s | energy, J | compile, s |"


def page(report: dict[str, Any]) -> str:
    """Return the page: all results so far, and which stages did not finish."""
    stages = report["stages"]
    found = {name: stage["found"] for name, stage in stages.items() if stage.get("found")}
    lines = [*_device(report, found.get("limits")), ""]
    series = {name: found[name] for name, stage in stages.items() if stage["kind"] == "runs" and name in found}
    if series:
        lines += [HEAD, "|" + "---|" * (HEAD.count("|") - 1)]
        for name, result in series.items():
            lines += [row(name, variant, rows) for variant, rows in result["rows"].items() if rows]
        lines += ["", *(processes(name, variant, rows) for name, result in series.items()
                        for variant, rows in result["rows"].items() if rows)]  # fmt: skip
        pairs = [line for name, result in series.items() for line in paired(name, result["rows"])]
        lines += ["", *pairs, ""]
    if "profile" in found:
        lines += [*profile(found["profile"]), ""]
    lines += remarks(stages, series)
    return "\n".join(lines).rstrip() + "\n"


def remarks(stages: dict[str, Any], series: dict[str, Any]) -> list[str]:
    """Return what did not finish, and why."""
    lines = []
    for name, result in series.items():
        done = max(len(rows) for rows in result["rows"].values())
        if done < result["seeds"] and not result["faults"]:
            lines.append(f"- {name}: {done} of {result['seeds']} seeds in its time")
        lines += [f"- {name}: {variant} failed: {fault}" for variant, fault in result["faults"].items()]
    for name, stage in stages.items():
        if stage["status"] != "done":
            lines.append(f"- {name}: {stage['status']}{': ' + stage['error'][:240] if stage.get('error') else ''}")
    return lines


def _device(report: dict[str, Any], limits: dict[str, Any] | None) -> list[str]:
    tiny = "**In miniature, to test the script; no figure below means anything.** " if report["tiny"] else ""
    if limits is None:
        return [tiny + f"{', '.join(report['machine']['gpus']) or report['machine']['cpu']}"]
    return [
        f"{tiny}{limits['device']}, torch {limits['torch']}: {limits['flops'] / 1e12:,.1f} TFLOP/s in a bf16 matrix "
        f"product, {limits['bytes_per_s'] / 1e12:,.3f} TB/s in a copy; commit {report['code']['commit']}"
        + (" with changes" if report["code"]["dirty"] else "")
    ]


def row(stage: str, name: str, rows: list[dict[str, Any]]) -> str:
    """Return a row with one experiment's runs; intervals are 95 %, and none where runs share steps."""
    over = {
        "accuracy": over_seeds([r["accuracy"] for r in rows], MEASURES["accuracy"]),
        "clock": over_seeds([r["seconds"] for r in rows], MEASURES["seconds"]),
        "hits": fraction(sum(r["accuracy"] >= TARGET for r in rows), len(rows)),
    }
    if sharing(rows):
        over = without_intervals(over)
    joules, rates = ([r.get(key) for r in rows] for key in ("joules", "images_per_s"))
    energy = "" if None in joules else f"{statistics.fmean(joules):,.0f}"
    rate = "" if None in rates else f"{statistics.fmean(rates):,.0f}"
    compiled = f"{rows[0]['seconds_untimed']['compile']:.1f}" if "seconds_untimed" in rows[0] else ""
    return (
        f"| {stage} | {name} | {len(rows)} | {described(over['accuracy'])} | {share(over['hits'])} | "
        f"{described(over['clock'], 3)} | {rate} | {energy} | {compiled} |"
    )


def processes(stage: str, name: str, rows: list[dict[str, Any]]) -> str:
    """Return how independent the runs are, and the mean of each process, for an experiment in several of them."""
    by_process: dict[int, list[float]] = {}
    for r in rows:
        by_process.setdefault(r["process"], []).append(r["accuracy"])
    means = ", ".join(f"{statistics.fmean(values):.2f} ({len(values)})" for values in by_process.values())
    of_each = f"; mean accuracy, % (runs) of each process: {means}" if len(by_process) > 1 else ""
    return f"- {stage}, {name}: {independent(rows)}{of_each}"


def paired(stage: str, variants: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Compare each later experiment of a stage with the first, seed by seed: difference in points, ratio of times."""
    (base, ours), *others = variants.items()
    lines = []
    for name, theirs in others:
        both = list(zip(ours, theirs, strict=False))  # one that failed has fewer
        if both:
            points = spread([b["accuracy"] - a["accuracy"] for a, b in both], "any")
            times = [b["seconds"] / a["seconds"] for a, b in both]
            ratio = f"{statistics.median(times):.3f} ({min(times):.3f} to {max(times):.3f}, n = {len(times)})"
            lines.append(
                f"- {stage}: {name} against {base}: {described(points, 2, ' points')}, its clock times {ratio}"
            )
    return lines


def profile(found: dict[str, Any]) -> list[str]:
    """Return a step by kind of work, compared with both limits, and the kernels of the step as raced."""
    ceiling = found["ceiling"]
    lines = [
        f"A step of {found['batch']} images, {found['ms']:.3f} ms as raced ({found['busy_ms']:.3f} ms of kernels) and "
        f"{found['eager_ms']:.3f} ms not compiled. By kind of work, not compiled, against "
        f"{ceiling['flops'] / 1e12:,.1f} TFLOP/s and {ceiling['bytes_per_s'] / 1e12:,.3f} TB/s if nothing is fused:",
        "",
        "| work | ms | GFLOP | ms by arithmetic | GB | ms by memory |",
        "|---|---|---|---|---|---|",
    ]
    total = {key: sum(part[key] for part in found["work"].values()) for key in next(iter(found["work"].values()))}
    for name, part in [*found["work"].items(), ("in all", total)]:
        lines.append(
            f"| {name} | {part['ms']:.3f} | {part['gflop']:,.2f} | {part['ms_arithmetic']:.3f} | {part['gbyte']:,.3f} |"
            f" {part['ms_memory']:.3f} |"
        )
    lines += ["", "| kernel, as raced | ms | share |", "|---|---|---|"]
    for kernel in found["kernels"]:
        name = kernel["name"].replace("|", "/")
        short = name if len(name) <= 90 else name[:87] + "..."
        lines.append(f"| `{short}` | {kernel['ms']:.3f} | {100 * kernel['ms'] / found['busy_ms']:.1f} % |")
    return lines
