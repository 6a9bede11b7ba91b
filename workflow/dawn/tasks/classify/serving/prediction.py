"""What networks predict for image files, and how it is printed: a table, JSON or CSV."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from dawn.core.cli import InputError, printable
from dawn.core.files import table_text
from dawn.data.image_file import read_image
from dawn.tasks.classify.serving.predictor import Predictor

CHUNK = 256  # files in memory at once
SPREAD = ("std", "agreement")  # of several networks


@dataclass(frozen=True)
class Prediction:
    """The most likely class of one image; probabilities are means over the networks.

    ``std`` is the sample standard deviation over the networks of the probability of ``top``, ``agreement`` the
    fraction of networks whose own most likely class is ``top``; both are None for a single network.
    """

    image: str
    top: str
    probability: float
    std: float | None
    agreement: float | None
    probabilities: dict[str, float]  # most likely first


def summarized(image: str, classes: Sequence[str], probabilities: Tensor) -> Prediction:
    """The prediction that the probabilities (networks, classes) of one image come to."""
    mean = probabilities.double().mean(0)
    best = int(mean.argmax())
    several = len(probabilities) > 1
    return Prediction(
        image,
        classes[best],
        float(mean[best]),
        float(probabilities[:, best].double().std()) if several else None,
        float((probabilities.argmax(1) == best).double().mean()) if several else None,
        {classes[int(i)]: float(mean[i]) for i in mean.argsort(descending=True, stable=True)},
    )


def predictions(predictor: Predictor, files: Sequence[Path], faults: list[str]) -> Iterator[Prediction]:
    """The predictions for image files in their order; why a file cannot be used is appended to ``faults``."""
    size, resize = predictor.preprocessing.size, predictor.preprocessing.resize
    for start in range(0, len(files), CHUNK):
        images, names = [], []
        for path in files[start : start + CHUNK]:
            try:
                images.append(read_image(path, size, resize))
            except InputError as error:
                faults.append(f"{printable(str(path))}: {error}")
            else:
                names.append(str(path))
        if images:
            answers = predictor.probabilities(np.stack(images)).transpose(0, 1)
            for name, answer in zip(names, answers, strict=True):
                yield summarized(name, predictor.classes, answer)


def as_json(predictions: Sequence[Prediction], classes: Sequence[str], top: int) -> str:
    """A list of objects, indented; the ``top`` most likely classes of each image."""
    return json.dumps([_plain(one, top) for one in predictions], indent=2) + "\n"


def _plain(one: Prediction, top: int) -> dict[str, Any]:
    values = asdict(one) | {"probabilities": dict(list(one.probabilities.items())[:top])}
    return {{"top": "class"}.get(key, key): value for key, value in values.items() if value is not None}


def as_csv(predictions: Sequence[Prediction], classes: Sequence[str], top: int) -> str:
    """A row an image: path, class, probability, spread over the networks, then the probability of every class."""
    columns = ["image", "class", "probability", *SPREAD, *(f"p({name})" for name in classes)]
    rows = [(one.image, one.top, one.probability, one.std, one.agreement, *map(one.probabilities.get, classes))
            for one in predictions]  # fmt: skip
    return table_text(columns, rows)


def as_table(predictions: Sequence[Prediction], classes: Sequence[str], top: int) -> str:
    """Aligned columns to read: the ``top`` most likely classes, and with several networks their spread."""
    several = any(one.std is not None for one in predictions)
    rows = [["image", "class", "probability", *([*SPREAD] if several else []), "then"]]
    for one in predictions:
        _, *others = list(one.probabilities.items())[:top]
        spread = [f"{100 * (one.std or 0):.1f} %", f"{100 * (one.agreement or 0):.0f} %"] if several else []
        then = ", ".join(f"{name} {100 * p:.1f} %" for name, p in others)
        rows.append([printable(one.image), one.top, f"{100 * one.probability:.1f} %", *spread, then])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


FORMATS = {"table": as_table, "json": as_json, "csv": as_csv}
