"""One page about a finished run: its claim, its experiment, its times, its machine, and what it came out of.

    python -m dawn.summary --params results/params.yaml --metrics results/metrics.json
        --provenance results/provenance.json --root . --out results/summary.md results/seed-0 results/seed-1 ...

Writes Markdown, and the same as HTML beside it. The experiment is told by its distance to what is known: params.yaml as
committed, and each preset laid over it.
"""

import json
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from dawn.config.experiment import Experiment, check, load, merge, read
from dawn.core import cli
from dawn.core.files import read_json, write_text
from dawn.core.host import answer
from dawn.report.page import Section, markdown, web
from dawn.results.statistics import interval

SECTIONS = ("data", "model", "train", "evaluate")  # what decides a result, beside the seeds
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
    n = metrics["seeds"]
    return f"{interval(metrics['accuracy'], ' %')} test accuracy over {n} seed{'s' * (n > 1)}"


def result(metrics: Mapping[str, Any]) -> Section:
    """The claim's particulars."""
    target, dollars = metrics["target"], metrics["dollars"]
    when = interval(target["seconds"], " s", 1) if target["seconds"] else "not reached in training"
    lines = [
        f"at or above {target['accuracy']:g} %: {target['share']:.0f} % of the seeds "
        f"(95 % interval {target['low']:.0f} to {target['high']:.0f}); time to it: {when}",
        f"training: {interval(metrics['seconds'], ' s', 1)} at {metrics['images_per_s']['mean']:,.0f} images/s",
        f"test loss {interval(metrics['loss'], '', 4)}; calibration error {metrics['calibration_error']['mean']:.4f}",
        f"network: {metrics['parameters']:,} parameters, {metrics['flops'] / 1e6:,.1f} MFLOP an image",
    ]
    return Section("Result", [*lines, *([f"price: {interval(dollars, ' dollars', 4)}"] if dollars else [])])


def flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings, each by its dotted key."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def differences(known: Experiment, here: Experiment) -> list[tuple[str, Any, Any]]:
    """Key, value there and value here of every choice in which two experiments differ."""
    there, own = (dict(flat(e.model_dump(mode="json", include=set(SECTIONS)))) for e in (known, here))
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


def experiment(here: Experiment, root: Path) -> Section:
    """How the experiment differs from the nearest of the known ones."""
    compared = {name: differences(other, here) for name, other in known(root).items()}
    if not compared:
        return Section("Experiment", ["nothing to compare it with: params.yaml describes no experiment"])
    name = min(compared, key=lambda each: len(compared[each]))
    rows = compared[name]
    lines = [f"{name}, {'but for:' if rows else 'unchanged'}", f"seeds: {', '.join(map(str, here.seeds))}"]
    table = [(key, json.dumps(there), json.dumps(own)) for key, there, own in rows]
    return Section("Experiment", lines, [("setting", "there", "here"), *table] if table else [])


def times(trainings: list[dict[str, Any]]) -> Section:
    """Seconds of a training by phase, over the seeds."""
    rows = []
    measured = [{"train": t["seconds"], **t["seconds_beside"], **t.get("seconds_by_phase", {})} for t in trainings]
    for phase, what in PHASES.items():
        seconds = [found[phase] for found in measured if phase in found]
        if not any(seconds):
            continue
        span = f"{min(seconds):,.1f} to {max(seconds):,.1f}" if len(seconds) > 1 else ""
        rows.append((phase, what, f"{statistics.fmean(seconds):,.1f}", span))
    return Section("Seconds of a training", (), [("phase", "what", "mean", "range"), *rows])


def origin(record: dict[str, Any], trainings: list[dict[str, Any]]) -> list[Section]:
    """The machine, and what the numbers came out of."""
    machine, code, data, used = record["machine"], record["code"], record["data"], trainings[0]
    gpus = "; ".join(machine["gpus"]) or "none"
    where = [
        f"trained on: {used['processes']} x {used['device']}, {used['precision']}",
        f"CPU: {machine['cpu']}, {machine['cores']} cores; GPU: {gpus}",
        f"{machine['system']}; Python {record['python']}, torch {record['packages'].get('torch', 'unknown')}",
        f"container: {machine['image'] or 'none'}",
    ]
    state = "not in a git repository" if code["commit"] is None else code["commit"]
    made = [
        f"code: {state}{', with uncommitted changes' if code['dirty'] else ''}",
        *(f"{name}: sha256 {digest[:16]}" for name, digest in code["locks"].items()),
        f"data: sha256 {data.get('sha256') or 'unknown'}",
        f"written {record['written']}",
    ]
    return [Section("Machine", where), Section("Provenance", made)]


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
    sections = [
        result(metrics),
        experiment(load(args.params), args.root),
        times(trainings),
        *origin(read_json(args.provenance), trainings),
    ]
    write_text(args.out.with_suffix(".html"), web(claim(metrics), sections))
    write_text(args.out, markdown(claim(metrics), sections))


if __name__ == "__main__":
    cli.run(main)
