"""The files of a finished search: the page, all trials, and the study that tests the winner."""

from pathlib import Path

from dawn.config.search_plan import SearchPlan
from dawn.core.cli import InputError
from dawn.core.files import replacing, write_table, write_text
from dawn.report.page import markdown, web
from dawn.searches import figure, page, winner
from dawn.searches.trials import Trial, load, winner_of


def write(plan: SearchPlan, directory: Path) -> None:
    """Read the results of all trials, and write all files, the page last."""
    trials = load(plan, directory, plan.search.rounds)
    best = winner_of(plan, trials)
    if best is None:
        raise InputError(f"search {plan.name}: every trial diverged before its last epoch; lower the learning rates "
                         "of the space")  # fmt: skip
    table(plan, trials, directory / "trials.csv")
    journal(plan, trials, directory / "optuna.log")
    figure.draw(plan, trials, best, directory / "trials.png")
    write_text(directory / Path(winner.study_file(plan)).name, winner.study(plan, best))
    blocks = page.blocks(plan, trials, best, directory / "trials.png")
    write_text(directory / "page.html", web(plan.name, blocks))
    write_text(directory / "page.md", markdown(blocks, directory))


def table(plan: SearchPlan, trials: list[Trial], path: Path) -> None:
    """Write a line for each trial: its settings, its accuracy at each rung, its seconds."""
    keys, rungs = list(plan.search.space), plan.search.epochs.rungs
    columns = ["trial", "round", *keys, *(f"accuracy_{epochs:g}_epochs" for epochs in rungs), "seconds"]
    rows = [[t.number, t.round, *(t.settings.get(key) for key in keys),
             *(t.accuracies + [None] * (len(rungs) - len(t.accuracies))), t.seconds] for t in trials]  # fmt: skip
    write_table(path, columns, rows, ",")


def journal(plan: SearchPlan, trials: list[Trial], path: Path) -> None:
    """Write the trials as a journal of Optuna."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    from dawn.searches.proposals import optuna_study

    with replacing(path) as partial:
        partial.unlink(missing_ok=True)
        optuna_study(plan, trials, JournalStorage(JournalFileBackend(str(partial))))
