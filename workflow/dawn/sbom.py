"""The SBOM of an image, CycloneDX 1.6 in JSON, and next to it a table of the licences.

    python -m dawn.sbom --image dawn --out containers/sbom.json                    an image of Docker's
    python -m dawn.sbom --image containers/dawn.sif --out containers/sbom.json     one of Apptainer's

The Python packages are those that cyclonedx-bom found while the image was built; Debian's are asked of its own
database, which does not say their licences: these are in /usr/share/doc/*/copyright of the image.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from dawn.core import cli
from dawn.core.files import write_json, write_table

INSIDE = "/opt/dawn/share/sbom.json"
QUERY = "--showformat=${Package}\\t${Version}\\t${Architecture}\\n"


def inside(image: str, *command: str) -> str:
    """What a command prints inside an image."""
    if Path(image).exists():
        line = ["apptainer", "exec", *(["--userns"] if os.geteuid() == 0 else []), image, *command]
    else:
        line = ["docker", "run", "--rm", "--network=none", image, *command]
    try:
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise cli.InputError(f"{image} needs {line[0]}, which is not here") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["nothing was said"]
        raise cli.InputError(f"{image} does not run {command[0]}: {said[-1]}; make image, make sif") from error


def debian(listed: str) -> list[dict[str, str]]:
    """Components for Debian's packages, from lines of name, version and architecture."""
    found = []
    for line in listed.splitlines():
        name, version, architecture = line.split("\t")
        url = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}"
        found.append({"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url})
    return found


def licences(component: dict[str, Any]) -> str:
    """What a component says of its licence, or an empty text."""
    said = []
    for entry in component.get("licenses", []):
        licence = entry.get("license", {})
        said.append(entry.get("expression") or licence.get("id") or licence.get("name", "").splitlines()[0])
    return "; ".join(dict.fromkeys(name.removeprefix("License :: OSI Approved :: ") for name in said))


def main() -> None:
    """Parse, ask, merge, write."""
    parser = cli.parser(main)
    parser.add_argument("--image", required=True, help="a file of Apptainer's, or the name of an image of Docker's")
    parser.add_argument("--out", type=Path, required=True, help="the sbom, JSON; the table takes its name with .tsv")
    args = parser.parse_args()
    sbom = json.loads(inside(args.image, "cat", INSIDE))
    python, system = sbom["components"], debian(inside(args.image, "dpkg-query", "--show", QUERY))
    sbom["components"] = [*python, *system]
    write_json(args.out, sbom)
    rows = [(part["name"], part["version"], part["purl"].split(":")[1].split("/")[0], licences(part))
            for part in sbom["components"]]  # fmt: skip
    write_table(args.out.with_suffix(".tsv"), ("name", "version", "kind", "licence"), rows)
    silent = [part["name"] for part in python if not licences(part)]
    common = ", ".join(f"{name} {n}" for name, n in Counter(filter(None, map(licences, python))).most_common(6))
    print(f"{args.out}: {len(python)} packages of Python ({common}), {len(system)} of Debian", file=sys.stderr)
    if silent:
        print(f"without a licence in their metadata: {', '.join(silent)}", file=sys.stderr)


if __name__ == "__main__":
    cli.run(main)
