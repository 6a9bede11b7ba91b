"""On a real Slurm of two nodes: the pipeline, multi-node training, and jobs that end early in every possible way."""

import json
import re
import subprocess
import time

import engines
import pytest
import workspace
import yaml
from engines import Cluster, run
from search_files import SEARCH

SHORT = "train={epochs: 8, batch: 32, schedule: {peak: 0.05}}"
LONG = "train={epochs: 60, batch: 32, schedule: {peak: 0.05}}"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slurm")
    with engines.engine("slurm", folder / "slurm"):
        yield Cluster(folder / "slurm", workspace.make(folder))


@pytest.fixture(scope="module")
def unbroken(cluster):
    """The weights of seed 1, trained without interruption and without Slurm."""
    done = cluster.place.snakemake("results/seed-1/metrics.json", "--cores", "1", LONG)
    assert done.returncode == 0, done.stderr
    weights = cluster.weights(1)
    run("rm", "-r", cluster.place.path / "results/seed-1")
    return weights


def test_the_whole_pipeline_runs_as_jobs(cluster):
    output = cluster.finish(cluster.start("all"))
    assert output.count("has been submitted with SLURM jobid") == 5, output
    metrics = json.loads((cluster.place.path / "results/metrics.json").read_text())
    assert metrics["seeds"] == 1
    assert "Nothing to be done" in cluster.finish(cluster.start("all"))
    local = cluster.place.planned()
    assert local == set(), "the same results, wherever it ran"
    assert not list(cluster.place.path.glob("logs/slurm/**/*.log")), "kept for jobs that fail"


def test_two_nodes_are_one_training(cluster):
    one = (cluster.place.path / "results/seed-0/curve.tsv").read_text().splitlines()
    settings = ("run={nodes: 2, gpus: 2, processes: 2, require_gpu: false}",)  # the GPUs are empty files
    cluster.finish(cluster.start("results/seed-0/metrics.json", "--forcerun", "train", settings=settings))
    assert cluster.metrics(0)["processes"] == 4
    two = (cluster.place.path / "results/seed-0/curve.tsv").read_text().splitlines()
    for ours, theirs in zip(one[1:], two[1:], strict=True):
        assert float(ours.split("\t")[1]) == pytest.approx(float(theirs.split("\t")[1]), rel=1e-3)
    jobs = run("scontrol", "show", "jobs").split("\n\n")
    wanted = ("JobState=COMPLETED", "NodeList=n[1-2]", "TresPerNode=gres:gpu:2", "TimeLimit=12:00:00")
    assert any(all(word in job for word in wanted) for job in jobs), jobs


def test_the_trials_of_a_search_are_jobs(cluster):
    (cluster.place.path / "mine.yaml").write_text(yaml.safe_dump(SEARCH))
    output = cluster.finish(cluster.start("search", settings=("search=mine.yaml",)))
    found = sorted(cluster.place.path.glob("results/searches/mine/round-0/rung-*/trial-*/trial.json"))
    assert len(found) == len(re.findall(r"SLURM jobid \d+ \(log: \S*rule_trial/", output)), output
    assert [path.parts[-3] for path in found] == ["rung-0"] * 4 + ["rung-1"] * 2
    assert sum(json.loads(path.read_text())["accuracy"] is None for path in found) == 1, "the diverged one"
    assert (cluster.place.path / "results/searches/mine/mine-winner.yaml").exists()
    assert "Nothing to be done" in cluster.finish(cluster.start("search", settings=("search=mine.yaml",)))


def broken(cluster, unbroken, action, *options):
    """Train seed 1, apply ``action`` to its job, and check that the weights equal those without interruption."""
    process = cluster.start("results/seed-1/metrics.json", *options, settings=(LONG,))
    job = cluster.training(1)
    action(job)
    output = cluster.finish(process)
    state, resumed = cluster.ended(job), cluster.metrics(1)["resumed"]
    same = cluster.weights(1) == unbroken
    run("rm", "-r", cluster.place.path / "results/seed-1")
    assert same, output
    assert resumed >= 1, output
    return state


def test_a_cancelled_job_goes_on(cluster, unbroken):
    assert broken(cluster, unbroken, lambda job: run("scancel", job)) == "CANCELLED"


def test_a_job_goes_on_after_its_time_is_up(cluster, unbroken):
    state = broken(cluster, unbroken, lambda job: run("scontrol", "update", f"jobid={job}", "timelimit=1"))
    assert state in ("FAILED", "TIMEOUT"), "signalled, it wrote a checkpoint and ended by itself"


def test_a_job_goes_on_when_its_node_dies(cluster, unbroken):
    def die(job):
        node = run("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
        engines.kill_node(cluster, node, job)
        dead.append(node)

    dead = []
    try:
        assert broken(cluster, unbroken, die) == "NODE_FAIL"
    finally:
        run("slurmd", "-N", dead[0])
        end = time.monotonic() + 60
        while run("sinfo", "--noheader", f"--nodes={dead[0]}", "--partition=main", "--format=%T").strip() != "idle":
            assert time.monotonic() < end
            time.sleep(0.5)


def test_a_job_goes_on_after_more_urgent_ones(cluster, unbroken):
    line = ["sbatch", "--parsable", "--partition=urgent", "--nodes=2", "--exclusive", "--wrap=sleep 5"]
    state = broken(cluster, unbroken, lambda job: run(*line, cwd=cluster.folder))
    assert state == "FAILED", "signalled, it wrote a checkpoint and ended by itself"


def test_two_nodes_stop_together_and_go_on(cluster):
    process = cluster.start("results/seed-3/metrics.json", settings=(SHORT, "run={gpus: 0, nodes: 2, processes: 1}"))
    run("scontrol", "update", f"jobid={cluster.training(3)}", "timelimit=1")
    output = cluster.finish(process)
    metrics = cluster.metrics(3)
    assert (metrics["processes"], metrics["resumed"] >= 1) == (2, True), output


def test_ctrl_c_takes_the_jobs_along(cluster):
    process = cluster.start("results/seed-2/metrics.json", settings=(LONG,))
    job = cluster.training(2)
    process.send_signal(2)
    process.communicate(timeout=100)
    end = time.monotonic() + 30
    while cluster.ended(job) in ("RUNNING", "COMPLETING"):
        assert time.monotonic() < end
        time.sleep(0.5)
    subprocess.run([workspace.BIN / "snakemake", "--unlock"], cwd=cluster.place.path, check=False, capture_output=True)
    assert list(cluster.place.path.glob(".resume/*/seed-2/state.pt"))
