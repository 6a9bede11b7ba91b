"""What was not planned, in words: comparisons that were deleted or added, settings and seeds that were others."""

from collections.abc import Iterable, Mapping

from dawn.studies.allocation import Look, spending
from dawn.studies.from_curves import words as of_budget
from dawn.studies.records import Contrast, Group, History, Quantity
from dawn.studies.sequential import PLANNED

ADVICE = (
    f"At the full level of {100 * PLANNED:g} % is tested what is planned as a whole before its first results, or asked "
    "in results of its own (snakemake --directory) with seeds that were not used here."
)


def of_study(history: History, look: Look) -> list[str]:
    """Return all that was not planned, a sentence or two for each kind; ``history`` has this look."""
    return [*unknown(history, look), *deleted(history, look), *added(history, look), *changed(history, look),
            *left_out(history, look)]  # fmt: skip


def groups(history: History, look: Look) -> dict[int, tuple[Group, list[Contrast]]]:
    """Return the groups of the comparisons of a look that the history has, by place, each with those of the look."""
    shared: dict[int, tuple[Group, list[Contrast]]] = {}
    places = history.places
    for comparison in look.comparisons:
        place = places[comparison.identity, look.quantity]
        shared.setdefault(place, (history.groups[place], []))[1].append(comparison)
    return shared


def connected(history: History, look: Look) -> list[Group]:
    """Return all groups over the experiments of a look and those that comparisons connect with them."""
    component = history.component({key: e.trained for key, e in look.experiments.items()})
    return [group for group in history.groups if group.experiments & component]


def deleted(history: History, look: Look) -> list[str]:
    """Name what was compared before, and is not any more."""
    now, lists = {comparison.identity for comparison in look.comparisons}, []
    for group in connected(history, look):
        same = group.quantity == look.quantity
        gone = [c for c in group.comparisons if not same or c.identity not in now]
        if gone:
            by = "" if same else f" by {name(group.quantity)}"
            lists.append(f"{listed(gone)}{by} (study {group.study}, {group.when})")
    if not lists:
        return []
    return [f"Compared before over these experiments, and not here: {'; '.join(lists)}. What was compared keeps its "
            "part of the 5 %, as if it were here."]  # fmt: skip


def added(history: History, look: Look) -> list[str]:
    """Name what was not in the plan, and how it is tested."""
    lines = []
    for group, contrasts in groups(history, look).values():
        level = f"{100 * group.level:.2g} %"
        match group.kind:
            case "new":
                those = "is tested" if group.size == 1 else f"is one of {group.size} that are tested"
                lines.append(f"{listed(contrasts)}: a new variant, added on {group.when}, {those} at {level}")
            case "pair" | "contrast":
                lines.append(f"{listed(contrasts)}: chosen on {group.when} from what was seen, so it is one of "
                             f"{group.size:,} that are tested at {level}")  # fmt: skip
            case "untested":
                lines.append(f"{listed(contrasts)}: not tested, because any budget could have been chosen from the "
                             "curves that were seen")  # fmt: skip
    if not lines:
        return []
    return [f"Added after results of these experiments were seen. {'. '.join(lines)}. {ADVICE}"]


def settings(history: History, look: Look) -> list[str]:
    """Name the settings that were others when results were seen, in words."""
    others = []
    for group in connected(history, look):
        if group.quantity != look.quantity:
            others += _other(group.quantity, look.quantity)
    for group, _ in groups(history, look).values():
        if group.difference != look.difference:
            others.append(f"difference was {group.difference:g} and is {look.difference:g}")
        if group.kind == "planned" and group.test != look.test:
            others.append(f"test was {group.test} and is {look.test}")
    return list(dict.fromkeys(others))


def _other(was: Quantity, now: Quantity) -> list[str]:
    pairs = {"measure": (was.measure, now.measure), "split": (was.split, now.split),
             "budget": (_budget(was), _budget(now))}  # fmt: skip
    return [f"{setting} was {one} and is {other}" for setting, (one, other) in pairs.items() if one != other]


def _budget(quantity: Quantity) -> str:
    limits = {"seconds": quantity.seconds or 0.0, "flops": quantity.flops or 0.0}
    return of_budget(limits) if any(limits.values()) else "none"


def changed(history: History, look: Look) -> list[str]:
    """Name the settings that were others, and what follows from it."""
    others = settings(history, look)
    if not others:
        return []
    text = f"Settings were changed after results were seen: {'; '.join(others)}."
    if any(setting.startswith("test ") for setting in others):
        text += " The first test is used."
    if any(setting.startswith("difference ") for setting in others):
        text += (" Statements about the difference that matters are corrected by Bonferroni, so that they hold for "
                 "any difference.")  # fmt: skip
    return [text]


def other_plans(history: History, look: Look) -> list[str]:
    """Return the seeds that were planned for comparisons of a look, in words, where those are not the seeds now."""
    plans = [group.analyses for group, _ in groups(history, look).values() if not by_plan(group, look)]
    return list(dict.fromkeys(", ".join(map(str, counts)) or "other" for counts in plans))


def by_plan(group: Group, look: Look) -> bool:
    """Return whether the seeds of a look are those that were planned for a group."""
    return bool(group.analyses) and (group.seeds, group.analyses) == (look.seeds, look.analyses)


def left_out(history: History, look: Look) -> list[str]:
    """Name the seeds that were seen and are not in the plan any more."""
    seen = {seed for key in look.experiments if key in history.experiments for seed in history.experiments[key].seeds}
    gone = sorted(seen - set(look.seeds))
    unplanned = any(not by_plan(group, look) for group, _ in groups(history, look).values())
    if not gone or not unplanned:
        return []
    return [f"Results of other seeds were seen ({', '.join(map(str, gone))}). A verdict counts the seeds in the order "
            "in which they were planned, up to the first that is missing."]  # fmt: skip


def unknown(history: History, look: Look) -> list[str]:
    """Name the studies of these experiments whose verdicts the history did not know."""
    studies = [entry for entry in history.unknown if set(entry.experiments) & look.experiments.keys()]
    return [f"Study {entry.study} had verdicts on {entry.when} that the history of these results did not know, which "
            "was deleted, or the study is from elsewhere. The history starts anew: the 5 % hold only from then on."
            for entry in studies]  # fmt: skip


def listed(comparisons: Iterable[Contrast]) -> str:
    """List comparisons by their names, those with one base together."""
    by_base: dict[str, list[str]] = {}
    for comparison in comparisons:
        by_base.setdefault(comparison.base, []).append(comparison.name)
    return ", ".join(f"{', '.join(names)} against {base}" for base, names in by_base.items())


def name(quantity: Quantity) -> str:
    """Return a quantity in a few words."""
    images = "" if quantity.split == "test" else f" on the {quantity.split}"
    limited = _budget(quantity)
    return f"{quantity.measure}{images}{'' if limited == 'none' else f' at {limited}'}"


def in_plan(history: History, look: Look) -> list[str]:
    """Say what a plan will be tested by, before anything is trained; empty where all of it is planned."""
    levels: Mapping[int, tuple[Group, list[Contrast]]] = groups(history, look)
    if all(group.kind == "planned" for group, _ in levels.values()) and not other_plans(history, look):
        return []
    lines = [*deleted(history, look), *added(history, look)]
    if plans := other_plans(history, look):
        least = min(spending(group)[1] for group, _ in levels.values() if not by_plan(group, look))
        lines.append(f"Results were seen when {'; '.join(plans)} seeds were planned, so that the verdicts of this plan "
                     f"will be by anytime-valid tests, at {100 * least:.2g} %.")  # fmt: skip
    return lines
