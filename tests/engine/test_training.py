"""The training step by step: learning, SGD, averages, precisions, accumulation, compiling."""

import copy
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from full_disk import limited
from torch import nn
from torch.nn import functional as F
from training import CPU, Never, assert_same_end, ready, stopped_and_resumed, trained, weights

from dawn.core.cli import InputError
from dawn.data import dataset
from dawn.engine import trainer
from dawn.engine.averaging import EMA
from dawn.runtime.distributed import World
from dawn.runtime.precision import Precision
from dawn.tasks.classify.optimizer import make_optimizer, set_learning_rates
from dawn.tasks.classify.schedule import Scheduled
from dawn.tasks.classify.settings import Train
from dawn.tasks.classify.step import TrainState, check_finite


def small(settings=None, **over):
    """A training of a net without batch norm, so that a step can be followed by hand."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=True), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
    )
    settings = Train(**({"epochs": 1, "batch": 8, "schedule": {"peak": 0.1}} | over))
    precision = Precision(settings.precision, settings.loss_scale, net, CPU)
    ema = EMA(precision.weights, settings.ema) if settings.ema else None
    return TrainState(net, net, None, precision, make_optimizer(net, precision.weights, settings), settings, ema)


def at(lr, momentum):
    """The schedule of a step with learning rate ``lr``, of which 0.1 is the peak."""
    return Scheduled(lr / 0.1, momentum, lr / 0.1)


IMAGES, LABELS = torch.randn(8, 3, 8, 8), torch.arange(8) % 3


def test_a_training_learns_and_repeats_itself(data, tmp_path):
    one, two = (trained(data, tmp_path / str(i), train={"epochs": 4}) for i in range(2))
    assert all(torch.equal(a, b) for a, b in zip(weights(one), weights(two), strict=True))
    assert one.curve[-1].accuracy > 90
    assert [row.epoch for row in one.curve] == [1, 2, 3, 4]
    assert not all(torch.equal(a, b) for a, b in zip(weights(one), weights(trained(data, tmp_path, 1)), strict=True))


def test_sgd_is_its_formula_and_decays_what_it_should():
    for decay, kinds in (("all", 4), ("weights", 2)):
        state = small(weight_decay=0.1, decay=decay, schedule={"peak": 0.1})
        reference = copy.deepcopy(state.net)
        velocity = [torch.zeros_like(p) for p in reference.parameters()]
        for rate, momentum in ((0.1, 0.9), (0.05, 0.8)):
            state.step([(IMAGES, LABELS)], at(rate, momentum))
            grads = torch.autograd.grad(F.cross_entropy(reference(IMAGES), LABELS), list(reference.parameters()))
            with torch.no_grad():
                for p, v, g in zip(reference.parameters(), velocity, grads, strict=True):
                    decayed = g + 0.1 * p if kinds == 4 or p.ndim > 1 else g
                    v.mul_(momentum).add_(decayed)
                    p.sub_(rate * v)
        for ours, theirs in zip(state.net.parameters(), reference.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs)


def test_the_optimizer_starts_again_after_a_warmup_cycle(data, tmp_path):
    over = {"train": {"epochs": 2, "schedule": {"warmup_cycle": {"epochs": 1}}}, "run": {"trace": True}}
    trainer, remembered = ready(data, tmp_path / "seen", **over), []
    state, step = trainer.task.state, trainer.task.state.step

    def spied(parts, scheduled):
        buffers = [state.optimizer.state[p]["momentum_buffer"] for p in state.precision.weights]
        remembered.append(sum(float(b.abs().sum()) for b in buffers))
        return step(parts, scheduled)

    state.step = spied
    list(trainer.run(Never()))
    start = trainer.task.per_epoch
    assert [i for i, total in enumerate(remembered) if total == 0] == [0, start]
    resumed = stopped_and_resumed(data, tmp_path, start, **over)
    assert_same_end(trainer, resumed)


def test_parts_add_up_to_the_batch():
    whole, parts = small(label_smoothing=0.1, clip=0.1), small(label_smoothing=0.1, clip=0.1)
    one = whole.step([(IMAGES, LABELS)], at(0.1, 0.9))
    two = parts.step([(IMAGES[:4], LABELS[:4]), (IMAGES[4:], LABELS[4:])], at(0.1, 0.9))
    torch.testing.assert_close(one, two)
    for a, b in zip(whole.net.parameters(), parts.net.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_clipping_bounds_the_step():
    state = small(clip=1e-3)
    before = [p.detach().clone() for p in state.net.parameters()]
    state.step([(IMAGES, LABELS)], at(1.0, 0.0))
    after = [p.detach() for p in state.net.parameters()]
    moved = sum(float((a - b).square().sum()) for a, b in zip(before, after, strict=True)) ** 0.5
    assert moved == pytest.approx(1e-3, rel=1e-3)


def test_the_average_is_exponential_and_evaluated():
    state = small(ema=0.75)
    mean = [p.detach().clone() for p in state.net.parameters()]
    for _ in range(3):
        state.step([(IMAGES, LABELS)], at(0.1, 0.9))
        mean = [0.75 * m + 0.25 * p.detach() for m, p in zip(mean, state.net.parameters(), strict=True)]
    now = [p.detach().clone() for p in state.net.parameters()]
    with state.averaged():
        for m, p in zip(mean, state.net.parameters(), strict=True):
            torch.testing.assert_close(m, p.detach())
    assert all(torch.equal(a, b) for a, b in zip(now, state.net.parameters(), strict=True))
    state.finish()
    torch.testing.assert_close(next(state.net.parameters()).detach(), mean[0])


@pytest.mark.parametrize("kind", ["fp16", "bf16", "half"])
def test_every_precision_follows_fp32(data, tmp_path, kind):
    fp32 = trained(data, tmp_path / "fp32")
    other = trained(data, tmp_path / kind, train={"precision": kind})
    assert other.task.state.precision.kind == kind
    assert other.curve[-1].train_loss == pytest.approx(fp32.curve[-1].train_loss, rel=0.05)
    other.task.state.finish()
    assert {p.dtype for p in other.task.state.net.parameters()} == {torch.float32}
    for a, b in zip(weights(fp32), weights(other), strict=True):
        assert (a - b).norm() < 0.2 * a.norm() + 0.02


def test_half_is_half_but_for_batch_norm_and_masters(data, tmp_path):
    trainer = trained(data, tmp_path, train={"precision": "half", "epochs": 1, "ema": 0.5})
    kinds = {
        type(m).__name__: m.weight.dtype
        for m in trainer.task.state.net.modules()
        if getattr(m, "weight", None) is not None
    }
    assert kinds == {"Conv2d": torch.float16, "BatchNorm2d": torch.float32, "Linear": torch.float16}
    assert {w.dtype for w in trainer.task.state.precision.weights} == {torch.float32}
    assert trainer.task.state.precision.scale == 512


def test_auto_is_fp32_on_the_cpu():
    assert Precision("auto", 1.0, nn.Linear(1, 1), CPU).kind == "fp32"


@pytest.mark.full
def test_compiling_changes_no_number(data, tmp_path):
    plain = trained(data, tmp_path / "plain", train={"epochs": 1})
    fast = trained(data, tmp_path / "compiled", train={"epochs": 1, "compile": True})
    for a, b in zip(weights(plain), weights(fast), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)
    assert fast.clock.seconds["compile"] > 0


def test_a_loss_that_is_no_number_names_the_step(data, tmp_path):
    with pytest.raises(InputError, match=r"the loss is nan at step \d+ .*lower train.schedule.peak"):
        trained(data, tmp_path, train={"schedule": {"peak": 1e9}})
    with pytest.raises(InputError, match=r"train\.loss_scale"):
        check_finite(float("inf"), 3, 0.1, "half")


def test_on_a_gpu_losses_are_checked_at_some_steps_and_at_the_ends_of_epochs(data, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "CHECK_EVERY", 4)
    training, steps = ready(data, tmp_path, train={"epochs": 1.5}), []
    training.world = World(0, 1, torch.device("cuda"))
    monkeypatch.setattr(training.task, "check_finite", lambda row: steps.append(training.step))
    list(training.run(Never()))
    assert steps == [4, 6, 9]  # 6 an epoch


def test_a_batch_beyond_the_data_is_refused(data, tmp_path):
    with pytest.raises(InputError, match=r"train\.batch = 128 is more than the 96 images"):
        trained(data, tmp_path, train={"batch": 128})


def test_learning_rate_and_momentum_reach_every_group():
    state = small(decay="weights", weight_decay=0.1)
    set_learning_rates(state.optimizer, at(0.3, 0.7))
    assert [(g["lr"], g["momentum"]) for g in state.optimizer.param_groups] == [(pytest.approx(0.3), 0.7)] * 2


def test_a_split_is_normalised_by_the_statistics_of_train(data):
    split = dataset.load(data, data / "stats.json", "test", CPU)
    images, labels = split.slice(0, 5)
    assert images.shape == (5, 3, 32, 32)
    assert labels.dtype == torch.int64
    torch.testing.assert_close(images[0], (split.images[0].permute(2, 0, 1) / 255 - 0.3) / 0.15, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        {"family": "wrn", "depth": 10, "width": 0.25, "dropout": 0.3},
        pytest.param({"family": "torchvision", "name": "convnext_tiny"}, marks=pytest.mark.full),  # stochastic depth
    ],
    ids=["dropout", "stochastic depth"],
)
def test_the_seed_decides_a_network_that_draws_random_numbers(data, tmp_path, model):
    ends = []
    for number in (1, 2):
        torch.manual_seed(number)
        ends.append(trained(data, tmp_path / str(number), model=model, train={"epochs": 0.3, "batch": 8}))
    assert all(torch.equal(a, b) for a, b in zip(*map(weights, ends), strict=True))


def test_compiled_and_parallel_micro_batches_exchange_gradients_once(data, tmp_path):
    """torch.compile wraps the parallel module, whose exchange must still be left out until the last micro-batch."""
    calls = []

    class Exchange:
        @contextmanager
        def no_sync(self):
            calls.append("off")
            yield

    state = small()
    state.parallel = Exchange()
    state.step([(IMAGES[:4], LABELS[:4]), (IMAGES[4:6], LABELS[4:6]), (IMAGES[6:], LABELS[6:])], at(0.1, 0.9))
    assert calls == ["off", "off"]


def test_a_full_disk_is_found_before_the_first_step(data, tmp_path):
    trainer = ready(data, tmp_path / "state")
    short = r"state/.*/seed-0 cannot be written \(File too large; 0\.\d MB will be written"
    none = r"/out cannot be written \(File too large; .*: make room or choose another dir"
    with limited(1000):
        with pytest.raises(InputError, match=short):
            trainer.require_room(tmp_path / "out")
        trainer.checkpoints = None
        with pytest.raises(InputError, match=none):
            trainer.require_room(tmp_path / "out")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["lock"]


@pytest.mark.parametrize("place", ["/proc/out", "/dev/null/out"])
def test_a_directory_that_cannot_be_written_is_found_before_the_first_step(data, tmp_path, place):
    trainer = ready(data, tmp_path / "state")
    with pytest.raises(InputError, match=f"{place} cannot be written"):
        trainer.require_room(Path(place))
    assert trainer.step == 0


def test_there_is_room_where_no_directory_is_yet(data, tmp_path):
    ready(data, tmp_path / "state").require_room(tmp_path / "a/b/out")
    assert not (tmp_path / "a").exists()
