"""The training step by step: precisions, averages, decay, accumulation, worlds of two, and being killed."""

import copy
import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import experiment, step
from torch import nn
from torch.nn import functional as F

from dawn import batches, checkpoint
from dawn.cli import Refusal
from dawn.config.sections import Train
from dawn.course import Course
from dawn.distributed import World
from dawn.interrupt import Interrupt
from dawn.loop import Training, check_finite
from dawn.optim import Average, Precision, set_rate, sgd

CPU = torch.device("cpu")
WORLD = World(0, 1, CPU)


class Never(Interrupt):
    def __init__(self):
        self.first, self.requested = True, False


def trained(data, tmp_path, seed=0, **over):
    course = Course(experiment(**over), data, data / "stats.json", seed, tmp_path / "state", WORLD)
    course.run(Never())
    return course


def weights(course):
    return [p.detach().clone() for p in course.training.net.parameters()]


def small(settings=None, **over):
    """A training of a net without batch norm, so that a step can be followed by hand."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=True), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    settings = Train(**({"epochs": 1, "batch": 8, "schedule": {"peak": 0.1}} | over))
    precision = Precision(settings.precision, settings.loss_scale, net, CPU)
    average = Average(precision.weights, settings.ema) if settings.ema else None
    return Training(net, net, precision, sgd(precision.weights, settings), average, settings)


IMAGES, LABELS = torch.randn(8, 3, 8, 8), torch.arange(8) % 3


def test_a_training_learns_and_repeats_itself(data, tmp_path):
    one, two = (trained(data, tmp_path / str(i), train={"epochs": 4}) for i in range(2))
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))
    assert one.curve[-1][4] > 90
    assert [row[0] for row in one.curve] == [1, 2, 3, 4]
    assert not all(torch.equal(a, b) for a, b in zip(weights(one), weights(trained(data, tmp_path, 1)), strict=True))


def test_sgd_is_its_formula_and_decays_what_it_should():
    for decay, kinds in (("all", 4), ("weights", 2)):
        training = small(weight_decay=0.1, decay=decay, schedule={"peak": 0.1})
        reference = copy.deepcopy(training.net)
        velocity = [torch.zeros_like(p) for p in reference.parameters()]
        for rate, momentum in ((0.1, 0.9), (0.05, 0.8)):
            training.step([(IMAGES, LABELS)], rate, momentum)
            grads = torch.autograd.grad(F.cross_entropy(reference(IMAGES), LABELS), list(reference.parameters()))
            with torch.no_grad():
                for p, v, g in zip(reference.parameters(), velocity, grads, strict=True):
                    decayed = g + 0.1 * p if kinds == 4 or p.ndim > 1 else g
                    v.mul_(momentum).add_(decayed)
                    p.sub_(rate * v)
        for ours, theirs in zip(training.net.parameters(), reference.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs)


def test_parts_add_up_to_the_batch():
    whole, parts = small(label_smoothing=0.1, clip=0.1), small(label_smoothing=0.1, clip=0.1)
    one = whole.step([(IMAGES, LABELS)], 0.1, 0.9)
    two = parts.step([(IMAGES[:4], LABELS[:4]), (IMAGES[4:], LABELS[4:])], 0.1, 0.9)
    torch.testing.assert_close(one, two)
    for a, b in zip(whole.net.parameters(), parts.net.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_clipping_bounds_the_step():
    training = small(clip=1e-3)
    before = [p.detach().clone() for p in training.net.parameters()]
    training.step([(IMAGES, LABELS)], 1.0, 0.0)
    after = [p.detach() for p in training.net.parameters()]
    moved = sum(float((a - b).square().sum()) for a, b in zip(before, after, strict=True)) ** 0.5
    assert moved == pytest.approx(1e-3, rel=1e-3)


def test_the_average_is_exponential_and_judged():
    training = small(ema=0.75)
    mean = [p.detach().clone() for p in training.net.parameters()]
    for _ in range(3):
        training.step([(IMAGES, LABELS)], 0.1, 0.9)
        mean = [0.75 * m + 0.25 * p.detach() for m, p in zip(mean, training.net.parameters(), strict=True)]
    now = [p.detach().clone() for p in training.net.parameters()]
    with training.averaged():
        for m, p in zip(mean, training.net.parameters(), strict=True):
            torch.testing.assert_close(m, p.detach())
    assert all(torch.equal(a, b) for a, b in zip(now, training.net.parameters(), strict=True))
    training.finish()
    torch.testing.assert_close(next(training.net.parameters()).detach(), mean[0])


@pytest.mark.parametrize("kind", ["fp16", "bf16", "half"])
def test_every_precision_follows_fp32(data, tmp_path, kind):
    fp32 = trained(data, tmp_path / "fp32")
    other = trained(data, tmp_path / kind, train={"precision": kind})
    assert other.training.precision.kind == kind
    assert other.curve[-1][1] == pytest.approx(fp32.curve[-1][1], rel=0.05)
    other.training.finish()
    assert {p.dtype for p in other.training.net.parameters()} == {torch.float32}
    for a, b in zip(weights(fp32), weights(other), strict=True):
        assert (a - b).norm() < 0.2 * a.norm() + 0.02


def test_half_is_half_but_for_batch_norm_and_masters(data, tmp_path):
    course = trained(data, tmp_path, train={"precision": "half", "epochs": 1, "ema": 0.5})
    kinds = {
        type(m).__name__: m.weight.dtype
        for m in course.training.net.modules()
        if getattr(m, "weight", None) is not None
    }
    assert kinds == {"Conv2d": torch.float16, "BatchNorm2d": torch.float32, "Linear": torch.float16}
    assert {w.dtype for w in course.training.precision.weights} == {torch.float32}
    assert course.training.precision.scale == 512


def test_auto_is_fp32_on_the_cpu():
    assert Precision("auto", 1.0, nn.Linear(1, 1), CPU).kind == "fp32"


def test_compiling_changes_no_number(data, tmp_path):
    plain = trained(data, tmp_path / "plain", train={"epochs": 1})
    fast = trained(data, tmp_path / "compiled", train={"epochs": 1, "compile": True})
    for a, b in zip(weights(plain), weights(fast), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)
    assert fast.clock.seconds["compile"] > 0


def test_a_loss_that_is_no_number_names_the_step(data, tmp_path):
    with pytest.raises(Refusal, match=r"the loss is nan at step \d+ .*lower train.schedule.peak"):
        trained(data, tmp_path, train={"schedule": {"peak": 1e30}})
    with pytest.raises(Refusal, match=r"train\.loss_scale"):
        check_finite(float("inf"), 3, 0.1, "half")


def test_a_batch_beyond_the_data_is_refused(data, tmp_path):
    with pytest.raises(Refusal, match=r"train\.batch = 128 is more than the 96 images"):
        trained(data, tmp_path, train={"batch": 128})


def test_set_rate_reaches_every_group():
    training = small(decay="weights", weight_decay=0.1)
    set_rate(training.optimizer, 0.3, 0.7)
    assert [(g["lr"], g["momentum"]) for g in training.optimizer.param_groups] == [(0.3, 0.7)] * 2


FULL = {
    "train": {"epochs": 3, "batch": 16, "ema": 0.9, "augment": {"pad": 2, "flip": "random"}},
    "model": {"family": "wrn", "depth": 10, "dropout": 0.2},
    "run": {"trace": True},
}


@pytest.mark.parametrize("kind", ["fp32", "fp16", "half"])
@pytest.mark.parametrize("stop", [1, 6, 11, 17])
def test_a_training_stopped_at_any_step_ends_as_an_unbroken_one(data, tmp_path, stop, kind):
    over = FULL | {"train": FULL["train"] | {"precision": kind}}
    unbroken = trained(data, tmp_path / "unbroken", **over)

    def course():
        return Course(experiment(**over), data, data / "stats.json", 0, tmp_path / "broken", WORLD)

    class At(Never):
        @property
        def requested(self):
            return broken.step == stop

        @requested.setter
        def requested(self, value):
            pass

    broken = course()
    with pytest.raises(Exception, match=r"^$"):
        broken.run(At())
    torch.manual_seed(12345)
    resumed = course()
    assert resumed.step == stop
    resumed.run(Never())
    for course_ in (unbroken, resumed):
        course_.training.finish()
    ours, theirs = resumed.training.net.state_dict(), unbroken.training.net.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert [row[:7] for row in resumed.curve] == [row[:7] for row in unbroken.curve]
    assert resumed.trace == unbroken.trace
    assert len(resumed.trace) == 18


def test_a_state_belongs_to_its_choices_data_and_code(data, tmp_path, monkeypatch):
    stats = data / "stats.json"
    one = checkpoint.key(experiment().text("train"), data, stats, "train")
    assert one == checkpoint.key(experiment().text("train"), data, stats, "train")
    assert one != checkpoint.key(experiment(train={"epochs": 9}).text("train"), data, stats, "train")
    (tmp_path / "stats.json").write_text("{}")
    assert one != checkpoint.key(experiment().text("train"), data, tmp_path / "stats.json", "train")
    monkeypatch.setattr(checkpoint, "closure", lambda step: [Path(__file__)])
    assert one != checkpoint.key(experiment().text("train"), data, stats, "train")


def test_a_broken_state_is_refused_and_nothing_runs_from_it(tmp_path):
    (tmp_path / "state.pt").write_bytes(b"not a state")
    with pytest.raises(Refusal, match="delete it to train from the start"):
        checkpoint.load(tmp_path, CPU)


def arguments(path, data, out, *more):
    return ["--params", path, "--data", data, "--stats", data / "stats.json", "--seed", 0, "--out", out, *more]


def read_curve(path):
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_step_writes_its_files_and_leaves_no_state(data, params, tmp_path):
    out = tmp_path / "out"
    done = step("train", *arguments(params(run={"trace": True}), data, out, "--resume", tmp_path / "r"))
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in out.iterdir()) == ["curve.tsv", "metrics.json", "model.safetensors", "trace.tsv"]
    assert not (tmp_path / "r").exists() or not any((tmp_path / "r").iterdir())
    assert [line.split("  ")[1].split()[0] for line in done.stderr.splitlines()] == ["epoch", "epoch"]
    assert len(read_curve(out / "curve.tsv")) == 2
    assert len(read_curve(out / "trace.tsv")) == 12
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["steps"] == 12
    assert metrics["images_per_s"] == pytest.approx(12 * 16 / metrics["seconds"])
    tensors, header = checkpoint.read_weights(out / "model.safetensors")
    assert header["classes"] == ["red", "green", "blue"]
    assert header["train"]["batch"] == 16
    assert {t.dtype for t in tensors.values()} == {torch.float32}


@pytest.mark.slow
def test_two_processes_are_one_experiment(data, params, tmp_path):
    path = params(train={"augment": {"pad": 2, "flip": "random"}, "accumulate": 2})
    outs = []
    for processes in (1, 2):
        outs.append(tmp_path / f"out{processes}")
        done = step("train", *arguments(path, data, outs[-1], "--resume", tmp_path / "r"), processes=processes)
        assert done.returncode == 0, done.stderr
    one, two = (checkpoint.read_weights(out / "model.safetensors")[0] for out in outs)
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, atol=2e-5, rtol=1e-3)
    for a, b in zip(*(read_curve(out / "curve.tsv") for out in outs), strict=True):
        assert float(a["train_loss"]) == pytest.approx(float(b["train_loss"]), rel=1e-4)
        assert float(a["accuracy"]) == pytest.approx(float(b["accuracy"]), abs=2.1)
    assert json.loads((outs[1] / "metrics.json").read_text())["processes"] == 2


def start(path, data, out, resume, processes=1):
    launch = ["dawn.launch", "--processes", str(processes), "dawn.train"] if processes > 1 else ["dawn.train"]
    line = [sys.executable, "-m", *launch, *map(str, arguments(path, data, out, "--resume", resume))]
    return subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def wait_for_state(resume):
    for _ in range(1200):
        if found := list(resume.glob("*/seed-0/state.pt")):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no state came")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_and_run_again_it_ends_with_the_same_weights(data, params, tmp_path, number):
    path = params(train={"epochs": 40, "ema": 0.9, "augment": {"pad": 2, "flip": "random"}})
    out, resume = tmp_path / "out", tmp_path / "r"
    whole = step("train", *arguments(path, data, tmp_path / "whole", "--resume", tmp_path / "r2"))
    assert whole.returncode == 0, whole.stderr
    process = start(path, data, out, resume)
    wait_for_state(resume)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == (-9 if number == signal.SIGKILL else 75)
    assert not out.exists()
    done = step("train", *arguments(path, data, out, "--resume", resume))
    assert done.returncode == 0, done.stderr
    assert "goes on after step" in done.stderr
    assert (out / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()
    assert json.loads((out / "metrics.json").read_text())["resumed"] == 1


@pytest.mark.slow
def test_two_processes_stop_together_and_go_on(data, params, tmp_path):
    path = params(train={"epochs": 25})
    process = start(path, data, tmp_path / "out", tmp_path / "r", processes=2)
    wait_for_state(tmp_path / "r")
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 75
    assert time.monotonic() - begun < 30
    done = step("train", *arguments(path, data, tmp_path / "out", "--resume", tmp_path / "r"), processes=2)
    assert done.returncode == 0, done.stderr
    assert "goes on after step" in done.stderr
    assert len(read_curve(tmp_path / "out" / "curve.tsv")) == 25


@pytest.mark.slow
def test_several_processes_refuse_in_one_line(data, params, tmp_path):
    done = step("train", *arguments(params(), tmp_path / "nowhere", tmp_path / "out"), processes=2)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No such file or directory" in done.stderr
    broken = step("train", *arguments(params(train={"schedule": {"peak": 1e30}}), data, tmp_path / "out"), processes=2)
    assert broken.returncode == 1
    assert "lower train.schedule.peak" in broken.stderr
    assert "Traceback" not in broken.stderr


def test_other_choices_do_not_use_the_state(data, params, tmp_path):
    first = Course(experiment(), data, data / "stats.json", 0, tmp_path / "r" / "a" / "seed-0", WORLD)
    first.step = 6
    first.save()
    done = step("train", *arguments(params(), data, tmp_path / "out", "--resume", tmp_path / "r"))
    assert done.returncode == 0
    assert "goes on" not in done.stderr


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: (d / "train_images.npy").write_bytes(b"junk"), "train_images.npy is not a whole .npy array"),
        (lambda d: (d / "train_images.npy").unlink(), "No such file or directory"),
        (lambda d: np.save(d / "train_labels.npy", np.zeros(3, np.uint8)), "not uint8 (n, h, w, 3)"),
    ],
)
def test_broken_arrays_are_one_line(data, params, tmp_path, change, words):
    broken = tmp_path / "data"
    broken.mkdir()
    for file in data.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    change(broken)
    done = step("train", *arguments(params(), broken, tmp_path / "out", "--resume", tmp_path / "r"))
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_split_is_normalised_by_the_statistics_of_train(data):
    split = batches.load(data, data / "stats.json", "test", CPU)
    images, labels = split.slice(0, 5)
    assert images.shape == (5, 3, 32, 32)
    assert labels.dtype == torch.int64
    torch.testing.assert_close(images[0], (split.images[0].permute(2, 0, 1) / 255 - 0.3) / 0.15, atol=1e-5, rtol=1e-5)
