"""Which settings to try next, from those tried so far: the samplers of Optuna, which is imported here alone.

The first round is a scrambled Sobol sequence, which covers the space more evenly than independent draws; the later
ones come from a tree-structured Parzen estimator (Bergstra et al., NeurIPS 24, 2011) on the trials so far. Trials
that were stopped early count as worse than those trained longer, and diverged ones as the worst. With successive
halving in each round this resembles BOHB (Falkner et al., ICML 2018).
"""

import json
import warnings
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, QMCSampler, TPESampler
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from dawn.config.search import SearchPlan, Values
from dawn.core.cli import InputError
from dawn.searches.trials import Trial

ATTEMPTS = 50  # draws for each new trial until one is new and valid

optuna.logging.set_verbosity(optuna.logging.WARNING)


def propose(plan: SearchPlan, round: int, before: Sequence[Trial]) -> list[dict[str, Any]]:
    """The settings of the new trials of a round, by dotted keys; fewer where the space has no more."""
    space = {key: _distribution(values) for key, values in plan.search.space.items()}
    study = optuna_study(plan, before, InMemoryStorage(), _sampler(plan.search.seed, round))
    tried = [trial.settings for trial in before]
    proposed: list[dict[str, Any]] = []
    for _ in range(ATTEMPTS * plan.search.trials):
        if len(proposed) == plan.search.trials:
            break
        asked = study.ask(space)
        settings = {key: _value(plan.search.space[key], value) for key, value in asked.params.items()}
        if settings in tried + proposed or not _valid(plan, settings):
            study.tell(asked, state=TrialState.FAIL)
        else:
            proposed.append(settings)
    if not proposed and round == 0:
        raise InputError(f"search {plan.name}: no {ATTEMPTS * plan.search.trials} draws from the space gave a valid "
                         "experiment; narrow the space")  # fmt: skip
    return proposed


def optuna_study(
    plan: SearchPlan, trials: Sequence[Trial], storage: BaseStorage, sampler: BaseSampler | None = None
) -> Any:
    """A study of Optuna's that knows the trials; a base outside of the space is left out."""
    study = optuna.create_study(storage=storage, sampler=sampler, study_name=plan.name, direction="maximize")
    space = plan.search.space
    for trial in trials:
        if all(values.contains(trial.settings.get(key)) for key, values in space.items()):
            study.add_trial(_frozen(plan, trial))
    return study


def _frozen(plan: SearchPlan, trial: Trial) -> FrozenTrial:
    """A trial as Optuna stores it: complete with its accuracy, or stopped at a rung."""
    space, complete = plan.search.space, trial.score[0] == len(plan.counts)
    steps = [(rung, accuracy) for rung, accuracy in enumerate(trial.accuracies) if accuracy is not None]
    return create_trial(
        state=TrialState.COMPLETE if complete else TrialState.PRUNED,
        value=trial.accuracies[-1] if complete else None,
        params={key: _stored(space[key], trial.settings[key]) for key in space},
        distributions={key: _distribution(values) for key, values in space.items()},
        intermediate_values=dict(steps),
        user_attrs={"trial": trial.number, "epochs": list(plan.search.epochs.rungs)},
    )


def _sampler(seed: int, round: int) -> BaseSampler:
    if round == 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return QMCSampler(qmc_type="sobol", scramble=True, seed=seed, warn_independent_sampling=False)
    return TPESampler(seed=1000 * seed + round, n_startup_trials=1)


def _distribution(values: Values) -> CategoricalDistribution | FloatDistribution | IntDistribution:
    """The values as Optuna describes them; choices as JSON, since it stores no lists."""
    if values.choices:
        return CategoricalDistribution([json.dumps(choice) for choice in values.choices])
    low, high = values.ends
    if values.integer:
        return IntDistribution(low, high, log=values.log)
    return FloatDistribution(low, high, log=values.log)


def _value(values: Values, drawn: Any) -> Any:
    """A drawn value as a setting; numbers keep four digits, which a table can show."""
    if values.choices:
        return json.loads(drawn)
    return drawn if values.integer else min(max(float(f"{drawn:.4g}"), values.ends[0]), values.ends[1])


def _stored(values: Values, setting: Any) -> Any:
    return json.dumps(setting) if values.choices else setting


def _valid(plan: SearchPlan, settings: dict[str, Any]) -> bool:
    """Return whether settings that are valid alone are so together."""
    try:
        plan.experiment(settings, 0)
    except InputError:
        return False
    return True
