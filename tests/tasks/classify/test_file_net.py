"""A network in a file of the user's own: built, checked, a cause of training, and refused in one line when wrong."""

import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from archives import call
from conftest import ROOT, experiment
from seeds import write_image
from torch import nn
from training import arguments

from dawn import predict, train
from dawn.config.experiment import check, dump
from dawn.core.cli import InputError
from dawn.tasks.classify.networks.build import build, check_output

NET = "class Net(torch.nn.Module):\n    def __init__(self, classes, width=4):\n        super().__init__()\n"


def written(folder, body, imports="import torch\n", name="my_net.py"):
    path = folder / name
    path.write_text(imports + body)
    return {"family": "file", "path": str(path), "name": "Net"}


def linear(width="width"):
    return f"{NET}        self.layer = torch.nn.Linear({width}, classes)\n" + (
        "    def forward(self, x):\n        return self.layer(x.flatten(1)[:, :self.layer.in_features])\n"
    )


def made(model, **over):
    return experiment(model=model, **over).model


def test_the_example_is_built_with_its_arguments():
    model = {"family": "file", "path": "workflow/networks/plain.py", "name": "plain"}
    net = build(made({**model, "arguments": {"widths": [8, 16]}}), 5, 0)
    assert [m.out_channels for m in net if isinstance(m, nn.Conv2d)] == [8, 16]
    for size in (17, 32):
        assert net(torch.zeros(2, 3, size, size)).shape == (2, 5)


def test_equal_seeds_give_equal_weights(tmp_path):
    model = made(written(tmp_path, linear()))
    one, two, other = (build(model, 3, seed).layer.weight for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_words_of_the_command_line_become_numbers():
    model = {"family": "file", "path": "workflow/networks/plain.py", "name": "plain"}
    given = {
        "a": "8",
        "b": "0.5",
        "c": "true",
        "d": ["1", "x"],
        "e": "null",
        "f": {"g": "-1e-3"},
        "h": "yes",
        "i": '"q"',
    }
    found = made({**model, "arguments": given}).arguments
    assert found == {"a": 8, "b": 0.5, "c": True, "d": [1, "x"], "e": None, "f": {"g": -1e-3}, "h": "yes", "i": '"q"'}


def test_the_text_of_the_file_is_part_of_the_settings(tmp_path):
    values = written(tmp_path, linear())
    before = experiment(model=values)
    text = dump(before)
    (tmp_path / "my_net.py").write_text("import torch\n" + linear() + "# edited\n")
    assert before.text("model") != experiment(model=values).text("model")
    with pytest.raises(
        InputError, match=r"is not the file that these settings are about .*; restore it, or train again"
    ):
        check(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "none/my_net.py"}, rf"path none/my_net.py: there is no file {ROOT}/none/my_net.py"),
        ({"path": "notes.txt"}, "model.path"),
        ({"name": "Nett"}, "name Nett: .*my_net.py defines Net"),
        ({"name": "a b"}, "model.name"),
        ({"arguments": {"classes": 3}}, "classes is given by the data; leave it out"),
        ({"arguments": [1]}, "model.arguments"),
        ({"width": 4}, "model.width is not a known key"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message) as refusal:
        made(written(tmp_path, linear()) | change)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def Net(:\n", r"is not Python: .*line 2"),
        ("x = 1\n", "defines x"),
        ("\0", "is not Python"),
    ],
)
def test_a_file_that_is_no_module_is_refused_before_any_job(tmp_path, body, message):
    with pytest.raises(InputError, match=message):
        made(written(tmp_path, body))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "import no_such_module\nNet = None\n",
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("raise SystemError('a\\nb')\nNet = None\n", "cannot be imported: SystemError: a b"),
        ("Net = 3\n", "Net cannot be called"),
        ("def Net(classes):\n    return 3\n", r"Net\(classes\) returns int, a torch.nn.Module is needed"),
        ("def Net():\n    return 3\n", r"Net\(classes\) fails: TypeError: .*unexpected keyword argument 'classes'"),
        ("def Net(classes):\n    return torch.nn.ReLU()\n", "has no parameters that can be trained"),
        (linear().replace("width=4", "width"), "missing 1 required positional argument: 'width'"),
    ],
)
def test_a_file_without_a_network_is_refused_in_one_line(tmp_path, body, message):
    with pytest.raises(InputError, match=message) as refusal:
        build(made(written(tmp_path, body)), 3, 0)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        ("self.layer(x.flatten(1)[:, :4])[:, :2]", r"into torch.float32 \(2, 2\); logits \(2, 3\) are needed"),
        ("(self.layer(x.flatten(1)[:, :4]), 1)", "into tuple; logits"),
        ("self.layer(x.flatten(1)[:, :4]).long()", "into torch.int64"),
        ("self.layer(x)", "the network fails on images of 32 x 32 pixels: .*mat1 and mat2"),
    ],
)
def test_an_output_that_is_no_logits_is_refused_before_training(data, params, tmp_path, forward, message):
    body = (
        f"{NET}        self.layer = torch.nn.Linear(4, classes)\n    def forward(self, x):\n        return {forward}\n"
    )
    path = params(model=written(tmp_path, body))
    refusal = call(train.main, *arguments(path, data, tmp_path / "out", "--resume", tmp_path / "states"))
    assert re.search(message, refusal)
    assert not (tmp_path / "out").exists()


def test_checking_the_output_leaves_the_network_and_the_random_state():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(900 * 4, 3))
    before, state = {k: v.clone() for k, v in net.state_dict().items()}, torch.get_rng_state()
    check_output(net, 3, 32)
    assert net.training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())


def test_a_trained_network_is_used_with_its_file_alone(data, params, tmp_path, capsys):
    values, out = written(tmp_path, linear()), tmp_path / "seed-0"
    arguments_of_train = arguments(params(model=values), data, out, "--resume", tmp_path / "states")
    assert call(train.main, *arguments_of_train) is None
    image, source = write_image(tmp_path / "a.png"), Path(values["path"])
    assert f"give the file {str(source)!r} with --network" in call(predict.main, "--model", out, image)
    moved = shutil.move(source, tmp_path / "moved.py")
    capsys.readouterr()
    assert call(predict.main, "--network", moved, "--model", out, image) is None
    assert capsys.readouterr().out.startswith("image")
    Path(moved).write_text("import torch\n" + linear("2 * width"))
    assert "is not the file that these settings are about" in call(
        predict.main, "--network", moved, "--model", out, image
    )
