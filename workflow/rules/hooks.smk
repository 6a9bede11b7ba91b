"""What happens before the first job and after the last one."""

import shutil
import time
from subprocess import CalledProcessError

from snakemake.logging import logger

from dawn.core.files import write_text
from dawn.core.job_log import shorten
from dawn.core.locks import Owner, release

START = time.time()


if workflow.is_main_process:
    shorten(logger)
    OWNER = Owner()
    if message := release(OWNER):
        print(f"dawn: {message}", file=sys.stderr)


# The steps read the experiment from params.yaml in the directory of the results. No rule writes it: as a rule's output
# it would make every setting a cause of every step, so each rule names the sections that decide its result instead.
onstart:
    for run, experiment in {} if "base" in CHOSEN else {SHARED: EXPERIMENT, **EXPERIMENTS}.items():
        write_text(Path(run, "params.yaml"), dump(experiment))
        shutil.rmtree(Path(run, "partial"), ignore_errors=True)
    if STUDY:
        write_text(Path(SHARED, "study.json"), STUDY.text)
    if SEARCH:
        write_text(Path(SHARED, "search.json"), SEARCH.text)
    if not workflow.local_exec:
        OWNER.submits_to(workflow.executor_plugin.name)
    enter_stage()


onsuccess:
    leave_stage()
    summary = Path(SHARED, "table.md" if STUDY else "page.md" if SEARCH else "summary.md")
    written = summary.exists() and summary.stat().st_mtime >= START  # and not left by an earlier run
    if written and STAGE in (None, "summarize") and "base" not in CHOSEN:
        print(f"\n{summary.resolve()}:\n\n{summary.read_text()}", file=sys.stderr)


# After a failure, what finished of a study, and with --keep-going of an experiment, is summarized in partial/.
onerror:
    if STUDY or (workflow.execution_settings.keep_going and not SEARCH):
        summarize_finished()


# Under --keep-going, what finished before a failure is summarized in `partial`, which no rule reads or writes.
def finished_seeds(run):
    """The seeds of an experiment whose evaluation was up to date or has succeeded in this run of Snakemake."""
    jobs = [job for job in workflow.dag.jobs if job.rule.name == "evaluate" and job.wildcards.run == run]
    done = [job for job in jobs if workflow.dag.finished(job) or not workflow.dag.needrun(job)]
    return sorted(int(job.wildcards.seed) for job in done)


def summarize_finished():
    """Summarize the finished seeds of the experiment, or the finished variants and seeds of the study."""
    try:
        if STUDY:
            shell("python -m dawn.study {STUDY.directory:q} --partial")
        else:
            summarize_seeds("results", finished_seeds("results"))
    except CalledProcessError:
        print("dawn: the finished seeds were not summarized, for the reason above", file=sys.stderr)


def summarize_seeds(run, done):
    """Write metrics, provenance and summary of some seeds of an experiment."""
    wanted, out, root = RUNS[run].seeds, f"{run}/partial", os.path.relpath(ROOT)
    if not 0 < len(done) < len(wanted):
        return
    about, directories = TASK.about, [f"{run}/seed-{seed}" for seed in done]
    shell(
        "python -m dawn.summarize {directories:q} --params {run:q}/params.yaml --model {run:q}/model.json"
        " --out {out:q}/metrics.json --plots {out:q}"
    )
    shell("python -m dawn.provenance --root {root:q} --data data --about {about:q} --out {out:q}/provenance.json")
    shell(
        "python -m dawn.summary {directories:q} --params {run:q}/params.yaml --metrics {out:q}/metrics.json"
        " --provenance {out:q}/provenance.json --root {root:q} --out {out:q}/summary.md"
    )
    missing = ", ".join(str(seed) for seed in wanted if seed not in done)
    print(f"\n{out}: {len(done)} of {len(wanted)} seeds are finished; not finished: {missing}", file=sys.stderr)
