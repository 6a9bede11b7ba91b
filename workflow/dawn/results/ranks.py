"""Whether the right class is among the likeliest ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TOP = 5


def among_top(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Return whether the label is one of the ``TOP`` likeliest classes, (n,), by logits (n, classes) and labels (n,).

    The rank of the label is the number of classes that are not less likely, itself included: a class with an equal
    logit, or one that is not a number, ranks before it. So a network that says the same of every class has no hit by
    the order of the classes, where there are more than ``TOP``.
    """
    score = np.take_along_axis(logits, labels[:, None].astype(np.int64), 1)
    rank = (~(logits < score)).sum(1)
    return np.asarray(rank <= TOP)
