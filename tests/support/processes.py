"""Scripts of tests/support in one process or, through torchrun, in several."""

import os
import subprocess
import sys
from pathlib import Path

import torch


def run_script(name, *arguments, processes=1):
    """Run a script of this folder with the modules that tests import; fail with its stderr."""
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    line = [sys.executable, *launch, Path(__file__).with_name(name), *arguments]
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr


class Store:
    """The part of torchrun's store that joining uses, in this process."""

    def __init__(self):
        self.store = torch.distributed.HashStore()

    def clone(self):
        return self.store

    def set_timeout(self, limit):
        pass
