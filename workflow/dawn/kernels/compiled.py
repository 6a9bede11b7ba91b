"""The C++ files of this package, compiled for this CPU when they are needed (a second or two), and their arguments."""

import ctypes
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch
from torch import Tensor


def channels_last(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Return images in this number format with their channels last in memory; the same tensor if it is so already."""
    return x.to(dtype).contiguous(memory_format=torch.channels_last if x.ndim == 4 else torch.contiguous_format)


def pointers(*tensors: Tensor) -> list[ctypes.c_void_p]:
    """Return the addresses of tensors."""
    return [ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors]


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
