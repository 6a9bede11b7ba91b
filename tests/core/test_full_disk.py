"""A file that cannot grow: one line with its path, what was there before stays, and no part of it is left."""

import errno
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from full_disk import limited
from PIL import Image
from torch import nn

from dawn import download
from dawn.core import cli
from dawn.core.array_file import save_array, save_arrays
from dawn.core.cli import InputError
from dawn.core.files import naming, replacing, require_room, write_json, write_table, write_text
from dawn.engine.checkpoint import BEFORE, FILE, Checkpoints
from dawn.engine.weights import write_weights
from dawn.report.style import figure, save

LARGE = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)


def png(path):
    with replacing(path) as partial:
        Image.fromarray(LARGE).save(partial, format="PNG")


def drawn(path):
    picture = figure(4, 4)
    picture.subplots().imshow(LARGE)
    save(picture, path)


def crate(path):
    pytest.importorskip("rocrate")
    from dawn.crate import add_file, empty_crate, write

    source = path.with_name("source.json")
    made = empty_crate()
    add_file(made, source, "source.json")
    write(made, path)


WRITERS = {
    "a.txt": lambda path: write_text(path, "x" * 100_000),
    "a.json": lambda path: write_json(path, list(range(50_000))),
    "a.csv": lambda path: write_table(path, ["x"], [[i] for i in range(50_000)]),
    "a.npy": lambda path: save_array(path, LARGE),
    "a.npz": lambda path: save_arrays(path, True, a=LARGE),
    "a.safetensors": lambda path: write_weights(path, nn.Linear(100, 200), '{"data": {}}', ["x"], {}),
    "plot.png": drawn,
    "a.png": png,
    "crate.zip": crate,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_cannot_grow_is_named_and_stays_as_it_was(tmp_path, name):
    path = tmp_path / name
    path.write_text("before")
    (tmp_path / "source.json").write_bytes(LARGE.tobytes())
    others = {p.name for p in tmp_path.iterdir()}
    with limited(20_000), pytest.raises(InputError, match=rf"^{path} cannot be written \(.+\); run this again"):
        WRITERS[name](path)
    assert path.read_text() == "before"
    assert {p.name for p in tmp_path.iterdir()} == others
    WRITERS[name](path)
    assert path.stat().st_size > 20_000


def test_a_checkpoint_that_cannot_be_written_leaves_those_before(tmp_path):
    kept = Checkpoints(tmp_path, "k", 0)
    kept.save({"step": 1})
    kept.save({"step": 2})
    files = {path.name: path.read_bytes() for path in kept.directory.iterdir()}
    assert {FILE, BEFORE} <= files.keys()
    with limited(20_000), pytest.raises(InputError, match=rf"^{kept.directory}/{FILE} cannot be written \("):
        kept.save({"step": 3, "weights": torch.zeros(20_000)})
    assert {path.name: path.read_bytes() for path in kept.directory.iterdir()} == files
    assert kept.load(torch.device("cpu"))["step"] == 2


def test_an_error_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as error, replacing(tmp_path / "out"):
        (tmp_path / "missing").read_text()
    assert error.value.filename == str(tmp_path / "missing")
    with pytest.raises(ConnectionError), replacing(tmp_path / "out"):
        raise ConnectionError("reset")
    first = tmp_path / "first"
    with pytest.raises(OSError) as full, replacing(tmp_path / "last"), limited(10), naming(first):
        first.write_bytes(b"x" * 20)
    assert full.value.filename == str(first)


def test_a_copied_archive_that_does_not_fit_is_named_and_not_its_source(tmp_path, capsys):
    source, out = tmp_path / "archive.tar.gz", tmp_path / "resources/archive.tar.gz"
    source.write_bytes(LARGE.tobytes())
    with limited(20_000), pytest.raises(OSError) as error:
        download.fetch_from(str(source), download.Proof(None, None), out, download.Limits())
    assert str(out.parent) in cli.describe(error.value)
    assert str(source) not in cli.describe(error.value)


@pytest.mark.parametrize(("code", "named"), [(errno.EOPNOTSUPP, False), (errno.ENOSYS, False), (errno.ENOSPC, True)])
def test_a_file_system_that_cannot_reserve_space_is_no_full_disk(tmp_path, monkeypatch, code, named):
    def refusing(*arguments):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "posix_fallocate", refusing)
    with pytest.raises(InputError, match="No space left") if named else nullcontext():
        require_room(tmp_path, 100)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_permission_is_named(tmp_path):
    if os.getuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises((InputError, OSError)) as error:
        write_text(tmp_path / "a/b.txt", "x")
    assert str(tmp_path) in cli.describe(error.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_output_that_cannot_be_printed_is_one_line(tmp_path):
    code = "from dawn.core import cli; cli.run(lambda: print('x'))"
    code = f"import dawn.core.cli as cli\ncli.name = lambda step: 'dawn.x'\n{code}"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "dawn.x: No space left on device: standard output\n"
