"""Too little memory is one line in every command, whichever library says so."""

import errno
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import ROOT
from training import CPU, arguments

from dawn.core import cli, out_of_memory
from dawn.data.image_file import decoding
from dawn.engine import checkpoint

SAID_BY = {
    "torch on a CPU": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
        "allocate 98304000000 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "torch on a GPU": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total"),
    "torch reading": RuntimeError("unable to mmap 512 bytes from file <x>: Cannot allocate memory (12)"),
    "numpy": np._core._exceptions._ArrayMemoryError((9, 9), np.dtype("f8")),
    "python": MemoryError(),
    "C++": RuntimeError("std::bad_alloc"),
    "oneDNN": RuntimeError("could not create a memory object"),
    "the loader": ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    "threads": RuntimeError("can't start new thread"),
    "the system": OSError(errno.ENOMEM, "Cannot allocate memory"),
}


@pytest.mark.parametrize("library", SAID_BY)
def test_it_is_one_line(library, monkeypatch, capsys):
    error = SAID_BY[library]

    def step():
        raise error

    monkeypatch.delenv("DAWN_LOG", raising=False)
    monkeypatch.setattr(cli, "name", lambda step: "dawn.step")
    with pytest.raises(SystemExit) as ended:
        cli.run(step)
    assert "too little memory" in ended.value.code
    assert "\n" not in ended.value.code
    out_of_memory.hook(type(error), error, None)
    printed = capsys.readouterr().err
    assert "too little memory" in printed
    assert printed.count("\n") == 1
    with pytest.raises(type(error)):
        out_of_memory.pass_on(error)


def test_the_amount_is_readable():
    assert "(98.3 GB were asked for)" in out_of_memory.explain(SAID_BY["torch on a CPU"])
    assert "(2.00 GiB were asked for)" in out_of_memory.explain(SAID_BY["torch on a GPU"])
    assert "(648 bytes were asked for)" in out_of_memory.explain(SAID_BY["numpy"])


@pytest.mark.parametrize(
    "error", [RuntimeError("shape mismatch"), ValueError("out of memory"), ImportError("no torch")]
)
def test_other_errors_are_not_of_memory(error, monkeypatch):
    def step():
        raise error

    assert out_of_memory.explain(error) is None
    with pytest.raises(type(error)):
        cli.run(step)


def test_no_file_is_called_damaged_for_want_of_memory(tmp_path, monkeypatch):
    with pytest.raises(MemoryError), decoding():
        raise MemoryError
    kept = checkpoint.Checkpoints(tmp_path, "key", 0)
    kept.save({"step": 1})
    monkeypatch.setattr(checkpoint.torch, "load", lambda *_, **__: bytearray(1 << 62))
    with pytest.raises(MemoryError):
        kept.load(CPU)


@pytest.mark.full
def test_a_training_under_a_limit_ends_in_one_line(params, data, tmp_path):
    """From a limit in which the libraries do not fit to one in which the training does: one line, or success."""
    path = params(train={"batch": 96, "epochs": 1}, model={"width": 64})
    line = [sys.executable, "-m", "dawn.train", *map(str, arguments(path, data, tmp_path / "out"))]
    codes = []
    for megabytes in (1000, 2200, 3200, 3500, 3800, 4100, 8000):
        limit = megabytes * 10**6
        done = subprocess.run(
            line, capture_output=True, text=True, check=False, cwd=ROOT,
            preexec_fn=lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )  # fmt: skip
        codes.append(done.returncode)
        if done.returncode == 0:
            break
        if done.returncode == -6 and "std::bad_alloc" in done.stderr:  # C++ ends the process while torch loads
            continue
        assert done.stderr.count("\n") == 1 and "too little memory" in done.stderr, (megabytes, done.stderr)
    assert codes[0] == 1 and codes[-1] == 0, codes
