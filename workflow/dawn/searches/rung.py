"""The trials of a rung, new ones from Optuna at the first rung, else the best of the rung before; and their results."""

from pathlib import Path

from dawn.config import registry
from dawn.config.experiment import dump, flat
from dawn.config.experiment import load as load_experiment
from dawn.config.search import BASE, SearchPlan
from dawn.core.cli import InputError
from dawn.core.files import write_json, write_text
from dawn.core.reading import read_json
from dawn.searches.trials import Trial, folder, load
from dawn.searches.winner import seeds


def propose(plan: SearchPlan, directory: Path, round: int, rung: int, out: Path) -> int:
    """Choose the trials of a rung, write them and the experiment of each one, and return how many there are."""
    trials = kept(plan, directory, round, rung) if rung else first(plan, directory, round)
    proposed = []
    for trial in trials:
        experiment = plan.experiment({} if trial.number == BASE else trial.settings, rung)
        write_text(folder(directory, round, rung, trial.number) / "params.yaml", dump(experiment))
        cause = experiment.text(*experiment.trained_by)
        proposed.append({"trial": trial.number, "settings": trial.settings, "cause": cause})
    epochs = plan.search.epochs.rungs[rung]
    write_json(out, {"round": round, "rung": rung, "epochs": epochs, "trials": proposed})
    return len(proposed)


def first(plan: SearchPlan, directory: Path, round: int) -> list[Trial]:
    """The trials of a round, new to the search; those of the first one start with the base."""
    from dawn.searches import proposals

    before = load(plan, directory, round)
    if round == 0:
        seeds(plan, {})  # refuses a study that would need too many, rather than after all trainings
        base = flat(plan.base.model_dump(mode="json"))
        before = [Trial(BASE, 0, {key: base.get(key) for key in plan.search.space})]
    start = 1 + round * plan.search.trials
    new = [Trial(start + i, round, settings) for i, settings in enumerate(proposals.propose(plan, round, before))]
    return [*(before if round == 0 else []), *new]


def kept(plan: SearchPlan, directory: Path, round: int, rung: int) -> list[Trial]:
    """The best trials of the rung before, and the base if it is among them."""
    trials = [trial for trial in load(plan, directory, round, rung) if trial.round == round]
    here = [trial for trial in trials if trial.number != BASE and trial.score[0] == rung]
    if not here and round == 0:
        raise InputError(f"search {plan.name}: every trial diverged in the first {rung} rungs; lower the learning "
                         "rates of the space")  # fmt: skip
    best = sorted(here, key=lambda trial: trial.score, reverse=True)[: plan.counts[rung]]
    return [trial for trial in trials if trial in best or (trial.number == BASE and trial.score[0] == rung)]


def write_outcome(trial: Path, seed: int, diverged: bool) -> None:
    """Write trial.json, and delete the weights, since a search keeps none."""
    trained = trial / f"seed-{seed}"
    result = {"accuracy": None, "loss": None, "seconds": 0.0}
    if not diverged:
        metrics = read_json(trained / "metrics.json", registry.task("classify").training)
        if metrics["monitored"] != "holdout":
            raise InputError(f"{trained}/metrics.json has accuracies of the {metrics['monitored']} split, not of the "
                             "hold-out split; set data.holdout")  # fmt: skip
        result = {key: metrics[key] for key in result}
    experiment = load_experiment(trial / "params.yaml")
    write_json(trial / "trial.json", result | {"cause": experiment.text(*experiment.trained_by)})
    (trained / "model.safetensors").unlink(missing_ok=True)
