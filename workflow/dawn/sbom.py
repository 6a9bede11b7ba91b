"""The SBOM of an image, CycloneDX 1.6 in JSON, and next to it a table of the licences.

    python -m dawn.sbom --image dawn --out containers/sbom.json                    a Docker image
    python -m dawn.sbom --image containers/dawn.sif --out containers/sbom.json     an Apptainer image

The Python packages are those that cyclonedx-bom lists when the image is built. Debian's packages come from the image's
own database, which does not hold their licences; those are in /usr/share/doc/*/copyright of the image.
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
    """The output of a command inside an image."""
    if Path(image).exists():
        line = ["apptainer", "exec", *(["--userns"] if os.geteuid() == 0 else []), image, *command]
    else:
        line = ["docker", "run", "--rm", "--network=none", image, *command]
    try:
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError as error:
        raise cli.InputError(
            f"{image} needs {line[0]}, which is not installed; install it or name another image"
        ) from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().splitlines() or ["no message"]
        raise cli.InputError(f"{image} does not run {command[0]}: {reason[-1]}; make image, make sif") from error


def debian(listed: str) -> list[dict[str, str]]:
    """Components for Debian's packages, from lines of name, version and architecture."""
    components = []
    for line in listed.splitlines():
        name, version, architecture = line.split("\t")
        url = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={architecture}"
        components.append({"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url})
    return components


def licences(component: dict[str, Any]) -> str:
    """The licences in a component's metadata, or an empty text."""
    names = []
    for entry in component.get("licenses", []):
        licence = entry.get("license", {})
        names.append(entry.get("expression") or licence.get("id") or licence.get("name", "").splitlines()[0])
    return "; ".join(dict.fromkeys(name.removeprefix("License :: OSI Approved :: ") for name in names))


def main() -> None:
    """Parse the command line, merge the components and write."""
    parser = cli.parser(main)
    parser.add_argument("--image", required=True, help="the file of an Apptainer image, or the name of a Docker image")
    cli.add_out(parser, "the SBOM, JSON; the table of licences has the same name with .tsv")
    args = parser.parse_args()
    sbom = json.loads(inside(args.image, "cat", INSIDE))
    python, system = sbom["components"], debian(inside(args.image, "dpkg-query", "--show", QUERY))
    sbom["components"] = [*python, *system]
    write_json(args.out, sbom)
    rows = [(part["name"], part["version"], part["purl"].split(":")[1].split("/")[0], licences(part))
            for part in sbom["components"]]  # fmt: skip
    write_table(args.out.with_suffix(".tsv"), ("name", "version", "kind", "licence"), rows)
    unknown = [part["name"] for part in python if not licences(part)]
    common = ", ".join(f"{name} {n}" for name, n in Counter(filter(None, map(licences, python))).most_common(6))
    print(f"{args.out}: {len(python)} Python packages ({common}), {len(system)} Debian packages", file=sys.stderr)
    if unknown:
        print(f"without a licence in their metadata: {', '.join(unknown)}", file=sys.stderr)


if __name__ == "__main__":
    cli.run(main)
