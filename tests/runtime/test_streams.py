"""Streams of random numbers: the same for the same name, unrelated for any other."""

import numpy as np

from dawn.runtime.streams import stream, torch_seed


def test_a_stream_is_a_function_of_its_name():
    assert stream(3, "crop", 1).integers(0, 2**62) == stream(3, "crop", 1).integers(0, 2**62)
    names = [(seed, purpose, epoch) for seed in range(8) for purpose in ("order", "flip") for epoch in range(8)]
    names += [(seed, "alternating flip") for seed in range(8)]
    assert len({int(stream(*name).integers(0, 2**62)) for name in names}) == len(names)


def test_no_two_steps_share_a_seed():
    """Seeds 2**18 apart collided when seed and step were shifted into one number."""
    seeds = [*range(64), *(i << 18 for i in range(1, 64)), *(i << 32 for i in range(1, 64)), 2**62 - 1]
    names = [(seed, step, rank) for seed in seeds for step in (0, 1, 2**12, 2**20) for rank in (0, 1)]
    found = {torch_seed(*name) for name in names}
    assert len(found) == len(names)
    assert all(0 <= number < 2**64 for number in found)


def test_streams_are_uncorrelated():
    one, two = (stream(0, purpose, 0).random(20_000) for purpose in ("order", "flip"))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.03
