"""What happens before the first job and after the last one."""

import shutil
import time

from snakemake.logging import logger

from dawn.core.files import write_json, write_text
from dawn.core.job_log import shorten
from dawn.core.locks import Owner, release


include: "partial.smk"


START = time.time()


if workflow.is_main_process:
    shorten(logger)
    OWNER = Owner()
    if message := release(OWNER):
        print(f"dawn: {message}", file=sys.stderr)


# The steps read the experiment from params.yaml in the directory of the results. No rule writes it: as a rule's output
# it would make every setting a cause of every step, so each rule names the sections that decide its result instead.
onstart:
    before_replacing()
    if not only_reads():
        for run, experiment in {SHARED: EXPERIMENT, **EXPERIMENTS}.items():
            write_text(Path(run, "params.yaml"), dump(experiment))
            shutil.rmtree(Path(run, "partial"), ignore_errors=True)
        write_json(Path(SHARED, RECORD), MADE_FROM)
        if STUDY:
            write_text(Path(SHARED, "study.json"), STUDY.text)
        if SEARCH:
            write_text(Path(SHARED, "search.json"), SEARCH.text)
    if not workflow.local_exec:
        OWNER.submits_to(workflow.executor_plugin.name)
        shorten(logger, remote=True)
    enter_stage()


onsuccess:
    leave_stage()
    summary = Path(SHARED, "table.md" if STUDY else "page.md" if SEARCH else "summary.md")
    written = summary.exists() and summary.stat().st_mtime >= START  # and not left by an earlier run
    if written and STAGE in (None, "summarize") and "base" not in CHOSEN:
        print(f"\n{summary.resolve()}:\n\n{summary.read_text()}", file=sys.stderr)


# After a failure, what finished of a study, and with --keep-going of an experiment, is summarized in partial/.
onerror:
    if WHERE:
        print(f"dawn: {WHERE}paths above that are relative start there", file=sys.stderr)
    if STUDY or (workflow.execution_settings.keep_going and not SEARCH):
        summarize_finished()
