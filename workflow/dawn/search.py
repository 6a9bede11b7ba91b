"""Run a search on this machine without Snakemake: the same commands, one after the other.

    python -m dawn.search workflow/searches/peak.yaml --params params.yaml --data data --stats data/stats.json
    python -m dawn.search ...                                     again after a kill: finished trials are kept

``--data`` are the arrays, made with the search's data section: data.holdout images must be held out. The results are
in results/searches/NAME, as those of snakemake search --config search=NAME.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from dawn.config.search_plan import SearchPlan, plan
from dawn.core import cli
from dawn.core.files import read_json, write_text
from dawn.searches.trials import folder


def step(*arguments: object, may_fail: bool = False) -> int:
    """Run ``python -m dawn.<step>``; its failure, which it has explained, ends this command with its exit code."""
    code = subprocess.run([sys.executable, "-m", *map(str, arguments)], check=False).returncode
    if code and not may_fail:
        sys.exit(code)
    return code


def train(found: SearchPlan, args: argparse.Namespace, trial: Path, cause: str) -> None:
    """Train one trial, unless its result is there and comes from the same settings."""
    result, seed = trial / "trial.json", found.search.seed
    if result.is_file() and read_json(result)["cause"] == cause:
        return
    code = step("dawn.launch", "--processes", found.base.run.processes, "dawn.train", "--params", trial / "params.yaml",
                "--data", args.data, "--stats", args.stats, "--seed", seed, "--out", trial / f"seed-{seed}",
                may_fail=True)  # fmt: skip
    step("dawn.trial", trial, "--seed", seed, "--exit-code", code)


def search(found: SearchPlan, args: argparse.Namespace) -> None:
    """All rungs of all rounds, then the page."""
    directory = Path(found.directory)
    write_text(directory / "search.json", found.text)
    for round in range(found.search.rounds):
        for rung in range(len(found.counts)):
            out = directory / f"round-{round}" / f"rung-{rung}.json"
            step("dawn.propose", directory, "--round", round, "--rung", rung, "--out", out)
            for trial in read_json(out)["trials"]:
                train(found, args, folder(directory, round, rung, trial["trial"]), trial["cause"])
    step("dawn.search_page", directory)
    print((directory / "page.md").read_text(encoding="utf-8"))


def check_arrays(found: SearchPlan, data: Path) -> None:
    """Refuse arrays that were made with another hold-out split than the search's."""
    wanted, made = found.base.data, read_json(data / "dataset.json")
    held = (made["counts"].get("holdout", 0), made.get("holdout_seed", 0))
    if held != (wanted.holdout, wanted.holdout_seed):
        raise cli.InputError(
            f"{data}: {held[0]} images are held out with seed {held[1]}, in the search {wanted.holdout} with seed "
            f"{wanted.holdout_seed}; make the arrays with the search's data section: python -m dawn.arrays"
        )


def main() -> None:
    """Parse the command line, check that the arrays fit, search."""
    parser = cli.parser(main)
    parser.add_argument("search", type=Path, help="the search, YAML")
    cli.add_inputs(parser, "params", "data", "stats")
    parser.add_argument("--presets", type=Path, default=Path("workflow/presets"), help="directory of the presets")
    args = parser.parse_args()
    found = plan(args.search, args.params, args.presets, {})
    check_arrays(found, args.data)
    search(found, args)


if __name__ == "__main__":
    cli.run(main)
