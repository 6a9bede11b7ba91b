"""The settings of a crate, as they may run here: they are somebody else's, and must not read or reveal what is ours."""

from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, load
from dawn.config.sections import Run
from dawn.core.cli import InputError, quoted
from dawn.core.host import cores, visible_gpus
from dawn.core.secrets import VARIABLE, published

NETWORKS = "workflow/networks"


def read(path: Path, root: Path) -> Experiment:
    """The settings in a file, with the section ``run`` of this machine; ``root`` is the checkout.

    Raises an InputError for an address that would reveal a variable of the environment or name a file of this machine,
    and for a network in a file that is not one of the checkout's.
    """
    experiment = load(path)
    for url in experiment.data.urls:
        address = url.whole  # type: ignore[attr-defined]
        if VARIABLE.search(address) or published(address) != address:
            raise InputError(
                f"{path}: data.urls: {quoted(published(address))} has a variable, a secret or a path of another "
                "machine, which no crate has; get the archive yourself, and leave this crate alone"
            )
    model: Any = getattr(experiment, "model", None)
    if model is not None and model.family == "file":
        check_network(path, model.file, root)
    return experiment.model_copy(update={"run": Run()})


def with_processes(experiment: Experiment, processes: int) -> Experiment:
    """Return the settings with the published number of processes, as far as there are GPUs, or without any cores."""
    most = visible_gpus() or cores()
    return experiment.model_copy(update={"run": Run(processes=max(1, min(processes, most)))})


def check_network(settings: Path, network: Path, root: Path) -> None:
    """Raise an InputError unless the file of a network is one of the checkout's, since it is executed."""
    place = (root / NETWORKS).resolve()
    if not network.resolve().is_relative_to(place):
        raise InputError(
            f"{settings}: model.path = {quoted(network.name)}: a network is executed, so it must be a file of this "
            f"checkout's {NETWORKS}/; read the one in the crate, and copy it there if you trust it"
        )
