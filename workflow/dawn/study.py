"""Compare the variants of a study: verdicts, tables, figures and a page.

    python -m dawn.study results/studies/blocks
    python -m dawn.study results/studies/blocks --partial      what was measured so far, without verdicts
    python -m dawn.study results/studies/blocks --measurement docs/measurements/blocks.json      also the raw rows

Reads study.json and the directories of the variants, whose files are verified. Writes page.html, table.md, table.csv (a
row a variant), comparisons.csv, seeds.csv (a row a seed), table.tex, provenance.json and plots/; with --partial
partial/page.html, partial/table.md and partial/seeds.csv.
"""

import shutil
from pathlib import Path
from typing import Any

from dawn.core import cli
from dawn.core.files import write_json, write_text
from dawn.report.page import Block, latex, markdown, web
from dawn.studies import figures, pages, rows, tables
from dawn.studies.outcome import Outcome, judge, load


def write(outcome: Outcome, out: Path) -> None:
    """Write all files; table.csv last, since it says that all is there."""
    results, measure, verdicts = outcome.results, outcome.measure, outcome.verdicts
    drawn = draw(outcome, out)
    _pages(pages.blocks(outcome, drawn), outcome.about, out)
    shown = [tables.comparisons(verdicts, measure), tables.measured(results, measure)]
    write_text(out / "table.tex", latex(shown))
    write_json(out / "provenance.json", pages.provenance(outcome))
    rows.write(out / "comparisons.csv", [rows.comparison(further) for further in outcome.further])
    rows.write(out / "seeds.csv", rows.seeds(results, out))
    rows.write(out / "table.csv", rows.variants(results, measure, verdicts))


def draw(outcome: Outcome, out: Path) -> list[tuple[Path, str]]:
    """Draw the figures into plots/; each file and what it shows."""
    results, measure, verdicts, plots = outcome.results, outcome.measure, outcome.verdicts, out / "plots"
    drawn = {"differences": "differences between the variants", "values": f"{measure.name} of each seed",
             "price": f"{measure.name} against what it costs", "curves": "the variants during training"}  # fmt: skip
    figures.differences(verdicts, measure, plots / "differences.png")
    figures.values(results, measure, plots / "values.png")
    figures.price(results, measure, plots / "price.png")
    figures.curves(results, out, plots / "curves.png")
    if outcome.has_predictions and not outcome.on_holdout:  # the classes are of the test split
        figures.classes(verdicts, results, plots / "classes.png")
        drawn |= {"classes": "differences in the recall of each class"}
    return [(plots / f"{name}.png", text) for name, text in drawn.items()]


def write_partial(outcome: Outcome, study: Path) -> None:
    """Write what was measured so far."""
    out = study / "partial"
    _pages(pages.partial(outcome), outcome.about, out)
    if seeds := rows.seeds(outcome.results, study):
        rows.write(out / "seeds.csv", seeds)


def _pages(blocks: list[Block], about: Any, out: Path) -> None:
    write_text(out / "table.md", markdown(blocks, out))
    write_text(out / "page.html", web(about["name"], blocks))


def main() -> None:
    """Parse the command line, read the results, write."""
    parser = cli.parser(main)
    parser.add_argument("study", type=Path, help="directory of the study's results")
    parser.add_argument("--partial", action="store_true", help="write what was measured so far, without verdicts")
    cli.add_measurement(parser)
    args = parser.parse_args()
    if args.partial:
        write_partial(load(args.study, note=True), args.study)
        return
    outcome = load(args.study)
    if outcome.lacking:
        raise cli.InputError(f"{'; '.join(outcome.lacking)}; finish the study with snakemake, or see --partial")
    write(judge(args.study, outcome.about, outcome.results, note=True), args.study)
    rows.save_measurement(args.measurement, f"study {outcome.about['name']}", outcome.results, args.study)
    shutil.rmtree(args.study / "partial", ignore_errors=True)


if __name__ == "__main__":
    cli.run(main)
