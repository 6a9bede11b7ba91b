"""TensorBoard's event files of a training."""

import importlib.util
import math
from pathlib import Path
from typing import Any, Self

from dawn.core.cli import InputError


class EventFiles:
    """Writes the metrics of each epoch to event files in ``folder``; an InputError without the package tensorboard."""

    def __init__(self, folder: Path) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise InputError(
                "run.tensorboard is true and the package tensorboard is not installed;"
                " pip install tensorboard, or set it to false"
            )
        from torch.utils.tensorboard import SummaryWriter

        self.writer: Any = SummaryWriter(str(folder))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.writer.close()

    def epoch(self, row: Any) -> None:
        """Write an epoch; its number is the step."""
        values = {name: value for name, value in vars(row).items() if value is not None}
        step = math.ceil(values.pop("epoch"))
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
        self.writer.flush()
