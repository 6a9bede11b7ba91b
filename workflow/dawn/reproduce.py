"""Check a published result: read it, say what differs here, train its first seed again, then new seeds until an answer.

    python -m dawn.reproduce results/crate.zip                        a crate, packed or not, or a folder of results
    python -m dawn.reproduce https://example.org/crate.zip            a crate at an address
    python -m dawn.reproduce wide                                     a DVC experiment, branch or commit
    python -m dawn.reproduce --published workflow/published/airbench94-muon.yaml       a row of a table

The settings of the crate run with the code of this checkout; nothing of the crate is executed. Without --seeds, as many
new seeds are trained at most as show equivalence four times in five. Everything is cached in --out: stopped or killed,
the same command continues. Writes report.md, report.html, report.json and crate.zip there (docs/reproduce.md).
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from dawn.core import cli
from dawn.core.files import sha256, write_json, write_text
from dawn.data.http import Limits
from dawn.report.page import markdown, web
from dawn.reproduction import publication, revision, table
from dawn.reproduction.analyses import Published, announced
from dawn.reproduction.cost import cost
from dawn.reproduction.differences import Difference, default_threads, differences, same_kind
from dawn.reproduction.duration import time
from dawn.reproduction.levels import answered, replayed
from dawn.reproduction.packed import check_commit
from dawn.reproduction.plan import new_seeds, planned
from dawn.reproduction.publication import Publication
from dawn.reproduction.remote import fetch, is_address
from dawn.reproduction.replay import Place, files
from dawn.reproduction.report import Report
from dawn.reproduction.spread import spread
from dawn.reproduction.work import Work, alone, provide
from dawn.results.provenance import collect, public

MATTERS = 0.2  # percentage points of accuracy, as in a study
OF_ONE = 5  # new seeds where one training is published
MOST, UNKNOWN = 100, 10  # new seeds unless --seeds says more; where no number can be announced
TEMPORARY = ".published-"


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = cli.parser(main)
    parser.add_argument(
        "source", nargs="?", help="a crate (.zip, folder or http address), a folder of results, or a revision in DVC"
    )
    parser.add_argument("--published", type=Path, metavar="FILE", help="published numbers, YAML (workflow/published)")
    parser.add_argument("--out", type=Path, default=Path("reproduction"), help="directory of all files (%(default)s)")
    parser.add_argument("--seeds", type=cli.whole("--seeds", 0, 10_000), help="new seeds at most; 0: level A alone")
    parser.add_argument("--measure", help="key of the measure (that of a study)")
    parser.add_argument("--margin", type=float, help="the difference that matters (0.2 points of accuracy)")
    parser.add_argument("--data", type=Path, help="the archive or the folder of images, where it was a local one")
    parser.add_argument("--by", help="your name, for the report")
    parser.add_argument("--first-seed", type=cli.whole("--first-seed", 0, cli.LARGEST_SEED), help="(drawn at random)")
    parser.add_argument("--timing", action="store_true", help="measure the time of a step first, for the cost")
    parser.add_argument("--dry-run", "-n", action="store_true", help="read, check, say what differs and costs, and end")
    cli.add_root(parser)
    args = parser.parse_args()
    if (args.source is None) == (args.published is None):
        raise cli.InputError("name one result: a crate, a folder or an address, or --published FILE")
    if args.margin is not None and not 0 < args.margin < 1e9:
        raise cli.InputError(f"--margin {args.margin:g}: must be positive")
    return args


def read(args: argparse.Namespace, folder: Path) -> tuple[Publication, dict[str, str | None]]:
    """Read and check what is published, with ``folder`` for its files; and say what was read."""
    if args.published:
        result, address = table.read(args.published, args.root)
        return result, {"source": address, "sha256": sha256(args.published)}
    path, stored = Path(args.source), None
    if is_address(args.source):
        path = folder / "crate.zip"
        fetch(args.source, path, Limits())
    elif not path.exists():
        stored = revision.results(args.source, folder / "revision", args.root)
    result = publication.read(stored or path, folder / "crate", args.root, args.measure)
    result = replace(result, name=args.source) if stored else result
    return result, {"source": public(args.source), "sha256": sha256(path) if path.is_file() else None}


def margin_of(args: argparse.Namespace, of: Publication) -> float:
    """Return the difference that matters."""
    if args.margin is None and of.measure.key != "accuracy":
        raise cli.InputError(f"give --margin, the smallest difference in {of.measure.name} that matters")
    return MATTERS if args.margin is None else float(args.margin)


def most_of(args: argparse.Namespace, of: Publication, margin: float) -> int:
    """Return how many new seeds are trained at most."""
    if args.seeds is not None:
        return int(args.seeds)
    return OF_ONE if of.values.n == 1 else min(MOST, announced(of.values, margin) or UNKNOWN)


def of_data(of: Publication, read_here: dict[str, str]) -> list[Difference]:
    """The files of the data that are not those that the published trainings read."""
    known = [training.get("checksums") or {} for training in of.trainings]
    place: Place = files(known[0].get("data") if known else None, read_here)
    return [Difference(f"data: {place.text}", "as published", "other bytes", True)] if place.equal is False else []


def reproduce(args: argparse.Namespace, of: Publication, source: dict[str, str | None], lock: int) -> Report:
    """Prepare, train and decide; everything that is said on the way is in the report too."""
    margin, threads = margin_of(args, of), default_threads(of)
    most, code = most_of(args, of, margin), code_of(args, of)
    plan = planned(args.out, of, margin, args.first_seed)
    work = Work(args.out, args.root.resolve(), of.experiment, threads, lock)
    known = of.experiment.data.sha256 or ((of.provenance or {}).get("data") or {}).get("sha256")
    provide(args.out, args.root, of.experiment, args.data, known)
    different = [*of_data(of, work.prepare()), *differences(of, args.root, threads)]
    if args.timing and "timing" in of.experiment.declared.sections:
        work.run("results/timing.json")
    seeds = new_seeds(plan, of, most)
    costs = cost(of, args.out, work.unfinished([*of.seeds[:1], *seeds]))
    outlook(of, code, different, costs)
    replay = replayed(work, of)
    if replay:
        say(replay.text)
    new, answer = answered(work, of, seeds, margin, say)
    values, seconds = [row.value for row in new], [row.seconds for row in new]
    alike = same_kind(of)
    clock = time(of.seconds, seconds) if alike and of.seconds and seconds else None
    origin = collect(args.root, work.results([row.seed for row in new] or of.seeds[:1])[1])
    return Report(
        of, source, margin, args.by, origin, code, different, costs, replay, new, answer,
        spread(of.values, values) if values else None, clock, alike,
    )  # fmt: skip


def code_of(args: argparse.Namespace, of: Publication) -> str:
    """Say whether the packed code is that of its commit."""
    origin = of.provenance
    if origin is None:
        return "no code is published with the numbers"
    return check_commit(args.source, of.sums, origin["code"]["commit"], origin["code"]["dirty"], args.root)


def outlook(of: Publication, code: str, different: Sequence[Difference], costs: Sequence[str]) -> None:
    """Say, before anything is trained, what is reproduced, what differs and what it costs."""
    values: Published = of.values
    say(f"{of.name}: {of.measure.name} {values.mean:.{of.measure.digits}f}{of.measure.suffix}, n = {values.n}; {code}")
    for row in different:
        marked = "can change a number" if row.matters else "changes no number"
        say(f"differs: {row.what}: {row.published}, here {row.here} ({marked})")
    for line in filter(None, (of.remark, *costs, *of.findings)):
        say(line)


def write(args: argparse.Namespace, report: Report, work: Path) -> list[Path]:
    """Write the report in its three forms."""
    blocks = report.page()
    write_text(work / "report.md", markdown(blocks, work))
    write_text(work / "report.html", web(f"Reproduction of {report.publication.name}", blocks))
    write_json(work / "report.json", report.plain())
    return [work / f"report.{kind}" for kind in ("md", "html", "json")]


def say(line: str) -> None:
    """Print a line of progress."""
    print(f"dawn: {line}", file=sys.stderr, flush=True)


def main() -> None:
    """Read, check, train, decide, write."""
    args = arguments()
    with ExitStack() as stack:
        lock = None if args.dry_run else stack.enter_context(alone(args.out))
        for left in args.out.glob(f"{TEMPORARY}*") if lock is not None else ():  # by a process that was killed
            shutil.rmtree(left)
        at = args.out if lock is not None else None
        of, source = read(args, Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=at))))
        if lock is None:
            most = most_of(args, of, margin_of(args, of)) + (of.results is not None)
            outlook(of, code_of(args, of), differences(of, args.root, default_threads(of)), cost(of, args.out, most))
            return
        report = reproduce(args, of, source, lock)
        written = write(args, report, args.out)
        pack(args, report, lock, written)
        print((args.out / "report.md").read_text(encoding="utf-8"))


def pack(args: argparse.Namespace, report: Report, lock: int, written: Sequence[Path]) -> None:
    """Pack the new seeds, or the one that was trained again, with the report."""
    of, source = report.publication, report.source
    seeds = [row.seed for row in report.seeds] or list(of.seeds[:1])
    if not seeds:
        return
    work = Work(args.out, args.root.resolve(), of.experiment, default_threads(of), lock)
    work.summarize(seeds)
    address = str(source["source"])
    known = f"hash://sha256/{source['sha256']}" if source["sha256"] else "#published"  # of a folder
    work.pack(address if is_address(address) else known, of.name, written)


if __name__ == "__main__":
    cli.run(main)
