"""Which copies of train images are found among samples, and how often real images raise a false alarm.

    PYTHONPATH=workflow python tests/bench/copies.py --data data     the table in docs/measures.md, ten minutes

Copies are planted: train images, changed as a generator may change them. One counts as found if it is more like one
train image than 99 % of the test images are. In ``twice`` each planted image is in the train split once more, with a
little noise. False alarms are those of random halves of the test images against the other halves.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dawn.measures.copying import TAIL, copied, nearest_pixels, ratio

Images = NDArray[np.uint8]
Change = Callable[[np.random.Generator, Images], Images]


def rounded(pixels: NDArray[np.floating]) -> Images:
    return np.asarray(np.rint(pixels).clip(0, 255), np.uint8)


def noise(deviation: float) -> Change:
    return lambda rng, x: rounded(x + rng.normal(0, deviation, x.shape))


def shift(down: int, right: int, mode: str = "reflect") -> Change:
    """The image further down and to the right; what comes in is the reflection, or black."""
    height = slice(4 - down, 36 - down), slice(4 - right, 36 - right)
    return lambda rng, x: np.pad(x, ((0, 0), (4, 4), (4, 4), (0, 0)), mode=mode)[:, height[0], height[1]]  # type: ignore[call-overload,no-any-return]


def mirror(rng: np.random.Generator, x: Images) -> Images:
    return x[:, :, ::-1]


def both(first: Change, second: Change) -> Change:
    return lambda rng, x: second(rng, first(rng, x))


CHANGES: dict[str, Change] = {
    "exact": lambda rng, x: x,
    "noise of 10 levels": noise(10),
    "noise of 20": noise(20),
    "noise of 40": noise(40),
    "mirrored": mirror,
    "shifted by 1 pixel": shift(0, 1),
    "shifted by 2": shift(0, -2),
    "by 2 in both directions": shift(2, -2),
    "by 2, black border": shift(-2, 2, "constant"),
    "by 3": shift(0, 3),
    "by 4": shift(4, 0),
    "mirrored, shifted by 2": both(mirror, shift(1, 2)),
    "shifted by 2, noise of 20": both(shift(2, 1), noise(20)),
    "blurred, 3 x 3 pixels": lambda rng, x: ndimage.uniform_filter(x, (0, 3, 3, 0)),
    "20 levels brighter": lambda rng, x: rounded(x + 20.0),
    "four fifths of the contrast": lambda rng, x: rounded((x - 128.0) * 0.8 + 128),
    "rotated by 5 degrees": lambda rng, x: ndimage.rotate(x, 5, (1, 2), reshape=False, mode="reflect"),
    "enlarged by 10 %": lambda rng, x: ndimage.zoom(x, (1, 1.125, 1.125, 1), order=1)[:, 2:34, 2:34],
}


def main() -> None:
    """Print which part of the copies is found, and the false alarms."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the arrays")
    parser.add_argument("--test", type=int, default=4000, help="test images")
    parser.add_argument("--copies", type=int, default=500, help="of each kind")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    train, test = (np.load(args.data / f"{name}_images.npy", allow_pickle=False) for name in ("train", "test"))
    test = test[: args.test]
    chosen = train[rng.choice(len(train), args.copies, replace=False)]
    again = np.concatenate([train, noise(5)(rng, chosen)])
    real = {name: ratio(nearest_pixels(test, split)[0]) for name, split in (("once", train), ("twice", again))}
    alarms = []
    for _ in range(2000):
        one, other = np.array_split(rng.permutation(real["once"]), 2)
        alarms.append(copied(one, other)["p"] <= 0.05)
    print(f"false alarms {100 * np.mean(alarms):.1f} %, ratios of test images at 1, 3 and 50 %:",
          *(f"{x:.2f}" for x in np.quantile(real["once"], (0.01, 0.03, 0.5))))  # fmt: skip
    for name, change in CHANGES.items():
        images = change(rng, chosen)
        found = []
        for key, split in (("once", train), ("twice", again)):
            limit = np.quantile(real[key], TAIL)
            found.append(f"{100 * (ratio(nearest_pixels(images, split)[0]) <= limit).mean():.0f}")
        print(f"| {name} | {found[0]} | {found[1]} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
