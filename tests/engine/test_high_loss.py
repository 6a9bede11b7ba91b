"""The mark on a training whose loss is far above that of a constant output, for every task."""

import math
from types import SimpleNamespace

import pytest
import torch
from cycles import domains
from cycles import ready as ready_cycle
from gan_training import ready_gan
from seed_files import seed, summarized
from torch.nn import functional
from training import Never, ready

from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.engine.high_loss import Constant, high_loss
from dawn.monitoring.progress import Progress
from dawn.monitoring.run_metrics import run_metrics
from dawn.report.measured import high_losses
from dawn.tasks.classify.train import line, result
from dawn.tasks.cycle import losses as cycle_losses
from dawn.tasks.gan import losses


def curve(*values, last=None):
    rows = [SimpleNamespace(epoch=number, loss=value) for number, value in enumerate(values, 1)]
    rows[-1].epoch = last or rows[-1].epoch
    return rows


@pytest.mark.parametrize(
    ("rows", "epochs", "epoch"),
    [
        (curve(2.0, 1.5, 1.0), 3, None),
        (curve(2e10, 2.0, 1.0), 3, None),  # within the first tenth: a transient
        (curve(2e10, 2e10, 2.0, 1.0), 20, None),
        (curve(2e10, 2e10, 2e9, 1.0), 20, 3),  # begins with the first tenth done
        (curve(2.3, 3.44, 3.5), 3, 3),  # 1.5 times 2.3 is 3.45
        (curve(9.0), 1, 1),  # the only epoch
        (curve(9.0, last=0.4), 0.4, 0.4),
        (curve(9.0), 5, None),  # the first of five so far
    ],
)
def test_only_a_loss_far_above_the_constant_one_after_the_first_tenth_is_marked(rows, epochs, epoch):
    found = high_loss(rows, epochs, Constant("loss", 2.3, "do this"))
    assert (found and found["epoch"]) == epoch
    assert high_loss(rows, epochs, None) is None


def test_a_training_that_diverges_goes_on_with_one_line_and_a_mark(data, tmp_path, capsys):
    over = {"train": {"epochs": 4, "schedule": {"kind": "step", "peak": 8, "momentum": [0, 0]}, "precision": "fp32"}}
    trainer = ready(data, tmp_path, **over)
    with Progress(trainer, line) as progress:
        for row in trainer.run(Never()):
            progress.epoch(row)
    mark = run_metrics(trainer, result(trainer))["high_loss"]
    assert mark["constant_output"] == pytest.approx(math.log(3))  # three classes
    assert mark["loss"] == trainer.curve[int(mark["epoch"]) - 1].train_loss > 1.5 * math.log(3)
    lines = [text for text in capsys.readouterr().err.splitlines() if "constant output" in text]
    assert len(lines) == 1
    for word in ("train.schedule.peak", "warmup_cycle", "model.bn_init"):
        assert word in lines[0]


def test_a_training_that_learns_has_no_mark(data, tmp_path, capsys):
    trainer = ready(data, tmp_path)
    with Progress(trainer, line) as progress:
        for row in trainer.run(Never()):
            progress.epoch(row)
    assert run_metrics(trainer, result(trainer))["high_loss"] is None
    assert "constant output" not in capsys.readouterr().err


def test_equal_probabilities_have_log_classes_with_any_smoothing(data, tmp_path):
    for smoothing in (0.0, 0.3):
        loss = functional.cross_entropy(torch.zeros(4, 3), torch.tensor([0, 1, 2, 2]), label_smoothing=smoothing)
        assert ready(data, tmp_path).task.constant.loss == pytest.approx(float(loss))


@pytest.mark.parametrize("kind", ["dcgan", "hinge", "relativistic", "wasserstein"])
def test_a_critic_of_constant_score(data, tmp_path, kind):
    zeros = torch.zeros(8)
    expected = float(losses.critic_loss(kind, zeros, zeros))
    constant = ready_gan(data, tmp_path, loss=kind).task.constant
    assert expected == pytest.approx(constant.loss if constant else 0.0)
    assert (constant is None) == (kind == "wasserstein")


def test_a_classifier_and_a_penalty_belong_to_the_loss_of_a_constant_critic(data, tmp_path):
    gan = {"loss": "hinge", "clamp": None, "conditional": True, "critic": {"norm": "none", "classifier": 0.5}}
    constant = ready_gan(data, tmp_path, **gan, penalty={"gradient": 10, "r1": 3}).task.constant
    assert constant.loss == pytest.approx(2 + 0.5 * math.log(3) + 10)  # (0 - 1)^2 is the gradient's penalty


def test_critics_of_a_cyclegan_that_give_one_half(tmp_path):
    half, folder = torch.full((2, 1, 3, 3), 0.5), domains(tmp_path / "data")
    assert ready_cycle(folder, None).task.constant.loss == 2 * float(cycle_losses.critic_loss(half, half))
    assert ready_cycle(folder, None, pairs=True).task.constant is None


def test_the_mark_is_on_the_page_and_in_the_metrics_over_the_seeds(tmp_path):
    seeds = [seed(tmp_path, number, [60.0, 94.5]) for number in range(2)]
    assert "seeds_with_high_loss" not in summarized(seeds, {"parameters": 1, "flops": 2})
    trainings = [read_json(path / "metrics.json") for path in seeds]
    assert high_losses(trainings) == []  # of runs before there was a mark
    trainings[1]["high_loss"] = {"epoch": 2, "loss": 2e10, "constant_output": 2.3026, "remedy": "lower the peak"}
    write_json(seeds[1] / "metrics.json", trainings[1])
    assert summarized(seeds, {"parameters": 1, "flops": 2})["seeds_with_high_loss"] == [1]
    (paragraph,) = high_losses(trainings)
    assert paragraph.text == (
        "Diverged: seed 1 had a mean loss of 2e+10 in epoch 2. A constant output has 2.3; lower the peak."
    )
