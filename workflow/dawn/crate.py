"""Pack a finished run as a Workflow Run RO-Crate: code, settings, results and provenance, described in JSON-LD.

    python -m dawn.crate --root . --results results --data data --out results/crate.zip

The profile is https://w3id.org/ro/wfrun/workflow/0.5. The data set is not packed, but referenced by its address and
checksum. Needs the package rocrate, which the development environment has.
"""

import datetime
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dawn.config.experiment import Experiment, load
from dawn.config.published import publishable
from dawn.config.records import Dataset, Described
from dawn.core import cli
from dawn.core.files import replacing, sha256
from dawn.core.reading import read_json
from dawn.results.data_set import named
from dawn.results.manifest import verify

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
CODE = ("params.yaml", "dvc.yaml", "pyproject.toml", "requirements/*.lock", "README.md", "workflow/**/*.*")
TYPES = {
    ".json": "application/json", ".md": "text/markdown", ".txt": "text/plain", ".tsv": "text/tab-separated-values",
    ".csv": "text/csv", ".png": "image/png", ".yaml": "application/yaml", ".py": "text/x-python",
}  # fmt: skip
OF_RUN = ("metrics.json", "summary.md", "provenance.json", "model.json", "model.txt", "plots/*.png")


def code_files(root: Path) -> Iterator[Path]:
    """The files of the workflow, without compiled ones."""
    for path in sorted(path for pattern in CODE for path in root.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            yield path


def result_files(results: Path, experiment: Experiment) -> Iterator[Path]:
    """The files that the run left, those of the seeds verified."""
    for pattern in OF_RUN:
        yield from sorted(results.glob(pattern))
    for seed in experiment.seeds:
        directory = results / f"seed-{seed}"
        yield from (directory / name for name in verify(directory)["sha256"])


def empty_crate() -> Any:
    """A crate without content, of the version of RO-Crate that the profile is based on."""
    try:
        from rocrate.rocrate import ROCrate
    except ImportError:
        raise cli.InputError(
            "the package rocrate is missing: install it with make env; no image has it, so pack outside of one"
        ) from None
    return ROCrate(version="1.1")


def entity(crate: Any, identifier: str, kind: str, **properties: Any) -> Any:
    """Add something that is no file."""
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def add_file(crate: Any, path: Path, name: str) -> Any:
    """Add a file under a name, with its size, type and checksum."""
    kind = TYPES.get(path.suffix, "application/octet-stream")
    properties = {"name": name, "encodingFormat": kind, "sha256": sha256(path)}
    return crate.add_file(path, name, properties=properties, record_size=True)


def add_archive(crate: Any, experiment: Experiment, dataset: dict[str, Any]) -> Any:
    """Add the archive of images by its address; local images by their name alone; drawn shapes as what they are."""
    if experiment.declared.generated(experiment):
        return entity(crate, "#shapes", "CreativeWork", name="images that the workflow draws", **_known(dataset))
    source = dataset.get("archive") or "without a name"
    name = f"{named(dataset)[1]}, {'the archive' if dataset.get('media_type') else 'a folder'} {source}"
    properties = {"name": name, **_known(dataset)}
    if experiment.submission.data_license:
        properties["license"] = licence(crate, experiment.submission.data_license)
    for url in experiment.data.urls:
        if url.lower().startswith("http"):
            return crate.add_file(url, properties=properties)
    return entity(crate, f"#{quote(source)}", "CreativeWork", **properties)


def _known(dataset: dict[str, Any]) -> dict[str, str]:
    """Return the media type and the checksum of the images, as far as they are known."""
    known = {"encodingFormat": dataset.get("media_type"), "sha256": dataset.get("sha256")}
    return {key: value for key, value in known.items() if value}


def licence(crate: Any, stated: str) -> Any:
    """Return the entity of a licence: an SPDX identifier, or an address."""
    identifier = stated if "://" in stated else f"https://spdx.org/licenses/{quote(stated)}"
    return crate.get(identifier) or entity(crate, identifier, "CreativeWork", name=stated)


def add_code(crate: Any, root: Path, experiment: Experiment, commit: str | None, folder: Path) -> Any:
    """Add the Snakefile as the main entity, and the files of the workflow; changed ones are written to ``folder``."""
    workflow = crate.add_workflow(root / "Snakefile", "Snakefile", main=True, lang="snakemake", record_size=True)
    workflow["name"] = "dawn: images from their archive to a trained, evaluated network"
    workflow["license"] = terms = licence(
        crate, tomllib.loads((root / "pyproject.toml").read_text())["project"]["license"]
    )
    workflow["encodingFormat"], workflow["conformsTo"] = "text/plain", {"@id": WORKFLOW}
    workflow["version"] = commit or "not in a git repository"
    if experiment.submission.code_url:
        workflow["url"] = experiment.submission.code_url
    for path in code_files(root):
        name = path.relative_to(root)
        shown = publishable(path, folder / name.parent) if path.suffix == ".yaml" else path
        file = add_file(crate, shown, name.as_posix())
        file["license"] = terms
        if path.name == "README.md":
            file["about"] = crate.root_dataset
    return workflow


def pack(crate: Any, root: Path, results: Path, dataset: dict[str, Any], folder: Path) -> None:
    """Fill a crate with the run: its inputs, its results, when, on which machine and by which code it was made."""
    experiment = load(results / "params.yaml")
    provenance = read_json(results / "provenance.json", experiment.declared.provenance)
    commit, machine = provenance["code"]["commit"], provenance["machine"]
    workflow = add_code(crate, root, experiment, commit, folder)
    texts = {"settings": "every setting of the experiment", "archive": "the archive of images",
             "results": "weights, predictions, metrics and figures"}  # fmt: skip
    slots = {name: crate.add_formal_parameter(name, "File", f"#{name}", text) for name, text in texts.items()}
    workflow["input"], workflow["output"] = [slots["settings"], slots["archive"]], slots["results"]
    settings = add_file(crate, results / "params.yaml", "results/params.yaml")
    archive = add_archive(crate, experiment, dataset)
    made = [
        add_file(crate, path, f"results/{path.relative_to(results).as_posix()}")
        for path in result_files(results, experiment)
    ]
    for file, slot in ((settings, "settings"), (archive, "archive"), *((file, "results") for file in made)):
        file["exampleOfWork"] = slots[slot]
    action = crate.add_action(workflow, "#run", [settings, archive], made, {
        "name": "the run of this experiment", "endTime": provenance["written"],
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "description": f"on {machine['cpu']}, {len(machine['gpus'])} GPUs, commit {commit}",
    })  # fmt: skip
    crate.root_dataset["mentions"] = action
    if experiment.submission.author:
        author = entity(crate, "#author", "Person", name=experiment.submission.author)
        action["agent"] = crate.root_dataset["author"] = author
    crate.datePublished = datetime.datetime.fromisoformat(provenance["written"])


def describe(crate: Any, experiment: Experiment, dataset: dict[str, Any]) -> None:
    """Set the name, the licence of the results if one is stated, and the profiles of a crate."""
    of = "images that it draws" if experiment.declared.generated(experiment) else named(dataset)[1]
    crate.name = f"A run of dawn on {of}"
    crate.description = "Code, settings, results and provenance of one finished run of the workflow dawn."
    stated = experiment.submission.license
    # The profiles of workflows require an entity as the license, also where none is stated.
    none = {"name": "no licence is stated", "description": "submission.license states one"}
    crate.license = licence(crate, stated) if stated else entity(crate, "#no-licence", "CreativeWork", **none)
    crate.root_dataset["conformsTo"] = [
        entity(crate, url, "CreativeWork", name=name, version=version) for url, (name, version) in PROFILES.items()
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


def main() -> None:
    """Parse the command line, pack and write."""
    parser = cli.parser(main)
    cli.add_root(parser)
    parser.add_argument("--results", type=Path, required=True, help="directory of a finished run")
    cli.add_inputs(parser, "data")
    cli.add_out(parser, "the crate, .zip")
    args = parser.parse_args()
    crate = empty_crate()
    experiment = load(args.results / "params.yaml")
    generated = experiment.declared.generated(experiment)
    about, kind = (experiment.declared.about, Described) if generated else ("dataset.json", Dataset)
    dataset = read_json(args.data / about, kind)
    describe(crate, experiment, dataset)
    with tempfile.TemporaryDirectory() as folder:
        pack(crate, args.root, args.results, dataset, Path(folder))
        write(crate, args.out)


if __name__ == "__main__":
    cli.run(main)
