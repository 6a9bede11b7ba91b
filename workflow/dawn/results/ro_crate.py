"""RO-Crates: a zip of files that JSON-LD describes. They need the package rocrate, which the development lock has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dawn.core import cli
from dawn.core.files import replacing, sha256

RUN_TERMS = "https://w3id.org/ro/terms/workflow-run#"
TERMS = {name: f"{RUN_TERMS}{name}" for name in ("ContainerImage", "containerImage", "sha256")}
TERMS["prov"] = "http://www.w3.org/ns/prov#"
TYPES = {
    ".json": "application/json", ".md": "text/markdown", ".txt": "text/plain", ".tsv": "text/tab-separated-values",
    ".csv": "text/csv", ".png": "image/png", ".yaml": "application/yaml", ".py": "text/x-python",
    ".html": "text/html",
}  # fmt: skip


def library(work: str) -> Any:
    """Return rocrate's class of crates; an InputError without the package, which ``work``, such as ``pack``, needs."""
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise cli.InputError(
            f"the package rocrate is missing: install it with make env; no image has it, so {work} outside of one"
        ) from None
    return ROCrate


def empty_crate() -> Any:
    """A crate without content, of the version of RO-Crate that the profile is based on."""
    crate = library("pack")(version="1.1")
    crate.metadata.extra_terms.update(TERMS)
    return crate


def entity(crate: Any, identifier: str, kind: str, **properties: Any) -> Any:
    """Add something that is no file."""
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def add_file(crate: Any, path: Path, name: str) -> Any:
    """Add a file under a name, with its size, type and checksum."""
    kind = TYPES.get(path.suffix, "application/octet-stream")
    properties = {"name": name, "encodingFormat": kind, "sha256": sha256(path)}
    return crate.add_file(path, name, properties=properties, record_size=True)


def licence(crate: Any, stated: str) -> Any:
    """Return the entity of a licence: an SPDX identifier, or an address."""
    identifier = stated if "://" in stated else f"https://spdx.org/licenses/{quote(stated)}"
    return crate.get(identifier) or entity(crate, identifier, "CreativeWork", name=stated)


def described(crate: Any, text: str, stated: str | None, profiles: Mapping[str, tuple[str, str]]) -> None:
    """Set the description of a crate, the licence if one is ``stated``, and the profiles by their addresses."""
    crate.description = text
    # The profiles of workflows require an entity as the license, also where none is stated.
    none = {"name": "no licence is stated", "description": "submission.license states one"}
    crate.license = licence(crate, stated) if stated else entity(crate, "#no-licence", "CreativeWork", **none)
    crate.root_dataset["conformsTo"] = [
        entity(crate, url, "CreativeWork", name=name, version=version) for url, (name, version) in profiles.items()
    ]


def write(crate: Any, out: Path) -> None:
    """Write a crate as a zip file; of one that cannot grow the rest is dropped, for the stream must come to its end."""
    failed: OSError | None = None
    with replacing(out) as partial, partial.open("wb", buffering=0) as file:
        for piece in crate.stream_zip():
            try:
                _ = failed or file.write(piece)
            except OSError as error:
                failed = error
        if failed:
            raise failed
