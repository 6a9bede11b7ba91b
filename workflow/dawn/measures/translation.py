"""All measures of the translations between two domains, as they stand in evaluation.json."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dawn.measures.estimate import Estimate, Floats, mean, mean_of
from dawn.measures.kid import kid
from dawn.measures.paired import Pixels, psnr_estimate, ssim

Entry = dict[str, Any]
DIRECTIONS = ("to_b", "to_a")
LEAST = 4  # images that a kernel distance needs


def against_truth(images: Pixels, sources: Pixels, truth: Pixels, train: Pixels) -> dict[str, Entry]:
    """PSNR and SSIM of ``images``, translations of ``sources``, all uint8 (n, h, w, 3), against the truth.

    ``references``: what the sources themselves score, and the mean of the ``train`` images of the target domain.
    """
    average = np.broadcast_to(mean_image(train), truth.shape)
    measures: dict[str, Entry] = {}
    for name, measure in (("psnr", psnr_estimate), ("ssim", ssim)):
        others = {"identity": measure(sources, truth).entry(), "mean_image": measure(average, truth).entry()}
        measures[name] = measure(images, truth).entry() | {"references": others}
    above = measures["psnr"]["value"] - measures["psnr"]["references"]["identity"]["value"]
    return measures | {"psnr_above_identity": {"value": above, "low": None, "high": None, "n": len(truth)}}


def mean_image(images: Pixels) -> Pixels:
    """The mean of images (n, h, w, 3), rounded: (h, w, 3)."""
    return np.asarray(images.mean(0, dtype=np.float64) + 0.5, np.uint8)


@dataclass(frozen=True)
class Seen:
    """A judge's view of images: features float32 (n, d), and logits float32 (n, classes)."""

    features: Floats
    logits: Floats


def by_judges(
    translated: Sequence[Seen], sources: Sequence[Seen], real: Sequence[Seen], target: Sequence[int]
) -> dict[str, Entry]:
    """Measure how far translations look like the ``target`` classes, as a mean over the judges, one ``Seen`` for each.

    target_accuracy  part of the translations in which a judge sees a class of the target
    kid              kernel distance to the ``real`` test images of the target

    ``references``: what the untranslated ``sources`` score, and what real images do: for kid, one half of them against
    the other, where there are enough.
    """

    def accuracy(seen: Sequence[Seen]) -> Estimate:
        return mean_of([in_target(judge.logits, target) for judge in seen])

    def distance(seen: Sequence[Seen], others: Sequence[Seen]) -> Estimate:
        return mean_of([kid(judge.features, other.features) for judge, other in zip(seen, others, strict=True)])

    parts = [[Seen(judge.features[first::2], judge.logits[first::2]) for judge in real] for first in (0, 1)]
    measures = {
        "target_accuracy": (accuracy(translated), {"identity": accuracy(sources), "real": accuracy(real)}),
        "kid": (distance(translated, real), {"identity": distance(sources, real)}),
    }
    if len(parts[1][0].features) >= LEAST:
        measures["kid"][1]["real"] = distance(*parts)
    return {
        name: value.entry() | {"references": {key: known.entry() for key, known in references.items()}}
        for name, (value, references) in measures.items()
    }


def in_target(logits: Floats, target: Sequence[int]) -> Estimate:
    """Part of the images (n, classes) whose most likely class is one of the target's."""
    return mean(np.isin(logits.argmax(1), target).astype(np.float64), "fraction")


def cycle_errors(errors: Mapping[str, tuple[Floats, Floats]], noise: float) -> dict[str, Entry]:
    """Mean absolute error of images translated and back, in levels of 256: without noise on the translation, and with.

    ``errors`` of each direction: (n,) without and with normal noise of standard deviation ``noise``. A generator that
    hides the source in the translation, where no one sees it, loses it in noise (arXiv 1712.02950).
    """
    measures: dict[str, Entry] = {}
    for place, name in enumerate(("cycle_error", "cycle_error_noise")):
        for direction, values in errors.items():
            measures[f"{name}_{direction}"] = mean(values[place], "positive").entry()
        measures[name] = together([measures[f"{name}_{direction}"] for direction in errors])
    measures["cycle_error_noise"]["noise"] = noise
    return measures


def both(to_b: Mapping[str, Entry], to_a: Mapping[str, Entry]) -> dict[str, Entry]:
    """The measures of both directions, and the mean of the two under each one's name."""
    measures: dict[str, Entry] = {}
    for name in to_b:
        pair = [to_b[name], to_a[name]]
        measures[name] = together(pair)
        if "references" in pair[0]:
            known = pair[0]["references"]
            measures[name]["references"] = {
                key: together([entry["references"][key] for entry in pair]) for key in known
            }
        measures |= {f"{name}_{direction}": entry for direction, entry in zip(DIRECTIONS, pair, strict=True)}
    return measures


def together(entries: list[Entry]) -> Entry:
    """The mean of two directions, whose images are not independent, so without an interval; n of both."""
    value = float(np.mean([entry["value"] for entry in entries]))
    return {"value": value, "low": None, "high": None, "n": sum(entry["n"] for entry in entries)}
