"""The results of a DVC experiment, a branch or a commit of this repository, copied from DVC's cache."""

from pathlib import Path

from dawn.config.experiment import dump
from dawn.core.cli import InputError
from dawn.core.files import replacing, write_text
from dawn.reproduction.files import COPIED, LARGEST, too_large
from dawn.results.revision import not_in_cache, opened


def results(name: str, folder: Path, root: Path) -> Path | None:
    """Write the results of a revision to ``folder``/results and return that; None without DVC, or such a revision."""
    try:
        stored = opened(name, root)
        if stored is None:
            return None
        files, experiment = stored
        known = {path: files.info(path)["size"] for path in files.find("results") if COPIED.fullmatch(path)}
    except FileNotFoundError:
        raise InputError(f"{name} has no results in DVC; name another revision") from None
    for path, size in known.items():
        if size is not None and size > LARGEST:
            raise too_large(Path(name), path, size)
        with replacing(folder / path) as partial:
            try:
                partial.write_bytes(files.read_bytes(path))
            except FileNotFoundError:
                raise not_in_cache(name, path) from None
    write_text(folder / "results/params.yaml", dump(experiment))
    return folder / "results"
