"""Capture and replay of a step, on a CPU: a stand-in for torch.cuda runs the captured work again."""

from contextlib import nullcontext

import pytest
import torch
from fake_graphs import Graph, Stream, Updates
from training import AIRBENCH, WORLD, Never, ready, trained

from dawn.runtime.distributed import World
from dawn.tasks.classify import cuda_graph

STEADY = AIRBENCH["train"] | {"precision": "fp32", "cuda_graph": True}


@pytest.fixture
def cuda(monkeypatch):
    """Streams and graphs that need no GPU."""
    updates = Updates()
    fakes = {"Stream": Stream, "current_stream": Stream, "stream": lambda _: nullcontext(), "CUDAGraph": Graph}
    for name, fake in (fakes | {"graph": updates.graph}).items():
        monkeypatch.setattr(torch.cuda, name, fake)
    monkeypatch.setattr(cuda_graph, "obstacle", lambda world: None)
    monkeypatch.setattr(cuda_graph, "capture", updates.followed(cuda_graph.capture))


def test_replayed_steps_are_the_steps(data, tmp_path, cuda):
    plain = trained(data, tmp_path / "plain", **(AIRBENCH | {"train": STEADY | {"cuda_graph": False}}))
    trainer = ready(data, tmp_path / "r", **(AIRBENCH | {"train": STEADY}))
    state = trainer.task.state
    assert sorted(state.captured) == [torch.Size([16, 3, n, n]) for n in (24, 32)]
    assert all(isinstance(group["lr"], torch.Tensor) for group in state.optimizer.param_groups)
    replayed = []
    for shape, replay in list(state.captured.items()):
        state.captured[shape] = lambda *parts, replay=replay: replayed.append(parts) or replay(*parts)
    list(trainer.run(Never()))
    assert len(replayed) == 15
    torch.testing.assert_close(torch.tensor(trainer.trace), torch.tensor(plain.trace))
    for a, b in zip(plain.task.state.precision.weights, state.precision.weights, strict=True):
        torch.testing.assert_close(a, b)
    again = ready(data, tmp_path / "r", **(AIRBENCH | {"train": STEADY})).task.state
    again.load_state_dict(state.state_dict())
    for a, b in zip(again.precision.weights, state.precision.weights, strict=True):
        assert torch.equal(a, b)


def test_what_prevents_a_capture(data, tmp_path, cuda, monkeypatch):
    random = {"family": "wrn", "depth": 10, "width": 0.25, "dropout": 0.1}
    trainer = ready(data, tmp_path, model=random, train=STEADY | {"optimizer": "sgd", "sizes": []})
    assert trainer.note == "train.cuda_graph has no effect: the network draws random numbers in every step"
    assert not trainer.task.state.captured
    monkeypatch.undo()
    gpu = torch.device("cuda", 0)
    assert "the CPU has no CUDA graphs" in cuda_graph.obstacle(WORLD)
    assert "2 processes" in cuda_graph.obstacle(World(0, 2, gpu))
    assert cuda_graph.obstacle(World(0, 1, gpu)) is None
