"""Functions of the hooks. What finished before a failure is summarized in `partial`, which no rule reads or writes."""

from subprocess import CalledProcessError

from dawn.results.finished import changes, evaluated, made_by, other_images

# The files that the experiment of a directory is from; another's must not replace it.
MADE_FROM = {
    "configfiles": [os.path.relpath(path, ORIGIN) for path in CONFIGFILES],
    **({"study": os.path.relpath(ORIGIN / STUDY.path, ORIGIN)} if STUDY else {}),
    **({"search": os.path.relpath(ORIGIN / SEARCH_FILE, ORIGIN)} if SEARCH else {}),
}
RECORD = "made-from.json"
KEEP = "keep both, give this one a name of its own: --config name=NAME; or replace it: --config replace=true"
MEASURED = ("arrays", "lr_find", "race_seeds", "timing", "trial")  # rules whose results are named as they are replaced


def only_reads():
    """Whether nothing of this run of Snakemake writes results of another experiment than the finished one."""
    return USES or {job.rule.name for job in workflow.dag.jobs} <= {"app", "compare", "doctor", "reproduce"}


def before_replacing():
    """Refuse to replace what another experiment made, and say which finished results of this one are made again.

    What a stage of DVC replaces DVC has in its cache.
    """
    if STAGE or only_reads():
        return
    jobs = [job for job in workflow.dag.jobs if workflow.dag.needrun(job) and any(map(os.path.exists, job.output))]
    with in_one_line():
        if CHOSEN.get("replace", "").lower() != "true":
            refuse_another_experiment(jobs)
            refuse_other_images(jobs)
        for line in made_again(jobs):
            print(f"dawn: {line}", file=sys.stderr)


def refuse_another_experiment(jobs):
    """Refuse jobs that write over the results of other files of settings, such as a preset of the same name."""
    record = Path(SHARED, RECORD)
    made = read_json(record, dict[str, str | list[str]]) if record.is_file() else MADE_FROM
    over = [path for job in jobs for path in job.output if Path(path).is_relative_to(SHARED)]
    if over and made != MADE_FROM:
        was, now = (", ".join(sum((v if isinstance(v, list) else [v] for v in m.values()), [])) or "params.yaml alone"
                    for m in (made, MADE_FROM))  # fmt: skip
        raise WorkflowError(
            f"{Path(SHARED).absolute()} holds the experiment of {was}, and this one is of {now}: {KEEP}"
        )


def refuse_other_images(jobs):
    """Refuse to read images over those of the finished experiment of this directory, or of the one that is asked for."""
    if not any(job.rule.name == "arrays" or job.rule.name.startswith("train") for job in jobs):
        return
    now = EXPERIMENT.model_dump(mode="json", include={"data"})["data"]
    runs, elsewhere = dict.fromkeys(["results", *EXPERIMENTS]), moved()
    for seed in [seed for run in runs for seed in evaluated(Path(run))]:
        made = made_by(seed)["data"]
        if other_images(made, now, elsewhere):
            raise WorkflowError(
                f"{WHERE}{seed.parent} has a finished experiment on other images ({made['urls'][0]}), and this one is on"
                f" {redacted(ADDRESSES[0])}: {KEEP}"
            )


def made_again(jobs):
    """A line for each group of finished results that these jobs replace, with the settings that have changed."""
    groups = {}
    for job in jobs:
        if job.rule.name in MEASURED:
            groups.setdefault((job.rule.name, "it is there already"), []).append(job.output[0])
        elif job.rule.name.startswith("train"):
            seed, experiment = Path(os.path.dirname(job.output.metrics)), EXPERIMENTS[job.wildcards.run]
            if made := made_by(seed):
                why = changes(made, experiment.model_dump(mode="json", include=set(experiment.trained_by)))
                groups.setdefault((job.wildcards.run, why or "code or images have changed"), []).append(str(seed))
    return [
        f"made again: {', '.join(paths[:3])}{', ...' if paths[3:] else ''} ({why})"
        for (_, why), paths in groups.items()
    ]


def moved():
    """Whether the images were read from a local path of the same name elsewhere; settings have the name alone."""
    local = [FOLDER] if FOLDER else [url for url in ADDRESSES if not is_remote(url)]
    read = [job for job in workflow.dag.jobs if job.rule.name == ("arrays" if FOLDER else "download")]
    known = workflow.persistence.params(read[0].output[0]) if read and local else None
    return bool(known) and not any(path in str(known) for path in local)


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
