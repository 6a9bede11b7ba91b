"""What a run minds inside a stage of DVC (docs/compare.md); without DVC it changes nothing."""

from dawn.core.code_deps import fingerprint

STAGE = os.environ.get("DVC_STAGE")
# An experiment may run in a copy of the workspace, and that is deleted when it ends: what must outlive it, the archive
# and the states to resume from, lies in the workspace that DVC was called in.
HOME = os.path.relpath(os.environ.get("DVC_ROOT", ".")) if STAGE else "."
SUMMARY = ["metrics.json", "summary.md", "summary.html", "curves.json", "confusion.csv", "classes.csv"]

if STAGE and config:
    raise WorkflowError(
        "DVC sees params.yaml alone, and a profile or an option lays more over it;"
        " write it in: python -m dawn.preset PRESET, or dvc exp run -S"
    )

if STAGE:
    os.environ.setdefault("DAWN_RESUME", os.path.abspath(f"{HOME}/.resume"))
    BEFORE = fingerprint(ROOT)
    # Whether this stage ends well or not, the summary of before is no longer that of params.yaml.
    for name in SUMMARY:
        Path("results", name).unlink(missing_ok=True)


def enter_stage():
    """DVC compares the whole directory of the manifests, so those of seeds no longer asked for go."""
    if STAGE == "summarize":
        for manifest in Path("results/manifests").glob("*.json"):
            if manifest.stem not in map(str, EXPERIMENT.seeds):
                manifest.unlink()


def leave_stage():
    """DVC files a result under what params.yaml and the code say when the stage has ended."""
    if STAGE and fingerprint(ROOT) != BEFORE:
        raise WorkflowError(
            "params.yaml or code was edited while this ran, so DVC must not keep what came out; run it again"
        )
