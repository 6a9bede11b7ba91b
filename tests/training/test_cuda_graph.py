"""The recording of a step, on a CPU: CUDA's part is played by a stand-in that does the captured work again."""

from contextlib import nullcontext

import pytest
import torch
from conftest import experiment
from training import AIRBENCH, WORLD, Never, trained

from dawn.runtime.distributed import World
from dawn.training import cuda_graph
from dawn.training.trainer import Trainer

STEADY = AIRBENCH["train"] | {"precision": "fp32", "cuda_graph": True}


@pytest.fixture
def cuda(monkeypatch):
    """torch.cuda's names for streams and graphs; a graph replays the last update that ran inside it."""

    class Stream:
        def wait_stream(self, other):
            pass

    class Graph:
        work = None

        def replay(self):
            update, parts, total = self.work
            total.copy_(update(parts))

    class Capture:
        def __init__(self, made):
            self.made = made

        def __enter__(self):
            self.before = len(ran)

        def __exit__(self, *_):
            assert len(ran) == self.before + 1
            self.made.work = ran[-1]

    ran = []

    def follow(training):
        update = training.update

        def followed(parts):
            total = update(parts)
            ran.append((update, parts, total))
            return total

        training.update = followed

    for name, fake in {
        "Stream": Stream, "current_stream": Stream, "stream": lambda _: nullcontext(), "CUDAGraph": Graph,
        "graph": Capture,
    }.items():  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, fake)
    monkeypatch.setattr(cuda_graph, "why_not", lambda training, world: None)
    record = cuda_graph.record

    def followed_record(training, images, labels):
        if "update" not in vars(training):
            follow(training)
        record(training, images, labels)

    monkeypatch.setattr(cuda_graph, "record", followed_record)


def test_recorded_steps_are_the_steps(data, tmp_path, cuda):
    plain = trained(data, tmp_path / "plain", **(AIRBENCH | {"train": STEADY | {"cuda_graph": False}}))
    trainer = Trainer(experiment(**(AIRBENCH | {"train": STEADY})), data, data / "stats.json", 0, tmp_path / "r", WORLD)
    assert sorted(trainer.training.recorded) == [torch.Size([16, 3, n, n]) for n in (24, 32)]
    assert all(isinstance(group["lr"], torch.Tensor) for group in trainer.training.optimizer.param_groups)
    replayed = []
    for shape, replay in list(trainer.training.recorded.items()):
        trainer.training.recorded[shape] = lambda *parts, replay=replay: replayed.append(parts) or replay(*parts)
    trainer.run(Never())
    assert len(replayed) == 15
    torch.testing.assert_close(torch.tensor(trainer.trace), torch.tensor(plain.trace))
    for a, b in zip(plain.training.precision.weights, trainer.training.precision.weights, strict=True):
        torch.testing.assert_close(a, b)
    again = Trainer(experiment(**(AIRBENCH | {"train": STEADY})), data, data / "stats.json", 0, tmp_path / "r", WORLD)
    again.training.restore(trainer.training.state())
    for a, b in zip(again.training.precision.weights, trainer.training.precision.weights, strict=True):
        assert torch.equal(a, b)


def test_what_keeps_a_step_from_being_recorded(data, tmp_path):
    wet = Trainer(
        experiment(model={"family": "wrn", "depth": 10, "dropout": 0.1}), data, data / "stats.json", 0, tmp_path, WORLD
    )
    assert "the CPU has no CUDA graphs" in cuda_graph.why_not(wet.training, WORLD)
    gpu = torch.device("cuda", 0)
    assert "2 processes" in cuda_graph.why_not(wet.training, World(0, 2, gpu))
    assert "dropout" in cuda_graph.why_not(wet.training, World(0, 1, gpu))
