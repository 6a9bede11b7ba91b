"""Pack a finished run as a Workflow Run RO-Crate: code, settings, results and provenance, described in JSON-LD.

    python -m dawn.crate --root . --results results --data data --out results/crate.zip

The profile is https://w3id.org/ro/wfrun/workflow/0.5. The data set is not packed, but referenced by its address and
checksum. The tests are left out on purpose: the commit has them. Needs the package rocrate, which the development
environment has.
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
from dawn.config.yaml_text import parse
from dawn.core import cli
from dawn.core.files import sha256
from dawn.core.reading import read_json
from dawn.results.data_set import named
from dawn.results.manifest import location, verify
from dawn.results.ro_crate import add_file, described, empty_crate, entity, licence, write

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
CODE = (
    "params.yaml", "dvc.yaml", "pyproject.toml", "requirements/*.lock", "README.md", "LICENSE", "CITATION.cff",
    "Makefile", "workflow/**/*.*", "profiles/*/config.yaml", "containers/**/*", ".ci/*",
)  # fmt: skip
BUILT = (".sif", ".tar")  # images of containers
OF_RUN = ("metrics.json", "summary.md", "provenance.json", "model.json", "model.txt", "plots/*.png")


def code_files(root: Path) -> Iterator[Path]:
    """The files of the workflow, without compiled ones."""
    for path in sorted(path for pattern in CODE for path in root.glob(pattern)):
        if (
            path.is_file()
            and "__pycache__" not in path.parts
            and not path.name.startswith(".")
            and path.suffix not in BUILT
        ):
            yield path


def result_files(results: Path, experiment: Experiment) -> Iterator[Path]:
    """The files that the run left, those of the seeds verified."""
    for pattern in OF_RUN:
        yield from sorted(results.glob(pattern))
    for seed in experiment.seeds:
        directory = results / f"seed-{seed}"
        yield from (directory / name for name in verify(directory)["sha256"])
        yield location(directory)


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


def add_code(crate: Any, root: Path, experiment: Experiment, commit: str | None, folder: Path) -> Any:
    """Add the Snakefile as the main entity, and the files of the workflow; changed ones are written to ``folder``."""
    known = {"sha256": sha256(root / "Snakefile")}
    workflow = crate.add_workflow(
        root / "Snakefile", "Snakefile", main=True, lang="snakemake", record_size=True, properties=known
    )
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
        if path == root / "README.md":
            file["about"] = crate.root_dataset
    if (citation := root / "CITATION.cff").is_file():
        if people := authors(crate, parse(citation.read_text(encoding="utf-8"), str(citation))):
            workflow["author"] = people if len(people) > 1 else people[0]
        workflow["citation"] = crate.get("CITATION.cff")
    return workflow


def authors(crate: Any, citation: dict[str, Any]) -> list[Any]:
    """Add those authors in CITATION.cff that have an ORCID."""
    people = [author for author in citation["authors"] if "orcid" in author]
    names = [f"{author.get('given-names', '')} {author.get('family-names', '')}".strip() for author in people]
    return [entity(crate, a["orcid"], "Person", name=name) for a, name in zip(people, names, strict=True)]


def add_image(crate: Any, image: str) -> Any:
    """Add the container image of the run, ``NAME@sha256:DIGEST`` where its digest is known."""
    name, _, digest = image.partition("@sha256:")
    kind = {"@id": f"https://w3id.org/ro/terms/workflow-run#{'SIF' if name.endswith('.sif') else 'Docker'}Image"}
    known = {"sha256": digest} if digest else {}
    return entity(crate, f"#{quote(image)}", "ContainerImage", name=name, additionalType=kind, **known)


def add_expected(crate: Any, experiment: Experiment, metrics: dict[str, Any]) -> list[Any]:
    """Add what a reproduction of the run is expected to measure: means over the seeds with their 95 % intervals."""
    expected = []
    for measure in experiment.declared.measures:
        if not (value := metrics.get(measure.key)) or value["mean"] is None:
            continue
        ends = {"minValue": value["low"], "maxValue": value["high"]} if value["low"] is not None else {}
        text = f"mean over {metrics['seeds']} seeds{', with its 95 % interval' if ends else ''}"
        entity(crate, f"#{measure.key}", "PropertyValue", name=measure.name, value=value["mean"], description=text,
               **ends, **({"unitText": measure.unit} if measure.unit else {}))  # fmt: skip
        expected.append({"@id": f"#{measure.key}"})
    return expected


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
    if machine.get("image"):
        action["containerImage"] = add_image(crate, machine["image"])
    summary = read_json(results / "metrics.json", experiment.declared.summary)
    crate.root_dataset["variableMeasured"] = add_expected(crate, experiment, summary)
    if experiment.submission.author:
        author = entity(crate, "#author", "Person", name=experiment.submission.author)
        action["agent"] = crate.root_dataset["author"] = author
    crate.datePublished = datetime.datetime.fromisoformat(provenance["written"])


def describe(crate: Any, experiment: Experiment, dataset: dict[str, Any]) -> None:
    """Set the name, the licence of the results if one is stated, and the profiles of a crate."""
    of = "images that it draws" if experiment.declared.generated(experiment) else named(dataset)[1]
    crate.name = f"A run of dawn on {of}"
    text = (
        "Code, settings, results and provenance of one finished run of the workflow dawn. The tests of the code are "
        "left out on purpose, as is the data set. python -m dawn.reproduce checks this crate and reproduces it."
    )
    described(crate, text, experiment.submission.license, PROFILES)


def derive(crate: Any, identifier: str, name: str) -> None:
    """Say that the run reproduces another crate, or a published number, by its address or its checksum."""
    original = entity(crate, identifier, "CreativeWork", name=name)
    crate.root_dataset["isBasedOn"] = crate.root_dataset["prov:wasDerivedFrom"] = original
    crate.name = f"A reproduction of {name}"


def main() -> None:
    """Parse the command line, pack and write."""
    parser = cli.parser(main)
    cli.add_root(parser)
    parser.add_argument("--results", type=Path, required=True, help="directory of a finished run")
    cli.add_inputs(parser, "data")
    cli.add_out(parser, "the crate, .zip")
    parser.add_argument("--derived-from", metavar="ID", help="address or checksum of what this run reproduces")
    parser.add_argument("--derived-name", metavar="NAME", default="a published result", help="its name (%(default)s)")
    parser.add_argument("--also", type=Path, nargs="+", default=[], help="further files, at the top of the crate")
    args = parser.parse_args()
    crate = empty_crate()
    experiment = load(args.results / "params.yaml")
    generated = experiment.declared.generated(experiment)
    about, kind = (experiment.declared.about, Described) if generated else ("dataset.json", Dataset)
    dataset = read_json(args.data / about, kind)
    describe(crate, experiment, dataset)
    with tempfile.TemporaryDirectory() as folder:
        pack(crate, args.root, args.results, dataset, Path(folder))
        for path in args.also:
            add_file(crate, path, path.name)
        if args.derived_from:
            derive(crate, args.derived_from, args.derived_name)
        write(crate, args.out)


if __name__ == "__main__":
    cli.run(main)
