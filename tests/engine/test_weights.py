"""Files of weights: which fit a network, and errors that are no damage of the file."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dawn.core.cli import InputError
from dawn.engine import weights

FILE = Path("model.safetensors")


class Normalised(nn.Module):
    """A layer whose initialisation reads the values of its weights, which the meta device does not have."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.register_buffer("largest", torch.tensor(self.layer.weight.abs().max().item()))


@pytest.mark.parametrize("build", [Normalised, lambda: nn.BatchNorm2d(2)])
def test_a_network_gets_the_tensors_of_its_file(build):
    trained = build().state_dict()
    net = weights.fitted(build, {name: t for name, t in trained.items() if t.is_floating_point()}, FILE, "it", "train")
    assert all(torch.equal(tensor, trained[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize(
    ("tensors", "fault"),
    [
        ({}, "largest is missing"),
        ({"largest": torch.ones(()), "other": torch.ones(1)}, "layer.bias is missing"),
        ({"largest": torch.ones(2)}, r"largest is torch.float32 \(2,\), not float \(\)"),
        ({"largest": torch.tensor(1)}, r"largest is torch.int64 \(\), not float \(\)"),
    ],
)
def test_tensors_of_another_network_are_refused(tensors, fault):
    with pytest.raises(InputError, match=rf"^model.safetensors does not fit my net \({fault}\); train again$"):
        weights.fitted(Normalised, tensors, FILE, "my net", "train again")


def test_too_little_memory_is_no_damage_of_the_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.ones(2)}, path)

    def full(path, framework):
        raise RuntimeError("unable to mmap 512 bytes from file <x>: Cannot allocate memory (12)")

    monkeypatch.setattr(weights, "safe_open", full)
    with pytest.raises(RuntimeError, match="Cannot allocate memory"):
        weights.read_weights(path)
