"""What can be followed while a training runs: its last epoch as a metrics file, and TensorBoard's event files."""

import importlib.util
import math
from pathlib import Path
from typing import Any

from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.results.curve import EpochMetrics


class Live:
    """Tells of each epoch, from the first process alone.

    ``metrics`` is a file that ``dvc exp show`` reads, or None: it goes when the training ends, and the real metrics
    take its place later. Events lie in ``tensorboard/`` of the seed's directory ``out`` and stay.
    """

    def __init__(self, out: Path, metrics: Path | None, tensorboard: bool, first: bool) -> None:
        self.name = out.name
        self.path = metrics if first else None
        self.writer: Any = events(out / "tensorboard") if tensorboard and first else None

    def epoch(self, row: EpochMetrics) -> None:
        """Report an epoch."""
        values = {name: value for name, value in vars(row).items() if value is not None}
        if self.path is not None:
            write_json(self.path, {"live": {"training": self.name, **values}})
        if self.writer is not None:
            step = math.ceil(values.pop("epoch"))
            for name, value in values.items():
                self.writer.add_scalar(name, value, step)
            self.writer.flush()

    def close(self) -> None:
        """The training has ended, well or not."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        if self.writer is not None:
            self.writer.close()


def events(folder: Path) -> Any:
    """A writer of TensorBoard's event files; a InputError where its package is missing."""
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError(
            "run.tensorboard is true and the package tensorboard is not installed;"
            " pip install tensorboard, or set it to false"
        )
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))
