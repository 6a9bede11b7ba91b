"""Report a training on stderr: a bar on a terminal, one line for each epoch anywhere else."""

import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Self

from tqdm import tqdm

from dawn.core.cli import bare
from dawn.engine.high_loss import described
from dawn.engine.trainer import Trainer

REFRESH = 0.5  # seconds between two updates of the bar


def name_of(out: Path, seed: int) -> str:
    """Begin the lines about a training: its seed, after the variant of a study, or the judges, in results/."""
    below = out.parts[out.parts.index("results") + 1 : -1] if "results" in out.parts else ()
    return f"{below[-1]}, seed {seed}" if below else f"seed {seed}"


class Progress:
    """Reports while its block runs. The bar follows the trainer from a thread, so no step waits for it."""

    def __init__(
        self, trainer: Trainer[Any], text: Callable[[Trainer[Any], Any], str], name: str | None = None,
        shown: bool = True,
    ) -> None:  # fmt: skip
        """``text`` describes the metrics of an epoch, such as ``line`` in dawn/tasks/classify/train.py.

        Each line begins with ``name``, or with the seed.
        """
        self.trainer, self.text, self.shown = trainer, text, shown and trainer.world.first
        self.name = name or f"seed {trainer.seed}"
        self.bar: Any = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        trainer, batch = self.trainer, self.trainer.task.batch
        if self.shown and sys.stderr.isatty():
            self.bar = tqdm(
                total=trainer.task.steps * batch, initial=trainer.step * batch, unit="img", unit_scale=True,
                dynamic_ncols=True, leave=False, file=bare(sys.stderr),
            )  # fmt: skip
            self.thread.start()
        if trainer.note:
            self.line(trainer.note)
        if trainer.resumed:
            self.line(f"continues after step {trainer.step} of {trainer.task.steps}")
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        if self.bar is not None:
            self.thread.join()
            self.bar.close()

    def epoch(self, row: Any) -> None:
        """Report an epoch on a line, and on another that its loss is far too high, the first time that it is."""
        epochs = self.trainer.task.epochs
        self.line(
            f"epoch {row.epoch:>{len(str(epochs))}}/{epochs}  {self.text(self.trainer, row)}"
            f"  {row.images_per_s:,.0f} img/s  {row.seconds:.1f} s"
        )
        mark = self.trainer.high_loss()
        if mark and mark["epoch"] == row.epoch:
            self.line(described(mark))

    def line(self, text: str) -> None:
        """Print a line, above the bar if there is one."""
        if self.shown:
            with nullcontext() if self.bar is None else tqdm.external_write_mode(file=self.bar.fp):
                print(f"{self.name}  {text}", file=sys.stderr, flush=True)

    def _follow(self) -> None:
        """Update the bar until the block ends."""
        trainer, bar = self.trainer, self.bar
        assert bar is not None
        while not self.ended.wait(REFRESH):
            epochs = trainer.task.epochs
            epoch = min(trainer.step // trainer.task.per_epoch + 1, epochs)
            bar.set_description(f"{self.name}  epoch {epoch:g}/{epochs:g}", refresh=False)
            bar.n = trainer.step * trainer.task.batch
            bar.refresh()
