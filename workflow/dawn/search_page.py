"""Write the page of a finished search, and the study that tests its winner.

    python -m dawn.search_page results/searches/peak

Reads search.json and the results of all trials. Writes page.md, page.html, trials.csv, trials.png, NAME-winner.yaml and
optuna.log, a journal with all trials that Optuna's own tools open.
"""

from pathlib import Path

from dawn.config.search_plan import SearchPlan, stored
from dawn.core import cli
from dawn.core.files import replacing, write_table, write_text
from dawn.report.page import markdown, web
from dawn.searches import figure, page, winner
from dawn.searches.trials import Trial, load, winner_of


def write(plan: SearchPlan, directory: Path, trials: list[Trial], best: Trial) -> None:
    """Write all files, the page last."""
    keys, rungs = list(plan.search.space), plan.search.epochs.rungs
    columns = ["trial", "round", *keys, *(f"accuracy_{epochs:g}_epochs" for epochs in rungs), "seconds"]
    rows = [[t.number, t.round, *(f'"{v}"' if isinstance(v := t.settings.get(key), list | str) else v for key in keys),
             *(t.accuracies + [None] * (len(rungs) - len(t.accuracies))), t.seconds] for t in trials]  # fmt: skip
    write_table(directory / "trials.csv", columns, rows, ",")
    journal(plan, trials, directory / "optuna.log")
    figure.draw(plan, trials, best, directory / "trials.png")
    write_text(directory / Path(winner.study_file(plan)).name, winner.study(plan, best))
    blocks = page.blocks(plan, trials, best, directory / "trials.png")
    write_text(directory / "page.html", web(plan.name, blocks))
    write_text(directory / "page.md", markdown(blocks, directory))


def journal(plan: SearchPlan, trials: list[Trial], path: Path) -> None:
    """Write the trials as a journal of Optuna."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    from dawn.searches.proposals import optuna_study

    with replacing(path) as partial:
        partial.unlink(missing_ok=True)
        optuna_study(plan, trials, JournalStorage(JournalFileBackend(str(partial))))


def main() -> None:
    """Parse the command line, read the trials, write."""
    parser = cli.parser(main)
    parser.add_argument("search", type=Path, help="directory of the search's results")
    args = parser.parse_args()
    plan = stored(args.search)
    trials = load(plan, args.search, plan.search.rounds)
    best = winner_of(plan, trials)
    if best is None:
        raise cli.InputError(f"search {plan.name}: every trial diverged before its last epoch; lower the learning "
                             "rates of the space")  # fmt: skip
    write(plan, args.search, trials, best)


if __name__ == "__main__":
    cli.run(main)
