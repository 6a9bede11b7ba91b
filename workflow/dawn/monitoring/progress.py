"""What a training shows: a bar on a terminal, one line an epoch anywhere else."""

import sys
import time

from tqdm import tqdm


class Progress:
    """Shows from the first process alone; every other stays silent."""

    def __init__(self, name: str, images: int, done: int, shown: bool) -> None:
        self.shown, self.name = shown, name
        self.terminal = shown and sys.stderr.isatty()
        self.next = 0.0
        self.bar = (
            tqdm(
                total=images,
                initial=done,
                desc=name,
                unit="img",
                unit_scale=True,
                dynamic_ncols=True,
                leave=False,
            )
            if self.terminal
            else None
        )

    def due(self) -> bool:
        """Whether the bar wants fresh numbers; reading the loss makes a GPU wait, so not after every step."""
        return self.terminal and time.monotonic() >= self.next

    def advance(self, images: int) -> None:
        """Count images as seen."""
        if self.bar is not None:
            self.bar.update(images)

    def show(self, loss: float, rate: float) -> None:
        """Put the loss and the learning rate beside the bar."""
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {loss:.3f}, lr {rate:.4f}")
            self.next = time.monotonic() + 0.5

    def line(self, text: str) -> None:
        """One line that stays, above the bar if there is one."""
        if self.shown:
            tqdm.write(text, file=sys.stderr) if self.terminal else print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
