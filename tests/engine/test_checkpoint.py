"""Checkpoints that are damaged, contended, or cannot be written."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest
import torch
from archives import call
from conftest import in_full, step
from training import CPU, At, Never, arguments, assert_same, ended, ready, trained

from dawn import train
from dawn.core.cli import InputError
from dawn.core.files import HOST, partial_path, replacing, write_text
from dawn.engine.checkpoint import BEFORE, FILE, Checkpoints, checksum
from dawn.engine.shutdown import Interrupted

EPOCHS = {"train": {"epochs": 4}, "run": {"save_every": 1}}


def stopped(data, directory, at):
    """A training that was stopped after a step; the checkpoint of the epoch before is kept next to the last one."""
    trainer = ready(data, directory, **EPOCHS)
    with pytest.raises(Interrupted):
        list(trainer.run(At(trainer, at)))
    return trainer.checkpoints.directory


def flip_a_bit(path, place):
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)


def weight_bytes(path):
    """The position of a weight in the file: the middle of the largest tensor."""
    content = path.read_bytes()
    largest = max(tensors(torch.load(path, weights_only=True)), key=torch.Tensor.numel)
    pattern = bytes(largest.untyped_storage())
    return (content.index(pattern) + len(pattern) // 2) / len(content)


def tensors(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from tensors(part)


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """How a training ends that was never stopped."""
    return ended(trained(data, tmp_path_factory.mktemp("whole"), **EPOCHS))


def test_a_flipped_bit_is_found_and_the_checkpoint_before_is_used(data, tmp_path, whole, capsys):
    directory = stopped(data, tmp_path / "stopped", 8)
    flip_a_bit(directory / FILE, weight_bytes(directory / FILE))
    resumed = ready(data, tmp_path / "stopped", **EPOCHS)
    assert resumed.first_step == 6, "the checkpoint after the second epoch"
    assert re.search(
        r"state.pt is damaged \(its checksum is another than when it was written\)", capsys.readouterr().err
    )
    list(resumed.run(Never()))
    assert_same(ended(resumed), whole)


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_bit_flipped_anywhere_never_changes_the_training(data, tmp_path, whole, place):
    directory = stopped(data, tmp_path / "stopped", 8)
    flip_a_bit(directory / FILE, place)
    resumed = ready(data, tmp_path / "stopped", **EPOCHS)
    assert resumed.first_step in (6, 8)
    list(resumed.run(Never()))
    assert_same(ended(resumed), whole)


def test_a_damaged_checkpoint_never_takes_the_place_of_the_one_before(data, tmp_path):
    directory = stopped(data, tmp_path, 8)
    flip_a_bit(directory / FILE, weight_bytes(directory / FILE))
    resumed = ready(data, tmp_path, **EPOCHS)
    resumed.save()
    (directory / FILE).unlink()  # as if it were killed between the two renames
    resumed.checkpoints.release()
    assert ready(data, tmp_path, **EPOCHS).first_step == 6


def test_two_damaged_checkpoints_are_refused_in_one_line(data, tmp_path):
    directory = stopped(data, tmp_path, 8)
    for name in (FILE, BEFORE):
        shutil.copy(directory / FILE, directory / "copy")
        (directory / name).write_bytes((directory / "copy").read_bytes()[:-500])
    with pytest.raises(InputError, match=r"before.pt is damaged .*; delete .*/seed-0 to train from the start"):
        ready(data, tmp_path, **EPOCHS)


def test_killed_between_the_two_renames_the_checkpoint_before_is_used(data, tmp_path):
    directory = stopped(data, tmp_path, 8)
    (directory / FILE).unlink()
    assert ready(data, tmp_path, **EPOCHS).first_step == 6


def test_a_checksum_is_of_values_names_and_order():
    one = {"a": torch.ones(2), "b": [1, 0.5, None], "c": {"d": torch.zeros(2, 2, dtype=torch.bfloat16)}}
    again = {"a": torch.ones(2), "b": [1, 0.5, None], "c": {"d": torch.zeros(2, 2, dtype=torch.bfloat16)}}
    assert checksum(one) == checksum(again)
    for other in ({"x": 1}, {"a": torch.zeros(2)}, {"b": [0.5, 1, None]}, {"b": [1, 0.5, 0]}):
        assert checksum(one | other) != checksum(one)


def test_two_processes_that_train_the_same_have_directories_of_their_own(tmp_path):
    root = tmp_path / "resume"
    first, second, other = (Checkpoints(root, "k", seed) for seed in (0, 0, 1))
    assert [each.take() for each in (first, second, other)] == [0, 1, 0]
    first.save({"step": 1})
    second.save({"step": 2})
    assert [each.load(CPU)["step"] for each in (first, second)] == [1, 2]
    first.release()
    third = Checkpoints(root, "k", 0)
    assert (third.take(), third.load(CPU)["step"]) == (0, 1)
    for each in (second, third, other):
        each.delete()
    assert not root.exists()


@pytest.mark.full
def test_four_trainings_of_one_seed_at_once_end_alike(data, params, tmp_path):
    path, env = params(**EPOCHS), os.environ | {"OMP_NUM_THREADS": "1"}
    lines = [arguments(path, data, tmp_path / str(i), "--resume", tmp_path / "r") for i in range(4)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "dawn.train", *map(str, line)], stderr=subprocess.PIPE, text=True, env=env
        )
        for line in lines
    ]
    for process in running:
        assert process.communicate()[1] is not None
    assert [process.returncode for process in running] == [0] * 4
    assert len({(tmp_path / str(i) / "model.safetensors").read_bytes() for i in range(4)}) == 1
    assert not list((tmp_path / "r").rglob("*"))


def test_a_full_disk_is_named_with_the_path(data, tmp_path, monkeypatch):
    trainer = ready(data, tmp_path, **EPOCHS)
    trainer.save()

    def full(values, path):
        path.write_bytes(b"some")
        try:
            raise OSError(28, "No space left on device")
        except OSError as error:
            raise RuntimeError("[enforce fail at inline_container.cc] unexpected pos 64 vs 0") from error

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(
            InputError, match=r"/seed-0/state.pt cannot be written \(No space left on device\); run this again"
        ):
            trainer.save()
    trainer.checkpoints.release()
    assert ready(data, tmp_path, **EPOCHS).resumed == 1, "the one before is whole"


@pytest.mark.parametrize("umask", [0o027, *in_full(0o022, 0o077)])
def test_every_file_has_the_permissions_of_the_umask(data, params, tmp_path, umask):
    before = os.umask(umask)
    try:
        assert call(train.main, *arguments(params(), data, tmp_path / "out", "--resume", tmp_path / "r")) is None
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()}
    assert len(modes) == 3
    assert modes == dict.fromkeys(modes, 0o666 & ~umask)


def test_what_a_killed_process_left_is_deleted_and_what_another_writes_is_not(tmp_path):
    path = tmp_path / "a.json"
    gone = subprocess.Popen(["true"])
    gone.wait()
    left, alive, elsewhere = (
        tmp_path / f".a.json.{place}.partial" for place in (f"{HOST}.{gone.pid}", f"{HOST}.{os.getppid()}", "other.1")
    )
    for file in (left, alive, elsewhere):
        file.write_text("half")
    write_text(path, "whole")
    assert path.read_text() == "whole"
    assert [file.exists() for file in (left, alive, elsewhere)] == [False, True, True]
    with replacing(path) as partial:
        assert partial == partial_path(path)
        partial.write_text("new")
    assert path.read_text() == "new"


@pytest.mark.full
def test_four_downloads_of_one_archive_at_once_fetch_it_once(tmp_path):
    source = tmp_path / "source.tar.gz"
    source.write_bytes(os.urandom(2**20))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    results = []

    def fetch():
        results.append(step("download", "--url", source, "--sha256", digest, "--out", tmp_path / "resources/a.tar.gz"))

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [done.returncode for done in results] == [0] * 4, [done.stderr for done in results]
    assert sum(": there already" in done.stderr for done in results) == 3
    assert [path.name for path in (tmp_path / "resources").iterdir()] == ["a.tar.gz"]
