"""All measurements that need a GPU in one call: speed, accuracy, the effect of each part, where the time goes.

    PYTHONPATH=workflow python tests/bench/gpu.py --data data                  arrays that the workflow made
    PYTHONPATH=workflow python tests/bench/gpu.py --cifar10 ../shared/cifar10  a folder whose build.py makes the archive
    ... --dry-run       list the stages and their durations
    ... --tiny          all stages in miniature on a CPU, on generated images, to test the script

The stages run in order of importance, each in a process of its own, until --minutes are over. A stage that fails or
exceeds its limit is reported as such, with its results so far. OUT/gpu.json and OUT/gpu.md are complete after each.
Needs the packages of requirements/runtime.lock and no workflow engine.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gpu_plan import ROOT, Stage, experiment, plan
from gpu_report import page

from dawn.core.cli import add_measurement
from dawn.core.files import write_json, write_text
from dawn.core.reading import read_json
from dawn.results import measurement
from dawn.results.provenance import code, machine

HERE = Path(__file__).resolve().parent
GRACE = 30.0  # seconds after its time that a stage has to end by itself


def arrays(args: argparse.Namespace) -> Path:
    """Return the directory of arrays and statistics: the given one, or a new one made by the pipeline's own steps."""
    if args.data is not None:
        return Path(args.data)
    data, archive = args.out / "data", args.out / "archive.tar.gz"
    if not (data / "stats.json").exists():
        if args.tiny:
            call("-m", "dawn.demo_archive", "--out", archive, "--train", 80, "--test", 50)
        else:
            call(args.cifar10 / "build.py", "binary", archive)
        call("-m", "dawn.arrays", "--source", archive, "--layout", "binary", "--out", data)
        call("-m", "dawn.stats", "--data", data, "--out", data / "stats.json")
    return Path(data)


def call(*line: object) -> None:
    """Run Python on a line."""
    subprocess.run([sys.executable, *map(str, line)], check=True)


def run(stage: Stage, args: argparse.Namespace, data: Path, left: float) -> dict[str, Any]:
    """Run a stage in processes of its own. Return its status, seconds, last line of an error, and results."""
    end, results = time.monotonic() + min(stage.most, left), []
    for process in range(stage.processes):
        allowed = (end - time.monotonic()) / (stage.processes - process)
        results.append(run_process(stage, args, data, allowed, process))
    failed = next((result for result in results if result["status"] != "done"), results[0])
    found = [result["found"] for result in results if result["found"] is not None]
    return {
        "status": failed["status"],
        "seconds": sum(result["seconds"] for result in results),
        "error": failed["error"],
        "found": merged(found) if found and stage.kind == "runs" else found[0] if found else None,
    }


def merged(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the results of several processes of a stage as one."""
    rows = {name: [row for each in found for row in each["rows"][name]] for name in found[0]["rows"]}
    faults = {name: fault for each in found for name, fault in each["faults"].items()}
    return {"seeds": found[0]["seeds"], "rows": rows, "faults": faults}


def run_process(stage: Stage, args: argparse.Namespace, data: Path, allowed: float, process: int) -> dict[str, Any]:
    """Run one process of a stage for so many seconds at most; see ``run``."""
    name = stage.name if stage.processes == 1 else f"{stage.name}-{process}"
    out, log = args.out / f"{name}.json", args.out / f"{name}.log"
    out.unlink(missing_ok=True)
    line = [HERE / "gpu_stage.py", stage.name, "--data", data, "--out", out, "--seconds", allowed - GRACE]
    line += ["--seeds", args.seeds, "--process", process, *(["--tiny"] if args.tiny else [])]
    line += ["--programs", *args.programs] if args.programs and stage.with_programs else []
    start, status, error = time.monotonic(), "done", None
    with log.open("w") as file:
        try:
            subprocess.run(
                [sys.executable, *map(str, line)], stdout=file, stderr=subprocess.STDOUT, check=True, timeout=allowed
            )
        except subprocess.TimeoutExpired:
            status, error = "out of time", f"killed after {allowed:.0f} s"
        except subprocess.CalledProcessError as failure:
            status, error = "failed", last(log) or f"exit code {failure.returncode}"
    found = read_json(out) if out.exists() else None
    return {"status": status, "seconds": time.monotonic() - start, "error": error, "found": found}


def last(log: Path) -> str:
    """Return the last line of a log that is not empty."""
    return next((text for text in reversed(log.read_text(errors="replace").splitlines()) if text.strip()), "")


def measure(args: argparse.Namespace, stages: list[Stage]) -> dict[str, Any]:
    """Run all stages that the time allows; write the files after each."""
    start = time.monotonic()
    args.out.mkdir(parents=True, exist_ok=True)
    data = arrays(args)
    report: dict[str, Any] = {"machine": machine(), "code": code(ROOT), "tiny": args.tiny, "stages": {}}
    for stage in stages:
        left = 60 * args.minutes - (time.monotonic() - start)
        report["stages"][stage.name] = {"question": stage.question, "kind": stage.kind} | (
            run(stage, args, data, left) if left > 2 * GRACE else {"status": "no time left", "seconds": 0.0}
        )
        write_json(args.out / "gpu.json", report)
        if rows := measured(report):
            measurement.save(args.measurement, "tests/bench/gpu.py", rows)
        write_text(args.out / "gpu.md", page(report))
        result = report["stages"][stage.name]
        print(f"{stage.name}: {result['status']} in {result['seconds']:.0f} s  {result.get('error') or ''}", flush=True)
    return report


def measured(report: dict[str, Any]) -> list[measurement.Row]:
    """Return a row for each training so far; the variant is its stage and experiment.

    A published program does not say from where it started: it has no checkpoints.
    """
    found = []
    for name, stage in report["stages"].items():
        of_stage = (stage.get("found") or {}).get("rows", {}) if stage["kind"] == "runs" else {}
        for variant, rows in of_stage.items():
            found += [measurement.training({"resumed": 0} | row, f"{name}: {variant}") for row in rows]
    return found


def show(stages: list[Stage], args: argparse.Namespace) -> None:
    """Print the plan: stages, seeds, durations; settings that are not valid show here, before a machine is rented."""
    print(f"{'stage':10} {'seeds':>5} {'s':>5} {'most':>5}  question")
    total, faults = 0, 0
    for stage in stages:
        total += stage.seconds
        fits = "" if total <= 60 * args.minutes else "  (past --minutes)"
        print(f"{stage.name:10} {stage.seeds:5} {stage.seconds:5} {stage.most:5}  {stage.question}{fits}")
        for name, variant in stage.variants.items():
            try:
                settings = experiment(variant, args.tiny)
                train = settings.train
                print(f"{'':29}{name}: {train.epochs} epochs, batch {train.batch}, {train.precision}")
            except Exception as error:
                faults += 1
                print(f"{'':29}{name}: FAULT {' '.join(str(error).split())}")
    print(f"{'in all':16} {total:5}  about {total / 60:.0f} of {args.minutes:g} minutes")
    if faults:
        sys.exit(f"{faults} variants are not valid experiments")


def main() -> None:
    """Parse, show or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="arrays and stats.json, as the workflow makes them")
    parser.add_argument("--cifar10", type=Path, default=ROOT.parent / "shared/cifar10", help="with build.py in it")
    parser.add_argument("--out", type=Path, default=Path("results/gpu"), help="where the results go (results/gpu)")
    parser.add_argument("--minutes", type=float, default=25.0, help="for all of it (25)")
    parser.add_argument("--seeds", type=int, default=50, help="of the preset record; the others are in proportion (50)")
    parser.add_argument(
        "--programs",
        nargs="+",
        default=[],
        metavar="FILE",
        type=Path,
        help="published programs (airbench94_muon.py, cifar10_speedrun.py) to run in turn with the stage peers",
    )
    add_measurement(parser)
    parser.add_argument("--only", nargs="+", help="only these stages")
    parser.add_argument("--dry-run", action="store_true", help="show the plan")
    parser.add_argument("--tiny", action="store_true", help="in miniature, on generated images")
    args = parser.parse_args()
    if missing := [str(path) for path in args.programs if not path.is_file()]:
        sys.exit(f"--programs {', '.join(missing)}: no such file")
    stages = plan(args.seeds)
    if unknown := set(args.only or ()) - {stage.name for stage in stages}:
        sys.exit(f"--only {', '.join(sorted(unknown))}: the stages are {', '.join(stage.name for stage in stages)}")
    stages = [stage for stage in stages if not args.only or stage.name in args.only]
    if args.dry_run:
        show(stages, args)
        return
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    report = measure(args, stages)
    print(f"\n{page(report)}")
    if not any(stage["status"] == "done" for stage in report["stages"].values()):
        sys.exit("no stage came to an end; see the logs in " + str(args.out))


if __name__ == "__main__":
    main()
