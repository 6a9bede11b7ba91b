"""Batch norm over all processes against torch's over the whole batch, in every precision."""

import pytest
import torch
import torch.distributed as dist
from conftest import in_full
from processes import run_script
from torch import nn
from training import CPU

from dawn.runtime.batch_norm import GlobalBatchNorm, convert


@pytest.fixture(scope="module")
def alone():
    """A process group of one, in which the global batch is this process's."""
    dist.init_process_group("gloo", rank=0, world_size=1, store=dist.HashStore())
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize(
    "settings", [{}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}], ids=str
)
@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_it_is_torchs_batch_norm(alone, kind, settings):
    torch.manual_seed(0)
    theirs = nn.BatchNorm2d(5, dtype=torch.float64 if kind == torch.float64 else torch.float32, **settings)
    if theirs.affine:
        nn.init.normal_(theirs.weight)
        nn.init.normal_(theirs.bias)
    state = {name: tensor.clone() for name, tensor in theirs.state_dict().items()}
    ours = GlobalBatchNorm.of(nn.BatchNorm2d(5, **settings)).to(next(iter(state.values()), torch.ones(1)).dtype)
    ours.load_state_dict(state)
    rounding = 4 * torch.finfo(kind).eps
    for training in (True, True, True, False):
        x = (torch.randn(6, 5, 4, 3, dtype=kind) * 3 + 1).requires_grad_()
        results = []
        for norm in (theirs, ours):
            x.grad = None
            y = norm.train(training)(x)
            (y.float() ** 3).sum().backward()
            results.append((y.detach(), x.grad.clone()))
        for got, wanted in zip(results[1], results[0], strict=True):
            assert got.dtype == kind
            torch.testing.assert_close(got, wanted, rtol=rounding, atol=rounding * float(wanted.abs().max()))
    for name, tensor in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], tensor)
    assert ours.num_batches_tracked is None or int(ours.num_batches_tracked) == 3


def test_conversion_keeps_tensors_and_settings_and_leaves_other_layers_alone():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4, eps=0.5, momentum=None))).eval()
    net[1][0].weight.requires_grad_(False)
    before = dict(net.named_parameters()) | dict(net.named_buffers())
    convolution = net[0]
    assert convert(net, CPU) is net
    norm = net[1][0]
    assert (type(norm), norm.eps, norm.momentum, norm.training) == (GlobalBatchNorm, 0.5, None, False)
    after = dict(net.named_parameters()) | dict(net.named_buffers())
    assert before.keys() == after.keys()
    assert all(after[name] is tensor for name, tensor in before.items())
    assert net[0] is convolution


def test_on_gpus_it_is_torchs_own():
    net = convert(nn.Sequential(nn.BatchNorm2d(4), nn.BatchNorm1d(4)), torch.device("cuda"))
    assert [type(layer) for layer in net] == [nn.SyncBatchNorm] * 2


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """What one process and each of two make of a step, by precision."""
    out = tmp_path_factory.mktemp("steps")
    for processes in (1, 2):
        run_script("two_processes.py", out, processes=processes)
    whole, *halves = (torch.load(out / f"{name}.pt", weights_only=True) for name in ("1-0", "2-0", "2-1"))
    return whole, halves


@pytest.mark.parametrize("kind", ["fp32", *in_full("bf16", "fp16", "half")])
def test_two_processes_differ_from_one_by_less_than_the_precision_from_fp32(steps, kind):
    whole, halves = steps
    one, exact = whole[kind], whole["fp32"]
    first, second = (half[kind] for half in halves)
    pairs = [(torch.cat([first["logits"], second["logits"]]), one["logits"], exact["logits"])]
    pairs += zip(first["gradients"], one["gradients"], exact["gradients"], strict=True)
    pairs += zip(first["buffers"], one["buffers"], exact["buffers"], strict=True)
    for both, alone, fp32 in (tuple(t.double() for t in pair) for pair in pairs):
        allowed = (alone - fp32).norm() if kind != "fp32" else 1e-4 * fp32.norm()
        assert (both - alone).norm() <= allowed
        assert bool(both.isfinite().all())
    for a, b in zip(first["gradients"] + first["buffers"], second["gradients"] + second["buffers"], strict=True):
        assert torch.equal(a, b)
    assert {b.dtype for b in first["buffers"]} == {torch.float32, torch.int64}
