"""The result of an experiment that DVC keeps, read from its cache without touching the workspace."""

from pathlib import Path

from dawn.config.experiment import check
from dawn.config.yaml_text import parse
from dawn.core.cli import InputError
from dawn.results.manifest import choices
from dawn.studies.variants import Result, read


def of_revision(name: str) -> Result | None:
    """The result of an experiment, branch or commit; None where there is no DVC, or no such name in it."""
    try:
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException, NotDvcRepoError
        from scmrepo.exceptions import SCMError
    except ImportError:  # a container holds no DVC
        return None
    try:
        files = DVCFileSystem(rev=name) if name and Path(".dvc").is_dir() else None
        source = f"params.yaml of {name}"
        experiment = files and check(parse(files.read_text("params.yaml"), source), source)
    except (DvcException, NotDvcRepoError, SCMError):
        return None
    if not files or not experiment:
        return None

    def content_of(path: str) -> bytes | None:
        try:
            return bytes(files.read_bytes(f"results/{path}"))
        except FileNotFoundError as error:
            if path in ("timing.json", "provenance.json"):
                return None
            raise InputError(
                f"{name} has no results/{path} in DVC's cache; dvc pull brings it, if a remote has it"
            ) from error

    return read(name, choices(experiment, *experiment.decided_by), list(experiment.seeds), content_of)
