"""Live metrics: the last epoch of a running training as a metrics file, which ``dvc exp show`` reads."""

from pathlib import Path
from typing import Any, Self

from dawn.core.files import write_json


class LiveMetrics:
    """Writes each epoch to the file ``path`` and deletes it when the block ends, before the final metrics come."""

    def __init__(self, path: Path, training: str) -> None:
        self.path, self.training = path, training

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.path.unlink(missing_ok=True)

    def epoch(self, row: Any) -> None:
        """Replace the file by the metrics of an epoch."""
        values = {name: value for name, value in vars(row).items() if value is not None}
        write_json(self.path, {"live": {"training": self.training, **values}})
