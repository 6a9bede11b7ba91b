"""What Snakemake's real Slurm plugin requests, by an sbatch that writes down how it was called."""

import os
import re
import shlex
import subprocess
import sys

import pytest
import workspace
import yaml
from conftest import ROOT, experiment, in_full

from dawn import launch
from dawn.core.cli import InputError

PROFILES = sorted((ROOT / "profiles").glob("*/config.yaml"))
CLUSTERS = ("pbs", "slurm")
INPUTS = [f"data/{split}_{part}.npy" for split in ("train", "test") for part in ("images", "labels")]
INPUTS += ["data/dataset.json", "data/files.tsv", "data/stats.json"]
INPUTS += [f"results/seed-0/{name}" for name in ("model.safetensors", "curve.tsv", "metrics.json")]
IN_IMAGE = ("APPTAINER_BIND", "APPTAINERENV_TMPDIR", "TRITON_CACHE_DIR", "XDG_CACHE_HOME")  # what decides it
ALWAYS = {"--parsable", "--export=ALL", "--no-requeue", "-p main", "--mem 16000"}
SLURM = re.findall(
    r"^(snakemake --workflow-profile .*?)(?:  +#.*)?$", (ROOT / "docs/cluster.md").read_text(), re.MULTILINE
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A checkout, and stand-ins for Slurm's client: sbatch writes down its arguments and fails, others print nothing.

    The plugin calls all of them before it submits; sacct is where it looks for the user's account.
    """
    place = workspace.make(tmp_path_factory.mktemp("cluster"), 20, 20)
    commands = place.path.parent / "bin"
    commands.mkdir()
    answers = {"sbatch": f'printf "%s\\0" "$@" > {commands}/called; echo no node >&2; exit 1', "sinfo": "echo 'main*'"}
    variables = " ".join(f'"${name}"' for name in IN_IMAGE)
    answers["apptainer"] = f"echo apptainer version 1.4.5; printf '%s\\n' {variables} > {commands}/bound"
    (place.path / "containers/dawn.sif").touch()
    for name in ("sbatch", "sinfo", "squeue", "sacct", "sacctmgr", "sshare", "scontrol", "apptainer"):
        (commands / name).write_text(f"#!/bin/sh\n{answers.get(name, 'exit 0')}\n")
        (commands / name).chmod(0o755)
    return place


def requested(place, command, rule, target):
    """The options that sbatch got for one rule's job when a command of the documentation was given."""
    commands = place.path.parent / "bin"
    (commands / "called").unlink(missing_ok=True)
    directory = place.path / ("experiments/cpu" if "presets/cpu.yaml" in command else "")
    for path in (
        directory / name for name in INPUTS
    ):  # of a job that failed Snakemake deletes what it should have made
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    words = [*shlex.split(command)[1:], "--config"]
    at = words.index("--config")
    data = f"data={{urls: [{place.archive}], sha256: null, bytes: null, layout: binary, classes: null}}"
    done = subprocess.run(
        [workspace.BIN / "snakemake", target, "--forcerun", rule, "--allowed-rules", rule, *words[:at],
         "--retries", "0", "--slurm-init-seconds-before-status-checks", "1", "--config", data, *words[at + 1 : -1]],
        cwd=place.path, capture_output=True, text=True, check=False,
        env=workspace.environment() | {"PATH": f"{commands}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert (commands / "called").exists(), done.stdout + done.stderr
    called = (commands / "called").read_text().split("\0")[:-1]
    pairs = {" ".join(called[i : i + 2]) for i, word in enumerate(called) if word in ("-p", "-t", "-D", "--mem")}
    return {*called, *pairs}, " ".join(called)


def test_the_profile_sets_the_cores_of_every_rule_that_uses_all():
    texts = [path.read_text() for path in (ROOT / "workflow").rglob("*.smk")]
    parts = [part for text in texts for part in re.split(r"(?m)^ *(?=rule(?: \w+)?:|checkpoint \w+:)", text)[1:]]
    using = set()
    for part in parts:
        if "threads: workflow.cores" in part:
            named, looped = re.match(r"rule (\w+):", part), re.search(r'name:\s+f"(\w+)\{GROUP\}"', part)
            using |= {named[1]} if named else {looped[1], f"{looped[1]}_judge"}
    for name in CLUSTERS:
        profile = yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text())
        assert profile["set-threads"].keys() == using
        assert {profile["cores"]} == set(profile["set-threads"].values())


TRAIN = ("train", "results/seed-0/metrics.json")
EVALUATE = ("evaluate", "results/seed-0/evaluation.json")
WARNED = {"-t 720", "--signal=TERM@90", "--cpus-per-task=8"}


@pytest.mark.parametrize(
    ("command", "job", "wanted"),
    [
        (2, TRAIN, WARNED | {"--nodes=4", "--ntasks=4", "--gpus-per-node=8"}),
        (2, EVALUATE, {"--nodes=1", "--gpus=8", "-t 60"}),
        (4, TRAIN, WARNED | {"--nodes=1", "--gpus=1"}),
        *in_full((0, TRAIN, WARNED | {"--nodes=1", "--gpus=1"}), (3, TRAIN, WARNED | {"--nodes=1", "--ntasks=1"})),
    ],
)
def test_sbatch_requests_what_the_documentation_says(place, command, job, wanted):
    options, line = requested(place, SLURM[command], *job)
    assert options >= ALWAYS | {f"-D {place.path}"} | wanted, line
    sizes = {word for word in options if word.startswith(("--nodes", "--ntasks", "--gpus", "--requeue"))}
    assert sizes == {word for word in wanted if word.startswith(("--nodes", "--ntasks", "--gpus"))}, line
    assert f"--output {place.path}/logs/slurm/rule_{job[0]}/results_0/%j.log" in line
    assert ("--deployment-method apptainer" in line) == (command == 4)


@pytest.mark.full
def test_an_image_sees_the_checkout_and_the_images_from_any_directory(place, tmp_path):
    """The job fails, since this apptainer runs nothing; it writes down what would be mounted."""
    commands, photos = place.path.parent / "bin", tmp_path / "photos"
    (photos / "cat").mkdir(parents=True)
    elsewhere, local = tmp_path / "elsewhere", tmp_path / "of this node"
    local.mkdir()
    settings = f"data={{urls: [{photos}], layout: folders, size: 32, sha256: null, bytes: null, classes: null}}"
    done = subprocess.run(
        [workspace.BIN / "snakemake", "data/dataset.json", "--directory", elsewhere, "--config", settings,
         "--software-deployment-method", "apptainer"],
        cwd=place.path, capture_output=True, text=True, check=False,
        env=workspace.environment() | {"PATH": f"{commands}:{os.environ['PATH']}", "APPTAINER_BIND": "/opt",
                                         "TMPDIR": str(local)},
    )  # fmt: skip
    assert done.returncode == 1
    bound, temporary, *caches = (commands / "bound").read_text().splitlines()
    assert bound.split(",") == ["/opt", str(place.path), str(photos)], done.stderr
    assert temporary == "/tmp"
    assert all(cache.startswith("/tmp/dawn-cache-") for cache in caches), caches


def test_profiles_name_options_that_snakemake_has():
    known = subprocess.check_output([workspace.BIN / "snakemake", "--help"], text=True)
    for path in PROFILES:
        unknown = [key for key in yaml.safe_load(path.read_text()) if not re.search(rf"--{key}\b", known)]
        assert not unknown, path


def test_only_the_cluster_tries_again():
    for path in PROFILES:
        assert ("retries" in yaml.safe_load(path.read_text())) == (path.parent.name in CLUSTERS)
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        assert "retries" not in path.read_text(), "nested Snakemakes would multiply it"


def test_several_nodes_are_started_by_srun(monkeypatch, tmp_path):
    (tmp_path / "srun").write_text("#!/bin/sh\n")
    (tmp_path / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SLURM_JOB_ID", "12345")
    monkeypatch.setenv("DAWN_CONTAINER", "apptainer exec --home '/a b' --nv image.sif")
    monkeypatch.setattr(launch.socket, "gethostname", lambda: "first")
    called = []
    monkeypatch.setattr(launch.os, "execvp", lambda name, line: called.append((name, line)) or sys.exit(0))
    line = "launch --nodes 2 --gpus 4 --cpus 8 --processes auto dawn.train --seed 0"
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit):
        launch.main()
    srun = "srun --nodes=2 --ntasks=2 --ntasks-per-node=1 --kill-on-bad-exit=1 --cpus-per-task=8 --gpus-per-node=4"
    inside = "apptainer exec --home '/a b' --nv image.sif"
    ours = "python -m dawn.launch --nodes 2 --rendezvous first:20345 --processes auto dawn.train --seed 0"
    assert called == [("srun", shlex.split(f"{srun} {inside} {ours}"))]


def test_several_nodes_without_slurm_are_refused(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setattr(sys, "argv", ["launch", "--nodes", "2", "dawn.train"])
    with pytest.raises(
        InputError, match=r"run.nodes is 2, which takes a Slurm job \(snakemake --workflow-profile profiles/slurm\)"
    ):
        launch.main()


def test_the_batch_must_divide_over_all_nodes():
    with pytest.raises(InputError, match=r"train.batch 16 is not divisible by 32 processes"):
        experiment(run={"nodes": 4, "processes": 8})
    assert experiment(run={"nodes": 4, "processes": 2}).run.nodes == 4
