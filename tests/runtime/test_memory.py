"""Freed memory is kept: what was used once costs no page faults again."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
import numpy as np
from dawn.runtime.memory import keep_freed
if sys.argv[1] == "keep":
    assert keep_freed()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work = lambda: np.ones(1 << 24)  # 128 MiB
work()
before = faults()
for _ in range(5):
    work()
print(faults() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is the GNU C library's")
def test_what_was_freed_is_used_again():
    keep, give = (
        int(subprocess.check_output([sys.executable, "-c", CODE, choice], text=True)) for choice in ("keep", "give")
    )
    assert keep < 100
    assert give > 100  # 32,768 pages each time, fewer where pages are huge
