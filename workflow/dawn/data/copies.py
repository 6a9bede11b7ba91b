"""Images that a data set holds more than once: reported, and refused where they are most of the test split."""

import sys
from collections.abc import Sequence

from dawn.core.cli import InputError


def check_copies(train: Sequence[bytes | str], test: Sequence[bytes | str], source: str) -> None:
    """Print how many test images are train images too, and how many train images are repeated, from their checksums.

    The first make every measure on the test split too good; the second count several times in training. InputError if
    more than half of the test images are in train.
    """
    known = set(train)
    same, repeated = sum(digest in known for digest in test), len(train) - len(known)
    if 2 * same > len(test):
        raise InputError(
            f"{source}: {same:,} of {len(test):,} test images are byte for byte in train too, so measures on them say "
            "nothing of new images; take other images for the test split"
        )
    if same:
        print(f"{same:,} of {len(test):,} test images are byte for byte in train too", file=sys.stderr)
    if repeated:
        print(f"{repeated:,} of {len(train):,} train images are there before, byte for byte", file=sys.stderr)
