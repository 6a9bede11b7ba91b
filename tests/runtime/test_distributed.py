"""The processes of one experiment join and leave each other; a process that fails waits for no other."""

import os
import subprocess
import sys

import pytest
import torch
from conftest import ROOT, step
from processes import Store
from training import CPU, arguments

from dawn.config.sections import Run
from dawn.core import host
from dawn.core.cli import InputError
from dawn.runtime import distributed
from dawn.runtime.distributed import World, joined


@pytest.fixture
def calls(monkeypatch):
    """A world of two CPU processes, of which this is the second, without the other."""
    calls = []
    for variable, value in (("TORCHELASTIC_RUN_ID", "1"), ("WORLD_SIZE", "2"), ("RANK", "1"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(distributed, "store_of_torchrun", lambda limit: Store())
    for name in ("init_process_group", "destroy_process_group"):

        def call(*arguments, name=name, **settings):
            calls.append((name, *arguments))

        monkeypatch.setattr(distributed.dist, name, call)
    return calls


def test_without_torchrun_a_process_is_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined() as world:
        assert world == World(0, 1, torch.device("cuda", 0) if torch.cuda.is_available() else CPU)
        assert world.first


def test_processes_leave_together(calls):
    with joined() as world:
        assert world == World(1, 2, CPU)
        assert not world.first
    assert calls == [("init_process_group", "gloo"), ("destroy_process_group",)]


def test_a_process_that_fails_leaves_at_once(calls):
    with pytest.raises(KeyError), joined():
        raise KeyError
    assert ("destroy_process_group",) not in calls


def test_the_number_of_threads_is_left_to_the_environment(calls):
    before = torch.get_num_threads()
    with joined():
        assert torch.get_num_threads() == before


LEFT = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29999"}


def test_what_another_launcher_left_in_the_environment_is_refused(monkeypatch):
    for variable, value in LEFT.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=r"WORLD_SIZE = '2' in the environment, .* or unset WORLD_SIZE"), joined():
        pass
    monkeypatch.setenv("WORLD_SIZE", "1")
    with joined() as world:  # a rank alone says nothing
        assert (world.rank, world.size) == (0, 1)


def test_a_step_says_so_in_one_line(params, data, tmp_path):
    done = step("train", *arguments(params(), data, tmp_path / "out"), env=LEFT)
    assert done.returncode == 1
    assert done.stderr.startswith("dawn.train: WORLD_SIZE = '2' in the environment") and done.stderr.count("\n") == 1


def test_dawn_launch_starts_one_process_without_it(tmp_path):
    (tmp_path / "step.py").write_text("import os; print('WORLD_SIZE' in os.environ, 'RANK' in os.environ)\n")
    path = os.pathsep.join([str(ROOT / "workflow"), str(tmp_path)])
    line = [sys.executable, "-m", "dawn.launch", "--processes", "1", "step"]
    env = os.environ | LEFT | {"PYTHONPATH": path}
    assert subprocess.run(line, env=env, capture_output=True, text=True, check=True).stdout == "False False\n"


@pytest.mark.parametrize(
    ("chosen", "here", "visible"),
    [
        ("0,1,2", 0, 0),
        ("0,1,2", 2, 2),
        ("2,0", 2, 0),
        ("1", 2, 1),
        (" 1, 0", 2, 2),
        ("", 2, 0),
        ("-1", 2, 0),
        ("0,-1,1", 2, 1),
        ("NoDevFiles", 2, 0),
        ("GPU-1a2b,GPU-3c4d", 2, 2),
        ("GPU-1a2b,GPU-3c4d", 0, 0),
        ("MIG-1a2b", 1, 1),
        (None, 3, 3),
    ],
)
def test_only_gpus_that_exist_are_visible(monkeypatch, chosen, here, visible):
    monkeypatch.setattr(host, "present_gpus", lambda: here)
    if chosen is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert host.visible_gpus() == visible


@pytest.fixture
def no_gpu(monkeypatch):
    """A machine without a GPU, outside of any job."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in host.ALLOCATED:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLURM_JOB_GPUS", "0"),  # the first one
        ("SLURM_STEP_GPUS", "2,3"),
        ("SLURM_GPUS_ON_NODE", "1"),
        ("SLURM_GPUS", "a100:2"),
        ("SLURM_GPUS_PER_NODE", "gpu:1"),
        ("SLURM_TRES_PER_TASK", "cpu:4,gres/gpu:1"),
        ("SLURM_JOB_GRES", "gpu:a100:2"),
        ("PBS_NGPUS", "4"),
        ("DAWN_GPUS", "1"),
    ],
)
def test_a_job_with_a_gpu_that_is_not_visible_is_refused(no_gpu, name, value):
    no_gpu.setenv(name, value)
    with (
        pytest.raises(InputError, match=rf"gave this job a GPU \({name} = '{value}'\), but PyTorch.* sees none"),
        joined(),
    ):
        pass
    for chosen in (Run(require_gpu=False), Run(gpus=0)):
        with joined(chosen) as world:
            assert world.device == CPU


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLURM_JOB_ID", "12"),
        ("SLURM_GPUS_ON_NODE", "0"),
        ("SLURM_JOB_GPUS", ""),
        ("SLURM_GPUS", "gpu:0"),
        ("SLURM_JOB_GRES", "gpu:0"),
        ("SLURM_TRES_PER_TASK", "cpu:4"),
        ("DAWN_GPUS", "0"),
    ],
)
def test_a_job_without_a_gpu_uses_the_cpu(no_gpu, name, value):
    no_gpu.setenv(name, value)
    with joined() as world:
        assert world.device == CPU


def test_a_gpu_can_be_required_everywhere(no_gpu):
    with (
        pytest.raises(InputError, match=r"run\.require_gpu is true, but PyTorch.* sees none"),
        joined(Run(require_gpu=True)),
    ):
        pass


@pytest.mark.skipif(host.present_gpus() > 0, reason="needs a machine without a GPU")
def test_dawn_launch_starts_one_process_where_the_named_gpus_are_missing(tmp_path):
    (tmp_path / "step.py").write_text("print('started')\n")
    path = os.pathsep.join([str(ROOT / "workflow"), str(tmp_path)])
    line = [sys.executable, "-m", "dawn.launch", "--processes", "auto", "step"]
    env = os.environ | {"CUDA_VISIBLE_DEVICES": "0,1,2", "PYTHONPATH": path}
    assert subprocess.run(line, env=env, capture_output=True, text=True, check=True).stdout == "started\n"
