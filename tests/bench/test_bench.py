"""The benchmarks run: those that need a GPU in miniature on a CPU, before there is one."""

import argparse
import collections
import json
import os
import re
import statistics
import subprocess
import sys

import pytest
import torch
from conftest import ROOT
from training import WORLD

from dawn.kernels.network import can_convolve
from dawn.results import measurement

BENCH = ROOT / "tests" / "bench"
sys.path.insert(0, str(BENCH))

import gpu  # noqa: E402
import gpu_report  # noqa: E402
import gpu_stage  # noqa: E402
from gpu_plan import Stage, experiment, plan  # noqa: E402
from profiling import kind  # noqa: E402


def bench(script, *arguments):
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "workflow")}
    line = [sys.executable, BENCH / script, *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, env=env, check=False)


def test_every_stage_is_a_valid_experiment_and_all_fit_the_time():
    stages = plan(50)
    assert [stage.name for stage in stages[:3]] == ["limits", "record", "peers"]
    assert sum(stage.seconds for stage in stages) <= 25 * 60
    for stage in stages:
        assert stage.seconds <= stage.most
        for variant in stage.variants.values():
            experiment(variant, tiny=False)
            assert experiment(variant, tiny=True).train.epochs == 2, "checkpoints are written between epochs"
    names = {stage.name: stage.variants for stage in stages}
    assert experiment(names["graphs"]["CUDA graphs"], False).train.cuda_graph
    assert not experiment(names["graphs"]["no CUDA graphs"], False).train.cuda_graph
    assert not experiment(names["ablation"]["without whitening"], False).model.whiten


@pytest.mark.full
def test_all_stages_run_in_miniature(tmp_path):
    done = bench("gpu.py", "--tiny", "--seeds", 2, "--minutes", 14, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "gpu.json").read_text())
    assert {name: stage["status"] for name, stage in report["stages"].items()} == {
        stage.name: "done" for stage in plan(2)
    }, done.stdout
    page = (tmp_path / "gpu.md").read_text()
    assert page in done.stdout
    assert "no figure below means anything" in page
    for stage in plan(2):
        for name in stage.variants if stage.kind == "runs" else ():
            assert f"| {stage.name} | {name} | {stage.seeds} | " in page
    assert re.search(r"- peers: airbench, Muon against record: .* points, its clock times [\d.]+ \(", page)
    found = report["stages"]["profile"]["found"]
    assert found["work"]["convolution"]["gflop"] > 0
    assert found["work"]["batch norm"]["gbyte"] > 0
    assert found["busy_ms"] > 0
    assert "| in all |" in page


def test_an_experiment_that_fails_affects_no_other(data, tmp_path):
    fine, broken = ("lesson", {}), ("lesson", {"train": {"accumulate": 3}})
    stage = Stage("ablation", "runs", "", 1, 9, 2, {"fine": fine, "broken": broken})
    args = argparse.Namespace(data=data, out=tmp_path / "ablation.json", seconds=60, tiny=True, process=0, programs=[])
    gpu_stage.alternate(stage, args, WORLD)
    found = json.loads(args.out.read_text())
    assert [row["seed"] for row in found["rows"]["fine"]] == [0, 1]
    assert found["rows"]["broken"] == []
    assert "batch 40 is not divisible by accumulate 3" in found["faults"]["broken"]
    stages = {"ablation": {"question": "", "kind": "runs", "status": "done", "seconds": 1.0, "found": found}}
    page = gpu_report.page({"machine": {"gpus": [], "cpu": "a CPU"}, "tiny": True, "stages": stages})
    assert "| ablation | fine | 2 |" in page
    assert "- ablation: broken failed: InputError: " in page


PROGRAM = """
import sys
import torch

text = open(sys.argv[0]).read()
train = torch.load("cifar10/train.pt")

class CifarNet(torch.nn.Linear):
    def __init__(self):
        super().__init__(2, 2)

def print_training_details(variables, is_final_entry):
    raise AssertionError("the benchmark reads the details")

def main(run, model):
    print("noise on the standard output")
    assert train["images"].dtype == torch.uint8 and train["labels"].dtype == torch.int64
    if run == 3:
        raise SystemExit(5)
    tta_val_acc, time_seconds = torch.rand(1).item(), 2.5
    print_training_details({}, is_final_entry=False)
    print_training_details(locals(), is_final_entry=True)

if __name__ == "__main__":
    raise AssertionError("the main part does not run")
"""


def test_a_published_program_runs_in_turn_and_its_rows_are_reported(data, tmp_path):
    path = tmp_path / "published.py"
    path.write_text(PROGRAM)
    stage = Stage("peers", "runs", "", 1, 9, 5, {"ours": ("lesson", {})}, with_programs=True)
    args = argparse.Namespace(data=data, out=tmp_path / "peers.json", seconds=60, tiny=True, process=0, programs=[path])
    gpu_stage.alternate(stage, args, WORLD)
    found = json.loads(args.out.read_text())
    assert [row["seed"] for row in found["rows"]["ours"]] == [0, 1, 2, 3, 4]
    rows = found["rows"]["published.py"]
    expected = [100 * torch.rand(1, generator=torch.Generator().manual_seed(seed)).item() for seed in range(3)]
    assert [(row["seed"], row["seconds"]) for row in rows] == [(0, 2.5), (1, 2.5), (2, 2.5)]
    assert [row["accuracy"] for row in rows] == expected
    assert "the program ended with 5" in found["faults"]["published.py"]
    stages = {"peers": {"question": "", "kind": "runs", "status": "done", "seconds": 1.0, "found": found}}
    page = gpu_report.page({"machine": {"gpus": [], "cpu": "a CPU"}, "tiny": True, "stages": stages})
    assert "| peers | published.py | 3 |" in page
    assert "- peers, ours: independent trainings: 5 of 5" in page
    assert "- peers, published.py: independent trainings: 3 of 3 (the first step of 3 was not recorded)" in page


def test_rows_that_share_steps_get_no_interval():
    rows = [
        {"seed": seed, "accuracy": 94 + seed / 10, "seconds": 1.0 + seed / 10, "process": 0, "resumed": seed > 0,
         "first_step": 3 * (seed > 0), "after_first_step": "abc"}
        for seed in range(3)
    ]  # fmt: skip
    assert "| 94.10 | 100 % | 1.100 |" in gpu_report.row("record", "record", rows)
    assert "independent trainings: 1 of 3; continued from" in gpu_report.processes("record", "record", rows)
    independent = [row | {"after_first_step": f"{row['seed']}"} for row in rows]
    assert "95 % interval" in gpu_report.row("record", "record", independent)


def test_a_stage_that_fails_or_takes_too_long_is_reported(data, tmp_path):
    args = argparse.Namespace(out=tmp_path, seeds=1, tiny=True, minutes=5.0, data=tmp_path / "nowhere", programs=[])
    stages = {stage.name: stage for stage in plan(1)}
    failed = gpu.run(stages["lesson"], args, tmp_path / "nowhere", 100.0)
    assert failed["status"] == "failed"
    assert failed["error"] == "every experiment failed"
    assert failed["found"]["faults"]["lesson"].startswith("FileNotFoundError")
    late = gpu.run(stages["record"], args, data, 0.5)
    assert (late["status"], late["found"]) == ("out of time", None)


def test_kinds_of_work():
    names = {
        "aten::cudnn_convolution": "convolution", "aten::convolution_backward": "convolution",
        "aten.native_batch_norm_backward.default": "batch norm", "aten::max_pool2d_with_indices": "pooling",
        "aten::addmm": "matrix product", "aten::baddbmm": "matrix product", "aten::_foreach_lerp_": "optimiser",
        "aten::copy_": "index, copy, pad", "aten::gelu": "element by element", "aten::mul": "element by element",
    }  # fmt: skip
    assert {name: kind(name) for name in names} == names


@pytest.mark.full
def test_scaling_prints_a_row_for_each_number_of_processes():
    small = ("--experiments", "demo", "--batch", 16, "--steps", 1, "--repeats", 2, "--rounds", 1)
    done = bench("scaling.py", *small, "--processes", 1, 2, "--compress", "bf16")
    assert done.returncode == 0, done.stderr
    rows = [
        [cell.strip() for cell in line.split("|")] for line in done.stdout.splitlines() if line.startswith("| demo")
    ]
    assert [row[3] for row in rows] == ["1", "2"]
    assert rows[0][5] == "1.00"
    assert rows[0][7:9] == ["", ""]
    assert 0 < float(rows[1][5]) < 3
    assert float(rows[1][7].replace(",", "")) > 0


@pytest.mark.full
def test_every_convolution_has_a_row():
    done = bench("layers.py", "--preset", "cpu", "--batch", 8, "--repeats", 2)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"\| \d+ to \d+ by \dx\d \| \d+ pixels \|(.*)\|", done.stdout)
    each = 5 if can_convolve() else 3  # with custom kernels
    assert [len(re.findall(r"[\d,]+", row)) for row in rows] == [1, *[each] * 6], "the first is not trained"
    assert re.search(r"step [\d,]+ ms, [\d,]+ images/s: \d+% of the best rate", done.stdout)


@pytest.mark.full
def test_steps_with_kernels_and_without_are_timed_in_turn(tmp_path):
    rows = tmp_path / "rows.json"
    done = bench("layers.py", "--preset", "wrn22", "--batch", 4, "--pairs", 2, "--measurement", rows)
    assert done.returncode == 0, done.stderr
    for clock in ("clock", "processor"):
        assert re.search(rf"^{clock}: kernels [\d.,]+ images/s, PyTorch [\d.,]+: ", done.stdout, re.MULTILINE)
    assert [row.variant for row in measurement.read(rows).rows] == ["clock", "clock", "processor", "processor"]


@pytest.mark.full
def test_races_in_turn(data, tmp_path):
    tiny = "train.epochs=1 train.batch=40 model.widths=[8,8] evaluate.precision=fp32 train.precision=fp32 run.gpus=0"
    races = [f"airbench-muon {tiny} train.compile=false", f"cpu {tiny}"]
    rows = ("--measurement", tmp_path / "rows.json")
    done = bench("race.py", *races, "--data", data, "--out", tmp_path, "--seeds", 4, 2, *rows)
    assert done.returncode == 0, done.stderr
    order = re.findall(r"^(\d): seed (\d)", done.stdout, re.MULTILINE)
    assert order == [("1", "0"), ("2", "0"), ("1", "1"), ("1", "2"), ("2", "1"), ("1", "3")]
    results = [json.loads((tmp_path / f"{i}.json").read_text()) for i in (1, 2)]
    assert [result["seeds"] for result in results] == [4, 2]
    found = measurement.read(tmp_path / "rows.json").rows
    assert [(row.variant, row.seed, row.first_step) for row in found] == [
        *((races[0], seed, 0) for seed in range(4)), *((races[1], seed, 0) for seed in range(2))
    ]  # fmt: skip
    assert found[4].values["accuracy"] == results[1]["runs"][0]["accuracy"]
    both = [statistics.geometric_mean(run["seconds"] for run in result["runs"]) for result in results]
    middle, low, high = map(
        float, re.search(r"1 over that of 2: ([\d.]+) \(([\d.]+) to ([\d.]+)\)", done.stdout).groups()
    )
    assert middle == pytest.approx(both[0] / both[1], abs=0.001)
    assert low < middle < high
    again = bench("race.py", *races, "--data", data, "--out", tmp_path, "--seeds", 4, 2)
    assert "1: seed" not in again.stdout
    assert again.stdout == done.stdout[done.stdout.index("## ") :]


def test_whole_commands_are_timed_in_turn(tmp_path):
    rows = tmp_path / "rows.json"
    done = bench("seconds.py", "slow=sleep 0.2", "new=test -d {new}", "--repeats", 2, "--measurement", rows)
    assert done.returncode == 0, done.stderr
    found = measurement.read(rows).rows
    assert [(row.variant, row.repetition) for row in found] == [("slow", 0), ("slow", 1), ("new", 0), ("new", 1)]
    assert all(row.values["seconds"] >= 0.2 for row in found[:2])
    failed = bench("seconds.py", "broken=echo no >&2; exit 3")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == "echo no >&2; exit 3 failed:\nno\n\n"


WITH_ROWS = {
    "memory.py": ("--preset", ROOT / "workflow/presets/demo.yaml", "--batch", 4, "--runs", 2),
    "throughput.py": ("--pairs", 2),
    "record.py": ("--pairs", 2, "--images", 32, "--batch", 16),
    "gan.py": ("--pairs", 2, "--images", 64),
    "cycle.py": ("--pairs", 2, "--images", 4),
    "layers.py": ("--batch", 2, "--repeats", 2),
    "scaling.py": ("--experiments", "demo", "--batch", 16, "--steps", 1, "--repeats", 2, "--rounds", 1),
    "sequential.py": ("--rules", "fixed", "--no-seeds", "--quick"),
}


@pytest.mark.full
@pytest.mark.parametrize("script", WITH_ROWS)
def test_a_benchmark_writes_its_rows(script, tmp_path):
    done = bench(script, *WITH_ROWS[script], "--measurement", tmp_path / "rows.json")
    assert done.returncode == 0, done.stderr
    found = measurement.read(tmp_path / "rows.json")
    counts = collections.Counter(row.variant for row in found.rows)
    if script not in ("layers.py", "sequential.py"):  # whose rows are layers and simulated cells
        assert set(counts.values()) == {2}
    assert script in found.command


def test_every_benchmark_that_measures_has_the_option():
    scripts = [path.name for path in BENCH.glob("*.py") if "def main" in path.read_text()]
    simulations = {
        "intervals.py",
        "copies.py",
        "neighbours.py",
        "reproduce.py",
        "unplanned.py",
    }  # their numbers follow from a seed
    # gpu.py runs gpu_stage.py and gpu_program.py; threads.py chooses a default; lesson_curve.py draws.
    others = simulations | {"gpu_stage.py", "gpu_program.py", "lesson_curve.py", "tables.py", "threads.py"}
    lacking = [name for name in scripts if "add_measurement(parser)" not in (BENCH / name).read_text()]
    assert set(lacking) == others & set(lacking)
    assert len(scripts) - len(lacking) >= 10
