"""Functions of the hooks. What finished before a failure is summarized in `partial`, which no rule reads or writes."""

from subprocess import CalledProcessError


def only_reads():
    """Whether nothing of this run of Snakemake writes results."""
    return {job.rule.name for job in workflow.dag.jobs} <= {"app", "compare", "doctor"}


def refuse_to_replace():
    """Refuse to train over the finished seeds of an experiment on other images, which would be lost without a word."""
    for job in workflow.dag.jobs if CHOSEN.get("replace", "").lower() != "true" else ():
        if not job.rule.name.startswith("train") or not workflow.dag.needrun(job):
            continue
        manifest = Path(job.wildcards.run, "manifests", f"{job.wildcards.seed}.json")
        if not manifest.is_file():
            continue
        made = json.loads(manifest.read_text())["choices"]["data"]
        now = EXPERIMENTS[job.wildcards.run].model_dump(mode="json", include={"data"})["data"]
        if other_images(made, now):
            raise WorkflowError(
                f"{job.wildcards.run} has a finished experiment on other images ({made['urls'][0]}), and this one on"
                f" {now['urls'][0]} would replace it: move it away, give --directory, or allow it: --config replace=true"
            )


def other_images(made, now):
    """Whether two sections of data are of different images: by their checksums, or where one is unknown by their place."""
    if made.get("sha256") and now["sha256"]:
        return made["sha256"] != now["sha256"]
    return made["urls"] != list(now["urls"])


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
    shell(
        "python -m dawn.provenance --root {root:q} --data data --about {about:q} --out {out:q}/provenance.json"
        " {directories:q}"
    )
    shell(
        "python -m dawn.summary {directories:q} --params {run:q}/params.yaml --metrics {out:q}/metrics.json"
        " --provenance {out:q}/provenance.json --root {root:q} --out {out:q}/summary.md"
    )
    missing = ", ".join(str(seed) for seed in wanted if seed not in done)
    print(f"\n{out}: {len(done)} of {len(wanted)} seeds are finished; not finished: {missing}", file=sys.stderr)
