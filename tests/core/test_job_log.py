"""What snakemake prints while it runs: a line a job, and the time that is left."""

import io
import logging
from pathlib import Path

import pytest

from dawn.core import job_log
from dawn.core.job_log import ADVICE, JobLog, duration, shorten


class Settings(logging.Filter):
    """Snakemake's filter, as far as it is used."""

    dryrun = verbose = printshellcmds = False

    def filter(self, record):
        return True


class Plain(logging.Formatter):
    def format(self, record):
        return record.getMessage()


@pytest.fixture
def printed(monkeypatch):
    """A function that logs an event at a time in seconds, and the stream that it prints to."""
    logger, out, now = logging.Logger("jobs"), io.StringIO(), [0.0]
    handler = logging.StreamHandler(out)
    handler.name = "DefaultStreamHandler"
    handler.setFormatter(Plain())
    handler.addFilter(Settings())
    logger.addHandler(handler)
    monkeypatch.setattr(job_log.time, "monotonic", lambda: now[0])
    shorten(logger)

    def log(event=None, message="", at=0.0, level=logging.INFO, **values):
        now[0] = at
        logger.log(level, message, extra={"event": event, **values} if event else None)
        text = out.getvalue()
        out.truncate(0)
        out.seek(0)
        return text.strip()

    log.logger = logger
    return log


def start(log, job, rule, message, at):
    return log("job_info", at=at, jobid=job, rule_name=rule, rule_msg=message)


def test_a_job_of_a_variant_names_it(printed):
    printed("run_info", "Job stats", stats={"train": 3, "total": 3})
    for number, (run, line) in enumerate({
        "results": "[1/3] Train with seed 0",
        "results/studies/width/wide": "[2/3] Train with seed 0: results/studies/width/wide",
        "results/judge": "[3/3] Train with seed 0: results/judge",
    }.items()):  # fmt: skip
        about = {"jobid": number, "rule_name": "train", "rule_msg": "Train with seed 0", "wildcards": {"run": run}}
        assert printed("job_info", at=0, **about) == line


def test_a_job_is_one_line_and_the_lines_around_it_are_dropped(printed):
    printed("run_info", "Job stats", stats={"train": 1, "stats": 1, "all": 1, "total": 3})
    assert printed(message="Select jobs to execute...") == ""
    assert printed("job_started", "Execute 1 jobs...", jobs=[1]) == ""
    assert start(printed, 1, "stats", "Compute means", 0) == "[1/2] Compute means"
    assert printed("job_finished", "Finished jobid: 1", job_id=1, at=1) == ""
    assert printed("progress", "1 of 3 steps", done=1, total=3) == ""
    assert start(printed, 2, "train", "Train", 1) == "[2/2] Train"
    assert start(printed, 0, "all", None, 1) == ""
    assert printed(message="Complete log(s): x") == "Complete log(s): x"


def test_the_time_left_is_the_jobs_left_times_their_mean(printed):
    printed("run_info", stats={"train": 4, "summary": 1, "all": 1, "total": 6})
    assert start(printed, 1, "train", "Train 0", 0) == "[1/5] Train 0"
    printed("job_finished", job_id=1, at=100)
    assert start(printed, 2, "train", "Train 1", 100) == "[2/5] Train 1  (about 5 min left)"
    printed("job_finished", job_id=2, at=300)  # the mean is 150 now, and two are left
    assert start(printed, 3, "train", "Train 2", 300) == "[3/5] Train 2  (about 5 min left)"
    assert start(printed, 4, "train", "Train 3", 300) == "[4/5] Train 3  (about 2 min left)"  # two at once
    for job in (3, 4):
        printed("job_finished", job_id=job, at=450)
    assert start(printed, 5, "summary", "Summarize", 450) == "[5/5] Summarize"


def test_no_time_is_given_before_a_training_has_ended(printed):
    printed("run_info", stats={"stats": 9, "train": 1, "total": 10})
    start(printed, 1, "stats", "Compute", 0)
    printed("job_finished", job_id=1, at=30)
    assert "left" not in start(printed, 2, "stats", "Compute", 30)


def test_no_time_is_given_before_a_gan_was_trained_once(printed):
    """Before: as soon as a judge was trained, the time of the other judges was all that was left."""
    printed("run_info", stats={"train_judge": 2, "train": 2, "total": 4})
    start(printed, 1, "train_judge", "Train judge 0", 0)
    printed("job_finished", job_id=1, at=60)
    assert start(printed, 2, "train_judge", "Train judge 1", 60) == "[2/4] Train judge 1"
    printed("job_finished", job_id=2, at=120)
    assert start(printed, 3, "train", "Train 0", 120) == "[3/4] Train 0"
    printed("job_finished", job_id=3, at=720)
    assert start(printed, 4, "train", "Train 1", 720) == "[4/4] Train 1  (about 10 min left)"


@pytest.mark.parametrize(("rule", "trains"), [("trained", False), ("train", True), ("train_judge", True)])
def test_a_training_is_known_by_the_name_of_its_rule(rule, trains):
    assert job_log.is_training(rule) is trains


def test_a_stop_says_what_is_kept_and_hides_what_fails_by_it(printed):
    printed("run_info", stats={"train": 1, "total": 1})
    start(printed, 1, "train", "Train", 0)
    assert printed(message="Terminating processes on user request, this might take some time.") == ADVICE
    assert printed("job_error", "Error in rule train", level=logging.ERROR) == ""
    assert printed("error", "WorkflowError", level=logging.ERROR) == ""
    assert printed(message="At least one job failed", level=logging.ERROR) == ""
    assert printed(message="Complete log(s): x") == "Complete log(s): x"


class Inputs(Plain):
    def format(self, record):
        return ", ".join(record.input)


def test_a_failed_job_does_not_list_all_its_code(printed):
    printed.logger.handlers[0].formatter.inner = Inputs()
    shown = printed("job_error", "Error", level=logging.ERROR, input=list("abcdef"))
    assert shown == "a, b, c, d, ... (6 files)"


def fail(printed, *logs):
    return printed("job_error", "Error in rule train", level=logging.ERROR, jobid=1, rule_name="train", log=list(logs))


def test_a_failed_job_is_followed_by_the_last_line_of_its_logs(printed, tmp_path):
    own, slurm = str(tmp_path / "train-0.log"), str(tmp_path / "12.log")
    Path(own).write_text("seed 0  epoch 1/2\n\x1b[31mdawn.train: the loss is nan\n\n")
    Path(slurm).write_text("srun: begin\nslurmstepd: error: *** JOB 12 ON n1 CANCELLED DUE TO TIME LIMIT ***\n")
    assert fail(printed, own, slurm, str(tmp_path / "none.log")).splitlines() == [
        "Error in rule train",
        f"    {own} ends with: \\x1b[31mdawn.train: the loss is nan",
        f"    {slurm} ends with: slurmstepd: error: *** JOB 12 ON n1 CANCELLED DUE TO TIME LIMIT ***",
    ]


def test_a_planned_stop_is_no_failure(printed, tmp_path):
    log = tmp_path / "train-0.log"
    log.write_text("seed 0  epoch 1/2\nseed 0: stopped; the same command continues from its checkpoint\n")
    start(printed, 1, "train", "Train 0", 0)
    assert fail(printed, str(log)) == "Train 0: stopped as planned; it continues from its checkpoint"


def test_a_job_that_is_tried_again_keeps_its_number(printed):
    printed("run_info", stats={"train": 2, "all": 1, "total": 3})
    assert start(printed, 1, "train", "Train 0", 0) == "[1/2] Train 0"
    assert start(printed, 1, "train", "Train 0", 9) == "[1/2] Train 0"
    start(printed, 0, "all", None, 9)
    assert start(printed, 2, "train", "Train 1", 9) == "[2/2] Train 1"


def test_on_a_cluster_jobs_are_submitted_and_finish(printed):
    shorten(printed.logger, remote=True)
    printed("run_info", stats={"train": 1, "stats": 1, "total": 2})
    local = printed("job_info", at=0, jobid=1, rule_name="stats", rule_msg="Compute", local=True)
    assert local == "[1/2] Compute"
    assert printed("job_finished", job_id=1, at=1) == ""
    assert start(printed, 2, "train", "Train 0", 0) == "[2/2] Train 0: submitted"
    assert printed("job_finished", job_id=2, at=900) == "[2/2] Train 0: finished"


def test_errors_without_a_stop_are_printed(printed):
    assert printed("job_error", "Error in rule train", level=logging.ERROR) == "Error in rule train"


@pytest.mark.parametrize("name", ["dryrun", "verbose", "printshellcmds"])
def test_snakemakes_own_lines_stay_where_more_is_asked_for(monkeypatch, name):
    monkeypatch.setattr(Settings, name, True)
    logger, handler = logging.Logger("jobs"), logging.StreamHandler()
    handler.name = "DefaultStreamHandler"
    handler.setFormatter(Plain())
    handler.addFilter(Settings())
    logger.addHandler(handler)
    shorten(logger)
    assert type(handler.formatter) is Plain


def test_it_is_set_once_and_on_the_terminal_alone(printed):
    file = logging.StreamHandler(io.StringIO())
    file.setFormatter(Plain())
    printed.logger.addHandler(file)
    shorten(printed.logger)
    assert [type(handler.formatter) for handler in printed.logger.handlers] == [JobLog, Plain]
    assert isinstance(printed.logger.handlers[0].formatter.inner, Plain)


@pytest.mark.parametrize(("seconds", "text"), [(45, "45 s"), (89.9, "90 s"), (720, "12 min"), (12240, "3.4 h")])
def test_durations(seconds, text):
    assert duration(seconds) == text
