"""Sizes that grow, epochs that end early, warm-up, and the survival of all that the record adds."""

import csv

import numpy as np
import pytest
import torch
from conftest import experiment, step
from PIL import Image
from training import AIRBENCH, CPU, Never, arguments, assert_same_end, ready, stopped_and_resumed, trained

from dawn.config.augment import Augment
from dawn.core.cli import InputError
from dawn.data.augment import resized
from dawn.data.dataset import Split, Trainset
from dawn.engine import weights
from dawn.runtime.distributed import World
from dawn.tasks.classify.schedule import image_size, multiplier_and_momentum
from dawn.tasks.classify.settings import Schedule

# Three steps: Muon turns the smallest directions of a gradient to full length, so rounding grows with every step, while
# a gradient that is wrong shows in the first.
BRIEF = AIRBENCH | {"train": AIRBENCH["train"] | {"epochs": 0.5, "sizes": [[0, 24]]}}


def test_a_smaller_image_is_pillows():
    # Smooth images: on noise, Pillow rounds between its two passes and we do not.
    y, x = np.mgrid[0:32, 0:32]
    image = np.stack([4 * x + 3 * y, 200 - 5 * y, (x - 16) ** 2 // 2], 2).clip(0, 255).astype(np.uint8)
    for size in (16, 24, 28):
        theirs = np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)).astype(int)
        ours = resized(torch.from_numpy(image)[None], size)[0].numpy().astype(int)
        assert abs(ours - theirs).max() <= 1
    whole = torch.from_numpy(image)[None]
    assert resized(whole, 32) is whole


def test_a_size_begins_at_its_share():
    sizes = [(0.0, 24), (0.5, 28), (0.8, 32)]
    seen = [image_size(t, 10, sizes, 99) for t in range(10)]
    assert seen == [24] * 5 + [28] * 3 + [32] * 2
    assert image_size(3, 10, [], 99) == 99


def test_a_small_batch_shows_the_same_places_of_the_same_images():
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8))
    split = Split(images, torch.arange(6), torch.zeros(3), torch.ones(3))
    trainset = Trainset(split, Augment(pad=2, flip="random", cutout=8), 3, 6)
    trainset.resize(16)
    [(small, labels)] = next(trainset.epoch(0, World(0, 1, CPU), 1))
    assert small.shape == (6, 3, 16, 16)
    trainset.resize(32)
    [(large, again)] = next(trainset.epoch(0, World(0, 1, CPU), 1))
    assert torch.equal(labels, again)
    holes = [(x == 0).all(1) for x in (small, large)]
    for i in range(6):  # the square lies at the same relative place
        centres = [h[i].nonzero().float().mean(0) / len(h[i]) for h in holes]
        assert (centres[0] - centres[1]).abs().max() < 0.15


def test_warm_up_is_airbenchs_triangle():
    schedule = Schedule(kind="linear", peak=2.0, div=5, warmup=0.23, final=0.07)
    steps = 476
    knots = np.interp(np.arange(steps), [0, int(0.23 * steps), steps], [0.2, 1, 0.07])
    ours = [multiplier_and_momentum(t, steps, schedule)[0] for t in range(steps)]
    np.testing.assert_allclose(ours, knots, atol=1e-12)


def test_a_fraction_of_an_epoch_is_so_many_steps(data, tmp_path):
    trainer = trained(data, tmp_path, train={"epochs": 1.34, "schedule": {"kind": "linear"}}, run={"trace": True})
    assert trainer.step == len(trainer.trace) == 9  # 6 an epoch, and the third of one begun
    assert [row.epoch for row in trainer.curve] == [1, 1.34]
    assert trainer.trace[-1][1] == pytest.approx(0.1 * (1 - 8 / 9))
    assert trainer.curve[-1].train_loss == pytest.approx(np.mean([row[3] for row in trainer.trace[6:]]))
    assert experiment(train={"epochs": 3.0}).text("train") == experiment(train={"epochs": 3}).text("train")


def test_training_grows_and_is_watched_at_the_last_size(data, tmp_path, monkeypatch):
    over = AIRBENCH | {"train": AIRBENCH["train"] | {"sizes": [[0, 16], [0.5, 24]]}}
    trainer = ready(data, tmp_path, **over)
    shapes, work = [], trainer.task.state.step
    monkeypatch.setattr(
        trainer.task.state, "step", lambda parts, *a: shapes.append(parts[0][0].shape[2]) or work(parts, *a)
    )
    list(trainer.run(Never()))
    assert shapes == [16] * 8 + [24] * 7  # 15 steps, half of them 7.5
    assert trainer.task.validation.images.shape[1:3] == (24, 24)


@pytest.mark.parametrize("kind", ["fp32", "half"])
@pytest.mark.parametrize("stop", [3, 8, 14])
def test_the_record_stopped_at_any_step_ends_as_unbroken(data, tmp_path, stop, kind):
    over = AIRBENCH | {"train": AIRBENCH["train"] | {"precision": kind}}
    unbroken = trained(data, tmp_path / "unbroken", **over)
    assert_same_end(stopped_and_resumed(data, tmp_path, stop, **over), unbroken)


def test_a_state_goes_into_the_tensors_that_are_there(data, tmp_path):
    """What a recorded step reads must be written over in place: here with an optimiser that has moved."""
    one, two = (trained(data, tmp_path / str(seed), seed=seed, **AIRBENCH) for seed in (0, 1))
    kept = one.task.state.state_dict()
    places = [
        s.data_ptr() for state in two.task.state.optimizer.state.values() for s in state.values() if s is not None
    ]
    two.task.state.load_state_dict(kept)
    again = [s.data_ptr() for state in two.task.state.optimizer.state.values() for s in state.values() if s is not None]
    assert places == again
    for a, b in zip(one.task.state.optimizer.state.values(), two.task.state.optimizer.state.values(), strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a if a[name] is not None)
    fresh = ready(data, tmp_path / "fresh", **AIRBENCH).task.state.state_dict()
    two.task.state.load_state_dict(fresh)
    left = [s for state in two.task.state.optimizer.state.values() for s in state.values() if s is not None]
    assert not any(s.any() for s in left)


@pytest.mark.full
def test_two_processes_train_the_record_as_one(data, params, tmp_path):
    path, outs = params(**BRIEF), []
    for processes in (1, 2):
        outs.append(tmp_path / f"out{processes}")
        done = step("train", *arguments(path, data, outs[-1], "--resume", tmp_path / "r"), processes=processes)
        assert done.returncode == 0, done.stderr
    one, two = (weights.read_weights(out / "model.safetensors")[0] for out in outs)
    assert torch.equal(one["0.weight"], two["0.weight"])
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, atol=2e-4, rtol=1e-3)
    with (outs[0] / "curve.tsv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file, delimiter="\t")] == ["0.5"]


@pytest.mark.full
def test_compiling_the_record_changes_no_number(data, tmp_path):
    plain = trained(data, tmp_path / "plain", **BRIEF)
    fast = trained(data, tmp_path / "fast", **(BRIEF | {"train": BRIEF["train"] | {"compile": True}}))
    for a, b in zip(plain.task.state.net.parameters(), fast.task.state.net.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ({"sizes": [[0.2, 24]]}, ["sizes [[0.2, 24]]", "must start at 0 and rise"]),
        ({"sizes": [[0, 24], [0, 28]]}, ["must start at 0 and rise"]),
        ({"sizes": [[0, 4]]}, ["train.sizes", "4", "8"]),
        ({"epochs": 0}, ["train.epochs = 0"]),
        ({"ema": 0.9, "lookahead": {"every": 5}}, ["ema", "lookahead"]),
        ({"cuda_graph": True, "precision": "auto"}, ["cuda_graph needs precision half"]),
        ({"cuda_graph": True, "precision": "half"}, ["a constant momentum, not schedule.momentum [0.95, 0.85]"]),
    ],
)
def test_what_does_not_go_together_is_refused(train, words):
    with pytest.raises(InputError) as refusal:
        experiment(train=train)
    assert [word for word in words if word not in str(refusal.value)] == []
