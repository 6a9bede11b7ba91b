"""The Python that runs the commands, and the packages that it imports."""

import importlib.metadata
import re
import sys
import time
from pathlib import Path

from dawn.health.finding import Finding

LOCKED = re.compile(r"^([\w.-]+)==(\S+)(?: ; (.+?))? *\\?$", re.MULTILINE)


def python(root: Path) -> list[Finding]:
    """The version of Python."""
    version = sys.version.split()[0]
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return [Finding("ok", f"{version}, {sys.executable}")]
    return [Finding("problem", f"{version} is not 3.11 to 3.13", "make PYTHON=/path/to/python3.12 env")]


def locked(text: str) -> dict[str, str]:
    """The versions that a lock file requires on this machine."""
    from packaging.markers import Marker

    return {name: version for name, version, mark in LOCKED.findall(text) if not mark or Marker(mark).evaluate()}


def installed(name: str) -> str | None:
    """The version of a distribution, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def packages(root: Path) -> list[Finding]:
    """Check that the installed packages are those of the lock file."""
    required = locked((root / "requirements" / "runtime.lock").read_text(encoding="utf-8"))
    other = [f"{name} is {installed(name)}, not {version}" for name, version in required.items()
             if installed(name) != version]  # fmt: skip
    if not other:
        return [Finding("ok", f"{len(required)}, all of the versions in requirements/runtime.lock")]
    shown = ", ".join(other[:3]) + (f" and {len(other) - 3} more" if len(other) > 3 else "")
    return [Finding("problem", f"not those of requirements/runtime.lock: {shown}", "make env, or make image")]


def torch(root: Path) -> list[Finding]:
    """Check that PyTorch loads and computes."""
    start = time.monotonic()
    try:
        import torch
        import torchvision

        product = torch.ones(64, 64) @ torch.ones(64, 64)
    except (ImportError, OSError, RuntimeError) as error:
        why = " ".join(str(error).split())
        return [Finding("problem", f"does not load: {why}", "make env; a base image needs the library libstdc++6")]
    if float(product[0, 0]) != 64:
        return [Finding("problem", "a matrix product on the CPU is wrong", "unset OPENBLAS_CORETYPE and MKL_*")]
    versions = f"{torch.__version__}, torchvision {torchvision.__version__}"
    return [Finding("ok", f"{versions}, {torch.get_num_threads()} threads, {time.monotonic() - start:.1f} s to load")]
