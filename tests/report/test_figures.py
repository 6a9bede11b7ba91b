"""The figures: what they show is what came in, and they can be read without colour."""

import numpy as np
import pytest
from conftest import experiment, step
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from training import CPU

from dawn.contact_sheet import chosen, seen, settings_text, sizes
from dawn.data.dataset import Trainset, load
from dawn.report.style import COLOURS, save
from dawn.tasks.classify.calibration import binned
from dawn.tasks.classify.curve import EpochMetrics
from dawn.tasks.classify.figures.calibration import reliability
from dawn.tasks.classify.figures.classes import bars, confusion
from dawn.tasks.classify.figures.curves import accuracy_by_time, curves, time_to_target
from dawn.tasks.classify.figures.cycle import cycle
from dawn.tasks.classify.figures.images import filters, misclassified, sheet
from dawn.tasks.classify.schedule import multiplier_and_momentum


def trained(*accuracies):
    """A curve of epochs of ten seconds."""
    return [EpochMetrics(n, 2.0 / n, 30.0 * n, a and 1 - a / 100, a, 0.1, 0.9, 100.0, 10.0 * n)
            for n, a in enumerate(accuracies, 1)]  # fmt: skip


SEED, OTHER = trained(40.0, None, 90.0), trained(50.0, None, 70.0)


def texts(picture):
    return " ".join(t.get_text() for t in picture.findobj(lambda a: hasattr(a, "get_text")))


def lightness(colour):
    """CIE L* of an sRGB colour, 0 .. 100."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    y = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y


def seen_by(colour, missing):
    """An sRGB colour as a dichromat sees it (Viénot, Brettel, Mollon 1999), linear RGB."""
    matrix = {
        "red": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        "green": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    }[missing]
    return np.array(matrix) @ np.array(
        [((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92 for c in to_rgb(colour)]
    )


@pytest.mark.parametrize("missing", ["red", "green"])
def test_the_two_series_of_a_figure_differ_without_colour(missing):
    assert abs(lightness(COLOURS[0]) - lightness(COLOURS[1])) > 20
    assert np.abs(seen_by(COLOURS[0], missing) - seen_by(COLOURS[1], missing)).max() > 0.2
    picture = curves([SEED, OTHER], "test", 75)
    train, test = picture.axes[1].lines[:2]
    assert train.get_linestyle() != test.get_linestyle()
    assert train.get_marker() != test.get_marker()
    first, second = (bars(np.ones((1, 3, 3), int), "abc").axes[0].containers[i][0] for i in (0, 1))
    assert first.get_hatch() != second.get_hatch()


def test_the_cycle_is_the_schedules():
    settings = experiment().train.schedule
    rates, momenta = zip(*(multiplier_and_momentum(i, 200, settings) for i in range(200)), strict=True)
    picture = cycle(rates, momenta, 50, "one cycle")
    assert list(picture.axes[0].lines[0].get_ydata()) == list(rates)
    assert list(picture.axes[1].lines[0].get_ydata()) == list(momenta)
    assert "50 per epoch" in texts(picture)


def test_curves_have_the_mean_and_a_band_of_all_seeds():
    picture = curves([SEED, OTHER], "test", 75)
    line = picture.axes[1].lines[1]
    assert line.get_xydata().tolist() == [[1, 45], [3, 80]]
    low, high = picture.axes[1].collections[1].get_paths()[0].get_extents().intervaly
    assert (low, high) == (40, 90)
    assert "2 seeds" in texts(picture)
    assert len(curves([SEED], "holdout", 75).axes[1].collections) == 0


def test_time_to_target_counts_the_seeds_that_never_reach_it():
    picture = time_to_target([SEED, OTHER], "test", 75)
    assert "1 of 2 seeds reached it" in texts(picture)
    assert max(picture.axes[1].lines[0].get_ydata()) == 50
    assert "0 of 1 seed reached it" in texts(time_to_target([OTHER], "test", 75))


def test_without_a_target_accuracy_is_drawn_by_time():
    picture = accuracy_by_time([SEED, OTHER], "test")
    points = [(row.seconds, row.accuracy) for row in SEED if row.accuracy is not None]
    assert list(map(tuple, picture.axes[0].lines[0].get_xydata())) == points
    assert "No target is set" in texts(picture)
    assert "target" not in texts(curves([SEED], "test", None))


def test_confusion_and_errors_are_shares_of_the_class():
    counts = np.array([[[8, 2], [0, 10]], [[6, 4], [0, 10]]])
    picture = confusion(counts, ["cat", "dog"])
    assert picture.axes[0].images[0].get_array().tolist() == [[70, 30], [0, 100]]
    assert {"70.0", "30.0", "100.0", "·"} <= set(texts(picture).split())
    missed = {bar.get_width() for bar in bars(counts, ["cat", "dog"]).axes[0].containers[1]}
    assert missed == {30, 0}


def test_many_classes_fit_a_picture():
    names = [f"class {i}" for i in range(500)]
    counts = np.random.default_rng(0).multinomial(10, np.full(500, 1 / 500), (1, 500))
    for picture in (confusion(counts, names), bars(counts, names)):
        assert max(picture.get_size_inches()) < 30
        assert len(picture.axes[0].get_yticks()) <= 60
    assert "Errors of the 60 least recognised of 500 classes" in texts(picture)


def test_calibration_bins_as_the_metric_does():
    confidence, right = np.array([0.05, 0.55, 0.59, 1.0]), np.array([0.0, 1, 0, 1])
    count, mean, accuracy = binned(confidence, right, 10)
    assert count.tolist() == [1, 0, 0, 0, 0, 2, 0, 0, 0, 1]
    assert mean[5] == pytest.approx(0.57)
    assert accuracy[5] == 0.5
    assert np.isnan(accuracy[1])
    gap = np.nansum(count / 4 * np.abs(mean - accuracy))
    assert f"{gap:.4f}" in texts(reliability([(confidence, right)], 10, [float(gap)], [0.1]))


def test_the_sheet_shows_what_training_sees(data):
    settings = experiment(train={"augment": {"pad": 2, "flip": "alternating", "mode": "zero"}}).train
    split = load(data, data / "stats.json", "train", CPU)
    trainset = Trainset(split, settings.augment, 3, settings.batch)
    wanted = chosen(split.labels, 4)
    assert split.labels[wanted].tolist() == [0, 1, 2, 0]
    shown = np.stack(seen(trainset, wanted, [32, 32]), 1)
    assert shown.shape == (4, 2, 32, 32, 3)
    for row, image in enumerate(wanted):
        border = np.pad(split.images[image].numpy(), ((2, 2), (2, 2), (0, 0))) / 255
        crops = [side[y : y + 32, x : x + 32] for side in (border, border[:, ::-1]) for y in range(5) for x in range(5)]
        for epoch in range(2):
            assert min(np.abs(crop - shown[row, epoch]).max() for crop in crops) < 1e-3
        mirrored = [min(range(50), key=lambda i, e=e: np.abs(crops[i] - shown[row, e]).max()) >= 25 for e in range(2)]
        assert mirrored[0] != mirrored[1]
    assert settings_text(settings.augment, [32, 32]) == "crop: pad 2, zero; flip: alternating"
    assert settings_text(settings.augment, [24, 32]).endswith("; pixels: 24, 32")
    assert "epoch 2" in texts(sheet(split.images[wanted].numpy(), seen(trainset, wanted, [24, 32]), ["a"] * 4, "x"))


def test_the_sheet_follows_the_sizes_of_the_training(data):
    settings = experiment(train={"epochs": 4, "sizes": [[0, 24], [0.5, 32]]}).train
    trainset = Trainset(load(data, data / "stats.json", "train", CPU), settings.augment, 0, settings.batch)
    assert sizes(settings, trainset) == [24, 24, 32, 32]
    assert [part.shape for part in seen(trainset, [0], [24, 32])] == [(1, 24, 24, 3), (1, 32, 32, 3)]
    assert len(sizes(experiment(train={"epochs": 20}).train, trainset)) == 8


def test_pictures_of_pictures(tmp_path):
    images = np.zeros((7, 32, 32, 3), np.uint8)
    picture = misclassified(images, [f"cat 9{i} %\nis dog" for i in range(7)], 7, 100, 3)
    assert "7 of 100 test images misclassified" in texts(picture)
    weights = np.zeros((5, 3, 3, 3), np.float32)
    weights[0, 0] = 2
    drawn = filters(weights, 0)
    shown = [axes.images[0].get_array() for axes in drawn.axes if axes.images]
    assert len(shown) == 5
    assert shown[0][0, 0].tolist() == [1, 0.5, 0.5]
    assert shown[1].tolist() == np.full((3, 3, 3), 0.5).tolist()
    save(drawn, tmp_path / "filters.png")
    assert imread(tmp_path / "filters.png").shape[2] == 4


@pytest.mark.full
def test_a_run_is_drawn_whole(finished):
    names = {path.stem for path in (finished.results / "plots").glob("*.png")}
    assert names == {
        "calibration", "classes", "confusion", "curves", "cycle", "filters", "images", "mistakes", "time"
    }  # fmt: skip
    for path in (finished.results / "plots").glob("*.png"):
        pixels = imread(path)[:, :, :3]
        assert min(pixels.shape[:2]) > 150
        assert pixels.std() > 0.02, path


def test_weights_without_a_first_convolution_are_refused(tmp_path):
    from safetensors.numpy import save_file

    from dawn.core.cli import InputError
    from dawn.tasks.classify.plot import first_filters

    save_file({"a": np.zeros((4, 8, 3, 3), np.float32)}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="no convolution of three channels"):
        first_filters(tmp_path / "w.safetensors")
    (tmp_path / "bad").write_bytes(b"no weights")
    with pytest.raises(InputError, match="is not a safetensors file"):
        first_filters(tmp_path / "bad")
    assert "usage: python -m dawn.plot" in step("plot", "--help").stdout


def test_figures_need_no_home_and_no_backend_that_a_notebook_has_left(params, data, tmp_path):
    none = dict.fromkeys(("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"), "")
    env = none | {"HOME": "/dev/null/none", "MPLBACKEND": "module://not_installed.backend"}
    options = ("--params", params(), "--data", data, "--stats", data / "stats.json", "--out", tmp_path / "x.png")
    done = step("contact_sheet", *options, env=env)
    assert done.returncode == 0, done.stderr
    assert imread(tmp_path / "x.png").shape[2] == 4
