"""The figures and the page of a GAN's run: they show what came in."""

import json

import numpy as np
import pytest
import yaml
from archives import call
from conftest import ROOT, experiment
from gan_files import CLASSES, run
from matplotlib.image import imread

from dawn import plot, summary
from dawn.config import registry
from dawn.core.reading import read_json
from dawn.results.curve import at_epochs, read_curve
from dawn.results.run import Run
from dawn.tasks.gan import plot as gan_plot
from dawn.tasks.gan.curve import GanMetrics
from dawn.tasks.gan.figures import losses
from dawn.tasks.gan.summary import claim
from dawn.tasks.generative import page as gan
from dawn.tasks.generative.figures import grids as gan_grids
from dawn.tasks.generative.figures.references import Panel, references
from dawn.tasks.generative.figures.spectrum import log_power
from dawn.tasks.generative.page import measured, over_seeds, panels, reference

NAMES = {"losses", "samples", "progress", "interpolation", "neighbours", "spectrum", "measures", "kid"}


def texts(picture):
    return " ".join(t.get_text() for t in picture.findobj(lambda a: hasattr(a, "get_text")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("gan")


@pytest.fixture(scope="module")
def seeds(folder):
    paths = run(folder)
    values = experiment(task="gan", seeds=2).model_dump(mode="json")
    (folder / "results/params.yaml").write_text(yaml.safe_dump(values))
    return paths


@pytest.fixture(scope="module")
def evaluations(seeds):
    return [read_json(seed / "evaluation.json") for seed in seeds]


@pytest.fixture(scope="module")
def drawn(folder, seeds):
    settings = experiment(task="gan", seeds=2)
    figures = gan_plot.figures(seeds, settings, folder / "data")
    return {name.removeprefix("gan-"): draw() for name, draw in figures.items()}


def test_every_figure_is_written(folder, seeds):
    out = folder / "plots"
    line = [f"--params={folder}/results/params.yaml", f"--data={folder}/data", f"--out={out}", *seeds]
    assert call(plot.main, *line) is None
    assert {path.name for path in out.iterdir()} == {f"gan-{name}.png" for name in NAMES}
    assert min(imread(path).shape[1] for path in out.iterdir()) > 500


def test_the_report_has_every_figure_with_a_caption():
    named = [figure.name for figure in registry.task("gan").figures]
    assert sorted(named) == sorted(f"gan-{name}" for name in NAMES)
    for name in [*named, "summary"]:
        caption = (ROOT / f"workflow/dawn/tasks/gan/captions/{name}.rst").read_text()
        assert len(caption) > 300, name
        assert "FID" not in caption or "not an FID" in " ".join(caption.split()), name


def test_a_changed_sample_is_refused(folder, tmp_path):
    (seed,) = run(tmp_path, 1)
    np.save(seed / "samples.npy", np.zeros((60, 16, 16, 3), np.uint8))
    line = [f"--params={folder}/results/params.yaml", f"--data={tmp_path}/data", f"--out={tmp_path}/plots", seed]
    assert "samples.npy was changed after the evaluation" in call(plot.main, *line)
    assert not (tmp_path / "plots").exists()


def test_samples_are_in_the_row_of_their_class():
    images = np.arange(20, dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2).repeat(3, 3)
    labels = np.array([1] * 18 + [0] * 2)
    picture = gan_grids.by_class(images, labels, ["a", "b", "c"], "that was asked for", "Samples")
    pixels = np.asarray(picture.axes[0].images[0].get_array())[:, :, 0]
    scale = pixels.shape[0] // (3 * 6 - 2)
    corners = pixels[scale :: 6 * scale, scale :: 6 * scale]
    assert corners[0].tolist() == [18, 19, *[255] * 14]
    assert corners[1].tolist() == list(range(16))
    assert corners[2].tolist() == [255] * 16
    for text in ("a  10.0 %", "b  90.0 %", "c  0.0 %", "none selected", "that was asked for"):
        assert text in texts(picture)


def test_a_pixel_is_a_whole_number_of_pixels(drawn):
    picture = drawn["samples"]
    axes, (width, height) = picture.axes[0], picture.get_size_inches()
    box = axes.get_position()
    pixels = axes.images[0].get_array().shape
    assert (round(box.height * height * 150, 6), round(box.width * width * 150, 6)) == pixels[:2]
    assert pixels[0] % (3 * 18 - 2) == 0


def test_the_training_has_a_row_for_each_kept_epoch(drawn):
    assert [t.get_text() for t in drawn["progress"].axes[0].get_yticklabels()] == ["epoch 1", "epoch 2"]
    many = np.zeros((40, 16, 4, 4, 3), np.uint8)
    picture = gan_grids.along_training(many, range(1, 41), "x")
    names = [t.get_text() for t in picture.axes[0].get_yticklabels()]
    assert len(names) == 12
    assert (names[0], names[-1]) == ("epoch 1", "epoch 40")


@pytest.mark.parametrize(("size", "columns"), [(32, 16), (64, 16), (128, 10), (512, 4)])
def test_large_images_have_fewer_columns(size, columns):
    assert gan_grids.columns_of(np.zeros((1, size, size, 3), np.uint8)) == columns


def test_the_kept_epochs_are_every_nth_and_the_last():
    curve = list(range(7))
    assert at_epochs(curve, 3) == [2, 5, 6]
    assert at_epochs(curve, 1) == curve


def test_an_interpolation_has_the_place_of_each_step(drawn):
    assert [t.get_text() for t in drawn["interpolation"].axes[0].get_xticklabels()] == ["0.00", "0.33", "0.67", "1.00"]


def test_neighbours_are_the_train_images_of_the_evaluation(folder, seeds, evaluations, drawn):
    train, samples = np.load(folder / "data/train_images.npy"), np.load(seeds[0] / "samples.npy")
    pixels = np.asarray(drawn["neighbours"].axes[0].images[0].get_array())
    scale, columns = pixels.shape[0] // (10 * 18 - 2), 9
    small = pixels[::scale, ::scale]
    assert small.shape[1] == columns * 18 - 2
    cell = lambda row, column: small[18 * row : 18 * row + 16, 18 * column : 18 * column + 16]  # noqa: E731
    for first, which in ((0, "nearest_of_first"), (5, "nearest")):
        listed = evaluations[0][which]
        for row in (0, 9):
            assert (cell(row, first) == samples[listed["samples"][row]]).all()
            assert (cell(row, first + 2) == train[listed["train"][row][0]]).all()
            assert (cell(row, first + 3) == train[listed["train"][row][1]]).all()
    assert f"no. {evaluations[0]['nearest']['samples'][0]}, ratio" in texts(drawn["neighbours"])


def test_losses_and_scores_of_all_seeds(seeds):
    curves = [read_curve(seed / "curve.tsv", GanMetrics) for seed in seeds]
    picture = losses(curves, "hinge")
    left, right = picture.axes
    assert [line.get_ydata().tolist() for line in left.lines[:2]] == [[-1, -0.5], [0.5, 0.5]]
    assert [line.get_ydata().tolist() for line in right.lines[:2]] == [[1, 0.5], [-0.5, -0.5]]
    for text in ("D(real)", "D(fake)", "generator", "2 seeds", "loss (hinge)"):
        assert text in texts(picture)


def test_a_checkerboard_is_a_peak_of_the_spectrum(drawn):
    flat = np.random.default_rng(0).integers(100, 110, (20, 16, 16, 3), dtype=np.uint8)
    peaked = flat.copy()
    peaked[:, :, ::2] += 20
    difference = log_power(peaked) - log_power(flat)
    assert np.unravel_index(difference.argmax(), difference.shape) == (0, 8)
    assert difference[0, 8] > 20
    quiet = np.delete(difference.ravel(), [0, 8])
    assert np.abs(quiet).max() < 1e-3
    maps = [axes for axes in drawn["spectrum"].subfigs[0].axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in maps] == ["real images", "samples", "samples - real"]
    lower = drawn["spectrum"].subfigs[1].axes
    assert all(
        {0.25, 0.5} <= {line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2} for axes in lower
    )


def test_a_panel_has_the_seeds_their_interval_and_the_references():
    picture = references([Panel("KID", [1.0, 3.0], (0.5, 3.5), {"noise": 10.0}), Panel("FD", [2.0], None, {})], "x")
    first, second, third = picture.axes
    assert [list(line.get_xdata()) for line in first.lines[:3]] == [[0.5, 3.5], [1.0, 3.0], [2.0]]
    assert first.lines[-1].get_xdata().tolist() == [10.0]
    assert [t.get_text() for t in first.get_yticklabels()] == ["samples 2", "noise 10"]
    assert len(second.lines) == 3
    assert not third.axison


def test_an_interval_below_0_does_not_widen_a_logarithmic_scale():
    known = {"real images": 1e-4, "noise": 1.0}
    axes = references([Panel("KID", [0.1, 0.2], (-0.5, 0.8), known, True)], "x").axes[0]
    low, high = axes.get_xlim()
    assert -1e-3 <= low < 0
    assert high > 1
    assert axes.get_xscale() == "symlog"
    huge = references([Panel("KID", [400.0], None, {"real images": -1.0, "blur": 90.0, "noise": 5e9}, True)], "x").axes[
        0
    ]
    places = [float(huge.transData.transform((x, 0))[0]) for x in (-1.0, 90.0, 400.0, 5e9)]
    assert min(np.diff(places)) > 0.04 * (places[-1] - places[0])
    assert references([Panel("recall", [0.1], None, known)], "x").axes[0].get_xscale() == "linear"


def test_every_measure_has_a_panel(drawn, evaluations):
    names = [panel.title for panel in panels(evaluations)]
    assert len(names) == len(evaluations[0]["measures"]) == len(measured(evaluations))
    drawn_names = [axes.get_title(loc="left") for axes in drawn["measures"].axes if axes.axison]
    assert drawn_names == names


def test_kid_along_the_training_is_that_of_the_evaluation(drawn, evaluations):
    by_seconds, by_epoch = drawn["kid"].axes
    values = [entry["value"] for entry in evaluations[0]["progress"]]
    assert by_seconds.lines[0].get_xydata().tolist() == [[8, values[0]], [16, values[1]]]
    assert by_epoch.lines[0].get_xdata().tolist() == [1, 2]
    assert "8 samples at each point" in texts(drawn["kid"])


def test_intervals_are_over_seeds_or_over_the_images_of_a_single_one(evaluations):
    values = [e["measures"]["kid"]["value"] for e in evaluations]
    both = over_seeds(evaluations, "kid")
    assert both["mean"] == pytest.approx(np.mean(values))
    assert (both["std"], both["low"], both["high"]) == (pytest.approx(np.std(values, ddof=1)), None, None)
    one = over_seeds(evaluations[:1], "kid")
    assert (one["low"], one["high"]) == tuple(evaluations[0]["measures"]["kid"][end] for end in ("low", "high"))
    assert one["std"] is None


def test_the_interval_of_a_fraction_stays_inside_it_where_a_seed_is_at_its_limit(evaluations):
    found = json.loads(json.dumps([*evaluations, evaluations[0]]))
    for evaluation, value in zip(found, (0.0, 0.01, 0.02), strict=True):
        evaluation["measures"]["precision"]["value"] = value
    over = over_seeds(found, "precision")
    # Wilson's interval of 0.01 with as many trials as give this standard error, and Student's quantile.
    trials, t = 0.01 * 0.99 / (0.01**2 / 3), 4.302653
    middle = (0.01 + t**2 / trials / 2) / (1 + t**2 / trials)
    arm = t / (1 + t**2 / trials) * np.sqrt(0.01 * 0.99 / trials + t**2 / trials**2 / 4)
    assert (over["low"], over["high"]) == pytest.approx((middle - arm, middle + arm))


PROVENANCE = {
    "written": "2026-01-01T00:00:00+00:00", "python": "3.12.1", "packages": {"torch": "2.15.0"},
    "machine": {"cpu": "A CPU", "cores": 8, "gpus": [], "system": "Linux", "image": None},
    "code": {"commit": "abc", "dirty": True, "locks": {}},
}  # fmt: skip


def page(folder, seeds, *more):
    """The Markdown and the HTML that the command writes."""
    results = folder / "results"
    spread = dict.fromkeys(("mean", "std", "low", "high"), 1.0)
    sums = dict.fromkeys(("seconds", "images_per_s", "peak_memory_bytes"), spread)
    (results / "metrics.json").write_text(json.dumps({"seeds": len(seeds), **sums}))
    data = read_json(folder / "data/dataset.json")
    (results / "provenance.json").write_text(json.dumps(PROVENANCE | {"data": data}))
    files = [f"--{name}={results / file}" for name, file in
             (("params", "params.yaml"), ("metrics", "metrics.json"), ("provenance", "provenance.json"))]  # fmt: skip
    assert call(summary.main, *files, f"--root={ROOT}", f"--out={results}/summary.md", *more, *seeds) is None
    return [(results / f"summary.{form}").read_text() for form in ("md", "html")]


def test_the_page_has_the_numbers_of_the_run(folder, seeds, evaluations):
    kid, known = over_seeds(evaluations, "kid"), reference(evaluations, "kid")
    copied, values = over_seeds(evaluations, "copied"), [e["measures"]["kid"]["value"] for e in evaluations]
    for text in page(folder, seeds):
        for part in (
            f"KID-judge {kid['mean']:.4f} (two seeds: {min(values):.4f} and {max(values):.4f}, no interval) over 2",
            "over 2 seeds", "1,234 parameters", "90 train images of 16 x 16 pixels in 3 classes", "2 epochs",
            "60 samples of each seed", "60 images of the test split", "a test accuracy of 90.0, 91.0 %",
            "never a KID or an FID", "1" * 64, f"scores {known['real images']:.4f} against the other half",
            f"noise score {known['noise']:.4f}; the samples are at {100 * kid['mean'] / known['noise']:.1f} %",
            f"{copied['mean']:,.2f} %", "torch 2.15.0", "Wasserstein",
            "relative to blurred train images, by feature space: penultimate layer",
        ):  # fmt: skip
            assert part in text, part
    assert "An unconditional GAN (lesson)" in text


def test_the_page_has_a_row_for_each_measure_seed_and_class(folder, seeds, evaluations):
    text, _ = page(folder, seeds)
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    titles = [m.title for m in measured(evaluations).values()]
    assert titles == [row for row in rows if row in titles]
    assert {"0", "1", *CLASSES} <= set(rows)


def test_the_page_shows_the_figures_that_are_there(folder, seeds, tmp_path):
    text, html = page(folder, seeds, f"--plots={tmp_path}")
    assert "![" not in text
    (tmp_path / "gan-samples.png").write_bytes(b"png")
    text, html = page(folder, seeds, f"--plots={tmp_path}")
    assert text.count("![") == 1
    assert html.count("data:image/png;base64,") == 1


def test_a_single_seed_has_the_interval_of_its_images(folder, seeds, evaluations):
    own = evaluations[0]["measures"]["kid"]
    text, _ = page(folder, seeds[:1])
    assert f"{own['low']:,.4f} to {own['high']:,.4f}" in text
    assert "a single seed has no spread" in text
    one = Run(experiment(task="gan"), seeds[:1], evaluations[:1], [], {}, {})
    assert claim(one) == (
        f"KID-judge {own['value']:.4f} ({own['low']:.4f} to {own['high']:.4f}) by its images over 1 seed"
    )


def test_unfinished_seeds_are_in_the_claim(seeds, evaluations):
    run = Run(experiment(task="gan"), seeds, evaluations, [], {"missing_seeds": [4]}, {})
    assert "over 2 of 3 seeds (not finished: 4)" in claim(run)


def test_a_distance_that_is_not_above_0_is_no_unit(evaluations):
    found = json.loads(json.dumps(evaluations))
    for evaluation in found:
        evaluation["measures"]["kid"]["references"]["blur"]["value"] = -0.5
    _, bullets = gan.reading(found)
    assert "ceiling: blurred train images score -0.5000" in bullets.items
    assert any(item.startswith("relative to blurred train images, by feature space: middle") for item in bullets.items)


def test_copies_are_named_if_they_are_more_than_chance(evaluations):
    assert ": no more than among" in gan.copies(evaluations)[0]
    found = json.loads(json.dumps(evaluations))
    found[1]["measures"]["copied"]["p"] = 0.001
    assert ": more than among" in gan.copies(found)[0]
