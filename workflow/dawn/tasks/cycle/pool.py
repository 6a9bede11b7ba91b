"""The pool of earlier translations that a critic is trained on (Shrivastava et al., arXiv 1612.07828)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dawn.runtime.streams import stream
from dawn.tasks.cycle.layers import memory_format


class ImagePool:
    """``images`` float32 (size, 3, h, w), filled in order; all of them are in a checkpoint.

    The draws of a step are a function of the seed, the name of the pool and the step, and how many images there are
    follows from the step, so nothing else has to be saved.
    """

    def __init__(self, size: int, pixels: int, seed: int, name: str, device: torch.device) -> None:
        self.size, self.seed, self.name = size, seed, name
        self.images = torch.zeros(size, 3, pixels, pixels, device=device).to(memory_format=memory_format(device))

    def exchange(self, translations: Tensor, step: int) -> Tensor:
        """Return what the critic sees in place of the translations (b, 3, h, w) of a step: each or an older one."""
        if self.size == 0:
            return translations
        count = len(translations)
        random = stream(self.seed, "pool", self.name, step)
        chances, slots = random.random(count).tolist(), random.integers(0, self.size, count).tolist()
        seen, content = swaps(min(self.size, step * count), self.size, chances, slots)
        every = torch.cat([self.images, translations.float()])
        changed = [slot for slot, image in enumerate(content) if image != slot]
        if changed:
            self.images[changed] = every[[content[slot] for slot in changed]]
        return every[seen]


def swaps(filled: int, size: int, chances: Sequence[float], slots: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return which image the critic sees in place of each new one, and which image each slot has afterwards.

    Images are numbered: 0 to ``size`` - 1 those of the pool before, of which ``filled`` are there, then the new ones.
    While there is room a new image is stored and seen. Later it is seen where its chance, uniform in [0, 1), is at
    most 1/2; otherwise it takes the place of the image in its slot, which is seen.
    """
    content, seen = list(range(size)), []
    for i, (chance, slot) in enumerate(zip(chances, slots, strict=True)):
        new = size + i
        if filled < size:
            content[filled] = new
            filled += 1
        elif chance > 0.5:
            content[slot], new = new, content[slot]
        seen.append(new)
    return seen, content
