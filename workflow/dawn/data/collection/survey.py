"""What a folder or an archive of images holds, and a preset that trains on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import yaml
from PIL import Image

from dawn.core.cli import InputError
from dawn.data.collection.listing import Listing, faults, left_out, listing
from dawn.data.collection.source import contents, names
from dawn.data.image_file import FORMATS, MAX_BYTES, opened

LOOKED_AT = 500  # images whose sizes are read, evenly spread
SIZES = (32, 48, 64)  # pixels that are proposed; larger ones cost time and are worth a decision
FRACTION = 0.2
COMMENTS = {
    "size": "pixels; the images are brought to this size",
    "resize": "the largest square in the middle; stretch: the whole image",
    "test_fraction": "of each class, drawn by data.test_seed; not used with a split of your own",
    "widths": "channels; each group of layers halves the image",
    "schedule": "rises for a fifth of the training, then falls to zero",
}


@dataclass(frozen=True)
class Survey:
    """The files of a source, and width and height of some of them."""

    source: Path
    found: Listing
    sizes: list[tuple[int, int]]

    @property
    def size(self) -> int:
        """The proposed size: the largest that most images have."""
        short = median(min(size) for size in self.sizes)
        return max([size for size in SIZES if size <= short], default=SIZES[0])

    @property
    def train(self) -> int:
        """Images of the train split."""
        test = self.found.test
        return (
            int((~test).sum()) if test is not None else len(self.found.names) - round(FRACTION * len(self.found.names))
        )

    def lines(self) -> list[str]:
        """What was found, in words."""
        counts = np.bincount(self.found.labels, minlength=len(self.found.classes))
        widths, heights = zip(*self.sizes, strict=True)
        split = "a train and a test split" if self.found.test is not None else "no test split"
        others = self.found.others
        return [
            f"{self.source}: {len(self.found.names):,} images of {len(self.found.classes):,} classes, "
            f"{span(counts.tolist())} for each; {split}",
            f"width {span(widths)}, height {span(heights)} pixels"
            + ("" if len(self.sizes) == len(self.found.names) else f" in {len(self.sizes)} of them"),
            *([left_out(others)] if others else []),
        ]

    def preset(self) -> str:
        """A preset for this data as YAML: a small airbench network, batch and learning rate by the number of images.

        Its whitening and large learning rate of biases make it learn from hundreds of images in a few minutes.
        """
        batch = int(2 ** np.clip(np.floor(np.log2(max(1, self.train / 16))), 2, 7))
        data = {
            "urls": [str(self.source.absolute())],
            "sha256": None,
            "bytes": None,
            "layout": "folders",
            "size": self.size,
            "resize": "crop",
            "test_fraction": FRACTION,
            "classes": None,
        }
        peak = round(0.05 * (batch / 16) ** 0.5, 3)
        schedule = {"kind": "linear", "peak": peak, "div": 5, "warmup": 0.2, "momentum": [0.85, 0.85]}
        train = {
            "epochs": 30,
            "batch": batch,
            "schedule": schedule,
            "nesterov": True,
            "bias_lr_multiplier": 16,
            "weight_decay": 5.0e-4,
            "label_smoothing": 0.1,
            "augment": {"pad": self.size // 8, "mode": "reflect", "flip": "alternating"},
        }
        model = {"family": "airbench", "widths": [32, 64, 128] if self.size == SIZES[0] else [32, 64, 128, 128]}
        values = {"data": data, "model": model, "train": train}
        text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None, width=1000)
        return "\n".join([*(f"# {line}" for line in self.lines()), *map(commented, text.splitlines()), ""])


def commented(line: str) -> str:
    """A line of a preset with the comment on its key, if there is one."""
    comment = COMMENTS.get(line.strip().partition(":")[0])
    return f"{line} # {comment}" if comment else line


def span(values: Sequence[int]) -> str:
    """``3 to 7``, or ``3`` where all are equal."""
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def survey(source: Path) -> Survey:
    """Look at a source; InputError with the images whose size cannot be read, and what ``listing`` refuses."""
    if not source.exists():
        raise InputError(f"{source} is not there; name a folder of images, or a tar or zip of one")
    found = listing(names(source), str(source))
    places = np.unique(np.linspace(0, len(found.names) - 1, min(LOOKED_AT, len(found.names)), dtype=np.int64))
    sizes, bad = [], []
    for name, content in contents(source, [found.names[i] for i in places.tolist()], MAX_BYTES + 1):
        try:
            with opened(content) as file, Image.open(file, formats=FORMATS) as image:
                sizes.append(image.size)
        except Exception as error:  # decoders of a damaged file raise whatever it leads them to
            bad.append(f"{name} ({type(error).__name__})")
    if bad:
        raise InputError(f"{source}: cannot be read: {faults(bad)}; delete or replace them")
    return Survey(source, found, sizes)
