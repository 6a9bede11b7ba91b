"""Record the provenance of a result: code, lock files, data, packages, machine.

    python -m dawn.provenance --root . --data data --out results/provenance.json

Reads the package metadata, git and nvidia-smi; imports no torch.
"""

import datetime
import importlib.metadata
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any

from dawn.core import cli
from dawn.core.files import read_json, sha256, write_json
from dawn.core.host import answer, processor


def code(root: Path) -> dict[str, Any]:
    """The commit of the checkout, and whether files differ from it; nulls outside a repository.

    An image has no git, so the workflow passes DAWN_CODE to it: the commit on the first line, then the changed files.
    """
    passed = os.environ.get("DAWN_CODE")
    commit, _, changed = passed.partition("\n") if passed else (None, "", None)
    if shutil.which("git"):
        commit, changed = answer("git", "rev-parse", "HEAD", at=root), answer("git", "status", "--porcelain", at=root)
    return {
        "commit": commit,
        "dirty": None if changed is None else bool(changed),
        "locks": {path.name: sha256(path) for path in sorted((root / "requirements").glob("*.lock"))},
    }


def image() -> str | None:
    """The image that runs this, with its checksum; None outside of an image."""
    file = os.environ.get("APPTAINER_CONTAINER")
    if file and Path(file).is_file():
        return f"{file}@sha256:{sha256(Path(file))}"
    return file or os.environ.get("DAWN_IMAGE")


def machine() -> dict[str, Any]:
    """Processor, cores, GPUs and driver."""
    query = answer("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    return {
        "system": platform.platform(),
        "cpu": processor(),
        "cores": os.cpu_count(),
        "gpus": query.splitlines() if query else [],
        "image": image(),
    }


def packages() -> dict[str, str]:
    """Name and version of every installed distribution."""
    found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def main() -> None:
    """Parse the command line, collect and write."""
    parser = cli.parser(main)
    cli.add_root(parser)
    cli.add_inputs(parser, "data")
    parser.add_argument("--about", default="dataset.json", help="file of --data that describes it (%(default)s)")
    cli.add_out(parser, "the provenance, JSON")
    args = parser.parse_args()
    provenance = {
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "code": code(args.root),
        "data": read_json(args.data / args.about),
        "python": sys.version.split()[0],
        "machine": machine(),
        "packages": packages(),
    }
    write_json(args.out, provenance)


if __name__ == "__main__":
    cli.run(main)
