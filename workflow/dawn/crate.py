"""Pack a finished run as a Workflow Run RO-Crate: code, choices, results and provenance, described for machines.

    python -m dawn.crate --root . --results results --data data --out results/crate.zip

The profile is https://w3id.org/ro/wfrun/workflow/0.5. The data set itself is named by its addresses and checksum, not
packed. Needs the package rocrate, which the development environment has.
"""

import datetime
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, replacing, sha256

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
CODE = ("params.yaml", "dvc.yaml", "pyproject.toml", "requirements/*.lock", "README.md", "workflow/**/*.*")
OF_RUN = ("metrics.json", "summary.md", "provenance.json", "model.json", "model.txt", "plots/*.png")
OF_SEED = ("model.safetensors", "curve.tsv", "metrics.json", "evaluation.json", "predictions.npz", "confusion.csv")
TYPES = {
    ".json": "application/json", ".md": "text/markdown", ".txt": "text/plain", ".tsv": "text/tab-separated-values",
    ".csv": "text/csv", ".png": "image/png", ".yaml": "application/yaml", ".py": "text/x-python",
}  # fmt: skip
BIOSCHEMAS = "https://bioschemas.org/profiles"


def code_files(root: Path) -> Iterator[Path]:
    """The files of the workflow, from the root of the checkout; compiled ones are left out."""
    for pattern in CODE:
        for path in sorted(root.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                yield path.relative_to(root)


def described(path: Path, name: str) -> dict[str, Any]:
    """The properties of a file in the crate."""
    form = TYPES.get(path.suffix, "application/octet-stream")
    return {"name": name, "contentSize": str(path.stat().st_size), "encodingFormat": form, "sha256": sha256(path)}


class Packer:
    """A crate that is being filled. ``crate`` is the library's."""

    def __init__(self, root: Path, results: Path, experiment: Experiment) -> None:
        try:
            from rocrate.rocrate import ROCrate
        except ImportError:
            raise cli.InputError(
                "the package rocrate is missing; make env installs it, and an image has none: pack outside of it"
            ) from None
        self.root, self.results, self.experiment = root, results, experiment
        self.crate = ROCrate(version="1.1")  # the version that the profile is based on

    def entity(self, identifier: str, **properties: Any) -> Any:
        """A contextual entity."""
        from rocrate.model.contextentity import ContextEntity

        return self.crate.add(ContextEntity(self.crate, identifier, properties=properties))

    def parameter(self, name: str, description: str, form: str = "File", **more: Any) -> Any:
        """What the workflow takes or gives, formally; files of the run are examples of it."""
        more |= {"additionalType": form, "name": name, "description": description}
        more |= {"conformsTo": {"@id": f"{BIOSCHEMAS}/FormalParameter/1.0-RELEASE"}}
        return self.entity(f"#{name}", **{"@type": "FormalParameter"}, **more)

    def workflow(self, inputs: list[Any], output: Any, commit: str | None) -> Any:
        """The Snakefile as main entity, and the code beside it."""
        flow = self.crate.add_workflow(self.root / "Snakefile", "Snakefile", main=True, lang="snakemake")
        flow["name"] = "dawn: CIFAR-10 from its archive to a trained, evaluated network"
        flow["input"], flow["output"], flow["encodingFormat"] = inputs, output, "text/plain"
        flow["conformsTo"] = {"@id": f"{BIOSCHEMAS}/ComputationalWorkflow/1.0-RELEASE"}
        flow["version"] = commit or "not in a git repository"
        if self.experiment.submission.code_url:
            flow["url"] = self.experiment.submission.code_url
        for path in code_files(self.root):
            file = self.crate.add_file(self.root / path, f"{path}", properties=described(self.root / path, f"{path}"))
            if path.name == "README.md":
                file["about"] = self.crate.root_dataset
        return flow

    def result(self, path: Path) -> Any:
        """A file of the run, below ``results/``."""
        place = Path("results") / path.relative_to(self.results)
        return self.crate.add_file(path, f"{place}", properties=described(path, f"{place}"))


def results(directory: Path, experiment: Experiment) -> list[Path]:
    """The files that a run leaves, those that are there."""
    seeds = [directory / f"seed-{seed}" / name for seed in experiment.seeds for name in OF_SEED]
    return [*(path for pattern in OF_RUN for path in sorted(directory.glob(pattern))), *seeds]


def source(packer: Packer, dataset: dict[str, Any]) -> Any:
    """The archive by its address; a local one by its name alone."""
    data = packer.experiment.data
    url = next((url for url in data.urls if url.startswith("http")), f"#{Path(data.urls[0]).name}")
    properties = {"name": "the archive of images", "encodingFormat": "application/gzip"}
    properties |= {"sha256": dataset["sha256"]} if dataset.get("sha256") else {}
    if url.startswith("#"):
        return packer.entity(url, **{"@type": "CreativeWork"}, **properties)
    return packer.crate.add_file(url, properties=properties)


def fill(packer: Packer, record: dict[str, Any], dataset: dict[str, Any]) -> None:
    """The run: what went in, what came out, when, by which code."""
    crate, experiment = packer.crate, packer.experiment
    choices = packer.parameter("choices", "every choice of the experiment, resolved", valueRequired="True")
    archive = packer.parameter("archive", "the archive of images", valueRequired="True")
    outcome = packer.parameter("outcome", "weights, judgements, metrics and figures")
    flow = packer.workflow([choices, archive], outcome, record["code"]["commit"])
    params = packer.result(packer.results / "params.yaml")
    params["exampleOfWork"] = choices
    data = source(packer, dataset)
    data["exampleOfWork"] = archive
    made = [packer.result(path) for path in results(packer.results, experiment)]
    for file in made:
        file["exampleOfWork"] = outcome
    who = experiment.submission
    agent = {"agent": packer.entity("#author", **{"@type": "Person"}, name=who.author)} if who.author else {}
    action = packer.entity(
        "#run", **{"@type": "CreateAction"}, name="the run of this experiment", instrument=flow, object=[params, data],
        result=made, endTime=record["written"], actionStatus="http://schema.org/CompletedActionStatus",
        description=f"on {record['machine']['cpu']}, {len(record['machine']['gpus'])} GPUs, "
        f"commit {record['code']['commit']}", **agent,
    )  # fmt: skip
    crate.root_dataset["mentions"] = action
    if agent:
        crate.root_dataset["author"] = agent["agent"]


def describe(packer: Packer, record: dict[str, Any]) -> None:
    """What the crate is, and to which profiles it conforms."""
    crate = packer.crate
    crate.name = "A run of dawn on CIFAR-10"
    crate.description = "Code, choices, results and provenance of one finished run of the workflow dawn."
    crate.datePublished = datetime.datetime.fromisoformat(record["written"])
    crate.license = packer.entity("https://spdx.org/licenses/MIT", **{"@type": "CreativeWork"}, name="MIT License",
                                  description="the license of the code")  # fmt: skip
    crate.root_dataset["conformsTo"] = [
        packer.entity(url, **{"@type": "CreativeWork"}, name=name, version=version)
        for url, (name, version) in PROFILES.items()
    ]


def main() -> None:
    """Parse, fill, write."""
    parser = cli.parser(main)
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (.)")
    parser.add_argument("--results", type=Path, required=True, help="directory of a finished run")
    parser.add_argument("--data", type=Path, required=True, help="directory of the arrays")
    parser.add_argument("--out", type=Path, required=True, help="the crate, .zip")
    args = parser.parse_args()
    record, dataset = read_json(args.results / "provenance.json"), read_json(args.data / "dataset.json")
    packer = Packer(args.root, args.results, load(args.results / "params.yaml"))
    fill(packer, record, dataset)
    describe(packer, record)
    with replacing(args.out) as partial, tempfile.TemporaryDirectory() as folder:
        packer.crate.write_zip(Path(folder) / "crate.zip")
        shutil.copyfile(Path(folder) / "crate.zip", partial)


if __name__ == "__main__":
    cli.run(main)
