"""The initial weights of every layer against the formulas of PyTorch 0.3 and of today, written from their sources.

PyTorch 0.3: a convolution, transposed or not, and a linear layer draw weights and biases from U(-b, b) with
b = 1 / sqrt(inputs k^2); batch norm draws its scales from U(0, 1). Today a transposed convolution has
b = 1 / sqrt(outputs k^2), and the scales are 1.
"""

import math
from importlib import import_module

import pytest
import torch
from conftest import ROOT, experiment
from scipy.stats import kstest, norm, uniform
from torch import nn

from dawn.config.experiment import check, merge, read
from dawn.core.cli import InputError
from dawn.tasks.classify.networks.build import build
from dawn.tasks.gan import networks as gan_networks

BASE = read(ROOT / "params.yaml")
PRESETS = {path.stem: path for path in sorted((ROOT / "workflow/presets").glob("*.yaml"))}
LESSON = {"family": "darknet", "blocks": [1, 1], "width": 8}
FAMILIES = {
    "darknet": LESSON,
    "wrn": {"family": "wrn", "depth": 10, "width": 1},
    "airbench": {"family": "airbench", "widths": [8, 16], "bn_scale": True},
    "torchvision": {"family": "torchvision", "name": "shufflenet_v2_x0_5"},
    "file": {"family": "file", "path": "workflow/networks/plain.py", "name": "plain"},
}
SURE = 1e-6  # a test over a hundred layers fails by chance once in 10,000


def network(seed=0, **model):
    return build(experiment(model=model).model, 10, seed)


def bound(layer, old):
    """The b of a layer's U(-b, b)."""
    inputs, *size = (layer.in_features,) if isinstance(layer, nn.Linear) else (layer.in_channels, *layer.kernel_size)
    if isinstance(layer, nn.ConvTranspose2d) and not old:
        inputs = layer.out_channels
    return 1 / math.sqrt(inputs * math.prod(size))


def assert_uniform(values, low, high):
    values = values.detach().flatten()
    assert low <= float(values.min()) <= float(values.max()) <= high
    assert kstest(values.numpy(), uniform(low, high - low).cdf).pvalue > SURE


def assert_drawn(net, old):
    """Every layer of a network has the distribution of that time."""
    scales, layers = [], 0
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            limit, layers = bound(layer, old), layers + 1
            assert_uniform(torch.cat([p.flatten() for p in layer.parameters()]), -limit, limit)
        elif isinstance(layer, nn.BatchNorm2d) and layer.affine:
            scales.append(layer.weight)
            assert not layer.bias.any()
    found = torch.cat(scales)
    assert_uniform(found, 0, 1) if old else None
    assert old or bool((found == 1).all())
    assert layers > 3


@pytest.mark.parametrize(("bn_init", "old"), [("uniform", True), ("ones", False)])
def test_the_lessons_network(bn_init, old):
    assert_drawn(network(**LESSON, bn_init=bn_init), old)


def test_params_yaml_is_the_lessons_network_of_its_time():
    settings = check(BASE)
    assert (settings.model.bn_init, settings.train.precision) == ("uniform", "fp32")


@pytest.mark.parametrize("model", FAMILIES.values(), ids=FAMILIES)
def test_the_scales_are_drawn_last_and_nothing_else_changes(model):
    ones, drawn = (network(1, **model, bn_init=kind).state_dict() for kind in ("ones", "uniform"))
    changed = {name for name in ones if not torch.equal(ones[name], drawn[name])}
    net = network(1, **model)
    scales = {f"{name}.weight" for name, layer in net.named_modules() if isinstance(layer, nn.BatchNorm2d)}
    assert changed == scales != set()
    assert_uniform(torch.cat([drawn[name] for name in scales]), 0, 1)
    assert all(bool((ones[name] == 1).all()) for name in scales)


@pytest.mark.parametrize("name", [n for n, path in PRESETS.items() if "task" not in read(path) and n != "lesson-cpu"])
def test_a_preset_draws_what_its_family_draws_and_no_more(name):
    model = check(merge(BASE, read(PRESETS[name]))).model
    if model.family in ("darknet", "wrn"):
        model = model.model_copy(update={"width": 2})
    family = import_module(f"dawn.tasks.classify.networks.{model.family}.network")
    torch.manual_seed(2)
    plain = family.build(model, 10)
    assert all(torch.equal(a, b) for a, b in zip(plain.state_dict().values(), build(model, 10, 2).state_dict().values(),
                                                 strict=True))  # fmt: skip
    assert all(bool((m.weight == 1).all()) for m in plain.modules() if isinstance(m, nn.BatchNorm2d))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"family": "airbench", "bn_init": "uniform"}, "set bn_scale to true"),
        ({"family": "torchvision", "name": "squeezenet1_1", "bn_init": "uniform"},
         "torchvision squeezenet1_1 has no batch norm whose scales are trained; set it to ones"),
        ({"family": "darknet", "blocks": [1], "bn_init": "zeros"}, "model.bn_init = \"zeros\""),
    ],
)  # fmt: skip
def test_scales_that_cannot_be_drawn_are_refused(model, words):
    with pytest.raises(InputError, match="bn_init") as refusal:
        network(**model)
    assert words in str(refusal.value)


def test_convolutions_of_a_wide_resnet():
    model = {"family": "wrn", "depth": 10, "width": 2}
    fans = []
    for init, kind in (("he", norm), ("torch", uniform)):
        for layer in network(**model, init=init).modules():
            if isinstance(layer, nn.Conv2d):
                fan_in = layer.weight[0].numel()
                fans.append(fan_in)
                limit = fan_in**-0.5
                law = norm(0, math.sqrt(2 / fan_in)) if kind is norm else uniform(-limit, 2 * limit)
                assert kstest(layer.weight.detach().flatten().numpy(), law.cdf).pvalue > SURE
    assert len(set(fans)) > 3


def lesson_gan(init, conditional=False, width=8):
    gan = {"task": "gan", "gan": {"init": init, "conditional": conditional, "generator": {"width": width},
                                  "critic": {"width": width}}}  # fmt: skip
    return gan_networks.build(experiment(**gan).gan, 10, 32, 0)


@pytest.mark.parametrize(("init", "old"), [("torch0.3", True), ("torch", False)])
def test_both_networks_of_the_lessons_gan(init, old):
    for net in lesson_gan(init):
        assert_drawn(net, old)


def test_scales_for_each_class_are_scales():
    generator, _ = lesson_gan("torch0.3", conditional=True)
    assert_uniform(torch.cat([p.flatten() for name, p in generator.named_parameters() if name.endswith("gain")]), 0, 1)


@pytest.mark.parametrize(
    ("init", "low", "high", "bright"), [("torch0.3", 0.14, 0.18, 0.001), ("torch", 0.65, 0.72, 0.3)]
)
def test_the_first_images_of_the_lessons_gan(init, low, high, bright):
    generator, _ = lesson_gan(init, width=64)
    torch.manual_seed(0)
    with torch.no_grad():
        images = generator(torch.randn(64, 100), torch.zeros(64, dtype=torch.int64))
    assert low < float(images.std()) < high
    beyond = float((images.abs() > 0.9).float().mean())
    assert beyond < bright
    assert init == "torch0.3" or beyond > 0.2
