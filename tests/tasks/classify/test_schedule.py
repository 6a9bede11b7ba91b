"""The schedule against the published table and against torch's own."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from dawn.tasks.classify.schedule import Scheduler, multiplier_and_momentum
from dawn.tasks.classify.settings import Schedule, Train


def lr_and_momentum(step, steps, schedule):
    multiplier, momentum = multiplier_and_momentum(step, steps, schedule)
    return schedule.peak * multiplier, momentum


def clr_beta(t, n, peak, div, pct, high, low):
    """The three rows of fastai 0.7's use_clr_beta, written from the table; its momentum is that of the next row."""
    c = int(n * (1 - pct / 100) / 2)
    start, after = peak / div, t + 1
    if t <= c:
        lr = start * (1 + (t / c) * (div - 1))
    elif t <= 2 * c:
        lr = start * (1 + (1 - (t - c) / c) * (div - 1))
    else:
        lr = start * (1 - 0.99 * (t - 2 * c) / (n - 2 * c))
    if after <= c:
        return lr, high + (after / c) * (low - high)
    if after <= 2 * c:
        return lr, low + ((after - c) / c) * (high - low)
    return lr, high


@given(
    n=st.integers(1, 3000),
    fraction=st.floats(0, 1, exclude_max=True),
    peak=st.floats(1e-4, 10),
    div=st.floats(1, 100),
    pct=st.floats(0, 100),
    momenta=st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)),
)
def test_one_cycle_is_the_table(n, fraction, peak, div, pct, momenta):
    assume(int(n * (1 - pct / 100) / 2) > 0)
    t, (low, high) = int(fraction * n), sorted(momenta)
    schedule = Schedule(kind="one_cycle", peak=peak, div=div, pct=pct, momentum=(high, low))
    assert lr_and_momentum(t, n, schedule) == pytest.approx(clr_beta(t, n, peak, div, pct, high, low), abs=1e-12)


def test_a_warmup_cycle_comes_before_the_schedule():
    train = Train(epochs=6, batch=8, schedule={"peak": 1.3, "warmup_cycle": {"epochs": 1.5}})
    scheduler = Scheduler(train, 600, 100)
    first = [clr_beta(t, 150, 0.13, 100, 1, 0.9, 0.8) for t in range(150)]  # the lesson's second notebook
    after = [clr_beta(t, 450, 1.3, 20, 20, 0.95, 0.85) for t in range(450)]
    found = [(1.3 * at.lr, at.momentum) for at in map(scheduler.at, range(600))]
    assert found == [pytest.approx(row, abs=1e-12) for row in first + after]
    without = Scheduler(Train(epochs=6, batch=8, schedule={"peak": 1.3}), 600, 100)
    assert [without.at(t).lr for t in range(600)] == [
        multiplier_and_momentum(t, 600, train.schedule)[0] for t in range(600)
    ]


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"epochs": 2}, "schedule.warmup_cycle.epochs 2 are all of the epochs 2"),
        ({"cuda_graph": True, "precision": "bf16"}, "set schedule.warmup_cycle.epochs to 0"),
        ({"schedule": {"peak": 1, "warmup_cycle": {"momentum": (0.8, 0.9)}}}, "swap the two"),
    ],
)
def test_a_warmup_cycle_that_does_not_fit_is_refused(over, words):
    with pytest.raises(ValueError, match=r"warmup_cycle|momentum") as refusal:
        Train(**{"epochs": 6, "batch": 8, "schedule": {"peak": 1, "warmup_cycle": {"epochs": 2}}} | over)
    assert words in str(refusal.value)


@given(n=st.integers(1, 20), pct=st.floats(0, 100))
def test_every_step_of_a_short_cycle_has_a_learning_rate(n, pct):
    schedule = Schedule(peak=1, div=20, pct=pct)
    for t in range(n):
        lr, momentum = lr_and_momentum(t, n, schedule)
        assert 0 < lr <= 1
        assert 0.85 <= momentum <= 0.95


def test_the_lesson_by_hand():
    schedule = Schedule(peak=1.3, div=20, pct=20, momentum=(0.95, 0.85))
    n, c = 1000, 400
    assert lr_and_momentum(0, n, schedule) == pytest.approx((0.065, 0.95 - 0.1 / c))
    assert lr_and_momentum(c - 1, n, schedule) == pytest.approx((1.3 - (1.3 - 0.065) / c, 0.85))
    assert lr_and_momentum(c, n, schedule) == pytest.approx((1.3, 0.85 + 0.1 / c))
    assert lr_and_momentum(2 * c, n, schedule) == pytest.approx((0.065, 0.95))
    assert lr_and_momentum(900, n, schedule) == pytest.approx((0.065 * (1 - 0.99 * 0.5), 0.95))


@pytest.mark.parametrize("final", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["cosine", "linear"])
def test_cosine_and_linear_are_torchs(kind, final):
    steps, peak = 37, 0.7
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    theirs = {
        "cosine": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=peak * final),
        "linear": lambda: torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, final, steps),
    }[kind]()
    for step in range(steps):
        ours, momentum = lr_and_momentum(step, steps, Schedule(kind=kind, peak=peak, final=final))
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        assert momentum == 0.95
        optimizer.step()
        theirs.step()


def test_steps_fall_at_the_milestones():
    schedule = Schedule(kind="step", peak=0.1, milestones=(0.3, 0.6, 0.8), factor=0.2)
    rates = [lr_and_momentum(t, 200, schedule)[0] for t in range(200)]
    assert rates[59] == 0.1
    assert rates[60] == pytest.approx(0.02)
    assert rates[120] == pytest.approx(0.004)
    assert rates[160] == rates[199] == pytest.approx(0.0008)


def test_the_bias_of_a_whitening_layer_has_a_schedule_of_its_own():
    train = Train(epochs=4, batch=8, stem_epochs=2, schedule={"peak": 0.1})
    scheduler = Scheduler(train, 40, 10)
    assert [scheduler.at(step).stem_lr for step in (0, 10, 20, 35)] == [1, 0.5, 0, 0]
    assert scheduler.at(10).lr == multiplier_and_momentum(10, 40, train.schedule)[0]
    same = Scheduler(Train(epochs=4, batch=8, schedule={"peak": 0.1}), 40, 10)
    assert same.at(5).stem_lr == same.at(5).lr
