"""The steps of a search, which ``snakemake search --config search=NAME`` runs one after the other.

    python -m dawn.search propose results/searches/peak --round 0 --rung 1 --out FILE
    python -m dawn.search trial results/searches/peak/round-0/rung-1/trial-7 --seed 0 --exit-code 0
    python -m dawn.search page results/searches/peak

propose: the trials of a rung, from search.json and the results so far, which are on the hold-out split. FILE is
round-0/rung-1.json of the search; next to it is the experiment of each trial, rung-1/trial-7/params.yaml. In the
first round trial 0 has the settings of the base; it is trained at every rung, whatever its accuracy.

trial: the result of a training, trial.json; its weights are deleted. --exit-code is that of dawn.train: 0, or 76 for a
loss that is not finite; with any other this command ends as well.

page: page.md, page.html, trials.csv, trials.png, the study NAME-winner.yaml, and optuna.log, a journal with all trials
that Optuna's own tools open.
"""

import argparse
import sys
from pathlib import Path

from dawn.config.search import stored
from dawn.core import cli
from dawn.engine.shutdown import DIVERGED
from dawn.searches import rung


def propose(args: argparse.Namespace) -> None:
    """Choose the trials of a rung."""
    plan = stored(args.search)
    if (args.round, args.rung) not in plan.rungs:
        last = ", rung ".join(map(str, plan.rungs[-1]))
        raise cli.InputError(f"--round {args.round} --rung {args.rung}: the last one of the search is round {last}")
    count = rung.propose(plan, args.search, args.round, args.rung, args.out)
    epochs = plan.search.epochs.rungs[args.rung]
    print(f"round {args.round}, rung {args.rung}: {count} trials of {epochs:g} epochs", file=sys.stderr)


def trial(args: argparse.Namespace) -> None:
    """Write the result of a training."""
    if args.exit_code not in (0, DIVERGED):
        sys.exit(args.exit_code)
    rung.write_outcome(args.trial, args.seed, args.exit_code == DIVERGED)


def page(args: argparse.Namespace) -> None:
    """Write the files of a finished search."""
    from dawn.searches.page import write

    write(stored(args.search), args.search)


def main() -> None:
    """Parse the command line, run the step."""
    parser = cli.parser(main)
    steps = parser.add_subparsers(required=True, metavar="propose|trial|page")
    search = argparse.ArgumentParser(add_help=False)
    search.add_argument("search", type=Path, help="directory of the search's results")

    proposed = steps.add_parser("propose", parents=[search], help="choose the trials of a rung")
    proposed.add_argument("--round", type=int, required=True, help="number of the round, the first is 0")
    proposed.add_argument("--rung", type=int, required=True, help="number of the rung, the first is 0")
    cli.add_out(proposed, "the rung's trials, JSON")
    proposed.set_defaults(run=propose)

    trained = steps.add_parser("trial", help="write the result of a training")
    trained.add_argument("trial", type=Path, help="directory of the training: params.yaml and seed-N")
    cli.add_seed(trained, "the training's seed")
    trained.add_argument("--exit-code", type=int, required=True, help="of dawn.train")
    trained.set_defaults(run=trial)

    steps.add_parser("page", parents=[search], help="write the files of a finished search").set_defaults(run=page)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    cli.run(main)
