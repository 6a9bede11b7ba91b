"""Features of every family of classifiers: the right layers, in the right precision, for any number of images."""

import numpy as np
import pytest
import torch
from conftest import experiment
from torch import nn
from torch.nn import functional as F

from dawn.data.dataset import Split
from dawn.tasks.classify.networks.build import build
from dawn.tasks.generative.features import Extractor, executed, untrained

MEAN, STD = torch.tensor([0.5, 0.5, 0.5]), torch.tensor([0.25, 0.2, 0.25])
FAMILIES = {
    "darknet": {"family": "darknet", "blocks": [1, 1], "width": 4},
    "wrn": {"family": "wrn", "depth": 10, "width": 0.5},
    "airbench": {"family": "airbench", "widths": [4, 8, 8]},
    "torchvision": {"family": "torchvision", "name": "squeezenet1_1", "cifar_stem": False},
    "file": {"family": "file", "path": "workflow/networks/plain.py", "name": "plain", "arguments": {"widths": [4, 8]}},
}


def settings(family, **evaluate):
    return experiment(model=FAMILIES[family], evaluate={"batch": 7, "precision": "fp32"} | evaluate)


def images(n, size=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def inputs(pixels):
    return (torch.tensor(pixels).permute(0, 3, 1, 2) / 255 - MEAN[:, None, None]) / STD[:, None, None]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_penultimate_features_give_the_logits(family):
    chosen = settings(family)
    net = build(chosen.model, 3, 0).eval()
    pixels = images(17, 64)
    with torch.no_grad():
        expected = net(inputs(pixels))
    found = Extractor(net, chosen, MEAN, STD)(pixels)
    assert found.logits == pytest.approx(expected.numpy(), abs=1e-4)
    assert found.penultimate.dtype == found.middle.dtype == np.float32
    assert len(found.penultimate) == len(found.middle) == 17
    assert found.middle.std(0).max() > 0
    last = executed(net, lambda: net(inputs(pixels[:1])))[-1]
    if isinstance(last, nn.Linear):
        with torch.no_grad():
            assert last(torch.tensor(found.penultimate)).numpy() == pytest.approx(expected.numpy(), abs=1e-4)
    else:  # SqueezeNet ends in a 1x1 convolution, ReLU and an average
        assert found.penultimate.shape == (17, 512)


def test_the_middle_layer_is_the_input_of_the_convolution_halfway():
    chosen = settings("airbench")
    net = build(chosen.model, 3, 0).eval()
    convolutions = [i for i, module in enumerate(net) if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len(convolutions) == 8
    pixels = images(5)
    with torch.no_grad():
        expected = net[: convolutions[4]](inputs(pixels)).mean((2, 3))
    assert Extractor(net, chosen, MEAN, STD)(pixels).middle == pytest.approx(expected.numpy(), abs=1e-5)


class Tokens(nn.Module):
    """Three layers in another order than that of their use, the second on tokens (b, t, c), the last in place."""

    def __init__(self):
        super().__init__()
        self.head, self.middle, self.stem, self.unused = (nn.Linear(a, b) for a, b in ((6, 3), (5, 6), (3, 5), (2, 2)))

    def forward(self, x):
        tokens = self.stem(x.flatten(2).transpose(1, 2)).relu_()
        return self.head(self.middle(tokens).mean(1).relu_())


def test_layers_are_taken_in_the_order_of_execution_and_averaged_over_tokens():
    net, chosen = Tokens(), settings("darknet")
    assert executed(net, lambda: net(torch.zeros(1, 3, 4, 4))) == [net.stem, net.middle, net.head]
    pixels = images(9, 8)
    with torch.no_grad():
        tokens = F.relu(net.stem(inputs(pixels).flatten(2).transpose(1, 2)))
        last = F.relu(net.middle(tokens).mean(1))
    found = Extractor(net, chosen, MEAN, STD)(pixels)
    assert found.middle == pytest.approx(tokens.mean(1).numpy(), abs=1e-5)
    assert found.penultimate == pytest.approx(last.numpy(), abs=1e-5)


def test_features_do_not_depend_on_the_batch_but_on_the_precision():
    net = build(settings("wrn").model, 3, 0)
    one, other = (Extractor(net, settings("wrn", batch=b), MEAN, STD)(images(12)) for b in (5, 12))
    assert one.penultimate == pytest.approx(other.penultimate, abs=1e-5)
    half = Extractor(net, settings("wrn", precision="bf16"), MEAN, STD)(images(12))
    assert half.penultimate.dtype == np.float32
    assert not np.array_equal(half.penultimate, other.penultimate)
    assert half.penultimate == pytest.approx(other.penultimate, abs=0.1)


def test_a_network_without_convolutions_or_linear_layers_is_refused():
    with pytest.raises(ValueError, match="no layer to take features of"):
        Extractor(nn.Flatten(), settings("darknet"), MEAN, STD)(images(2))


@pytest.mark.parametrize("family", ["airbench", "wrn"])
def test_an_untrained_network_is_that_of_the_seed_with_statistics_of_the_images(family):
    chosen = settings(family)
    train = Split(torch.tensor(images(300)), torch.arange(300) % 3, MEAN, STD)
    before = torch.random.get_rng_state()
    net, again, other = (untrained(chosen, 3, seed, train) for seed in (0, 0, 1))
    assert (torch.random.get_rng_state() == before).all()
    states = [each.state_dict() for each in (net, again, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not all(torch.equal(states[0][name], states[2][name]) for name in states[0])
    built = dict(build(chosen.model, 3, 0).named_parameters())
    for name, parameter in net.named_parameters():
        assert torch.equal(parameter, built[name]) == (not (family == "airbench" and name == "0.weight"))
    assert not net.training
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(norm.running_mean.abs().max() > 0 for norm in norms)
    features = Extractor(net, chosen, MEAN, STD)(images(100, seed=1)).penultimate
    assert (features.std(0) > 1e-3).mean() > 0.8


def test_features_are_in_units_of_their_root_mean_square():
    chosen = settings("wrn")
    net = build(chosen.model, 10, 0)
    plain, scaled = (Extractor(net, chosen, MEAN, STD) for _ in range(2))
    scaled.set_units(images(20))
    one, other = plain(images(20)), scaled(images(20))
    for layer in ("penultimate", "middle"):
        assert np.square(getattr(other, layer)).mean() == pytest.approx(1, rel=1e-5)
        ratio = getattr(one, layer) / np.where(getattr(other, layer) == 0, np.nan, getattr(other, layer))
        assert np.nanstd(ratio) < 1e-4 * np.nanmean(ratio)
    np.testing.assert_array_equal(one.logits, other.logits)
