"""What a crate says of its files and of itself, in JSON-LD, read by rocrate."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.core.cli import InputError, listed, printable
from dawn.core.reading import read_json
from dawn.reproduction.files import DESCRIPTION, Sum
from dawn.results.ro_crate import library

LONGEST = 200  # characters of a name
UNDESCRIBED = (DESCRIPTION, "ro-crate-preview.html")  # no crate describes these as its data


@dataclass(frozen=True)
class Description:
    """The name of a crate, and the SHA-256 that it says of each of its files."""

    name: str
    sha256: dict[str, str]

    def check(self, sums: Mapping[str, Sum], source: str) -> list[str]:
        """Raise an InputError unless every described file is there and unchanged. Return those not described."""
        changed = [name for name, known in self.sha256.items() if name in sums and sums[name].sha256 != known]
        missing = [name for name in self.sha256 if name not in sums]
        faults = [f"changed: {listed(changed)}"] * bool(changed) + [f"missing: {listed(missing)}"] * bool(missing)
        if faults:
            raise InputError(f"{source} is not as it was packed, by the checksums of its files; {'; '.join(faults)}")
        return [name for name in sums if name not in self.sha256 and name not in UNDESCRIBED]


def read(folder: Path, source: str) -> Description:
    """The description in ``folder``; ``source`` names the crate in messages.

    Raises an InputError where it is none that rocrate reads, or has a file without a checksum.
    """
    crates = library("reproduce")
    read_json(folder / DESCRIPTION, dict[str, Any], "it is no crate")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files that are not here, which ``check`` names
            crate = crates(folder)
            files = [e for e in crate.data_entities if "File" in _several(e["@type"]) and "://" not in e.id]
            sums = {entity.id: entity.get("sha256") for entity in files}
            name = crate.name
    except Exception as error:  # rocrate raises whatever a wrong graph leads it to
        raise InputError(f"{source} has no RO-Crate in {DESCRIPTION} ({type(error).__name__}: {error})") from error
    if unknown := [name for name, known in sums.items() if not isinstance(known, str)]:
        raise InputError(f"{source} has no checksum of {listed(unknown)}; pack it anew: snakemake crate")
    return Description(printable(name)[:LONGEST] if isinstance(name, str) else source, sums)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
