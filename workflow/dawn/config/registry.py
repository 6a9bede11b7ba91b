"""The tasks by name. A task is the package dawn/tasks/NAME; its modules are imported by name, when they are needed.

So no command imports the code of a task that it does not run, and an edit to one task is no cause for another
(dawn.core.code_deps).
"""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dawn.config.task import Measure, Task
from dawn.core.cli import InputError

TASKS = ("classify", "gan", "cycle")


@cache
def task(name: str) -> Task:
    """The declaration of a task, dawn/tasks/NAME/task.py."""
    if name not in TASKS:
        raise InputError(f"task = {name}: must be one of {', '.join(TASKS)}")
    declared: Task = import_module(f"dawn.tasks.{name}.task").TASK
    return declared


def module(name: str, verb: str) -> Any:
    """The module of a task for a command, such as dawn/tasks/NAME/train.py for ``dawn.train``."""
    return import_module(f"dawn.tasks.{name}.{verb}")


def has(name: str, verb: str) -> bool:
    """Return whether a task has a module for a command."""
    return find_spec(f"dawn.tasks.{name}.{verb}") is not None


def measures() -> dict[str, Measure]:
    """The measures of all tasks, by key."""
    return {measure.key: measure for name in TASKS for measure in task(name).measures}


def task_of(sections: Iterable[str]) -> Task:
    """The task of an experiment by the names of the sections that decided its result."""
    known = set(sections)
    if present := [task(name) for name in TASKS if task(name).main in known]:
        return present[0]
    raise InputError(f"there is no section of a task, one of {', '.join(task(name).main for name in TASKS)}")
