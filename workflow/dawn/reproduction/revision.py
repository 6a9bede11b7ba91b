"""The results of a DVC experiment, a branch or a commit of this repository, from DVC's cache."""

import os
from contextlib import chdir
from pathlib import Path

from dawn.config.experiment import check, dump
from dawn.config.yaml_text import parse
from dawn.core.cli import InputError
from dawn.core.files import replacing, write_text
from dawn.reproduction.files import COPIED, LARGEST, too_large


def results(name: str, folder: Path, root: Path) -> Path | None:
    """Write the results of a revision to ``folder``/results and return that; None without DVC, or such a revision."""
    try:
        from dvc.api import DVCFileSystem
        from dvc.exceptions import DvcException, NotDvcRepoError
        from scmrepo.exceptions import SCMError
    except ImportError:  # a container holds no DVC
        return None
    if not (root / ".dvc").is_dir():
        return None
    try:
        with chdir(root):
            files = DVCFileSystem(os.fspath(root.absolute()), rev=name)
            source = f"params.yaml of {name}"
            experiment = check(parse(files.read_text("params.yaml", encoding="utf-8"), source), source)
            known = {path: files.info(path)["size"] for path in files.find("results") if COPIED.fullmatch(path)}
    except (DvcException, NotDvcRepoError, SCMError):
        return None
    except FileNotFoundError:
        raise InputError(f"{name} has no results in DVC; name another revision") from None
    for path, size in known.items():
        if size is not None and size > LARGEST:
            raise too_large(Path(name), path, size)
        with replacing(folder / path) as partial:
            try:
                partial.write_bytes(files.read_bytes(path))
            except FileNotFoundError:
                raise InputError(
                    f"{name} has no {path} in DVC's cache; dvc pull brings it, if a remote has it"
                ) from None
    write_text(folder / "results/params.yaml", dump(experiment))
    return folder / "results"
