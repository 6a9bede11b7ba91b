"""What can be followed while a training runs: its last epoch as a metrics file, and TensorBoard's event files."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dawn.cli import Refusal
from dawn.files import write_json


class Live:
    """Tells of each epoch, from the first process alone.

    ``live.json`` lies beside the seeds' directories, where ``dvc exp show`` looks; it goes when the training ends,
    since then the real metrics come. Events lie in ``tensorboard/`` of the seed's directory and stay.
    """

    def __init__(self, out: Path, columns: Sequence[str], tensorboard: bool, first: bool) -> None:
        self.path, self.columns, self.first = out.parent / "live.json", columns, first
        self.name = out.name
        self.writer: Any = None
        if tensorboard and first:
            self.writer = events(out / "tensorboard")

    def epoch(self, row: Sequence[float | None]) -> None:
        """A row of the curve has come."""
        if not self.first:
            return
        values = {name: value for name, value in zip(self.columns, row, strict=True) if value is not None}
        write_json(self.path, {"live": {"training": self.name, **values}})
        if self.writer is not None:
            step = int(values.pop("epoch"))
            for name, value in values.items():
                self.writer.add_scalar(name, value, step)
            self.writer.flush()

    def close(self) -> None:
        """The training has ended, well or not."""
        if self.first:
            self.path.unlink(missing_ok=True)
        if self.writer is not None:
            self.writer.close()


def events(folder: Path) -> Any:
    """A writer of TensorBoard's event files; a Refusal where its package is missing."""
    if importlib.util.find_spec("tensorboard") is None:
        raise Refusal(
            "run.tensorboard is true and the package tensorboard is not installed;"
            " pip install tensorboard, or set it to false"
        )
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))
