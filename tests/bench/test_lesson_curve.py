"""The author's curve of the lesson as published, and a training drawn next to it."""

import sys

import lesson_curve

from dawn.results.curve import write_curve
from dawn.tasks.classify.curve import EpochMetrics


def drawn(monkeypatch, out, *curves):
    """Run the script; the lines of both panels by their names."""
    figures = []
    monkeypatch.setattr(lesson_curve, "save", lambda picture, path: figures.append((picture, path)))
    monkeypatch.setattr(sys, "argv", ["lesson_curve.py", "--out", str(out), *map(str, curves)])
    lesson_curve.main()
    ((picture, path),) = figures
    assert path == out
    return [{line.get_label(): list(map(tuple, line.get_xydata())) for line in axes.lines} for axes in picture.axes]


def test_the_authors_points_are_drawn_alone_where_nothing_is_measured(monkeypatch, tmp_path, capsys):
    losses, accuracies = drawn(monkeypatch, tmp_path / "a.png")
    published = [2.273, 1.944, 1.777, 1.634, 1.517, 1.385]
    assert losses == {"the author": [*zip(range(1, 7), published, strict=True), (11, 0.769), (21, 0.434), (30, 0.1368)]}
    assert accuracies == {"the author": [(1, 13.4), (11, 56.6), (21, 70.7), (28, 90.3), (30, 91.1)]}
    assert "not yet measured" in capsys.readouterr().out


def test_a_training_is_drawn_next_to_them(monkeypatch, tmp_path, capsys):
    curve = [EpochMetrics(i, 3.0 - i, 50.0, 1.0, a, 0.1, 0.9, 100.0, i) for i, a in enumerate([40.0, None], 1)]
    write_curve(tmp_path / "seed-3/curve.tsv", curve)
    losses, accuracies = drawn(monkeypatch, tmp_path / "a.png", tmp_path / "seed-3/curve.tsv")
    assert losses["seed-3"] == [(1, 2.0), (2, 1.0)]
    assert accuracies["seed-3"] == [(1, 40.0)]
    assert set(losses) == {"the author", "seed-3"}
    assert capsys.readouterr().out == ""
