"""An experiment, a branch or a commit in DVC's cache: its settings, and the files of its results."""

from contextlib import chdir
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, check
from dawn.config.yaml_text import parse
from dawn.core.cli import InputError
from dawn.core.reading import decoded


def opened(name: str, root: Path = Path()) -> tuple[Any, Experiment] | None:
    """Return DVC's file system at a revision of the repository at ``root``, and the experiment in its params.yaml.

    None where there is no DVC, or no such name in it.
    """
    try:
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException, NotDvcRepoError
        from scmrepo.exceptions import SCMError
    except ImportError:  # a container holds no DVC
        return None
    if not name or not (root / ".dvc").is_dir():
        return None
    try:
        with chdir(root):
            files = DVCFileSystem(rev=name)
            source = f"params.yaml of {name}"
            return files, check(parse(decoded(files.read_bytes("params.yaml"), source), source), source)
    except (DvcException, NotDvcRepoError, SCMError):
        return None


def not_in_cache(name: str, path: str) -> InputError:
    """Return what to say of a file of a revision that DVC's cache lacks."""
    return InputError(f"{name} has no {path} in DVC's cache; dvc pull brings it, if a remote has it")
