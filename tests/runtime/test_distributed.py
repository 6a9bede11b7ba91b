"""The processes of one experiment join and leave each other; a process that fails waits for no other."""

import pytest
import torch
from training import CPU

from dawn.runtime import distributed
from dawn.runtime.distributed import World, joined


@pytest.fixture
def calls(monkeypatch):
    """A world of two CPU processes, of which this is the second, without the other."""
    calls = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name, answer in (("init_process_group", None), ("get_rank", 1), ("destroy_process_group", None)):

        def call(*arguments, name=name, answer=answer, **settings):
            calls.append((name, *arguments))
            return answer

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
    assert calls == [("init_process_group", "gloo"), ("get_rank",), ("destroy_process_group",)]


def test_a_process_that_fails_leaves_at_once(calls):
    with pytest.raises(KeyError), joined():
        raise KeyError
    assert ("destroy_process_group",) not in calls


def test_the_number_of_threads_is_left_to_the_environment(calls):
    before = torch.get_num_threads()
    with joined():
        assert torch.get_num_threads() == before
