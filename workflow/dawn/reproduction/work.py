"""Trainings of published settings in a directory of its own, by the rules of the workflow.

Everything is cached there: a seed that is finished is not trained again, one that was killed continues.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, dump
from dawn.config.place import archive_name
from dawn.core import file_lock
from dawn.core.cli import InputError
from dawn.core.files import sha256, write_text
from dawn.core.host import end_with_parent
from dawn.core.secrets import is_remote
from dawn.results.manifest import check, location
from dawn.results.run import of_seeds

SETTINGS = "settings.yaml"
KEPT = ("DAWN_RESUME", "DAWN_DOCKER", "DAWN_TRACEBACK")  # of the variables of the workflow, which are of another run


@dataclass(frozen=True)
class Work:
    """The directory ``place``, the checkout ``root``, the settings, and the threads of a training on a CPU."""

    place: Path
    root: Path
    experiment: Experiment
    threads: int
    lock: int

    def run(self, *targets: str, seeds: Sequence[int] = ()) -> None:
        """Make targets of the workflow; ``seeds`` are those of the experiment, by default the published ones.

        Raises an InputError where that fails. If this process is killed, snakemake stops after its present jobs, and
        holds the lock of the directory until then.
        """
        write_text(self.place / SETTINGS, dump(self.experiment))
        line = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile", "--directory", ".",
                "--workflow-profile", self.root / "profiles/default", "--configfile", SETTINGS,
                "--quiet", "all"]  # fmt: skip
        line += ["--config", f"seeds={list(seeds)}"] if seeds else []
        parent = os.getpid()
        process = subprocess.Popen(
            [*map(str, line), "--", *targets], cwd=self.place, env=self.environment(), pass_fds=[self.lock],
            stdout=sys.stderr.fileno(), preexec_fn=lambda: end_with_parent(parent, 15),
        )  # fmt: skip
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if code:
            raise InputError(
                f"snakemake in {self.place} has failed, for the reason above; the same command continues from there"
            )

    def environment(self) -> dict[str, str]:
        """The variables of snakemake."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("DAWN_") or name in KEPT}
        return others | {"DAWN_THREADS": str(self.threads)}

    def prepare(self) -> dict[str, str]:
        """Make the data. Return the SHA-256 of what a training reads of it, by name."""
        task = self.experiment.declared
        names = [name for name in task.data(self.experiment) if name != task.about]
        self.run(*(f"data/{name}" for name in names))
        return {name: sha256(self.place / "data" / name) for name in names}

    def train(self, seeds: Sequence[int]) -> None:
        """Train and evaluate seeds, those that are not there yet."""
        self.run(*(f"results/manifests/{seed}.json" for seed in seeds))
        for seed in seeds:
            check(self.experiment, self.seed(seed))

    def unfinished(self, seeds: Sequence[int]) -> int:
        """Return how many of the seeds are not finished."""
        return sum(not location(self.seed(seed)).is_file() for seed in seeds)

    def summarize(self, seeds: Sequence[int]) -> None:
        """Make the numbers over finished seeds."""
        self.run(*(f"results/{name}.json" for name in ("metrics", "model", "provenance")), seeds=seeds)

    def pack(self, source: str, name: str, files: Sequence[Path]) -> Path:
        """Pack the seeds of ``summarize`` and ``files`` as a crate, derived from ``source``, an identifier."""
        out = self.place / "crate.zip"
        line = [sys.executable, "-m", "dawn.crate", "--root", self.root, "--results", self.place / "results"]
        line += ["--data", self.place / "data", "--out", out, f"--derived-from={source}", f"--derived-name={name}"]
        line += ["--also", *files]
        if subprocess.run(list(map(str, line)), env=self.environment(), check=False).returncode:
            raise InputError(f"{out} was not written, for the reason above")
        return out

    def seed(self, number: int) -> Path:
        """The directory of a seed."""
        return self.place / f"results/seed-{number}"

    def results(self, seeds: Sequence[int]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Evaluations and trainings of finished seeds."""
        return of_seeds(self.experiment.declared, map(self.seed, seeds))


@contextlib.contextmanager
def alone(place: Path) -> Iterator[int]:
    """Own a directory for the block: another process that works there is awaited. Yield the lock."""

    def waiting() -> None:
        print(f"{place}: another process works there; waiting for it to end", file=sys.stderr, flush=True)

    lock = file_lock.acquire(place / "lock", waiting)
    assert lock is not None
    try:
        yield lock
    finally:
        os.close(lock)


def provide(place: Path, root: Path, experiment: Experiment, archive: Path | None, known: str | None) -> None:
    """Put the archive of the images where the workflow looks for it: ``archive``, else that of the checkout.

    ``known`` is its published SHA-256. An InputError where ``archive`` is another, or where there is none.
    """
    if experiment.declared.generated(experiment):
        return
    url = experiment.data.urls[0]
    shared = root / "resources" / archive_name(url)
    proven = archive is None and known is not None and shared.is_file() and sha256(shared) == known
    source = shared if proven else archive
    if source is None:
        local = not is_remote(url) and not url.startswith("resources/generated/")
        if local and not (place / url).exists():
            raise InputError(f"the images are of the local source {url}, which is not here; give it with --data PATH")
        return
    if source.is_file() and known is not None and (digest := sha256(source)) != known:
        raise InputError(f"--data {source} has the SHA-256 {digest}, and the published archive {known}")
    target = place / ("resources/" + archive_name(url) if is_remote(url) else url)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        target.symlink_to(source.resolve(), target_is_directory=True)
    else:
        shutil.copyfile(source, target)
