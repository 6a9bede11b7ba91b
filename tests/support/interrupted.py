"""One process of several: a training as dawn.train runs it, stopped after a number of steps, or not.

torchrun --nproc-per-node 2 tests/support/interrupted.py OUT PARAMS DATA STOP...

A training follows for each STOP, a number of steps, or 0 for one that ends. Each continues from the checkpoint before.
"""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from training import Never

from dawn import train
from dawn.config.experiment import load
from dawn.engine.shutdown import Interrupted
from dawn.runtime.distributed import joined


class After(Never):
    """A request to stop, in all processes, when it is looked for after so many steps."""

    def __init__(self, first, steps):
        self.first, self.left = first, steps

    @property
    def requested(self):
        self.left -= 1
        if self.left == 0 and not self.first:  # as the first process leaves
            raise Interrupted
        return self.left == 0


def main(out, params, data, *stops):
    stats = data / "stats.json"
    args = argparse.Namespace(data=data, stats=stats if stats.exists() else None, seed=0, out=out, resume=out / "state")
    with joined() as world:
        for stop in stops:
            train.StopRequest = lambda first, stop=stop: After(first, int(stop))
            with suppress(Interrupted):
                train.train(args, load(params), world)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), *sys.argv[4:])
