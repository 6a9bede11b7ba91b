"""The record network and its parts against independently written references."""

import numpy as np
import pytest
import torch
from conftest import ROOT, experiment
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode
from training import AIRBENCH, CPU, WORLD, Never, trained

from dawn.config.experiment import check, merge, read
from dawn.data import dataset
from dawn.monitoring.progress import Progress
from dawn.runtime.clock import Clock
from dawn.tasks.classify.networks.airbench.network import Stem
from dawn.tasks.classify.networks.airbench.settings import Airbench
from dawn.tasks.classify.networks.build import build
from dawn.tasks.classify.step import TrainState
from dawn.tasks.classify.train import line, set_up
from dawn.tasks.classify.whitening import filters, patches, set_whitening


def record(**over):
    return Airbench(**({"family": "airbench", "widths": (4, 8, 8)} | over))


def test_the_network_has_the_published_size():
    net = build(Airbench(family="airbench"), 10, 0)
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(1.97, abs=0.01)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(torch.zeros(1, 3, 32, 32))
    assert counter.get_total_flops() / 1e9 == pytest.approx(0.236, abs=0.002)
    frozen = [name for name, p in net.named_parameters() if not p.requires_grad]
    assert frozen == ["0.weight", *(name for name in frozen if name != "0.weight")]
    assert len(frozen) == 1 + 6  # the stem's filters and the six scales


@pytest.mark.parametrize("act", ["gelu", "silu", "relu", "leaky_relu"])
def test_the_network_is_its_definition(act):
    act_ = {"gelu": F.gelu, "silu": F.silu, "relu": F.relu, "leaky_relu": lambda x: F.leaky_relu(x, 0.1)}[act]
    net = build(record(activation=act, head_unit=True, logit_scale=0.5), 10, 1).double().train()
    w = dict(net.named_parameters())
    x = torch.randn(6, 3, 32, 32, dtype=torch.float64)
    y, layer = F.gelu(F.conv2d(x, w["0.weight"], w["0.bias"])), 2
    for _ in range(3):
        y = F.max_pool2d(F.conv2d(y, w[f"{layer}.weight"], padding=1), 2)
        y = act_(F.batch_norm(y, None, None, None, w[f"{layer + 2}.bias"], training=True, eps=1e-12))
        y = F.conv2d(y, w[f"{layer + 4}.weight"], padding=1)
        y = act_(F.batch_norm(y, None, None, None, w[f"{layer + 5}.bias"], training=True, eps=1e-12))
        layer += 7
    y = F.linear(y.amax((2, 3)), w[f"{layer + 1}.weight"]) * 0.5
    torch.testing.assert_close(net(x), y)
    assert float(w[f"{layer + 1}.weight"].detach().std()) == pytest.approx(1, abs=1e-6)


def test_any_size_that_leaves_a_pixel():
    for size in (16, 24, 28, 32, 48):
        assert build(record(), 7, 0).eval()(torch.zeros(2, 3, size, size)).shape == (2, 7)


def test_dirac_filters_hand_their_input_on():
    net = build(record(widths=(24, 40)), 10, 0)
    for layer, channels in ((net[2], 24), (net[6], 24), (net[9], 24)):
        x = torch.randn(1, channels, 5, 5)
        torch.testing.assert_close(layer(x)[:, :channels], x)
    assert layer(x)[:, 24:].abs().sum() > 0
    plain = build(record(widths=(24, 40), dirac=False), 10, 0)
    assert not torch.equal(plain[2].weight[0, 0], net[2].weight[0, 0])


def test_parts_can_be_switched_off():
    net = build(record(bn_scale=True, whiten=False), 10, 0)
    assert all(p.requires_grad for p in net.parameters())


def images(n=300):
    """Correlated images, as natural ones are: noise, smoothed."""
    noise = torch.randn(n, 3, 14, 14, generator=torch.Generator().manual_seed(0))
    return F.avg_pool2d(noise, 3, 1) + 0.3 * noise[:, :1, :12, :12]


def test_patches_are_all_windows():
    x = images(5)
    found = patches(x, 2)
    by_hand = [x[n, :, i : i + 2, j : j + 2].flatten() for n in range(5) for i in range(11) for j in range(11)]
    torch.testing.assert_close(found, torch.stack(by_hand))


def test_whitened_patches_are_uncorrelated_and_of_equal_strength():
    x = images()
    w = filters(x, 2, 1e-9)
    assert w.shape == (24, 3, 2, 2)
    torch.testing.assert_close(w[:12], -w[12:])
    y = F.conv2d(x, w[:12]).permute(0, 2, 3, 1).reshape(-1, 12).double()
    torch.testing.assert_close(y.T @ y / len(y), torch.eye(12, dtype=torch.float64), atol=1e-3, rtol=0)
    p = patches(x, 2).double().numpy()
    largest = np.linalg.eigh(p.T @ p / len(p))[1][:, -1]
    ours = w[0].flatten().double().numpy()
    assert abs(largest @ ours / np.linalg.norm(ours)) == pytest.approx(1, abs=1e-6)
    damped = filters(x, 2, 0.5)
    z = F.conv2d(x, damped[:12]).permute(0, 2, 3, 1).reshape(-1, 12).double()
    values = np.linalg.eigvalsh(p.T @ p / len(p))[::-1].copy()
    torch.testing.assert_close(
        (z.T @ z / len(z)).diagonal(), torch.from_numpy(values / (values + 0.5)), atol=1e-4, rtol=1e-4
    )


def test_the_stem_is_whitened_by_the_train_split_and_stays(data, tmp_path):
    over = {"model": {"family": "airbench", "widths": [4, 8]}, "train": {"epochs": 1}}
    trainer = trained(data, tmp_path, **over)
    split = dataset.load(data, data / "stats.json", "train", CPU)
    stem = trainer.task.state.net[0]
    assert torch.equal(stem.weight, filters(split.slice(0, 96)[0], 2, 5e-4))
    assert trainer.clock.seconds["whiten"] > 0
    assert trainer.seconds() == trainer.clock.seconds["whiten"] + trainer.clock.seconds["train"]
    fresh = build(experiment(**over).model, 3, 0)
    learned = build(record(whiten=False), 3, 0)
    before = learned[0].weight.clone()
    for net in (fresh, learned):
        set_whitening(net, split)
    assert isinstance(fresh[0], Stem)
    assert torch.equal(fresh[0].weight, stem.weight)
    assert torch.equal(learned[0].weight, before)


def test_lookahead_reaches_weights_and_statistics_in_every_precision(data, tmp_path):
    for kind in ("fp32", "half"):
        train = {"epochs": 1, "lookahead": {"every": 2}, "precision": kind}
        trainer = trained(data, tmp_path / kind, train=train)
        state = trainer.task.state
        for tensor, mean in zip(state.lookahead.tensors, state.lookahead.means, strict=True):
            assert torch.equal(tensor.detach(), mean)
        for own, weight in zip(state.precision.parameters, state.precision.weights, strict=True):
            assert torch.equal(own, weight.to(own.dtype))
        plain = trained(data, tmp_path / f"{kind}-plain", train={"epochs": 1, "precision": kind})
        assert not torch.equal(plain.task.state.precision.weights[0], state.precision.weights[0])


def test_a_stem_that_is_trained_no_more_saves_its_gradient_and_changes_no_weight(data, tmp_path, monkeypatch):
    trainer = trained(data, tmp_path / "saved", **AIRBENCH)
    bias = trainer.task.state.net[0].bias
    assert trainer.curve[0].epoch < AIRBENCH["train"]["stem_epochs"] < trainer.curve[-1].epoch
    assert not bias.requires_grad
    assert bias.grad is None
    clipped = trained(data, tmp_path / "clipped", train=AIRBENCH["train"] | {"clip": 1e9}, model=AIRBENCH["model"])
    assert clipped.task.state.net[0].bias.requires_grad, "a clipped norm includes it"
    monkeypatch.setattr(TrainState, "_freeze_stem", lambda self: None)
    whole = trained(data, tmp_path / "whole", **AIRBENCH).task.state.net.state_dict()
    assert all(torch.equal(whole[name], tensor) for name, tensor in trainer.task.state.net.state_dict().items())


@pytest.mark.parametrize("preset", ["record", "record-sgd", "airbench-muon"])
def test_the_presets_train_on_a_cpu_and_say_what_they_leave_out(data, tmp_path, capsys, preset):
    path = ROOT / f"workflow/presets/{preset}.yaml"
    small = {
        "model": {"widths": [8, 16, 16]},
        "train": {"batch": 16, "epochs": 3.5, "compile": False, "precision": "fp32", "schedule": {"peak": 0.05}},
        "data": {"holdout": 0},
    }
    settings = check(merge(merge(read(ROOT / "params.yaml"), read(path)), small))
    trainer = set_up(settings, data, data / "stats.json", 0, tmp_path / "state", WORLD, Clock(CPU))
    with Progress(trainer, line) as progress:
        trainer.resume()
        for epoch in trainer.run(Never()):
            progress.epoch(epoch)
    assert trainer.step == 21
    assert trainer.curve[-1].epoch == 3.5
    assert trainer.curve[-1].accuracy > 60
    assert "train.cuda_graph has no effect: the CPU has no CUDA graphs" in capsys.readouterr().err
