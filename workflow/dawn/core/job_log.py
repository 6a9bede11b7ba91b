"""What ``snakemake`` prints while it runs: a line for each job, with its number and the time that is left.

Snakemake's own lines are complete in its log file, .snakemake/log/. They are printed as they are in a dry run, and with
--verbose or --printshellcmds.
"""

import copy
import logging
import time
from collections import Counter
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
TRAININGS = {"train", "race_seeds"}  # rules, with those that begin with train_


class JobLog(logging.Formatter):
    """Formats the start of a job as one line and drops the lines around it; counts and times the jobs for that.

    ``inner`` formats all other records. The time left is, for each rule, the jobs left times the mean duration of its
    finished jobs; jobs that run at once divide it by as many as run at once.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner
        self.left: Counter[str] = Counter()
        self.total = self.number = 0
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
        elif event == "job_info":
            self.number += 1
            self.running[values["jobid"]] = (values["rule_name"], time.monotonic())
        elif event == "job_finished":
            self._finish(values["job_id"])
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
        """The estimate; None while a training is left of a rule that has not finished once, since it takes longest."""
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
        if str(record.__dict__.get("event")) == "job_info":
            return self._line(record.__dict__)
        if record.getMessage().startswith(STOPPING):
            return ADVICE
        if len(inputs := record.__dict__.get("input") or []) > FEW:  # the code of a failed job is no news
            record = copy.copy(record)
            record.__dict__["input"] = [*inputs[:FEW], f"... ({len(inputs)} files)"]
        return self.inner.format(record)

    def _line(self, values: dict[str, Any]) -> str:
        what = values["rule_msg"] or values["rule_name"]
        run = (values.get("wildcards") or {}).get("run", RESULTS)
        if run != RESULTS and run not in what:  # a variant of a study, or the judges
            what += f": {run}"
        if values["rule_name"] == "all":
            return ""
        seconds = self.seconds_left()
        left = f"  (about {duration(seconds)} left)" if seconds is not None and seconds >= 5 else ""
        return f"[{self.number}/{max(self.number, self.total)}] {what}{left}"


def is_training(rule: str) -> bool:
    """Return whether a rule trains, by its name."""
    return rule in TRAININGS or rule.startswith("train_")


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3.4 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def shorten(logger: logging.Logger) -> None:
    """Give Snakemake's handler of the terminal a ``JobLog``, unless the command asked for more."""
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and handler.formatter and not isinstance(handler.formatter, JobLog):
            settings = handler.filters[0]
            if not any(getattr(settings, name) for name in ("dryrun", "verbose", "printshellcmds")):
                brief = JobLog(handler.formatter)
                handler.setFormatter(brief)
                handler.filters.insert(0, brief)
