"""Write the trials of a rung of a search: new ones from Optuna at the first rung, else the best of the rung before.

    python -m dawn.propose results/searches/peak --round 0 --rung 1 --out results/searches/peak/round-0/rung-1.json

Reads search.json and the results of the trials so far, which are on the hold-out split. Writes the rung's trials and,
for each, the experiment to train: round-0/rung-1/trial-7/params.yaml. In the first round trial 0 has the settings of
the base; it is trained at every rung, whatever its accuracy.
"""

import sys
from pathlib import Path

from dawn.config.experiment import dump, flat
from dawn.config.search_plan import BASE, SearchPlan, stored
from dawn.core import cli
from dawn.core.files import write_json, write_text
from dawn.searches.trials import Trial, folder, load
from dawn.searches.winner import seeds


def first(plan: SearchPlan, directory: Path, round: int) -> list[Trial]:
    """The trials of a round, new to the search; those of the first one start with the base."""
    from dawn.searches.proposals import propose

    before = load(plan, directory, round)
    if round == 0:
        seeds(plan, {})  # refuses a study that would need too many, rather than after all trainings
        base = flat(plan.base.model_dump(mode="json"))
        before = [Trial(BASE, 0, {key: base.get(key) for key in plan.search.space})]
    start = 1 + round * plan.search.trials
    new = [Trial(start + i, round, settings) for i, settings in enumerate(propose(plan, round, before))]
    return [*(before if round == 0 else []), *new]


def kept(plan: SearchPlan, directory: Path, round: int, rung: int) -> list[Trial]:
    """The best trials of the rung before, and the base if it is among them."""
    trials = [trial for trial in load(plan, directory, round, rung) if trial.round == round]
    here = [trial for trial in trials if trial.number != BASE and trial.score[0] == rung]
    if not here and round == 0:
        raise cli.InputError(f"search {plan.name}: every trial diverged in the first {rung} rungs; lower the learning "
                             "rates of the space")  # fmt: skip
    best = sorted(here, key=lambda trial: trial.score, reverse=True)[: plan.counts[rung]]
    return [trial for trial in trials if trial in best or (trial.number == BASE and trial.score[0] == rung)]


def main() -> None:
    """Parse the command line, choose, write."""
    parser = cli.parser(main)
    parser.add_argument("search", type=Path, help="directory of the search's results")
    parser.add_argument("--round", type=int, required=True, help="number of the round, the first is 0")
    parser.add_argument("--rung", type=int, required=True, help="number of the rung, the first is 0")
    cli.add_out(parser, "the rung's trials, JSON")
    args = parser.parse_args()
    plan, round, rung = stored(args.search), args.round, args.rung
    trials = kept(plan, args.search, round, rung) if rung else first(plan, args.search, round)
    found = []
    for trial in trials:
        experiment = plan.experiment({} if trial.number == BASE else trial.settings, rung)
        write_text(folder(args.search, round, rung, trial.number) / "params.yaml", dump(experiment))
        found.append(
            {"trial": trial.number, "settings": trial.settings, "cause": experiment.text(*experiment.trained_by)}
        )
    epochs = plan.search.epochs.rungs[rung]
    print(f"round {round}, rung {rung}: {len(found)} trials of {epochs:g} epochs", file=sys.stderr)
    write_json(args.out, {"round": round, "rung": rung, "epochs": epochs, "trials": found})


if __name__ == "__main__":
    cli.run(main)
