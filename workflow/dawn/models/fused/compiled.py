"""blocks.cpp, compiled for this CPU each time it is needed, which takes a second."""

import ctypes
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("blocks.cpp")
FLAGS = ("-O3", "-march=native", "-fopenmp", "-fPIC", "-shared")  # OpenMP: torch has loaded its library, which is used


class Unavailable(Exception):
    """The code cannot be compiled here; the message says why."""


@cache
def library(number: str, activation: str) -> ctypes.CDLL:
    """Return the functions for float or bfloat16 and Relu, Silu or Gelu, compiled by $CXX or c++."""
    compiler = os.environ.get("CXX") or "c++"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blocks.so"
        line = [compiler, *FLAGS, f"-DNUMBER={number}", f"-DACTIVATION={activation}", str(SOURCE), "-o", str(path)]
        try:
            subprocess.run(line, check=True, capture_output=True, text=True)
            return ctypes.CDLL(str(path))
        except subprocess.CalledProcessError as error:
            last = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
            raise Unavailable(f"the C++ compiler {compiler} fails: {last}") from error
        except OSError as error:
            raise Unavailable(f"the C++ compiler {compiler} cannot be used: {error.strerror or error}") from error
