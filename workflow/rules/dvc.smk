"""Inside a stage of DVC (docs/compare.md). Without DVC nothing here has an effect."""

import yaml

from dawn.core.code_deps import fingerprint

STAGE = os.environ.get("DVC_STAGE")
# `dvc exp run --temp` works in a copy of the checkout and deletes it afterwards. What must outlive it, the archive and
# the checkpoints, lies in the checkout in which dvc was called.
CHECKOUT = os.path.relpath(os.environ.get("DVC_ROOT", ".") if STAGE else ORIGIN)

if STAGE and config:
    raise WorkflowError(
        "DVC tracks params.yaml alone, and a profile or an option sets more;"
        " write it into params.yaml: python -m dawn.preset PRESET, or dvc exp run -S"
    )

if STAGE:
    os.environ.setdefault("DAWN_RESUME", os.path.abspath(f"{CHECKOUT}/.resume"))
    FINGERPRINT = fingerprint(ROOT)


def enter_stage():
    """Delete manifests of seeds that are no longer in params.yaml, since DVC tracks their directory as a whole."""
    stage = (STAGE or "").partition("@")[0]
    judges_read_by = TASK.stages[0].name if TASK.stages else "evaluate"
    for run, experiment in EXPERIMENTS.items():
        read_by = judges_read_by if run == JUDGE else "summarize"
        for manifest in Path(run, "manifests").glob("*.json") if stage == read_by else ():
            if manifest.stem not in map(str, experiment.seeds):
                manifest.unlink()


def check_stage():
    """Refuse a stage of another task: dvc.yaml does not follow an edit to params.yaml by itself."""
    written = yaml.safe_load(Path("dvc.yaml").read_text()).get("vars", [{}])[0].get("written_for")
    if STAGE.partition("@")[0] != "prepare" and written != {"task": TASK.name, "judges": bool(JUDGES)}:
        raise WorkflowError(
            f"dvc.yaml is not for task: {TASK.name} {'with' if JUDGES else 'without'} judges;"
            " write it: python -m dawn.dvc_stages"
        )


def leave_stage():
    """Fail if params.yaml or code changed meanwhile: DVC would store the result under what they are now."""
    if STAGE and fingerprint(ROOT) != FINGERPRINT:
        raise WorkflowError("params.yaml or code was edited while this ran, so the result is not stored; run it again")
