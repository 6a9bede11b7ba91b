"""The C++ files of this package, compiled for this CPU each time they are needed, which takes a second or two."""

import ctypes
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

FLAGS = ("-O3", "-march=native", "-fopenmp", "-fPIC", "-shared", "-w")  # torch has loaded OpenMP's library: it is used


class Unavailable(Exception):
    """The code cannot be compiled here; the message says why."""


@cache
def library(name: str, *defined: str) -> ctypes.CDLL:
    """Return the functions of NAME.cpp, compiled by $CXX or c++ with macros such as ``NUMBER=float``."""
    compiler = os.environ.get("CXX") or "c++"
    source = Path(__file__).with_name(f"{name}.cpp")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.so"
        line = [compiler, *FLAGS, *(f"-D{macro}" for macro in defined), str(source), "-o", str(path)]
        try:
            subprocess.run(line, check=True, capture_output=True, text=True)
            return ctypes.CDLL(str(path))
        except subprocess.CalledProcessError as error:
            reason = next((text for text in error.stderr.splitlines() if "error" in text), f"exit {error.returncode}")
            raise Unavailable(f"the C++ compiler {compiler} fails: {reason}") from error
        except OSError as error:
            raise Unavailable(f"the C++ compiler {compiler} cannot be used: {error.strerror or error}") from error
