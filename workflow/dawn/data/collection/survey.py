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
        """A preset for this data as YAML: a small Darknet, its batch and learning rate by the number of images."""
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
        schedule = {"kind": "one_cycle", "peak": 0.4 * batch / 128}
        train = {
            "epochs": 30,
            "batch": batch,
            "schedule": schedule,
            "weight_decay": 5.0e-4,
            "augment": {"pad": self.size // 8, "mode": "reflect", "flip": "random"},
        }
        model = {"family": "darknet", "blocks": [1, 2, 2, 1], "width": 16, "bn_momentum": 0.1}
        text = yaml.safe_dump({"data": data, "model": model, "train": train}, sort_keys=False, allow_unicode=True)
        return "\n".join([*(f"# {line}" for line in self.lines()), text])


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
