"""What a folder or an archive of images holds, and a preset that trains on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import yaml

from dawn.config.sections import Data
from dawn.core.cli import InputError
from dawn.data.collection.listing import Listing, left_out, listing
from dawn.data.collection.reader import in_test_split, unreadable
from dawn.data.collection.source import contents, names
from dawn.data.image_file import MAX_BYTES, read_size
from dawn.data.stratified import check_both

READ = 2000  # images up to which all are read; of more, as many, evenly spread
SIZES = (32, 48, 64)  # pixels that are proposed; larger ones cost time and are worth a decision
FRACTION = 0.2
COMMENTS = {
    "size": "pixels; the images are brought to this size",
    "resize": "the largest square in the middle; stretch: the whole image",
    "test_fraction": "of each class, drawn by data.test_seed; not used with a split of your own",
    "skip_broken": "true leaves out images that cannot be read",
    "classes": "those of the folders",
    "widths": "channels; each group of layers halves the image",
    "target": "an accuracy in percent for which the time to it is reported, if you have one",
    "schedule": "rises for a fifth of the training, then falls to zero",
}


@dataclass(frozen=True)
class Survey:
    """The files of a source that can be read, the images of its train split, and width and height of some of them."""

    source: Path
    listing: Listing
    train: int
    sizes: list[tuple[int, int]]
    classes: Sequence[str] | None
    skip_broken: bool

    @property
    def size(self) -> int:
        """The proposed size: the largest that most images have."""
        short = median(min(size) for size in self.sizes)
        return max([size for size in SIZES if size <= short], default=SIZES[0])

    def lines(self) -> list[str]:
        """Say what the folder or archive holds."""
        counts = np.bincount(self.listing.labels, minlength=len(self.listing.classes))
        widths, heights = zip(*self.sizes, strict=True)
        split = "a train and a test split" if self.listing.test is not None else "no test split"
        part = "" if len(self.sizes) == len(self.listing.names) else f" in the {len(self.sizes):,} that were read"
        return [
            f"{self.source}: {len(self.listing.names):,} images of {len(self.listing.classes):,} classes, "
            f"{span(counts.tolist())} for each; {split}",
            self.listing.described(),
            f"width {span(widths)}, height {span(heights)} pixels{part}",
            *left_out(self.listing),
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
            "skip_broken": self.skip_broken,
            "classes": list(self.classes) if self.classes else None,
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
            "precision": "auto",
        }
        model = {"family": "airbench", "widths": [32, 64, 128] if self.size == SIZES[0] else [32, 64, 128, 128]}
        values = {"data": data, "model": model, "train": train, "evaluate": {"target": None}}
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


def survey(source: Path, classes: Sequence[str] | None = None, skip_broken: bool = False) -> Survey:
    """Look at a source, of these classes if any; InputError on images that cannot be read unless they are skipped.

    What else training would refuse is refused: no class folders, a class without an image for one of the splits.
    """
    entries = listing(*names(source), str(source), classes)
    data = Data(urls=(str(source),), layout="folders", size=SIZES[0])
    every = {entries.names[i] for i in np.linspace(0, len(entries.names) - 1, READ, dtype=np.int64)}
    looked_at = entries.kept(set(entries.names) - every)
    if (broken := unreadable(source, looked_at, data)) and not skip_broken:
        raise InputError(
            f"{source}: {len(broken):,} images cannot be read; delete or replace them, or leave them out with "
            "--skip-broken"
        )
    entries, looked_at = entries.kept(broken), looked_at.kept(broken)
    test = in_test_split(entries, FRACTION, 0)
    check_both(entries.labels, test, entries.classes, str(source))
    sizes = [read_size(content) for _, content in contents(source, looked_at.names, MAX_BYTES + 1)]
    return Survey(source, entries, int((~test).sum()), sizes, classes, skip_broken)
