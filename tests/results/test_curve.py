"""The learning curve: written and read back, and the time to target."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dawn.core.cli import InputError
from dawn.results.curve import at_target, read_curve, write_curve
from dawn.tasks.classify.curve import EpochMetrics

COLUMNS = tuple(EpochMetrics.__annotations__)
number = st.floats(0, 1e6)
rows = st.builds(
    EpochMetrics, number, number, number, st.none() | number, st.none() | number, number, number, number, number
)


def epoch(n, accuracy):
    return EpochMetrics(n, 1.0, 50.0, None if accuracy is None else 0.3, accuracy, 0.1, 0.9, 100.0, 10.0 * n)


@given(st.lists(rows, min_size=1, max_size=5))
def test_a_curve_comes_back_as_it_was(tmp_path_factory, curve):
    path = tmp_path_factory.mktemp("curve") / "curve.tsv"
    write_curve(path, curve)
    assert read_curve(path, EpochMetrics) == curve


def test_the_columns_are_those_of_the_documentation(tmp_path):
    write_curve(tmp_path / "curve.tsv", [epoch(1, None)])
    head, row = (tmp_path / "curve.tsv").read_text().splitlines()
    assert head.split("\t") == list(COLUMNS)
    assert head.split("\t")[:5] == ["epoch", "train_loss", "train_accuracy", "loss", "accuracy"]
    assert row.split("\t")[3:5] == ["", ""]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "0 rows"),
        ("a\tb\n1\t2\n", "1 rows of 'a"),
        ("\t".join(COLUMNS) + "\n", "0 rows"),
        ("\t".join(COLUMNS) + "\n1\t2\n", "1 rows"),
        ("\t".join(COLUMNS) + "\n1\t\t3\t4\t5\t6\t7\t8\t9\n", "could not convert"),
        ("\t".join(COLUMNS) + "\n1\tx\t3\t4\t5\t6\t7\t8\t9\n", "could not convert"),
    ],
)
def test_what_is_no_curve_is_refused(tmp_path, text, why):
    path = tmp_path / "curve.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=f"curve.tsv is not the curve of a training .*{why}.*train again"):
        read_curve(path, EpochMetrics)


def test_the_time_to_target_is_the_first_monitored_epoch_at_it():
    curve = [epoch(1, 50.0), epoch(2, None), epoch(3, 94.0), epoch(4, 93.0)]
    assert at_target(map(vars, curve), 94.0) == vars(curve[2])
    assert at_target(map(vars, curve), 94.0)["seconds"] == 30
    assert at_target(map(vars, curve), 94.1) is None
