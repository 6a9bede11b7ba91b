"""The misclassified test images: which they are, how wrong, and the files that they come from."""

import csv

import numpy as np
import pytest
from matplotlib.text import Text

from dawn.core.cli import InputError
from dawn.core.files import write_table
from dawn.data.file_names import file_names
from dawn.tasks.classify.mistakes import mistakes, write_mistakes
from dawn.tasks.classify.plot import draw_mistakes, end_of

CLASSES = ["cat", "dog", "=1+1"]
NAMES = ["a,b.jpg", "=cmd.jpg", "猫/1.jpg", 'say "x".jpg', "e.jpg", "f.jpg"]
LABELS = np.array([0, 1, 2, 0, 1, 2], np.uint8)


def write(folder, logits, names=NAMES, labels=LABELS):
    folder.mkdir()
    np.savez(folder / "predictions.npz", logits=logits.astype(np.float32), labels=labels, files=np.array(names))
    return folder


def test_mistakes_are_those_of_the_mean_probabilities_the_largest_loss_first(tmp_path):
    logits = np.random.default_rng(0).normal(size=(3, 6, 3)).astype(np.float32) * 2
    seeds = [write(tmp_path / f"seed-{n}", values) for n, values in enumerate(logits)]
    mean = (np.exp(logits) / np.exp(logits).sum(2, keepdims=True)).mean(0)
    wrong = [row for row in range(6) if mean[row].argmax() != LABELS[row]]
    assert 1 < len(wrong) < 6
    wrong.sort(key=lambda row: mean[row, LABELS[row]])
    assert [(m.row, m.path, m.label, m.prediction) for m in mistakes(seeds)] == [
        (row, NAMES[row], LABELS[row], mean[row].argmax()) for row in wrong
    ]
    for mistake in mistakes(seeds):
        assert mistake.probability == pytest.approx(mean[mistake.row].max(), rel=1e-5)
        assert mistake.loss == pytest.approx(-np.log(mean[mistake.row, mistake.label]), rel=1e-5)


def test_the_table_names_any_file_and_any_class(tmp_path):
    logits = 2000 * np.eye(3)[[1, 0, 0, 1, 2, 2]]  # probabilities that are 0 in float64
    write_mistakes(tmp_path / "mistakes.csv", [write(tmp_path / "seed-0", logits)], CLASSES)
    with (tmp_path / "mistakes.csv").open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["path", "label", "prediction", "probability", "loss"]
    assert [row[0] for row in rows] == ["a,b.jpg", "'=cmd.jpg", "猫/1.jpg", 'say "x".jpg', "e.jpg"]
    assert rows[-1] == ["e.jpg", "dog", "'=1+1", "1.000000", "2000.000000"]


def test_no_mistake_is_an_empty_table(tmp_path):
    write_mistakes(tmp_path / "mistakes.csv", [write(tmp_path / "seed-0", np.eye(3)[LABELS])], CLASSES)
    assert (tmp_path / "mistakes.csv").read_text() == "path,label,prediction,probability,loss\n"


def test_seeds_of_different_images_are_refused(tmp_path):
    first = write(tmp_path / "seed-0", np.eye(3)[LABELS])
    for number, other in enumerate(({"names": NAMES[::-1]}, {"labels": LABELS[::-1]})):
        seed = write(tmp_path / f"seed-1{number}", np.eye(3)[LABELS], **other)
        with pytest.raises(InputError, match="are of different test images; delete both"):
            mistakes([first, seed])


def test_the_names_of_a_split_are_those_of_its_arrays(tmp_path):
    assert file_names(tmp_path, "test", 2) == ["test/0", "test/1"]
    rows = [("train", 0, "cat", "cat/0.jpg"), ("test", 0, "cat", "cat/1.jpg"), ("test", 1, "dog", "=a\tb.jpg")]
    write_table(tmp_path / "files.tsv", ("split", "row", "class", "file"), rows)
    assert file_names(tmp_path, "test", 2) == ["cat/1.jpg", "=a\tb.jpg"]
    with pytest.raises(InputError, match=r"names 2 images of the test split, and the arrays have 3; delete"):
        file_names(tmp_path, "test", 3)


def test_each_image_of_the_figure_has_its_file_name(tmp_path):
    seed = write(tmp_path / "seed-0", np.eye(3)[[1, 1, 2, 1, 1, 2]])
    drawn = draw_mistakes([seed], np.zeros((6, 8, 8, 3), np.uint8), CLASSES)
    shown = {text.get_text() for text in drawn.findobj(Text)}
    assert {f"dog 58 %\nis cat\n{name}" for name in ("a,b.jpg", 'say "x".jpg')} <= shown


def test_the_end_of_a_long_name_is_shown():
    assert end_of("cat/001.jpg") == "cat/001.jpg"
    assert end_of("cifar-10-batches-py/test_batch/9999") == "…es-py/test_batch/9999"
    assert len(end_of("x" * 23)) == 22
