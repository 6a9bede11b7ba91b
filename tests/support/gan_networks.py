"""Networks of small GANs, and their inputs."""

import torch

from dawn.tasks.gan.networks import build
from dawn.tasks.gan.settings import Gan


def networks(architecture="lesson", size=16, classes=3, seed=0, extra=1, width=4, **gan):
    """Generator and critic of an architecture with settings over it; ``generator`` and ``critic`` are sections."""
    own = {"architecture": architecture, "width": width, "extra_layers": extra}
    sections = {name: own | gan.pop(name, {}) for name in ("generator", "critic")}
    sections["generator"] = {"latent": 6} | sections["generator"]
    return build(Gan.model_validate({**sections, "clamp": None, **gan}), classes, size, seed)


def inputs(count=8, latent=6, size=16, classes=3, dtype=torch.float32):
    """Latents (n, latent), images (n, 3, size, size) from -1 to 1, labels (n,)."""
    rng = torch.Generator().manual_seed(1)
    latents = torch.randn(count, latent, generator=rng, dtype=dtype)
    images = torch.rand(count, 3, size, size, generator=rng, dtype=dtype) * 2 - 1
    return latents, images, torch.arange(count) % classes


def parameters(net):
    return sum(p.numel() for p in net.parameters())
