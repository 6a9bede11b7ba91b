"""The training of a GAN: interrupted and unbroken, its batch norms, EMA, phases and refusals."""

import json

import numpy as np
import pytest
import torch
from conftest import step
from gan_training import FULL_GAN, TINY_GAN, ready_gan, resumed_gan, trained_gan
from training import Never

from dawn.config.experiment import merge
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.engine.weights import read_weights
from dawn.results.curve import read_curve
from dawn.runtime.distributed import World
from dawn.tasks.gan import draws
from dawn.tasks.gan.curve import GanMetrics
from dawn.tasks.gan.samples import generate
from dawn.tasks.gan.weights import restored

FILES = ["curve.tsv", "metrics.json", "model.safetensors", "progress.npy", "trace.tsv"]


def states(trainer):
    """All tensors of both networks by name, and the samples along the training."""
    state = trainer.task.state
    nets = {"generator": state.generator.state_dict(), "critic": state.critic.state_dict()}
    found = {f"{name}.{key}": tensor for name, net in nets.items() for key, tensor in net.items()}
    return found | {f"progress {i}": images for i, images in enumerate(trainer.task.progress)}


def assert_same(one, other):
    ours, theirs = states(one), states(other)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []
    assert one.trace == other.trace


@pytest.mark.parametrize(
    "gan", [{}, FULL_GAN, {"loss": "dcgan", "share_samples": True}], ids=["lesson", "full", "dcgan"]
)
def test_interrupted_is_unbroken(data, tmp_path, gan):
    whole = trained_gan(data, tmp_path / "whole", **gan)
    broken = resumed_gan(data, tmp_path / "broken", (1, 5, 6, 13), **gan)
    assert broken.resumed == 4
    assert_same(whole, broken)
    assert len(whole.task.progress) == 3
    assert not torch.equal(whole.task.progress[0], whole.task.progress[2])


def test_another_seed_is_another_training(data, tmp_path):
    one, two = (trained_gan(data, tmp_path / str(seed), seed, epochs=0.5) for seed in (0, 1))
    assert not torch.equal(one.task.progress[0], two.task.progress[0])


def test_a_phase_starts_with_new_optimizers(data, tmp_path):
    trainer = ready_gan(data, tmp_path, optimizer={"kind": "adam"}, epochs=2)
    list(trainer.run(Never()))
    critic = trainer.task.state.optimizers[1]
    assert {float(state["step"]) for state in critic.state.values()} == {6}  # of 12
    assert critic.param_groups[0]["lr"] == pytest.approx(1e-5)


def test_a_classifier_in_the_critic_adds_to_both_losses(data, tmp_path):
    losses = []
    for weight in (0, 1000):
        gan = {"conditional": True, "clamp": None, "critic": {"classifier": weight}, "critic_steps": {"usual": 1}}
        task = ready_gan(data, tmp_path / str(weight), **gan).task
        losses.append(task.step(0, next(task.batches(0, 0, 1))))
    assert bool((losses[1] - losses[0] > 100).all())  # 1,000 times a cross-entropy of the order of 1


def test_the_clamp_holds_before_each_step_of_the_critic(data, tmp_path):
    trainer = ready_gan(data, tmp_path, epochs=1, optimizer={"critic_lr": 0.001})
    list(trainer.run(Never()))
    largest = max(float(p.detach().abs().max()) for p in trainer.task.state.critic.parameters())
    assert 0.01 < largest < 0.02  # the last step was not clamped yet, and no step moves a weight by much


def test_the_batch_norms_of_the_samples_belong_to_the_ema(data, tmp_path):
    trainer = trained_gan(data, tmp_path, generator={"ema": 0.5}, epochs=1)
    generator, seen = trainer.task.state.generator.train(), []
    norm = generator.blocks[0].norm
    found = norm.running_mean.clone()
    norm.register_forward_pre_hook(lambda _, args: seen.append(args[0].detach()))
    with torch.no_grad():
        for latents, labels in trainer.task.random_batches(50):
            generator(latents, labels)
    torch.testing.assert_close(found, torch.stack([x.mean((0, 2, 3)) for x in seen]).mean(0), atol=1e-6, rtol=1e-4)
    assert norm.momentum == 0.1


def test_the_batch_norms_of_the_samples_can_be_those_of_the_training(data, tmp_path):
    trainer = ready_gan(data, tmp_path, generator={"statistics": "running"}, epochs=1)
    list(trainer.run(Never()))
    norm = trainer.task.state.generator.blocks[0].norm
    trained = norm.running_mean.clone()
    trainer.task.finish()
    assert torch.equal(norm.running_mean, trained)
    matched = trained_gan(data, tmp_path / "other", epochs=1).task.state.generator.blocks[0].norm
    assert not torch.equal(matched.running_mean, trained)


def test_a_step_of_the_generator_has_a_batch_of_its_own(data, tmp_path):
    trainer = ready_gan(data, tmp_path, generator_batch=6, epochs=1)
    seen, generator = [], trainer.task.state.generator
    generator.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])) if module.training else None)
    task = trainer.task
    for number, batch in zip((0, 1), task.batches(0, 0, 2), strict=True):
        task.step(number, batch)
    assert seen == [16, 16, 6]  # two steps of the critic, then one of the generator
    assert torch.equal(task.draws("critic", 0).latents, ready_gan(data, tmp_path).task.draws("critic", 0).latents)
    both = [torch.cat([task_of(data, tmp_path, rank).draws("generator", 1).latents for rank in range(2)]),
            task.draws("generator", 1).latents]  # fmt: skip
    assert torch.equal(*both)


def task_of(data, tmp_path, rank):
    """The task of one process of two, as far as its draws."""
    task = ready_gan(data, tmp_path, generator_batch=6).task
    task.world = World(rank, 2, task.world.device)
    return task


def test_the_command_writes_its_files_and_its_weights_make_its_samples(data, params, tmp_path):
    path, out = params(**merge(TINY_GAN, {"gan": {**FULL_GAN, "epochs": 2}})), tmp_path / "out"
    done = step("train", "--params", path, "--data", data, "--seed", 3, "--out", out, "--resume", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in out.iterdir()) == FILES
    assert [line.split("  ")[1].split()[0] for line in done.stderr.splitlines()] == ["epoch", "epoch"]
    metrics, curve = json.loads((out / "metrics.json").read_text()), read_curve(out / "curve.tsv", GanMetrics)
    assert metrics["generator_steps"] == curve[-1].generator_steps == 6
    assert metrics["critic_loss"] == curve[-1].critic_loss
    progress, gan = np.load(out / "progress.npy"), restored(out / "model.safetensors")
    assert (progress.shape, progress.dtype) == ((2, 64, 32, 32, 3), np.uint8)
    assert (gan.size, gan.classes) == (32, ["red", "green", "blue"])
    images = generate(gan.generator, draws.latents(64, 8, 3, "progress"), np.arange(64) % 3)
    assert np.abs(images.astype(int) - progress[-1]).mean() < 3  # batch norms over 50 batches in place of 8


@pytest.mark.full
def test_two_gan_processes_are_one(data, params, tmp_path):
    path = params(**merge(TINY_GAN, {"gan": FULL_GAN}))
    for processes in (1, 2):
        out = tmp_path / f"out{processes}"
        args = ["--params", path, "--data", data, "--seed", 0, "--out", out, "--resume", tmp_path / "r"]
        done = step("train", *args, processes=processes)
        assert done.returncode == 0, done.stderr
    one, two = (read_weights(tmp_path / f"out{n}" / "model.safetensors")[0] for n in (1, 2))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, atol=2e-4, rtol=2e-3, msg=name)
    images = [np.load(tmp_path / f"out{n}" / "progress.npy").astype(int) for n in (1, 2)]
    assert np.abs(images[0] - images[1]).max() <= 1


def test_draws_are_sliced_by_process():
    whole = draws.latents(8, 3, 0, "critic", 5)
    parts = [draws.part(whole, World(rank, 2, torch.device("cpu"))) for rank in (0, 1)]
    np.testing.assert_array_equal(torch.cat(parts).numpy(), whole)


def test_truncated_latents_are_within_the_limit():
    drawn = draws.latents(500, 20, 0, truncation=0.7)
    assert 0.6 < np.abs(drawn).max() <= 0.7


def test_a_loss_that_is_not_finite_is_one_line(data, tmp_path):
    trainer = ready_gan(data, tmp_path)
    with torch.no_grad():
        next(trainer.task.state.critic.parameters()).fill_(float("nan"))
    with pytest.raises(
        InputError, match=r"the loss of the critic is (nan|inf|-inf) at step \d+ .*lower gan.optimizer.critic_lr"
    ):
        list(trainer.run(Never()))
    row = [7, 1e-4, 0.5, float("nan")]
    with pytest.raises(
        InputError, match=r"the loss of the generator is nan at step 7 .*lower gan.optimizer.generator_lr"
    ):
        trainer.task.check_finite(row)


def test_the_numbers_of_images_are_checked_where_they_are_known(data, tmp_path):
    for file in data.iterdir():
        (tmp_path / file.name).symlink_to(file)
    about = tmp_path / "dataset.json"
    about.unlink()
    known = {"classes": ["red", "green", "blue"], "counts": {"train": 96, "test": 50}}
    write_json(about, known)
    assert ready_gan(tmp_path, tmp_path / "r").step == 0
    write_json(about, known | {"class_counts": {"train": [4, 46, 46], "test": [2, 24, 24]}})
    with pytest.raises(InputError, match="4 train images of the first class"):
        ready_gan(tmp_path, tmp_path / "r")
    write_json(about, known | {"class_counts": {"train": [], "test": [2, 24, 24]}})
    with pytest.raises(InputError, match=r"dataset.json: class_counts.train is .* at least 1 item"):
        ready_gan(tmp_path, tmp_path / "r")


def test_a_batch_larger_than_the_train_split_is_refused(data, tmp_path):
    with pytest.raises(InputError, match=r"gan.batch = 128 is more than the 96 images"):
        ready_gan(data, tmp_path, batch=128)
