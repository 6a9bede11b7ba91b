"""Gather the raw rows of a finished experiment or study into a file that a table of the documentation is made from.

    python -m dawn.measurement results --measurement docs/measurements/cpu.json
    python -m dawn.measurement results/studies/blocks --measurement docs/measurements/blocks.json

A row for each seed, of a study for each seed of each variant, whose files are verified by their manifests: the numbers
of its training and its evaluation, the step from which it was trained, how often it was resumed. Commit, machine and
packages are those of the run's provenance.json. With Snakemake: snakemake results/measurement.json
"""

from pathlib import Path

from dawn.config.plan_records import StudyFile
from dawn.core import cli
from dawn.core.reading import read_json
from dawn.studies import rows
from dawn.studies.variants import of_directory, of_variant


def main() -> None:
    """Parse the command line, read the results, write the rows."""
    parser = cli.parser(main)
    parser.add_argument("results", type=Path, help="directory of the results of an experiment or a study")
    parser.add_argument("--what", help="what was measured, in words (the task, or the name of the study)")
    cli.add_measurement(parser)
    args = parser.parse_args()
    if args.measurement is None:
        raise cli.InputError("--measurement is missing; name the file to write, such as docs/measurements/cpu.json")
    about = args.results / "study.json"
    if about.is_file():
        plan = read_json(about, StudyFile)
        results = {
            slug: of_variant(name, args.results / slug, plan["seeds"]) for slug, name in plan["variants"].items()
        }
        what = f"study {plan['name']}"
    else:
        results = {"": of_directory("", args.results)}
        what = f"one experiment ({results[''].task})"
    rows.save_measurement(args.measurement, args.what or what, results, args.results)


if __name__ == "__main__":
    cli.run(main)
