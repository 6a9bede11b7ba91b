"""Every task by the same commands and rules: what fails is one line, whichever task it is."""

import json
import subprocess

import pytest
import torch
import workspace
import yaml
from conftest import ROOT, experiment, in_full, step

from dawn import train
from dawn.config import registry
from dawn.core.cli import InputError
from dawn.core.code_deps import HERE
from dawn.engine.shutdown import DIVERGED
from dawn.engine.weights import write_weights
from dawn.runtime.distributed import World
from dawn.tasks.gan import weights
from dawn.tasks.gan.networks import build

GAN = {
    "task": "gan",
    "gan": {"generator": {"architecture": "dcgan", "latent": 4, "width": 4, "extra_layers": 0}, "clamp": None,
            "critic": {"architecture": "dcgan", "width": 4, "extra_layers": 0, "norm": "none"}, "loss": "wasserstein",
            "critic_steps": {"usual": 1, "every": 0}, "phases": [[0, 1]], "epochs": 2, "batch": 16},
}  # fmt: skip


def planned(folder, *line):
    """What Snakemake prints of a plan in an empty directory, and its exit status."""
    done = subprocess.run(
        [workspace.BIN / "snakemake", "-n", "--quiet", "host", "--directory", folder, *line], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=workspace.environment(), check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


REFUSED = [(task, target) for task in registry.TASKS if task != "classify" for target in ("app", "race", "model_card")]


@pytest.mark.parametrize(("task", "target"), [REFUSED[0], *in_full(*REFUSED[1:-1]), REFUSED[-1]])
def test_what_only_classifiers_have_is_refused_before_any_job(tmp_path, task, target):
    code, printed = planned(tmp_path, target, "--config", f"task={task}")
    assert code == 1
    assert f"{target} is for task: classify, and this experiment has task: {task}" in printed
    assert "Job " not in printed


RENAMED = [("gan_train", "train"), ("cycle_plot", "plot"), ("gan_references", "references")]


@pytest.mark.parametrize(("old", "new", "before"), [
    (*RENAMED[0], ["all", "--allowed-rules"]), *in_full(*((*rule, []) for rule in RENAMED)),
    *in_full(*((*rule, ["all", "--allowed-rules"]) for rule in RENAMED[1:])),
])  # fmt: skip
def test_a_renamed_rule_is_answered_with_its_name(tmp_path, old, new, before):
    code, printed = planned(tmp_path, *before, old)
    assert code == 1
    assert f"the rule {old} is now called {new}" in printed


def test_a_gan_that_diverges_ends_with_its_own_exit_status(data, tmp_path):
    params = tmp_path / "params.yaml"
    over = GAN | {"gan": GAN["gan"] | {"optimizer": {"kind": "rmsprop", "critic_lr": 1e9, "generator_lr": 1e9}}}
    params.write_text(yaml.safe_dump(experiment(**over).model_dump(mode="json")))
    done = step("train", "--params", params, "--data", data, "--seed", 0, "--out", tmp_path / "out",
                "--resume", tmp_path / "resume")  # fmt: skip
    assert done.returncode == DIVERGED, done.stderr
    assert "Traceback" not in done.stderr
    assert "gan.optimizer" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("task", registry.TASKS)
def test_too_little_memory_names_the_settings_of_the_task(task):
    chosen = experiment(task=task)
    memory = registry.module(task, "train").memory(chosen)
    assert chosen.declared.main in memory
    with (
        pytest.raises(InputError, match=rf"cuda has too little memory for {chosen.declared.main}\.batch"),
        train.out_of_memory_explained(memory, World(0, 1, torch.device("cuda"))),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")


@pytest.mark.parametrize(
    ("preprocessing", "words"),
    [
        (None, "holds no GAN"),
        ({"size": None}, "preprocessing.size is 'null'"),
        ({"size": "x"}, "preprocessing.size is"),
        ({}, "holds no GAN"),
    ],
)
def test_a_file_without_the_size_of_its_images_is_no_gan(tmp_path, preprocessing, words):
    path, settings = tmp_path / "model.safetensors", experiment(**GAN)
    generator, critic = build(settings.gan, 3, 32, 0)
    nets = torch.nn.ModuleDict({"generator": generator, "critic": critic})
    write_weights(path, nets, settings.text("data", "gan"), ["a", "b", "c"], preprocessing)
    with pytest.raises(InputError, match=words):
        weights.restored(path)


def test_a_file_without_some_of_the_weights_is_refused(tmp_path):
    path, settings = tmp_path / "model.safetensors", experiment(**GAN)
    generator, _ = build(settings.gan, 3, 32, 0)
    choices = settings.text("data", "gan")
    write_weights(path, torch.nn.ModuleDict({"generator": generator}), choices, ["a", "b", "c"], {"size": 32})
    with pytest.raises(
        InputError, match=r"does not fit the networks of its header \(critic.blocks.0.layer.bias is missing"
    ):
        weights.restored(path)


@pytest.mark.parametrize("task", registry.TASKS)
def test_a_task_declares_what_it_leaves_and_draws(task):
    declared = registry.task(task)
    assert declared.name == task
    assert set(declared.page_figures) <= {figure.name for figure in declared.figures}
    assert declared.deciding
    captions = HERE / f"tasks/{task}/captions"
    named = {*(figure.name for figure in declared.figures), *declared.other_figures, "summary"}
    assert named <= {path.stem for path in captions.iterdir()}
    assert min(len(path.read_text()) for path in captions.iterdir()) > 100


@pytest.mark.parametrize("task", registry.TASKS)
def test_the_pipeline_of_dvc_has_the_files_that_the_task_declares(task, tmp_path):
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(experiment(task=task).model_dump(mode="json")))
    assert step("dvc_stages", tmp_path / "dvc.yaml").returncode == 0
    pipeline, declared = yaml.safe_load((tmp_path / "dvc.yaml").read_text()), registry.task(task)
    outputs = {path for stage in pipeline["stages"].values() for path in stage["outs"]}
    seed = {path.rpartition("/")[2] for path in outputs if path.startswith("results/seed-")}
    assert seed == {*declared.seed_files, *declared.exports}
    others = [name for name in registry.TASKS if name not in (task, "classify")]
    text = json.dumps(pipeline)
    assert not [other for other in others if f"workflow/dawn/tasks/{other}/" in text]
