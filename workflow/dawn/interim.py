"""Analyse a study at a planned number of seeds, and write how many each variant needs for the next analysis.

    python -m dawn.interim results/studies/blocks --analysis 1 --out results/studies/blocks/analyses/1.json

A variant all of whose comparisons are decided needs no more seeds than it has.
"""

import sys
from pathlib import Path

from dawn.config.plan_records import StudyFile
from dawn.core import cli
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.studies.outcome import load
from dawn.studies.sentences import sentence, short


def main() -> None:
    """Parse the command line, analyse, write and print the verdicts."""
    parser = cli.parser(main)
    parser.add_argument("study", type=Path, help="directory of the study's results")
    parser.add_argument("--analysis", type=int, required=True, help="number of the analysis, the first is 1")
    cli.add_out(parser, "verdicts and seeds for the next analysis, JSON")
    args = parser.parse_args()
    counts = read_json(args.study / "study.json", StudyFile)["analyses"]
    if not 1 <= args.analysis <= len(counts):
        raise cli.InputError(f"--analysis {args.analysis}: the study has the analyses 1 to {len(counts)}")
    outcome = load(args.study, counts[args.analysis - 1], note=True)
    for text in [*(sentence(verdict, outcome.measure) for verdict in outcome.verdicts), *outcome.unplanned]:
        print(text, file=sys.stderr)
    verdicts = {f"{v.comparison.name} against {v.comparison.base}": short(v) for v in outcome.verdicts}
    write_json(args.out, {"seeds": outcome.wanted, "verdicts": verdicts})


if __name__ == "__main__":
    cli.run(main)
