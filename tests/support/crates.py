"""Crates of small results, and ways to falsify them."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import damaged_runs
from conftest import ROOT

METADATA = "ro-crate-metadata.json"
Change = Callable[[bytes], bytes | None]


def make(folder: Path) -> Path:
    """The crate of two evaluated seeds of an untrained classifier."""
    made = damaged_runs.classifier(folder)
    out = folder / "crate.zip"
    args = ("--root", ROOT, "--results", made.root / "results", "--data", made.root / "data", "--out", out)
    damaged_runs.ended(damaged_runs.run("crate", *args))
    return out


def edited(crate: Path, out: Path, changes: dict[str, Change], signed: bool) -> Path:
    """A copy in which files are changed, or removed where a change returns None.

    ``signed`` gives the description and the manifests the checksums of what is there now.
    """
    with zipfile.ZipFile(crate) as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    for name, change in changes.items():
        files[name] = change(files[name])
    files = {name: content for name, content in files.items() if content is not None}
    if signed:
        for name in [name for name in files if name.startswith("results/manifests/")]:
            manifest = json.loads(files[name])
            seed = name.split("/")[-1].removesuffix(".json")
            there = {file for file in manifest["sha256"] if f"results/seed-{seed}/{file}" in files}
            manifest["sha256"] |= {file: sha256(files[f"results/seed-{seed}/{file}"]) for file in there}
            files[name] = json.dumps(manifest).encode()
        description = json.loads(files[METADATA])
        removed = {name for name, change in changes.items() if name not in files}
        description["@graph"] = [entity for entity in description["@graph"] if entity["@id"] not in removed]
        for entity in description["@graph"]:
            if "sha256" in entity and entity["@id"] in files:
                entity["sha256"] = sha256(files[entity["@id"]])
            for key in ("hasPart", "result"):
                if isinstance(entity.get(key), list):
                    entity[key] = [part for part in entity[key] if part["@id"] not in removed]
        files[METADATA] = json.dumps(description).encode()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out


def sha256(content: bytes) -> str:
    """The SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def put(**values: object) -> Change:
    """A change that sets keys of a JSON file."""
    return lambda content: json.dumps(json.loads(content) | values).encode()


def removed(content: bytes) -> None:
    """A change that removes the file."""
