"""Two results side by side, what differs between them, and a verdict in a sentence.

    python -m dawn.compare results/studies/blocks/B-3-3 results/studies/blocks/B-3-1
    python -m dawn.compare "blocks/B(3,3)" "blocks/B(3,1)"        variants of a study by their names
    python -m dawn.compare base wider                             experiments of DVC
    python -m dawn.compare results base                           what lies in results/ against one of them

The first is the base. Nothing is run: what is compared must be finished.
"""

from pathlib import Path
from typing import Any

from dawn.config.plan import slug
from dawn.core import cli
from dawn.studies.gather import Result, compared, of_seals
from dawn.studies.revision import of_revision
from dawn.studies.statistics import judge
from dawn.studies.words import DASH, interval, milliseconds, sentence

STUDIES = Path("results/studies")
MATTERS = 0.2  # percentage points


def found(name: str) -> Result:
    """The result of a directory, of a study's variant as study/variant, or of an experiment of DVC."""
    if Path(name).is_dir():
        return of_seals(name, Path(name))
    study, slash, variant = name.partition("/")
    if slash and (STUDIES / study / slug(variant)).is_dir():
        return of_seals(name, STUDIES / study / slug(variant))
    result = of_revision(name)
    if result is None:
        known = ", ".join(
            f"{p.parent.name}/{p.name}" for p in sorted(STUDIES.glob("*/*/")) if (p / "manifests").is_dir()
        )
        raise cli.InputError(
            f"{name} is no directory of results, no variant of a study ({known or 'there are none'}) and no experiment "
            "of DVC"
        )
    return result


def rows(result: Result) -> dict[str, str]:
    """What is said of one result, by what it is."""
    m, target = result.metrics, result.metrics["target"]
    return {
        "seeds": ", ".join(map(str, result.accuracy)),
        "accuracy, %": interval(m["accuracy"]),
        "std": DASH if m["accuracy"]["std"] is None else f"{m['accuracy']['std']:.2f}",
        f"share at {target['accuracy']:g} %": f"{target['share']:.0f} % ({target['low']:.0f} to {target['high']:.0f})",
        f"seconds to {target['accuracy']:g} %": interval(target["seconds"], 1),
        "seconds of training": interval(m["seconds"], 1),
        "images/s": interval(m["images_per_s"], 0),
        "peak memory, MiB": f"{m['peak_memory_bytes']['mean'] / 2**20:,.0f}",
        "parameters": f"{m['parameters']:,}",
        "MFLOP an image": f"{m['flops'] / 1e6:,.1f}",
        "forward, ms": milliseconds(result.time("forward")),
        "step, ms": milliseconds(result.time("step")),
    }


def settings(values: dict[str, Any], where: str = "") -> dict[str, str]:
    """Every setting as a dotted key and its value."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= settings(value, f"{where}{key}.")
        else:
            flat[f"{where}{key}"] = f"{value:g}" if isinstance(value, float) else str(value)
    return flat


def told(base: Result, other: Result) -> str:
    """The comparison as text: figures, settings that differ, the verdict."""
    left, right = rows(base), rows(other)
    table = [(key, left.get(key, DASH), right.get(key, DASH)) for key in dict.fromkeys([*left, *right])]
    ours, theirs = settings(base.choices), settings(other.choices)
    keys = [key for key in dict.fromkeys([*ours, *theirs]) if ours.get(key) != theirs.get(key)]
    differing = [(key, ours.get(key, DASH), theirs.get(key, DASH)) for key in keys]
    lines = aligned([("", base.name, other.name), *table, ("", "", ""), *differing])
    verdict = sentence(base.name, other.name, judge([compared(base, other)], MATTERS)[0])
    if any(key.startswith("data.") for key in keys):
        verdict += " Beware: they did not train and test on the same data."
    return "\n".join([*lines, "" if differing else "no setting differs", verdict])


def aligned(table: list[tuple[str, str, str]]) -> list[str]:
    """Lines of three columns, each as wide as it must be."""
    widths = [max(len(row[i]) for row in table) for i in range(3)]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]


def main() -> None:
    """Parse, find, tell."""
    parser = cli.parser(main)
    parser.add_argument("base", nargs="?", default="", help="a directory, study/variant, or an experiment of DVC")
    parser.add_argument("other", nargs="?", default="", help="what is compared with it")
    args = parser.parse_args()
    if not (args.base and args.other):
        raise cli.InputError(
            "which two results? python -m dawn.compare A B, or snakemake compare --config base=A other=B"
        )
    print(told(found(args.base), found(args.other)))


if __name__ == "__main__":
    cli.run(main)
