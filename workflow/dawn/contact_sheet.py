"""Draw a contact sheet of training images: originals, and how the augmentation shows them to the network.

    python -m dawn.contact_sheet --params results/params.yaml --data data --stats data/stats.json
        --out results/plots/images.png

The images go through the code that training runs, with the random draws of the first seed's first epochs. Then the
normalisation is undone.
"""

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dawn.config.augment import Augment
from dawn.config.experiment import Experiment
from dawn.config.experiment import load as load_experiment
from dawn.config.records import Named
from dawn.core import cli
from dawn.core.reading import read_json
from dawn.data.augment import Draws, draw
from dawn.data.augmentations import active
from dawn.data.dataset import Trainset, load
from dawn.report.style import save
from dawn.tasks.classify.figures.images import sheet
from dawn.tasks.classify.schedule import image_size
from dawn.tasks.classify.settings import Train

EPOCHS = 8
ROWS = 8


def chosen(labels: Tensor, rows: int) -> list[int]:
    """The first image of each class in turn, then the second, until there are ``rows``; ``labels`` (n,)."""
    chosen: list[int] = []
    places = [torch.nonzero(labels == label).flatten().tolist() for label in range(int(labels.max()) + 1)]
    for turn in range(max(len(place) for place in places)):
        chosen += [place[turn] for place in places if turn < len(place)]
    return chosen[:rows]


def pixels(images: Tensor, mean: Tensor, std: Tensor) -> NDArray[np.float32]:
    """Normalised (b, 3, h, w) back to [0, 1], (b, h, w, 3)."""
    shown = images.float().cpu() * std[:, None, None] + mean[:, None, None]
    back: NDArray[np.float32] = shown.clamp(0, 1).permute(0, 2, 3, 1).numpy()
    return back


def seen(trainset: Trainset, wanted: list[int], sizes: list[int]) -> list[NDArray[np.float32]]:
    """The wanted images in the first epochs, an array (images, size, size, 3) for each of ``sizes`` in pixels."""
    split = trainset.split
    shown = []
    for epoch, size in enumerate(sizes):
        trainset.resize(size)
        draws = draw(len(split), trainset.augment, trainset.seed, epoch)
        place = torch.empty(len(split), dtype=torch.int64)
        place[draws.order] = torch.arange(len(split))
        picked = Draws(*(t[place[wanted]] for t in draws))
        images, _ = trainset.cut(picked, 0, len(wanted))
        shown.append(pixels(images, split.mean, split.std))
    return shown


def sizes(settings: Train, trainset: Trainset) -> list[int]:
    """The image size, in pixels, at the start of each epoch that is shown."""
    steps = max(1, math.ceil(settings.epochs * trainset.steps - 1e-9))
    epochs = min(EPOCHS, math.ceil(settings.epochs))
    return [image_size(epoch * trainset.steps, steps, settings.sizes, trainset.whole) for epoch in range(epochs)]


def settings_text(augment: Augment, pixels: list[int]) -> str:
    """The augmentation on one line, and the image sizes where they change."""
    parts = [f"crop: pad {augment.pad}, {augment.mode}"] if augment.pad else []
    parts += [f"flip: {augment.flip}"] if augment.flip != "none" else []
    parts += [f"{name}: {getattr(augment, name):g}" for name in active(augment)]
    parts += [f"pixels: {', '.join(map(str, dict.fromkeys(pixels)))}"] if len(set(pixels)) > 1 else []
    return "; ".join(parts) or "no augmentation"


def render(experiment: Experiment, data: Path, stats: Path, out: Path) -> None:
    """Read the train split, augment some of its images and write the figure."""
    split = load(data, stats, "train", torch.device("cpu"))
    settings, names = experiment.train, read_json(data / "dataset.json", Named)["classes"]
    trainset = Trainset(split, settings.augment, experiment.seeds[0], settings.batch)
    wanted = chosen(split.labels, ROWS)
    labels = [names[split.labels[i]] for i in wanted]
    originals = split.images[wanted].numpy()
    sides = sizes(settings, trainset)
    save(sheet(originals, seen(trainset, wanted, sides), labels, settings_text(settings.augment, sides)), out)


def main() -> None:
    """Parse the command line and draw."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data", "stats")
    cli.add_out(parser, "the figure, in the format of its suffix")
    args = parser.parse_args()
    render(load_experiment(args.params), args.data, args.stats, args.out)


if __name__ == "__main__":
    cli.run(main)
