"""All measures of a set of samples, and of the sets that they are compared with, as they stand in evaluation.json.

A judge is a classifier. Its features are those of its layers ``penultimate`` and ``middle`` and, as the layer
``random``, those of a network of the same settings that was never trained. Every measure is the mean over the judges,
with each judge's own value; the intervals are over the images.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.measures.checkerboard import Images, checkerboard
from dawn.measures.classes import Labels, class_accuracy, entropy, histogram, total_variation
from dawn.measures.copying import Near, c_t, copied, nearest, nearest_pixels, ratio
from dawn.measures.estimate import Estimate, Floats, difference_of_means, distance, mean_of
from dawn.measures.frechet import frechet
from dawn.measures.kid import kid
from dawn.measures.manifold import manifold

Entry = dict[str, Any]
Ratios = NDArray[np.float64]
MAIN, COPYING = "penultimate", "middle"  # the layers of the manifold's measures, and of the nearest neighbours
SHOWN = 32  # samples whose nearest train images are listed


@dataclass(frozen=True)
class Judge:
    """The features and logits that one judge has of sets of images.

    ``layers[layer][set]``: features float32 (n, d) of the sets ``samples`` and ``test``, for ``references`` those of
    dawn.measures.image_sets in place of the samples, and of all ``train`` images in the layer ``middle``.
    ``logits[set]``: float32 (n, classes) of ``samples`` and ``test``.
    """

    layers: Mapping[str, Mapping[str, Floats]]
    logits: Mapping[str, Floats] = field(default_factory=dict)


def evaluation(
    judges: Sequence[Judge],
    images: Images,
    test: Images,
    references: Mapping[str, Mapping[str, Entry]],
    labels: Labels | None = None,
    critic: tuple[Floats, Floats] | None = None,
    neighbours: int = 5,
    *,
    train: Images,
    pixels: Ratios,
) -> dict[str, Any]:
    """The content of evaluation.json: measures of samples uint8 (n, h, w, 3) against test uint8 (m, h, w, 3).

    ``train`` uint8 (t, h, w, 3): what the generator was trained on. ``pixels`` (m,): the ratios of the test images by
    ``nearest_pixels``. ``labels`` (n,): the classes that a conditional one was asked for. ``critic``: scores of train
    images and of held-out images. ``references``: what ``references`` returned for the same judges. Each of
    ``measures`` has a value, an interval low .. high, the number n of images, the values of the judges, and the
    references.
    """
    measures = distances(judges, "samples", "test", neighbours) | class_measures(judges, "samples", labels)
    near, real = ([neighbours_of(judge, name) for judge in judges] for name in ("samples", "test"))
    seen = nearest_pixels(images, train)
    measures |= copying(near, real) | {"copied": copied(ratio(seen[0]), pixels)}
    measures |= grid(images, test)
    if critic is not None:
        # How much higher a critic scores the images that it knows (arXiv 1704.00028, section 5.2).
        measures |= with_distance("critic_gap", difference_of_means(*critic).entry())
    for name, known in references.items():
        if name in measures:
            measures[name]["references"] = dict(known)
    return {
        "images": {"samples": len(images), "test": len(test)},
        "neighbours": neighbours,
        "measures": measures,
        "classes": classes(judges, "samples"),
        **listed(seen),
    }


def references(
    judges: Sequence[Judge], images: Mapping[str, Images], labels: Labels, neighbours: int = 5, *, pixels: Ratios
) -> dict[str, dict[str, Entry]]:
    """Return what other sets of images score by each measure: ``references[measure][set]``, once for all samples.

    ``images``: ``test`` uint8 (m, h, w, 3), its classes ``labels`` (m,), and the sets of dawn.measures.image_sets.
    ``pixels`` (m,): the ratios of the test images by ``nearest_pixels``. The set ``floor`` is one half of test, drawn
    at random, against the other.
    """
    sets = {name: distances(judges, name, "test", neighbours) for name in images if name != "test"}
    first, second = np.array_split(np.random.default_rng(0).permutation(len(labels)), 2)
    halves = [Judge({layer: {"first": sets["test"][first], "second": sets["test"][second]}
                     for layer, sets in judge.layers.items()}) for judge in judges]  # fmt: skip
    near = [neighbours_of(judge, "test") for judge in judges]
    apart = [[(d[rows], i[rows]) for d, i in near] for rows in (first, second)]
    sets["floor"] = distances(halves, "first", "second", neighbours) | copying(apart[0], apart[1])
    sets["floor"]["copied"] = copied(pixels[first], pixels[second])
    zero = [(np.zeros_like(d[: len(images["copier"])]), i) for d, i in near]  # a copy's distance to train is 0
    sets["copier"] |= copying(zero, near) | {"copied": copied(np.zeros(len(images["copier"])), pixels)}
    sets["test"] = class_measures(judges, "test", labels)
    test = images["test"]
    sets["floor"] |= grid(test[first], test[second])
    for name in images.keys() - {"test"}:
        sets[name] |= grid(images[name], test)
    measures = dict.fromkeys(name for entries in sets.values() for name in entries)
    return {name: {key: entries[name] for key, entries in sets.items() if name in entries} for name in measures}


def distances(judges: Sequence[Judge], first: str, second: str, neighbours: int) -> dict[str, Entry]:
    """Kernel and Frechet distances of two sets in every layer, and the measures of the manifold in the main one."""
    measures: dict[str, Entry] = {}
    for layer in judges[0].layers:
        pairs = [(judge.layers[layer][first], judge.layers[layer][second]) for judge in judges]
        suffix = "" if layer == MAIN else f"_{layer}"
        measures[f"kid{suffix}"] = entry_of([kid(*pair) for pair in pairs])
        measures[f"fd{suffix}"] = entry_of([frechet(*pair) for pair in pairs])
        if layer == MAIN:
            by_judge = [manifold(*pair, neighbours) for pair in pairs]
            measures |= {name: entry_of([estimates[name] for estimates in by_judge]) for name in by_judge[0]}
            measures |= with_distance("density", measures["density"], 1.0)
    return measures


def class_measures(judges: Sequence[Judge], name: str, labels: Labels | None) -> dict[str, Entry]:
    """Measure one set by the classes that the judges see in it."""
    logits = [judge.logits[name] for judge in judges]
    chosen: dict[str, Callable[[Floats], Estimate]] = {"entropy": entropy, "total_variation": total_variation}
    measures = {key: entry_of([measure(x) for x in logits]) for key, measure in chosen.items()}
    if labels is not None:
        measures["class_accuracy"] = entry_of([class_accuracy(x, labels) for x in logits])
    return measures


def classes(judges: Sequence[Judge], name: str) -> list[Entry]:
    """The part of each class in one set."""
    return [entry_of(several) for several in zip(*(histogram(judge.logits[name]) for judge in judges), strict=True)]


def grid(images: Images, test: Images) -> dict[str, Entry]:
    """Checkerboards: their mean, each axis and period, and the distance of these from 0."""
    entries = checkerboard(images, test)
    return {"checkerboard" if name == "mean" else f"checkerboard_{name}": entry for name, entry in entries.items()}


def neighbours_of(judge: Judge, name: str) -> Near:
    """Distances and indices of the nearest train images."""
    features = judge.layers[COPYING]
    return nearest(features[name], features["train"])


def copying(samples: Sequence[Near], test: Sequence[Near]) -> dict[str, Entry]:
    """C_T, and the percentage of copies by features: its limits are means over the judges, its p is their largest."""
    pairs = [(made, real) for (made, _), (real, _) in zip(samples, test, strict=True)]
    by_judge = [copied(ratio(made), ratio(real)) for made, real in pairs]
    mean = {key: float(np.mean([entry[key] for entry in by_judge])) for key in ("value", "low", "high")}
    copies = mean | {"n": by_judge[0]["n"], "p": max(entry["p"] for entry in by_judge), "judges": by_judge}
    nearness = entry_of([c_t(made[:, 0], real[:, 0]) for made, real in pairs])
    return with_distance("c_t", nearness) | {f"copied_{COPYING}": copies}


def with_distance(name: str, entry: Entry, best: float = 0.0) -> dict[str, Entry]:
    """The entry of a measure that is bad on both sides of its ``best`` value, and its distance from that."""
    return {name: entry, f"{name}_distance": distance(entry, best)}


def entry_of(estimates: Sequence[Estimate]) -> Entry:
    """The mean over the judges, and the value of each."""
    return mean_of(estimates).entry() | {"judges": [estimate.entry() for estimate in estimates]}


def listed(near: Near) -> dict[str, dict[str, list[Any]]]:
    """Nearest train images of the samples with the smallest ``ratio``, in that order, and of the first samples."""
    suspicious = np.argsort(ratio(near[0]), kind="stable")[:SHOWN]
    return {"nearest": shown(near, suspicious), "nearest_of_first": shown(near, np.arange(len(suspicious)))}


def shown(near: Near, order: NDArray[np.int64]) -> dict[str, list[Any]]:
    """Some samples by their numbers, their two nearest train images, and their ``ratio``s."""
    return {"samples": order.tolist(), "train": near[1][order].tolist(), "ratio": ratio(near[0])[order].tolist()}
