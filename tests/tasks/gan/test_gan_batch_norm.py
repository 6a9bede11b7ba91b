"""Global batch norms in conditional generators and in critics with gradient penalties."""

from pathlib import Path

import pytest
import torch
import two_gan_processes
from gan_networks import networks
from processes import run_script
from torch import nn
from training import CPU, WORLD

from dawn.runtime.batch_norm import GlobalBatchNorm, convert

GPU = torch.device("cuda")


def kinds(net):
    return {type(module) for module in net.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)}


@pytest.mark.parametrize("conditional", [False, True])
def test_every_batch_norm_is_converted_and_every_tensor_kept(conditional):
    spectral = {"critic": {"spectral_norm": True}}
    for net in networks("lesson", conditional=conditional, init="normal", **spectral):
        before = dict(net.named_parameters()) | dict(net.named_buffers())
        count = sum(isinstance(module, nn.BatchNorm2d) for module in net.modules())
        assert convert(net, CPU) is net
        assert kinds(net) == {GlobalBatchNorm}
        assert sum(isinstance(module, GlobalBatchNorm) for module in net.modules()) == count > 1
        after = dict(net.named_parameters()) | dict(net.named_buffers())
        assert before.keys() == after.keys()
        assert all(after[name] is tensor for name, tensor in before.items())


def test_on_gpus_penalties_use_ours():
    """torch's own has no gradient of its gradient."""
    generator, critic = networks("lesson", conditional=True)
    assert kinds(convert(generator, GPU)) == {nn.SyncBatchNorm}
    assert kinds(convert(critic, GPU, twice=True)) == {GlobalBatchNorm}


@pytest.fixture(scope="module")
def halves(tmp_path_factory) -> list[dict]:
    out: Path = tmp_path_factory.mktemp("halves")
    run_script("two_gan_processes.py", out, processes=2)
    return [torch.load(out / f"2-{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.full
@pytest.mark.parametrize("architecture", ["lesson", "dcgan"])
def test_two_processes_are_one_with_penalties_and_conditional_batch_norms(halves, architecture):
    whole = two_gan_processes.found(architecture, WORLD)
    first, second = (half[architecture] for half in halves)
    for one, *parts in zip(whole["batch"], first["batch"], second["batch"], strict=True):
        torch.testing.assert_close(torch.cat(parts), one, rtol=1e-9, atol=1e-12)
    for one, *both in zip(whole["global"], first["global"], second["global"], strict=True):
        for found in both:
            torch.testing.assert_close(found, one, rtol=1e-7, atol=1e-10)
    assert all(bool(gradient.any()) for gradient in whole["global"][:3])
