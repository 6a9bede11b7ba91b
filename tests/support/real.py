"""The real CIFAR-10, where a checkout has it next to it, packed once for all tests."""

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

CIFAR10 = Path(__file__).resolve().parents[2].parent / "shared" / "cifar10"
BUILD = CIFAR10 / "build.py"
needs_cifar10 = pytest.mark.skipif(not BUILD.exists(), reason="the real CIFAR-10 is not in ../shared/cifar10")


@cache
def real_archive(layout: str) -> Path:
    """The archive of all 60,000 images in the layout ``binary`` or ``folders``, built on the first call.

    It stays in the temporary directory of this user for later runs, and is built anew when build.py changes.
    """
    stamp = f"{BUILD.stat().st_mtime_ns:x}"
    path = Path(tempfile.gettempdir()) / f"dawn-tests-{os.getuid()}-{stamp}" / f"cifar10-{layout}.tar.gz"
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        subprocess.run([sys.executable, BUILD, layout, partial], check=True)
        partial.replace(path)
    return path
