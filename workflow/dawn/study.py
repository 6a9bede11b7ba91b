"""Compare the variants of a study that has run: a table, verdicts, pictures and a page.

    python -m dawn.study results/studies/blocks

Reads study.json there and what each variant's directory holds. Writes table.csv (a row a variant), table.md,
page.html and plots/.
"""

from pathlib import Path
from typing import Any

from dawn.core import cli
from dawn.core.files import read_json, write_table, write_text
from dawn.studies import page, plots
from dawn.studies.gather import Result, compared, of_variant
from dawn.studies.statistics import Judged, judge
from dawn.studies.table import disagreements, flat, parts
from dawn.studies.words import sentence


def judged(results: dict[str, Result], against: str, size: float) -> dict[str, Judged]:
    """Every variant but the base, judged against it."""
    others = [slug for slug in results if slug != against]
    return dict(zip(others, judge([compared(results[against], results[o]) for o in others], size), strict=True))


def warnings(results: dict[str, Result]) -> list[str]:
    """What makes a comparison unfair: times that were taken on different devices."""
    devices = sorted({r.timing["device"] for r in results.values() if r.timing})
    return [f"Beware: the times were taken on different devices ({', '.join(devices)})."] if len(devices) > 1 else []


def write(about: dict[str, Any], results: dict[str, Result], out: Path) -> None:
    """Table, pictures, page; the table last, since it says that all is there."""
    found = judged(results, about["against"], about["difference"])
    base = results[about["against"]].name
    verdicts = [sentence(base, results[slug].name, j, len(found)) for slug, j in found.items()]
    notes = [*disagreements(results), *warnings(results), *page.NOTES]
    tables = parts(results, found)
    drawn = [out / "plots" / "accuracy.png", out / "plots" / "price.png"]
    plots.accuracy(results, found, drawn[0])
    plots.price(results, drawn[1])
    write_text(out / "table.md", page.markdown(about["question"], verdicts, tables, notes))
    write_text(out / "page.html", page.page(about["name"], about["question"], verdicts, tables, notes, drawn))
    rows = [flat(result, found.get(slug)) for slug, result in results.items()]
    names = [f'"{row["variant"]}"' for row in rows]
    lines = [[name, *list(row.values())[1:]] for name, row in zip(names, rows, strict=True)]
    write_table(out / "table.csv", list(rows[0]), lines, separator=",")


def main() -> None:
    """Parse, gather, judge, write."""
    parser = cli.parser(main)
    parser.add_argument("study", type=Path, help="directory of the study's results")
    args = parser.parse_args()
    about = read_json(args.study / "study.json")
    results = {slug: of_variant(name, args.study / slug) for slug, name in about["variants"].items()}
    write(about, results, args.study)


if __name__ == "__main__":
    cli.run(main)
