"""The simulations of intervals run, and the figures of the documentation are theirs."""

import numpy as np
from intervals import TABLES, accuracies, covered, needed


def test_every_table_has_rows_of_its_columns():
    for table in TABLES.values():
        rows = table(20)
        head = next(rows)
        assert len(next(rows)) == len(head)


def test_the_interval_of_an_accuracy_covers_it():
    rows = accuracies(np.random.default_rng(0), 0.94, 0.005, 1000, (2000, 5))
    coverage, width, known = covered(rows, 94, "percent", 1000)
    assert 93.5 < coverage < 96.5
    assert 1.5 < width < 2.6
    assert known == 100


def test_the_seeds_in_the_documentation_are_those_that_are_needed():
    """Before: 11, 16, 3 and 5 in all cases."""
    _, *rows = needed(0)
    assert rows == [(0.2, 1, 12, 11), (0.2, 5, 17, 16), (0.5, 1, 4, 4), (0.5, 5, 6, 5)]
