"""The report: its verdicts, a published spread that was shrunk, text from outside, and what a reproduction costs."""

import json

import numpy as np
import pytest
from conftest import experiment

from dawn.core.files import write_json
from dawn.report.page import markdown, web
from dawn.reproduction.analyses import Published
from dawn.reproduction.cost import cost
from dawn.reproduction.differences import Difference
from dawn.reproduction.duration import time
from dawn.reproduction.levels import NewSeed
from dawn.reproduction.publication import Publication
from dawn.reproduction.replay import Place, Replay
from dawn.reproduction.report import Report
from dawn.reproduction.spread import spread
from dawn.reproduction.verdict import decide

RNG = np.random.default_rng(0)
NEW = tuple(94 + 0.3 * RNG.standard_normal(13))
CLOCK = tuple(10 + 0.1 * RNG.standard_normal(13))
MEASURE = experiment().declared.measures[0]
PROVENANCE = {"written": "2026-12-01", "command": "python -m dawn.reproduce a.zip", "machine": {}, "packages": {}}


def report(values, **over):
    of = Publication("<b>a</b>", experiment(submission={"cost_per_hour": 2}), MEASURE, Published.of(values),
                     Published.of(CLOCK), "a CPU", (0, 1), extra=["<i>.txt"], provenance={"code": {}})  # fmt: skip
    parts = {
        "source": {"source": "a.zip", "sha256": "0" * 64}, "margin": 0.5, "by": "<script>", "provenance": PROVENANCE,
        "code": "the packed code names no commit", "differences": [Difference("torch", "1", "2", True)], "costs": [],
        "replay": Replay(0, (Place("data", True), Place("first step", False, "<u>"))),
        "seeds": [NewSeed(i, *row) for i, row in enumerate(zip(NEW, CLOCK, strict=True))],
        "answer": decide(of.values, NEW, 0.5, "percent"), "spread": spread(of.values, NEW),
        "time": time(Published.of(CLOCK), CLOCK), "same_kind": True,
    } | over  # fmt: skip
    return Report(of, **parts)


def test_the_answers_are_sentences_and_numbers():
    values = tuple(94 + 0.3 * RNG.standard_normal(30))
    shown = report(values)
    again, answer, clock = shown.verdicts
    assert (
        again
        == "Trained again here, seed 0 is not bit for bit the published one. The first difference: first step (<u>)."
    )
    assert answer.startswith("Equivalent within 0.5: new minus published")
    assert clock.startswith("Time of a training: 1.000 times the published time (95 % interval ")
    plain = json.loads(json.dumps(shown.plain(), allow_nan=False))
    assert plain["answer"]["verdict"] == "equivalent"
    assert plain["answer"]["low"] < plain["answer"]["difference"] < plain["answer"]["high"]
    assert (plain["replay"]["first"], plain["findings"]) == ("first step", [])
    assert [row["value"] for row in plain["seeds"]] == list(NEW)


def test_a_spread_that_was_shrunk_is_the_first_sentence():
    shrunk = tuple(94 + 0.03 * RNG.standard_normal(30))
    shown = report(shrunk)
    assert "The published spread is too small, so the published seeds are not independent" in shown.verdicts[0]
    assert shown.plain()["findings"] == shown.verdicts[:1]


def test_nothing_from_outside_is_markup():
    shown = report(NEW).page()
    page, text = web("a", shown), markdown(shown)
    assert not [tag for tag in ("<b>", "<i>", "<u>", "<script>") if tag in page or tag in text]
    assert "&lt;script&gt;" in page


def test_times_of_other_hardware_are_not_compared():
    other = report(NEW, time=None, same_kind=False)
    assert other.verdicts[-1] == "Times are not compared: the published ones are of a CPU."
    assert report(NEW, time=None, same_kind=False, seeds=[]).of_time == ""


def test_the_cost_is_by_the_published_clock_then_by_ours(tmp_path):
    of = report(NEW).publication
    seconds = of.seconds.mean
    assert cost(of, tmp_path, 6) == [
        f"published: {seconds:.0f} s for a training with its evaluation, on a CPU; 6 of them: {6 * seconds:.0f} s, "
        f"${6 * seconds * 2 / 3600:.2f} to ${6 * seconds * 2 / 3600:.2f} at $2 an hour"
    ]
    clock = {"seconds": 100.0, "seconds_untimed": {"load": 20.0}}
    training = {"seed": 0, "images_per_s": 1.0, "peak_memory_bytes": 0, "device": "cpu", "processes": 1, "resumed": 0,
                "precision": "fp32", "seconds_by_phase": {}, **clock}  # fmt: skip
    write_json(tmp_path / "results/seed-0/metrics.json", training)
    write_json(tmp_path / "results/seed-0/evaluation.json", {"seconds": 5.0})
    here = cost(of, tmp_path, 6)[1]  # 125 s, 0.8 to 1.7 times, and 4 to 20 s for the start of processes
    assert here.startswith("measured here: 10.4 to 23.2 min, $0.35 to $0.78 at $2 an hour for 6 trainings at most")


def test_without_any_time_the_cost_is_not_known(tmp_path):
    of = Publication("a", experiment(), MEASURE, Published.of(NEW), None, "")
    assert cost(of, tmp_path, 6) == ["no time is published and none was measured here: --timing measures one"]
    assert pytest.approx(float(np.mean(NEW))) == of.values.mean
