"""Random numbers as functions of what they are for: no random state is ever saved, and a resumed run draws the same.

Each draw has a stream of its own, named by the seed, its place in the training and its purpose. So a new draw changes
none of the others, and equal numbers in two names never give the same stream.
"""

import hashlib

import numpy as np


def number(bits: int, *name: int | str) -> int:
    """Return the number of ``bits`` bits (a multiple of 8) that a name stands for: its BLAKE2b hash."""
    return int.from_bytes(hashlib.blake2b(repr(name).encode(), digest_size=bits // 8).digest())


def stream(*name: int | str) -> np.random.Generator:
    """Return the generator of a name, such as ``stream(seed, "crop", epoch)``."""
    return np.random.default_rng(number(128, *name))


def torch_seed(seed: int, step: int, rank: int) -> int:
    """Return the seed of torch's generators for one step of one process: 0 .. 2**64 - 1, as torch takes them."""
    return number(64, seed, "step", step, rank)
