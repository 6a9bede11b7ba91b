"""The settings of an experiment as parts of a page: how they differ from the nearest known experiment."""

import json
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, check, flat, merge, read
from dawn.config.yaml_text import parse
from dawn.core.cli import InputError
from dawn.core.git import git
from dawn.report.page import Block, Bullets, Heading, Table


def experiment(here: Experiment, root: Path) -> list[Block]:
    """The nearest of the known experiments of the same task, and the settings that differ from it."""
    compared = {name: differences(other, here) for name, other in known(root).items() if other.task == here.task}
    if not compared:
        reason = f"params.yaml and the presets have no valid experiment of task {here.task}"
        return [Heading("Experiment"), Bullets([f"nothing to compare it with: {reason}"])]
    name = min(compared, key=lambda label: len(compared[label]))
    rows = [(key, text(there), text(now)) for key, there, now in compared[name]]
    items = [f"{name}, {'except for:' if rows else 'unchanged'}", f"seeds: {', '.join(map(str, here.seeds))}"]
    table = [Table(("setting", name, "this run"), rows)] if rows else []
    return [Heading("Experiment"), Bullets(items), *table]


def text(value: Any) -> str:
    """A setting as in YAML, a whole number without decimals."""
    return f"{value:.12g}" if isinstance(value, float) else json.dumps(value)


def differences(known: Experiment, here: Experiment) -> list[tuple[str, Any, Any]]:
    """Key, value there and value here of every setting that decides a result and differs."""
    there, now = (flat(one.model_dump(mode="json", include=set(here.decided_by))) for one in (known, here))
    keys = [*now, *(key for key in there if key not in now)]
    return [(key, there.get(key), now.get(key)) for key in keys if there.get(key) != now.get(key)]


def known(root: Path) -> dict[str, Experiment]:
    """The experiments of a checkout by name: params.yaml as committed (or as it is), and each preset over it."""
    committed = git(root, "show", "HEAD:./params.yaml")
    base = parse(committed, "params.yaml at HEAD") if committed else read(root / "params.yaml")
    name = f"params.yaml at {git(root, 'rev-parse', '--short', 'HEAD')}" if committed else "params.yaml"
    presets = {f"the preset {path.stem}": read(path) for path in sorted((root / "workflow/presets").glob("*.yaml"))}
    experiments = {}
    for label, over in {name: {}, **presets}.items():
        try:
            experiments[label] = check(merge(base, over))
        except InputError:  # an edited params.yaml may not fit a preset
            continue
    return experiments
