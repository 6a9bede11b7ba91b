"""The training of a CycleGAN: its losses, interruptions, pairs, several processes."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import ROOT, in_full
from cycles import WORLD, domains, gradients_and_pools, ready, settings, stopped_and_resumed, trained
from torch.nn import functional
from training import At

from dawn.core.cli import InputError
from dawn.runtime.clock import Clock
from dawn.tasks.cycle.train import set_up
from dawn.tasks.cycle.training import multiplier


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return domains(tmp_path_factory.mktemp("domains"))


def tensors(trainer):
    state = trainer.task.state.state_dict()
    moments = [value for optimizer in state["optimizers"] for s in optimizer["state"].values() for value in s.values()]
    return [*state["networks"].values(), *state["pools"], *moments, *trainer.task.progress]


@pytest.fixture(scope="module")
def unbroken(data, tmp_path_factory):
    return trained(data, tmp_path_factory.mktemp("unbroken"))


@pytest.mark.parametrize("stop", [1, 7, 13, *in_full(4, 10)])
def test_stopped_at_any_step_it_ends_as_an_unbroken_one_pool_included(data, tmp_path, unbroken, stop):
    resumed = stopped_and_resumed(data, tmp_path / "stopped", lambda trainer: At(trainer, stop))
    assert all(torch.equal(a, b) for a, b in zip(tensors(resumed), tensors(unbroken), strict=True))
    assert resumed.trace == unbroken.trace
    assert len(unbroken.trace) == 15
    plain = [[replace(row, images_per_s=0, seconds=0) for row in trainer.curve] for trainer in (resumed, unbroken)]
    assert plain[0] == plain[1]
    assert all(pool.images.abs().sum() > 0 for pool in resumed.task.state.pools)


def test_another_seed_ends_elsewhere(data, tmp_path):
    one, other = (trained(data, tmp_path / str(seed), seed=seed, epochs=1) for seed in (0, 1))
    assert one.trace != other.trace


def by_hand(trainer, batch):
    """Losses of a first step, from the definition: every image and every term by itself."""
    nets = trainer.task.state.nets
    sums = dict.fromkeys(("adversarial", "cycle", "identity"), 0.0)
    for to, back, critic, images, others in (
        (nets.to_b, nets.to_a, nets.critic_b, batch.a, batch.b),
        (nets.to_a, nets.to_b, nets.critic_a, batch.b, batch.a),
    ):
        for image, other in zip(images, others, strict=True):
            fake = to(image[None])
            sums["adversarial"] += functional.mse_loss(critic(fake), torch.ones(1, 1, *critic(fake).shape[2:])) / 2
            sums["cycle"] += functional.l1_loss(back(fake), image[None]) / 2
            sums["identity"] += functional.l1_loss(to(other[None]), other[None]) / 2
    return sums


def test_the_losses_of_a_step_are_those_of_the_definition(data, tmp_path):
    trainer = ready(data, tmp_path)
    batch = next(trainer.task.batches(0, 0, 1))
    with torch.no_grad():
        expected = by_hand(trainer, batch)
    losses, _ = trainer.task.state.generators_loss(batch)
    assert torch.allclose(losses, torch.stack(list(expected.values())), atol=1e-5)
    before = [p.clone() for p in trainer.task.state.nets.critic_a.parameters()]
    trainer.task.state.update(0, losses.sum())
    after = trainer.task.state.nets.critic_a.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_without_an_identity_loss_no_identity_is_computed(data, tmp_path):
    trainer = trained(data, tmp_path, identity_weight=0, epochs=1)
    assert [row.identity_loss for row in trainer.curve] == [0]
    assert trainer.curve[-1].cycle_loss > 0


def test_pairs_train_the_generators_alone_and_see_the_same_crop(data, tmp_path):
    trainer = ready(data, tmp_path, pairs=True, epochs=40)
    batch = next(trainer.task.batches(0, 0, 1))
    edges = [(image - image.mean((2, 3), keepdim=True)).abs().sum(1) > 0.3 for image in (batch.b, batch.b_in_a)]
    assert (edges[0] & edges[1]).sum() > 0.7 * edges[0].sum()  # lines lie on the filled shapes
    critics = [p.clone() for p in trainer.task.state.parts[1].parameters()]
    rows = list(trainer.run(type("Go", (), {"requested": False})()))
    assert all(torch.equal(a, b) for a, b in zip(critics, trainer.task.state.parts[1].parameters(), strict=True))
    assert rows[-1].cycle_loss < 0.7 * rows[0].cycle_loss
    assert rows[-1].psnr > rows[0].psnr + 2


def test_the_smaller_domain_is_passed_over_again(data, tmp_path):
    trainer = ready(data, tmp_path)
    small = trainer.task.trainsets[1]
    small.steps = 2
    whole = [batch.b for batch in trainer.task.batches(0, 0, 5)] + [batch.b for batch in trainer.task.batches(1, 0, 5)]
    expected = [images for epoch in range(5) for ((images, _),) in small.epoch(epoch, WORLD, 1, 0, 2)]
    assert all(torch.equal(a, b) for a, b in zip(whole, expected, strict=True))
    part = [batch.b for batch in trainer.task.batches(1, 2, 4)]
    assert all(torch.equal(a, b) for a, b in zip(part, expected[7:9], strict=True))


def test_the_learning_rate_is_constant_and_then_falls_to_zero():
    assert [multiplier(step, 10, 0.5) for step in (0, 4, 5)] == [1, 1, 1]
    assert [round(multiplier(step, 10, 0.5), 6) for step in (6, 8, 9)] == [0.8, 0.4, 0.2]
    assert multiplier(9, 10, 1.0) == 1


def test_domains_of_other_settings_and_batches_that_cannot_be_cut_are_refused(data, tmp_path):
    with pytest.raises(InputError, match=r"is of other settings in the section domains; make it again"):
        set_up(settings({"seed": 1}), data, None, 0, tmp_path, WORLD, Clock(WORLD.device))
    with pytest.raises(InputError, match=r"cycle.batch = 11 is more than the 10 images of a domain; lower it"):
        ready(data, tmp_path, batch=11)
    np.save(domains(tmp_path / "wrong") / "domain_a_test.npy", np.zeros((4, 32, 30, 3), np.uint8))
    with pytest.raises(InputError, match=r"domain_a_test.npy is uint8 \(4, 32, 30, 3\), not uint8"):
        ready(tmp_path / "wrong", tmp_path)
    with pytest.raises(InputError, match=r"cycle.pairs needs a truth, which domains.kind classes does not have"):
        settings({"kind": "classes"}, pairs=True)


GENERATORS = 2 * 8  # weights, before those of the critics


def noise(folder):
    """Replace all images by noise.

    Drawn shapes have flat areas, where an activation is 0 within rounding and ReLU's gradient is 0 or 1 by chance.
    """
    for i, path in enumerate(sorted(folder.glob("*.npy"))):
        np.save(path, np.random.default_rng(i).integers(0, 256, np.load(path).shape, np.uint8))
    return folder


@pytest.mark.full
def test_two_processes_train_as_one(tmp_path):
    """The gradients of absolute errors are signs, which rounding flips: those of the generators agree less closely."""
    data, processes = noise(domains(tmp_path / "domains")), 2
    line = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    line += [str(ROOT / "tests/support/cycle_processes.py"), str(data), str(tmp_path)]
    paths = os.pathsep.join(str(ROOT / part) for part in ("workflow", "tests", "tests/support"))
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    done = subprocess.run(line, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    alone = gradients_and_pools(trained(data, tmp_path / "alone", epochs=0.8, lr=1e-5))
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(processes)]
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    differences = [float((a - b).abs().max() / b.abs().max()) for a, b in zip(found[0], alone, strict=True)]
    assert 0 < max(differences[GENERATORS:]) < 1e-3, differences
    assert max(differences[:GENERATORS]) < 0.1, differences


def test_the_images_of_both_domains_are_enlarged_for_their_crops(tmp_path):
    task = ready(domains(tmp_path / "data"), None, pad=2, mode="enlarge", flip=False).task
    for trainset in task.trainsets:
        trainset.resize(trainset.whole)
        whole = trainset.split.images.permute(0, 3, 1, 2).float()
        larger = functional.interpolate(whole, (36, 36), mode="bicubic", antialias=True).round().clamp(0, 255)
        crop = trainset.windows[0, :, 1, 3].permute(0, 3, 1, 2).float()
        assert torch.equal(crop, larger[:, :, 1:33, 3:35])
