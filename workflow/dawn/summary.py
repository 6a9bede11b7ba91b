"""One page about a finished run: its claim, its experiment, its times, its machine, and what it came out of.

    python -m dawn.summary --params results/params.yaml --metrics results/metrics.json
        --provenance results/provenance.json --root . --out results/summary.md results/seed-0 results/seed-1 ...

Writes Markdown, and the same as HTML beside it. The experiment is told by its distance to what is known: params.yaml as
committed, and each preset laid over it.
"""

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dawn.config.experiment import CHOICES, Experiment, check, flat, load, merge, read
from dawn.core import cli
from dawn.core.files import read_json, write_text
from dawn.core.host import answer
from dawn.report.numbers import count, interval
from dawn.report.page import Block, Bullets, Heading, Table, markdown, web

PHASES = {
    "load": "the arrays onto the device",
    "build": "the network",
    "compile": "torch.compile",
    "whiten": "of the first layer, on the clock",
    "train": "the clock: steps and augmentation",
    "evaluate": "the final look at the test split, on the clock",
    "monitor": "looks at the test or held-out split",
    "save": "states to resume from",
}


def claim(metrics: Mapping[str, Any]) -> str:
    """The result in one line."""
    return f"{_spelled(metrics['accuracy'])} test accuracy over {count(metrics['seeds'], 'seed')}"


def _spelled(accuracy: Mapping[str, Any]) -> str:
    text = f"{accuracy['mean']:.2f} %"
    if accuracy["low"] is None:
        return text
    return f"{text} (95 % interval {accuracy['low']:.2f} to {accuracy['high']:.2f}, std {accuracy['std']:.2f})"


def result(metrics: Mapping[str, Any]) -> list[Block]:
    """The claim's particulars."""
    target, dollars = metrics["target"], metrics["dollars"]
    when = interval(target["seconds"], 1, " s") if target["seconds"] else "not reached in training"
    items = [
        f"at or above {target['accuracy']:g} %: {target['share']:.0f} % of the seeds "
        f"(95 % interval {target['low']:.0f} to {target['high']:.0f}); time to target: {when}",
        f"training: {interval(metrics['seconds'], 1, ' s')} at {metrics['images_per_s']['mean']:,.0f} images/s",
        f"test loss {interval(metrics['loss'], 4)}; calibration error {metrics['calibration_error']['mean']:.4f}",
        f"network: {metrics['parameters']:,} parameters, {metrics['flops'] / 1e6:,.1f} MFLOP an image",
        *([f"price: {interval(dollars, 4, ' dollars')}"] if dollars else []),
    ]
    return [Heading("Result"), Bullets(items)]


def differences(known: Experiment, here: Experiment) -> list[tuple[str, Any, Any]]:
    """Key, value there and value here of every choice in which two experiments differ."""
    there, own = (flat(e.model_dump(mode="json", include=set(CHOICES))) for e in (known, here))
    keys = [*own, *(key for key in there if key not in own)]
    return [(key, there.get(key), own.get(key)) for key in keys if there.get(key) != own.get(key)]


def known(root: Path) -> dict[str, Experiment]:
    """The experiments of a checkout by name: params.yaml as git has it, or as it is, and the presets over it."""
    committed = answer("git", "show", "HEAD:./params.yaml", at=root)
    base = yaml.safe_load(committed) if committed else read(root / "params.yaml")
    name = f"params.yaml at {answer('git', 'rev-parse', '--short', 'HEAD', at=root)}" if committed else "params.yaml"
    presets = {f"the preset {path.stem}": read(path) for path in sorted((root / "workflow/presets").glob("*.yaml"))}
    found = {}
    for label, over in {name: {}, **presets}.items():
        try:
            found[label] = check(merge(base, over))
        except cli.InputError:  # an edit to params.yaml may leave no room for a preset
            continue
    return found


def experiment(here: Experiment, root: Path) -> list[Block]:
    """How the experiment differs from the nearest of the known ones."""
    compared = {name: differences(other, here) for name, other in known(root).items()}
    if not compared:
        return [Heading("Experiment"), Bullets(["nothing to compare it with: params.yaml is not valid"])]
    name = min(compared, key=lambda each: len(compared[each]))
    rows = [(key, json.dumps(there), json.dumps(own)) for key, there, own in compared[name]]
    items = [f"{name}, {'except for:' if rows else 'unchanged'}", f"seeds: {', '.join(map(str, here.seeds))}"]
    table = [Table(("setting", name, "this run"), rows)] if rows else []
    return [Heading("Experiment"), Bullets(items), *table]


def times(trainings: list[dict[str, Any]]) -> list[Block]:
    """Seconds of a training by phase, over the seeds."""
    rows = []
    measured = [{"train": t["seconds"], **t["seconds_untimed"], **t.get("seconds_by_phase", {})} for t in trainings]
    for phase, what in PHASES.items():
        seconds = [found[phase] for found in measured if phase in found]
        if not any(seconds):
            continue
        span = f"{min(seconds):,.1f} to {max(seconds):,.1f}" if len(seconds) > 1 else ""
        rows.append((phase, what, f"{statistics.fmean(seconds):,.1f}", span))
    return [Heading("Seconds of a training"), Table(("phase", "what", "mean", "range"), rows)]


def origin(record: dict[str, Any], trainings: list[dict[str, Any]]) -> list[Block]:
    """The machine, and what the numbers came out of."""
    machine, code, data, used = record["machine"], record["code"], record["data"], trainings[0]
    gpus = "; ".join(machine["gpus"]) or "none"
    where = [
        f"trained on: {used['processes']} x {used['device']}, {used['precision']}",
        f"CPU: {machine['cpu']}, {machine['cores']} cores; GPU: {gpus}",
        f"{machine['system']}; Python {record['python']}, torch {record['packages'].get('torch', 'unknown')}",
        f"container: {machine['image'] or 'none'}",
    ]
    commit = "not in a git repository" if code["commit"] is None else code["commit"]
    made = [
        f"code: {commit}{', with uncommitted changes' if code['dirty'] else ''}",
        *(f"{name}: sha256 {digest[:16]}" for name, digest in code["locks"].items()),
        f"data: sha256 {data.get('sha256') or 'unknown'}",
        f"written {record['written']}",
    ]
    return [Heading("Machine"), Bullets(where), Heading("Provenance"), Bullets(made)]


def main() -> None:
    """Parse, gather, write."""
    parser = cli.parser(main)
    parser.add_argument("seeds", type=Path, nargs="+", help="directories of the trained and evaluated seeds")
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--metrics", type=Path, required=True, help="the metrics over the seeds, JSON")
    parser.add_argument("--provenance", type=Path, required=True, help="what the run came out of, JSON")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout, for params.yaml and presets (.)")
    parser.add_argument("--out", type=Path, required=True, help="the page, Markdown; HTML is written beside it")
    args = parser.parse_args()
    metrics = read_json(args.metrics)
    trainings = [read_json(seed / "metrics.json") for seed in args.seeds]
    blocks = [
        Heading(claim(metrics), 1),
        *result(metrics),
        *experiment(load(args.params), args.root),
        *times(trainings),
        *origin(read_json(args.provenance), trainings),
    ]
    write_text(args.out.with_suffix(".html"), web(claim(metrics), blocks))
    write_text(args.out, markdown(blocks))


if __name__ == "__main__":
    cli.run(main)
