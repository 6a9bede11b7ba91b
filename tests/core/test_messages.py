"""Messages that a user meets: each says what, which value, and what to do, in one line and without a traceback."""

import pytest
import torch
from conftest import experiment, in_full, step
from training import arguments

from dawn import summarize, train
from dawn.config.experiment import check, merge, read
from dawn.core.cli import InputError, quoted, run
from dawn.core.reading import read_json
from dawn.engine.trainer import Trainer


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"train": 5}, "train = 5: a mapping of settings is expected"),
        ({"train": "{epochs"}, 'train = "{epochs": a mapping of settings is expected'),
        ({"seeds": []}, "seeds = []: more values are needed"),
        ({"seeds": None}, "seeds = null: a list is expected, such as [a, b]"),
        ({"data": {"urls": "photos"}}, 'data.urls = "photos": a list is expected'),
        ({"seeds": [1, 1]}, "seeds: [1, 1] contains a seed twice; give each once"),
        ({"train": {"schedule": {"momentum": [0.8, 0.9]}}}, "momentum [0.8, 0.9] is not [high, low]; swap the two"),
        ({"train": {"schedule": {"milestones": [0.5, 0.2]}}}, "milestones [0.5, 0.2] must rise, such as"),
        ({"train": {"batch": 15, "accumulate": 2}}, "batch 15 is not divisible by accumulate 2"),
        ({"run": {"processes": 7}}, "train.batch 16 is not divisible by 7 processes"),
        (
            {"model": {"family": "vit"}},
            'model.family = "vit": must be one of airbench, darknet, file, torchvision',
        ),
        ({"model": {"family": "wrn"}}, "give depth or blocks, not neither"),
        ({"data": {"urls": ["http://a/b"]}}, "http://a/b needs sha256 or bytes"),
    ],
)
def test_a_faulty_experiment(over, words):
    with pytest.raises(InputError) as caught:
        experiment(**over)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_json_is_named(tmp_path):
    (tmp_path / "metrics.json").write_text('{"a": ')
    with pytest.raises(InputError, match=r"metrics\.json is not JSON .*; delete it to have it made again"):
        read_json(tmp_path / "metrics.json")


def test_what_is_not_a_mapping_is_named(tmp_path):
    (tmp_path / "preset.yaml").write_text("- 1")
    with pytest.raises(InputError, match="contains list, not a mapping of sections such as data, model, train"):
        check(merge({}, read(tmp_path / "preset.yaml")))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        *in_full((["train", "--seed", -1], "dawn.train: --seed -1: a whole number from 0 to 4294967295")),
        (["train", "--data", "nowhere"], "dawn.train: No such file or directory: nowhere/train_images.npy"),
        (["plot", "no", "--out", "x"],
         "dawn.plot: no has no manifest manifests/no.json; finish the experiment with snakemake"),
        (["crate", "--results", "no", "--out", "x"], "dawn.crate: No such file or directory: no/params.yaml"),
    ],
)  # fmt: skip
def test_a_step_says_it_in_one_line(params, data, tmp_path, line, words):
    name, *rest = line
    common = arguments(params(), data, tmp_path / "out") if name == "train" else ["--data", data]
    common += ["--params", params()] if name == "plot" else []
    done = step(name, *common, *rest, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [words]


def test_too_little_memory_names_the_batch(params, data, tmp_path, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(Trainer, "run", full)
    monkeypatch.setattr("sys.argv", ["train", *map(str, arguments(params(), data, tmp_path / "out"))])
    with pytest.raises(
        InputError, match=r"too little memory for train\.batch 16 in 1 micro-batches; raise train\.accumulate"
    ):
        train.main()


def test_text_from_outside_is_quoted_escaped_and_cut():
    assert quoted("cat") == "'cat'"
    assert quoted("\x1b[2J\n") == r"'\x1b[2J\n'"
    assert quoted("a" * 80) == repr("a" * 80)
    assert quoted("a" * 60_000_000) == repr("a" * 80) + "... (60000000 characters)"
    assert quoted(ValueError("no float: b'12'")) == '''"no float: b'12'"'''


def test_a_message_says_in_which_experiment_its_paths_start(tmp_path, monkeypatch):
    (folder := tmp_path / "experiments/photos").mkdir(parents=True)
    for place, where in ((tmp_path, ""), (folder, " in experiments/photos")):
        monkeypatch.chdir(place)
        monkeypatch.setattr("sys.argv", ["summarize", "seed-0", "--params", "results/params.yaml", "--model", "m.json",
                                         "--out", "metrics.json", "--plots", "plots"])  # fmt: skip
        with pytest.raises(SystemExit) as caught:
            run(summarize.main)
        assert str(caught.value).startswith(f"dawn.summarize{where}: No such file or directory: results/params.yaml")
