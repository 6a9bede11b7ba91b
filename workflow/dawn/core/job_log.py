"""What ``snakemake`` prints while it runs: a line for each job, with its number and the time that is left.

A job that failed is followed by the last line of its log, which says why. One that stopped as planned, at its time
limit or by preemption, is no failure. On a cluster a job has a line when it is submitted and one when it has finished.

Snakemake's own lines are complete in its log file, .snakemake/log/. They are printed as they are in a dry run, and with
--verbose or --printshellcmds.
"""

import copy
import logging
import time
from collections import Counter
from pathlib import Path
from typing import Any

from dawn.core.cli import printable

STOPPING = "Terminating processes on user request"
ADVICE = (
    "Stopping. Finished jobs are kept, and an unfinished training continues from its checkpoint: "
    "run the same command again."
)
DROPPED = ("job_started", "job_finished", "progress")  # events without a line of their own
RESULTS = "results"  # of params.yaml
FEW = 4  # inputs of a failed job
PLANNED = "continues from its checkpoint"  # how the last line of a log ends where a training was stopped on request
TAIL = 20_000  # bytes of a log
TRAININGS = {"train", "race_seeds"}  # rules, with those that begin with train_


class JobLog(logging.Formatter):
    """Formats the start of a job as one line and drops the lines around it; counts and times the jobs for that.

    ``inner`` formats all other records. The time left is, for each rule, the jobs left times the mean duration of its
    finished jobs; jobs that run at once divide it by as many as run at once.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner
        self.remote = False  # whether jobs that are not local are submitted, and wait before they run
        self.left: Counter[str] = Counter()
        self.total = 0
        self.numbers: dict[int, int] = {}  # by the id of the job, which keeps its number when it is tried again
        self.messages: dict[int, str] = {}
        self.submitted: set[int] = set()
        self.running: dict[int, tuple[str, float]] = {}
        self.durations: dict[str, list[float]] = {}
        self.stopping = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Note what happened; False for a record that has no line."""
        values = record.__dict__
        event = str(values.get("event"))
        if event == "run_info":
            self.left = Counter({name: n for name, n in values["stats"].items() if name not in ("total", "all")})
            self.total = self.left.total()
        elif event == "job_info" and values["rule_name"] != "all":
            self.numbers.setdefault(values["jobid"], len(self.numbers) + 1)
            self.running[values["jobid"]] = (values["rule_name"], time.monotonic())
            self.messages[values["jobid"]] = message(values)
            if self.remote and not values.get("local"):
                self.submitted.add(values["jobid"])
        elif event == "job_finished":
            self._finish(values["job_id"])
            if values["job_id"] in self.submitted and not self.stopping:
                return True
        elif record.getMessage().startswith(STOPPING):
            self.stopping = True
            return True
        if self.stopping:  # what is stopped fails, which needs no words
            return event == "None" and record.levelno < logging.ERROR
        return event not in DROPPED and record.getMessage() != "Select jobs to execute..."

    def _finish(self, job: int) -> None:
        name, start = self.running.pop(job, ("", 0.0))
        if name:
            self.left[name] -= 1
            self.durations.setdefault(name, []).append(time.monotonic() - start)

    def seconds_left(self) -> float | None:
        """The estimate; None while a training is left of a rule that has not finished once, since it takes longest.

        None on a cluster too, where the time that a job waits is not known.
        """
        if self.submitted:
            return None
        waiting = {name: n for name, n in self.left.items() if n > 0}
        if any(is_training(name) and name not in self.durations for name in waiting):
            return None
        means = {name: sum(seconds) / len(seconds) for name, seconds in self.durations.items()}
        passed = sum(min(time.monotonic() - start, means.get(name, 0.0)) for name, start in self.running.values())
        return max(0.0, sum(n * means.get(name, 0.0) for name, n in waiting.items()) - passed) / max(
            1, len(self.running)
        )

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record, in which nothing is left that moves the cursor."""
        return printable(self.text(record), kept="\n\t")

    def text(self, record: logging.LogRecord) -> str:
        """The line of a record as it is."""
        event = str(record.__dict__.get("event"))
        if event == "job_info":
            return self._line(record.__dict__)
        if event == "job_finished":
            job = record.__dict__["job_id"]
            return f"[{self._number(job)}] {self.messages[job]}: finished"
        if record.getMessage().startswith(STOPPING):
            return ADVICE
        if len(inputs := record.__dict__.get("input") or []) > FEW:  # the code of a failed job is no news
            record = copy.copy(record)
            record.__dict__["input"] = [*inputs[:FEW], f"... ({len(inputs)} files)"]
        if event != "job_error":
            return self.inner.format(record)
        reasons = [(path, line) for path in record.__dict__.get("log") or [] if (line := last_line(path))]
        if any(line.endswith(PLANNED) for _, line in reasons):
            return f"{self.messages.get(record.__dict__['jobid'], 'a training')}: stopped as planned; it {PLANNED}"
        return "\n".join([self.inner.format(record), *(f"    {path} ends with: {line}" for path, line in reasons)])

    def _line(self, values: dict[str, Any]) -> str:
        if values["rule_name"] == "all":
            return ""
        seconds = self.seconds_left()
        left = f"  (about {duration(seconds)} left)" if seconds is not None and seconds >= 5 else ""
        submitted = ": submitted" if values["jobid"] in self.submitted else ""
        return f"[{self._number(values['jobid'])}] {self.messages[values['jobid']]}{submitted}{left}"

    def _number(self, job: int) -> str:
        return f"{self.numbers[job]}/{max(len(self.numbers), self.total)}"


def message(values: dict[str, Any]) -> str:
    """Return what a job does, with the variant of a study or the judges that it is of."""
    what: str = values["rule_msg"] or values["rule_name"]
    run = (values.get("wildcards") or {}).get("run", RESULTS)
    return what if run == RESULTS or run in what else f"{what}: {run}"


def last_line(path: str) -> str | None:
    """The last line of a log that says something; None without one, or where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            lines = file.read().decode("utf-8", "replace").replace("\r", "\n").splitlines()
    except OSError:
        return None
    return next((line.strip()[:500] for line in reversed(lines) if line.strip()), None)


def is_training(rule: str) -> bool:
    """Return whether a rule trains, by its name."""
    return rule in TRAININGS or rule.startswith("train_")


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3.4 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def shorten(logger: logging.Logger, remote: bool = False) -> None:
    """Give Snakemake's handler of the terminal a ``JobLog``, unless the command asked for more.

    ``remote`` is known only when the jobs start: a second call says so.
    """
    for handler in logger.handlers:
        if isinstance(handler.formatter, JobLog):
            handler.formatter.remote = remote
        elif handler.name == "DefaultStreamHandler" and handler.formatter:
            settings = handler.filters[0]
            if not any(getattr(settings, name) for name in ("dryrun", "verbose", "printshellcmds")):
                brief = JobLog(handler.formatter)
                handler.setFormatter(brief)
                handler.filters.insert(0, brief)
