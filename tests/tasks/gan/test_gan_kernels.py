"""Custom kernels in the training of a GAN: gan.custom_kernels."""

import pytest
import torch
from gan_training import FULL_GAN, ready_gan, resumed_gan, trained_gan

from dawn.config.experiment import merge
from dawn.kernels import compiled, winograd
from dawn.tasks.gan.layers import Conv

CUSTOM = {
    "generator": {"architecture": "sn_cnn", "upsampling": "bilinear", "width": 24, "ema": 0.9},
    "critic": {"architecture": "sn_cnn", "width": 24, "spectral_norm": True},
    "loss": "hinge", "clamp": None, "share_samples": True, "conditional": True, "epochs": 1.5,
    "precision": "bf16", "custom_kernels": True,
}  # fmt: skip


def convolutions(net):
    return [layer for layer in net.modules() if isinstance(layer, Conv)]


@pytest.mark.usefixtures("avx512")
def test_a_training_is_the_same_up_to_rounding_and_continues_bit_for_bit(data, tmp_path):
    ours = trained_gan(data, tmp_path / "custom", **CUSTOM)
    plain = trained_gan(data, tmp_path / "plain", **(CUSTOM | {"custom_kernels": False}))
    assert ours.note is None
    # only the first steps, since RMSprop amplifies rounding
    losses = [[row[2] for row in trainer.trace[:2]] for trainer in (plain, ours)]
    assert losses[0] == pytest.approx(losses[1], rel=5e-3)
    assert losses[0] != losses[1]  # they ran
    resumed = resumed_gan(data, tmp_path / "resumed", (3,), **CUSTOM)
    assert resumed.trace == ours.trace
    weights = [trainer.task.state.generator.state_dict().values() for trainer in (ours, resumed)]
    assert all(map(torch.equal, *weights))


@pytest.mark.usefixtures("avx512")
def test_they_compute_the_large_3x3_convolutions_of_both_networks(data, tmp_path):
    state = ready_gan(data, tmp_path, **CUSTOM).task.state
    for net in (state.generator, state.critic):
        for layer in convolutions(net):
            small = 3 in (layer.in_channels, layer.out_channels)  # the critic's first, the generator's last
            assert (layer.kernel is winograd.convolution) == (layer.kernel_size == (3, 3) and not small)
        assert any(layer.kernel for layer in convolutions(net))


@pytest.mark.usefixtures("avx512")
def test_samples_are_made_by_pytorchs_layers(data, tmp_path):
    generator = ready_gan(data, tmp_path, **CUSTOM).task.state.generator.eval()
    latents, labels = torch.randn(2, 8), torch.tensor([0, 1])
    images = generator(latents, labels)
    for layer in convolutions(generator):
        layer.kernel = None
    assert torch.equal(images, generator(latents, labels))


@pytest.mark.parametrize(
    ("gan", "reason"),
    [({"precision": "fp32"}, "they are for a CPU and gan.precision bf16"),
     ({"precision": "bf16"}, "they have no second derivatives, which gan.penalty needs")],
)  # fmt: skip
def test_why_they_cannot_be_had(data, tmp_path, gan, reason):
    trainer = ready_gan(data, tmp_path, **merge(FULL_GAN, gan | {"custom_kernels": True}))
    assert trainer.note == f"gan.custom_kernels has no effect: {reason}"
    assert not any(layer.kernel for layer in convolutions(trainer.task.state.critic))


def test_a_compiler_that_is_missing_is_named(data, tmp_path, monkeypatch):
    compiled.library.cache_clear()
    monkeypatch.setenv("CXX", "no-such-compiler")
    note = ready_gan(data, tmp_path, **CUSTOM).note
    assert note.startswith("gan.custom_kernels has no effect: the C++ compiler no-such-compiler cannot be used")
