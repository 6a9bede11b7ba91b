"""``dawn.evaluate`` for a GAN: its samples, measured by the judges (dawn/tasks/generative/evaluate.py)."""

import argparse
from typing import Any

from dawn.config.experiment import Experiment
from dawn.runtime.distributed import World
from dawn.tasks.gan.sampling import sampler
from dawn.tasks.generative import evaluate as samples


def evaluate(args: argparse.Namespace, experiment: Experiment, world: World) -> dict[str, Any]:
    """Write the samples, and return their evaluation."""
    return samples.evaluate(sampler(args.model), args, experiment, world)
