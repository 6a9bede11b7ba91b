"""Other test images, McNemar's test and the probability of improvement: against SciPy and in simulations."""

import itertools

import numpy as np
import pytest
from archives import call
from scipy import stats
from study_files import IMAGES, finished, finished_gan

from dawn import compare
from dawn import study as study_command
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.studies.further import improvement, mcnemar, of_images, other_images
from dawn.studies.variants import of_directory

AGAINST = {"a": -1.0, "b": 1.0}


def test_the_parts_of_a_measure_have_its_mean():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(300, 10)).astype(np.float32), rng.integers(0, 10, 300)
    assert of_images(logits, labels, "accuracy").mean() == pytest.approx(100 * (logits.argmax(1) == labels).mean())
    top = [label in row for label, row in zip(labels, np.argsort(-logits, 1)[:, :5], strict=True)]
    assert of_images(logits, labels, "top5").mean() == pytest.approx(100 * np.mean(top))
    chances = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    assert of_images(logits, labels, "loss") == pytest.approx(-np.log(chances[range(300), labels]), rel=1e-6)


@pytest.mark.parametrize("paired", [True, False])
def test_the_error_over_seeds_and_images_is_that_of_the_variance_components(paired):
    # Independently: expected mean squares of a two-way layout give the components, which make up the variance.
    rng = np.random.default_rng(1)
    scores = {name: rng.normal(size=(seeds, 1)) + rng.normal(size=50) + rng.normal(size=(seeds, 50))
              for name, seeds in (("a", 4), ("b", 4 if paired else 6))}  # fmt: skip

    def components(y):
        s, i = y.shape
        rows, columns = i * y.mean(1).var(ddof=1), s * y.mean(0).var(ddof=1)
        rest = ((y - y.mean(1)[:, None] - y.mean(0) + y.mean()) ** 2).sum() / ((s - 1) * (i - 1))
        return (rows - rest) / i, (columns - rest) / s, rest

    if paired:
        of_seed, of_image, of_both = components(scores["b"] - scores["a"])
        variance = of_seed / 4 + of_image / 50 + of_both / 200
    else:
        parts = {name: components(y) for name, y in scores.items()}
        own = (scores["b"].mean(0) - scores["a"].mean(0)).var(ddof=1) / 50
        variance = own + sum(parts[name][0] / len(y) for name, y in scores.items())
    found = other_images(scores, AGAINST, paired)
    assert found.mean == pytest.approx(scores["b"].mean() - scores["a"].mean())
    assert found.error**2 == pytest.approx(variance)


def networks(rng, seeds, images, together):
    """Whether networks are right: an image's difficulty, a seed's luck and chance, normal on a latent scale."""
    difficulty, luck = rng.normal(0, 1.5, images), rng.normal(0, 0.05, seeds)[:, None]
    found, variance = {}, 1 + 1.5**2 + 1.0**2 + 0.05**2
    for name, mean in (("a", 1.5), ("b", 1.7)):
        own = rng.normal(0, 1.0, images)  # difficulty for this variant
        luck = luck if together else rng.normal(0, 0.05, seeds)[:, None]
        found[name] = 100.0 * (mean + difficulty + own + luck + rng.normal(size=(seeds, images)) > 0)
    return found, 100 * float(np.diff(stats.norm.cdf(np.array([1.5, 1.7]) / variance**0.5))[0])


@pytest.mark.parametrize("together", [True, False])
def test_the_interval_for_other_images_covers_the_truth_where_that_over_seeds_does_not(together):
    rng, covered = np.random.default_rng(2), np.zeros(2)
    for _ in range(500):
        scores, truth = networks(rng, 5, 400, together)
        low, high = other_images(scores, AGAINST, together).interval()
        seeds = scores["b"].mean(1) - scores["a"].mean(1)
        own = stats.ttest_1samp(seeds, 0).confidence_interval(0.95)
        covered += low <= truth <= high, own.low <= truth <= own.high
    assert 0.92 <= covered[0] / 500 <= 0.985, covered / 500
    assert covered[1] / 500 < 0.9, covered / 500


def test_one_seed_or_equal_predictions_have_no_interval_for_other_images():
    one = np.ones((1, 9))
    assert other_images({"a": one, "b": one}, AGAINST, True) is None
    assert other_images({"a": np.ones((3, 9)), "b": np.ones((3, 9))}, AGAINST, True) is None


def test_mcnemars_p_is_that_of_the_binomial_distribution():
    base = np.array([True] * 8 + [False] * 17 + [True] * 60)
    other = np.array([False] * 8 + [True] * 12 + [False] * 5 + [True] * 60)
    found = mcnemar(base, other)
    assert (found.images, found.only_base, found.only_other) == (85, 8, 12)
    assert found.p == pytest.approx(min(1, 2 * stats.binom.cdf(8, 20, 0.5)))
    assert found.interval[0] < 100 * 4 / 85 < found.interval[1]
    assert mcnemar(base, base).p == 1


def test_mcnemars_test_holds_its_level_and_its_interval_covers():
    rng, rejected, covered = np.random.default_rng(3), 0, 0
    for _ in range(1500):
        cells = rng.choice(4, 250, p=[0.7, 0.1, 0.1, 0.1])  # both, none, base alone, other alone
        rejected += mcnemar((cells == 0) | (cells == 2), (cells == 0) | (cells == 3)).p < 0.05
        cells = rng.choice(4, 250, p=[0.7, 0.15, 0.05, 0.1])
        low, high = mcnemar((cells == 0) | (cells == 2), (cells == 0) | (cells == 3)).interval
        covered += low <= 5 <= high
    assert rejected / 1500 < 0.05
    assert 0.93 <= covered / 1500 <= 0.97


def test_the_probability_of_improvement_is_mann_and_whitneys():
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 6, 7).astype(float), rng.integers(2, 9, 5).astype(float)
    found = improvement(a, b, higher=True)
    assert found.value == pytest.approx(stats.mannwhitneyu(b, a).statistic / 35)
    other = improvement(a, b, higher=False)
    assert (other.value, other.low, other.high) == pytest.approx((1 - found.value, 1 - found.high, 1 - found.low))
    assert improvement([1.0, 2.0], [2.0, 3.0, 4.0], True) is None


def test_the_interval_of_the_probability_is_the_binomial_one_of_the_fewer_seeds():
    apart = improvement([1, 2, 3], [4, 5, 6, 7], True)
    exact = stats.binomtest(3, 3).proportion_ci(0.95, method="exact")
    assert (apart.value, apart.low, apart.high) == (1, pytest.approx(exact.low), 1)
    half = improvement([1, 4, 6, 7], [2, 3, 5, 8, 4.5, 4.6], True)  # 12 of 24 pairs: as 2 of 4
    exact = stats.binomtest(2, 4).proportion_ci(0.95, method="exact")
    assert (half.value, half.low, half.high) == pytest.approx((0.5, exact.low, exact.high))


@pytest.mark.parametrize("counts", [(3, 3), (3, 20), (5, 5), (10, 20), (20, 20)])
def test_the_interval_of_the_probability_covers_it(counts):
    """Before: 84 to 91 % with unequal spreads or numbers."""
    rng = np.random.default_rng(sum(counts))
    for truth, std in itertools.product((0.5, 0.7, 0.95), (0.02, 1, 5)):
        covered = 0
        for _ in range(400):
            a, b = (rng.normal(size=n) * s for n, s in zip(counts, (1, std), strict=True))
            found = improvement(a, b + stats.norm.ppf(truth) * np.hypot(1, std), True)
            covered += found.low <= truth <= found.high
        assert covered / 400 >= 0.94, (truth, std, covered / 400)


def compared(a, b, *margin):
    return compare.comparison(of_directory(str(a), a), of_directory(str(b), b), *margin)


def right(rng, seeds, chance):
    return rng.random((seeds, IMAGES)) < chance


def variants(folder, seeds, **over):
    rng = np.random.default_rng(5)
    for name, chance, own in (("a", 0.6, {}), ("b", 0.8, over)):
        drawn = right(rng, seeds, chance)
        finished(folder / name, dict(enumerate((100 * drawn.mean(1)).tolist())), predictions=drawn, **own)
    return folder / "a", folder / "b"


def test_two_single_seeds_are_compared_image_by_image(tmp_path):
    a, b = variants(tmp_path / "one", 1, model={"width": 8})
    shown = compared(a, b)
    assert "Of 200 test images, " in shown
    rng = np.random.default_rng(5)
    base, other = (right(rng, 1, chance)[0] for chance in (0.6, 0.8))
    p = stats.binomtest(int((base & ~other).sum()), int((base ^ other).sum())).pvalue
    said = f"McNemar's exact test: p = {p:.2g};"
    assert said in shown
    assert "one seed has no spread" in shown
    about = {"name": "one", "question": "One seed?", "variants": {"a": "a", "b": "b"}, "seeds": [0], "analyses": [1],
             "measure": "accuracy", "difference": 0.2, "test": "holm",
             "comparisons": [{"name": "b", "base": "a", "weights": {"a": -1.0, "b": 1.0}}]}  # fmt: skip
    folder = a.parent
    write_json(folder / "study.json", about)
    assert call(study_command.main, folder) is None
    assert said in (folder / "table.md").read_text()


def test_several_seeds_get_an_interval_for_other_images_and_no_mcnemar(tmp_path):
    a, b = variants(tmp_path, 4, model={"width": 8})
    shown = compared(a, b)
    assert "McNemar" not in shown
    assert "For other test images as well, the 95 % interval is +" in shown
    assert f"A seed of {b} is better than one of {a} with a probability of 100 %" in shown


def test_gans_are_compared_by_their_kid_and_not_with_classifiers(tmp_path):
    a = finished_gan(tmp_path / "a", {0: 0.2, 1: 0.21, 2: 0.19})
    b = finished_gan(tmp_path / "b", {0: 0.1, 1: 0.12, 2: 0.1}, gan={"loss": "hinge"})
    shown = compared(a, b, 0.01)
    assert f"{b} is better than {a} by 0.0933" in shown.splitlines()[-1]
    assert any(line.split() == ["gan.loss", "wasserstein", "hinge"] for line in shown.splitlines())
    assert any(line.split()[:2] == ["KID-judge", "0.2000"] for line in shown.splitlines())
    with pytest.raises(InputError, match="the tasks gan and classify have no measure in common"):
        compared(a, finished(tmp_path / "c", {0: 90.0, 1: 91.0}))
    assert "give --difference, the smallest difference in KID-judge" in call(compare.main, a, b)


def test_two_seeds_against_many_are_said_to_tell_little(tmp_path):
    a = finished(tmp_path / "a", {0: 93.0, 1: 93.4})
    b = finished(tmp_path / "b", dict(enumerate(np.linspace(94, 94.5, 8).round(2).tolist())), model={"width": 8})
    shown = compared(a, b)
    assert f"The two seeds of {a} tell little of its spread" in shown
    assert "Banerjee over 2 and 8 seeds" in shown
    assert "with a probability" not in shown
