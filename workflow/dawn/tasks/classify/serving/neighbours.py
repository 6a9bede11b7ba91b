"""The train images nearest to an image, as a network sees them."""

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from dawn.config.records import Named
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.data.splits import load_split
from dawn.tasks.classify.serving.predictor import Predictor

MOST = 10_000  # train images that are compared, evenly spread over the split
BATCH = 250  # images at once


@dataclass(frozen=True)
class Neighbour:
    """A train image uint8 (size, size, 3), its position in the split, its class, and its cosine similarity."""

    index: int
    label: str
    similarity: float
    pixels: NDArray[np.uint8]


class Neighbours:
    """The train split in the feature space of the first network, computed when first needed and then kept.

    Features are the input of the network's last linear layer, (f,), scaled to length 1; of a network without one, the
    logits. At most ``MOST`` images are kept, so memory is bounded by MOST x f x 4 bytes.
    """

    def __init__(self, predictor: Predictor, data: Path) -> None:
        images, labels = load_split(data, "train")
        classes, size = read_json(data / "dataset.json", Named)["classes"], predictor.preprocessing.size
        if tuple(classes) != predictor.classes or images.shape[1:] != (size, size, 3):
            raise InputError(f"{data} is not the data of {predictor.members[0].path}; name its directory with --data")
        self.predictor, self.images, self.labels = predictor, images, labels
        self.places = np.unique(np.linspace(0, len(images) - 1, min(MOST, len(images)), dtype=np.int64))
        self._features: Tensor | None = None
        self._lock = threading.Lock()
        linear = [module for module in predictor.members[0].net.modules() if isinstance(module, nn.Linear)]
        self.layer = linear[-1] if linear else None

    @torch.inference_mode()
    def features(self, images: NDArray[np.uint8]) -> Tensor:
        """Features float32 (n, f) of length 1, on the CPU, of images uint8 (n, size, size, 3)."""
        seen: list[Tensor] = []
        member, device = self.predictor.members[0], self.predictor.device
        with self.predictor.lock:
            hook = self.layer.register_forward_pre_hook(lambda _, args: seen.append(args[0])) if self.layer else None
            try:
                logits = member.net(member.preprocessing.input(torch.tensor(images, device=device)))
            finally:
                if hook:
                    hook.remove()
        features = seen[-1].flatten(1) if seen and len(seen[-1]) == len(images) else logits
        return functional.normalize(features.float(), dim=1).cpu()

    def nearest(self, image: NDArray[np.uint8], count: int) -> list[Neighbour]:
        """The ``count`` train images most similar to an image uint8 (size, size, 3), the nearest first."""
        with self._lock:  # the first caller computes, others wait
            if self._features is None:
                blocks = np.array_split(self.places, -(-len(self.places) // BATCH))
                self._features = torch.cat([self.features(self.images[block]) for block in blocks])
        similarity = self._features @ self.features(image[None])[0]
        values, order = similarity.topk(min(count, len(similarity)))
        nearest = zip(self.places[order.numpy()].tolist(), values.tolist(), strict=True)
        return [
            Neighbour(i, self.predictor.classes[int(self.labels[i])], value, np.array(self.images[i]))
            for i, value in nearest
        ]
