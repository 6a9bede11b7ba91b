"""The level that a comparison is tested at, fixed when it is first made, so that 5 % hold for all that ever are.

The chance of any false *better* or *worse* over the experiments of a first plan is at most the sum of the levels of
all that could be tested, in whatever way the tests depend on each other (the union bound), if each level was fixed
before the values that it is tested on were seen. So no level depends on what a user chose after seeing them:

planned     All comparisons of a study none of whose experiments was seen: PLANNED together, at the planned analyses of
            their seeds, and RESERVED by the anytime-valid test of seeds that were not planned. A comparison that is
            deleted stays, because it would have been made had its values been others.
new         A new experiment against the base of the plan (where it has none, such as a ladder, against one of all its
            experiments, which are as many choices), by its measure and seeds. Nothing of the new experiment was
            seen, and if nothing differs, the new experiments are draws of the same distribution, whichever are chosen:
            the l-th addition has NEW / (l (l + 1)), which is divided among its comparisons. Their number may be chosen
            by how extreme the base was. This raises the sum by a factor of at most 1.28 (numerically, for many seeds
            and up to 200 comparisons; less for few seeds), which is allowed for: PLANNED + RESERVED + 1.3 (NEW + PAIRS
            + CONTRASTS) is less than 5 %.
pair        Two experiments of which more was seen, or by another measure, or with another base: each pair of
            experiments of the first plan, by each quantity that a page shows, has the same part of PAIRS / 2; pairs
            with an experiment of the l-th addition have parts of PAIRS / ((l + 1) (l + 2)). A part belongs to a pair
            from the time at which its experiments are planned, so that choosing it later changes nothing.
contrast    The same for contrasts of more experiments, such as the effects of a grid. With N experiments there are at
            most 3^N: each is on one side, on the other or on none.
untested    By another budget than that of the plan. Learning curves were seen, and there is no end of budgets.

An added comparison spends BY_PLAN of its level at the analyses of the plan that its experiments had, the rest by the
anytime-valid test if other seeds are used. Experiments of two first plans may be compared; then each plan has its 5 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

from dawn.studies.records import Contrast, Group, History, Kind, Quantity, Seen
from dawn.studies.sequential import PLANNED, RESERVED

NEW, PAIRS, CONTRASTS = 0.002, 0.00025, 0.00005
BY_PLAN = 0.9


@dataclass(frozen=True)
class Look:
    """Results of a study as they are shown: its plan, its experiments by their keys, what a page shows of them.

    quantities  by which results can be compared after this look
    """

    study: str
    quantity: Quantity
    quantities: tuple[Quantity, ...]
    seeds: list[int]
    analyses: list[int]
    difference: float
    test: str
    comparisons: list[Contrast]
    experiments: Mapping[str, Seen]

    @property
    def shows(self) -> bool:
        """Whether a seed of an experiment is finished."""
        return any(experiment.seeds for experiment in self.experiments.values())


@dataclass(frozen=True)
class Part:
    """The part of the error that a comparison is given.

    pool     comparisons that share ``level``; None if only those of one look that are given this part do
    choices  in how many ways each of those could be made
    """

    kind: Kind
    level: float
    pool: int | None = None
    choices: int = 1

    def size(self, comparisons: int) -> int:
        """Return among how many the level is divided, if so many comparisons of a look are given it."""
        return comparisons * self.choices if self.pool is None else self.pool


def spending(group: Group) -> tuple[float, float]:
    """Return what a group spends of its level at the analyses of its plan, and on seeds that were not planned."""
    planned = PLANNED if group.kind == "planned" else BY_PLAN * group.level
    return planned, group.level - planned


def with_look(history: History, look: Look, when: str, planned: bool = False) -> History:
    """Return the history after a look at results, in which each of its comparisons has a group.

    ``planned`` says that its comparisons were, whatever was seen: a study of a version that did not compare studies.
    """
    context = Context(history, look, planned)
    if not context.first:
        history = _in_place_of_unseen(history, context)
    known = history.places
    added = [c for c in look.comparisons if (c.identity, look.quantity) not in known]
    parts: dict[Part, list[Contrast]] = {}
    for comparison in added:
        parts.setdefault(context.part(comparison), []).append(comparison)
    groups = [_group(part, comparisons, context, when) for part, comparisons in parts.items()]
    experiments = dict(history.experiments)
    for key, now in look.experiments.items():
        experiments[key] = _merged(experiments.get(key), now, context.stages[key])
    return history.model_copy(update={"groups": [*history.groups, *groups], "experiments": experiments})


class Context:
    """The plans and results that were seen before a look, of the experiments that comparisons connect with it.

    new      the experiments of the look that were neither seen nor planned before
    first    whether nothing of the look was seen before
    stages   the stage of each experiment, also of the look's
    planned  the groups that were planned
    plan     their seeds and analyses; None where there is none, or more than one
    """

    def __init__(self, history: History, look: Look, planned: bool = False) -> None:
        self.look = look
        before = history.component({key: e.trained for key, e in look.experiments.items()})
        seen = {key for key, e in look.experiments.items() if history.seen(key, e.trained)}
        self.first, self.new = planned or not seen, look.experiments.keys() - seen - history.experiments.keys()
        known = {key: history.experiments[key].stage for key in before}
        self.stage = 0 if self.first else max(known.values(), default=0) + 1
        self.stages = dict.fromkeys(look.experiments, self.stage) | known
        self.planned = [g for g in history.groups if g.kind == "planned" and g.experiments & before]
        plans = {(tuple(g.seeds), tuple(g.analyses)) for g in self.planned}
        self.plan = plans.pop() if len(plans) == 1 else None
        self.quantities = {*look.quantities, *(g.quantity for g in self.planned)}

    def part(self, comparison: Contrast) -> Part:
        """Return the part of a comparison that was never made."""
        if self.first:
            return Part("planned", PLANNED + RESERVED)
        if self.look.quantity not in self.quantities:
            return Part("untested", 0.0)
        if choices := self._choices(comparison):
            return Part("new", NEW / (self.stage * (self.stage + 1)), choices=choices)
        stage = max(self.stages[key] for key in comparison.weights)
        number = sum(s <= stage for s in self.stages.values())
        series = (stage + 1) * (stage + 2)
        if comparison.pair:
            return Part("pair", PAIRS / series, comb(number, 2) * len(self.quantities))
        return Part("contrast", CONTRASTS / series, 3**number * len(self.quantities))

    def _choices(self, comparison: Contrast) -> int:
        """Count the bases and quantities of plans that a new experiment could be compared by; 0 if by none of them.

        In a plan without a common base, such as a ladder, each experiment can be one.
        """
        options = {(base, g.quantity) for g in self.planned for base in ({g.base} if g.base else g.experiments)}
        bases = {base for base, quantity in options if quantity == self.look.quantity}
        others = comparison.weights.keys() - self.new
        with_base = comparison.pair and len(others) == 1 and others <= bases
        return len(options) if bases and (with_base or not others) else 0


def _group(part: Part, comparisons: list[Contrast], context: Context, when: str) -> Group:
    look, planned = context.look, part.kind == "planned"
    seeds, analyses = (look.seeds, look.analyses) if planned else context.plan or ([], [])
    return Group(
        kind=part.kind,
        study=look.study,
        when=when,
        level=part.level,
        size=part.size(len(comparisons)),
        quantity=look.quantity,
        seeds=list(seeds),
        analyses=list(analyses),
        difference=look.difference,
        test=look.test if planned else "holm",
        comparisons=comparisons,
    )


def _merged(before: Seen | None, now: Seen, stage: int) -> Seen:
    """Return an experiment with what was shown of it now and before."""
    if before is None:
        return now.model_copy(update={"stage": stage})
    values = {key: before.values.get(key, {}) | now.values.get(key, {}) for key in {**before.values, **now.values}}
    seeds = list(dict.fromkeys([*before.seeds, *now.seeds]))
    return now.model_copy(update={"stage": stage, "seeds": seeds, "values": values})


def _in_place_of_unseen(history: History, context: Context) -> History:
    """Put new experiments in the places of planned ones of which nothing was seen, such as after a failed training.

    Their comparisons with the base take over the level: it was given to draws that nobody knew, and so are these.
    """
    look = context.look
    now = {comparison.identity for comparison in look.comparisons}
    free = [c for c in look.comparisons if c.pair and c.pair[1] in context.new]
    groups = []
    for group in history.groups:
        members = list(group.comparisons)
        if group.kind == "planned" and group.study == look.study and group.quantity == look.quantity:
            for i, c in enumerate(members):
                gone = c.pair and c.identity not in now and not _seen(history, c.pair[1])
                fitting = [new for new in free if gone and new.pair and new.pair[0] == group.base]
                if fitting:
                    members[i] = fitting[0]
                    free.remove(fitting[0])
        groups.append(group.model_copy(update={"comparisons": members}))
    return history.model_copy(update={"groups": groups})


def _seen(history: History, key: str) -> bool:
    experiment = history.experiments.get(key)
    return experiment is not None and history.seen(key, experiment.trained)
