"""What dawn.study and dawn.interim write, from files of finished seeds."""

import csv
import json
import re

import markdown_it
import numpy as np
import pytest
from archives import call
from conftest import step
from scipy import stats
from study_files import finished, finished_gan

from dawn import study as study_command
from dawn.core.files import sha256, write_json
from dawn.core.reading import read_table
from dawn.measures.checkerboard import checkerboard
from dawn.studies.figures import Point, curve, front, over_seeds, recalls
from dawn.studies.outcome import load
from dawn.studies.pages import suspects
from dawn.studies.sentences import short
from dawn.studies.tables import contradictions

ABOUT = {
    "name": "wide", "question": "Is a wider network better?", "variants": {"a": "narrow (4)", "b": "wide_8 & more"},
    "seeds": [0, 1, 2, 3, 4], "analyses": [5], "measure": "accuracy", "difference": 0.2, "test": "holm",
    "comparisons": [{"name": "wide_8 & more", "base": "narrow (4)", "weights": {"a": -1.0, "b": 1.0}}],
}  # fmt: skip
NARROW = dict(enumerate([93.0, 93.1, 92.9, 93.05, 92.95]))
WIDE = dict(enumerate([93.6, 93.75, 93.4, 93.6, 93.5]))


def study(results, a=NARROW, b=WIDE, **about):
    folder = results / "wide"
    write_json(folder / "study.json", ABOUT | about)
    finished(folder / "a", a)
    finished(folder / "b", b, model={"width": 8})
    return folder


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = study(tmp_path_factory.mktemp("study"))
    (folder / "partial").mkdir()
    done = step("study", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_tables_say_what_the_seeds_did(written):
    base, other = rows(written / "table.csv")
    assert float(base["accuracy_mean"]) == pytest.approx(93.0)
    assert float(other["difference"]) == pytest.approx(0.57)
    assert (base["verdict"], other["verdict"]) == ("", "better")
    (comparison,) = rows(written / "comparisons.csv")
    assert comparison["against"] == "narrow (4)"
    assert comparison["verdict"] in (written / "table.md").read_text()
    assert float(comparison["simultaneous_low"]) < float(comparison["difference_low"]) < 0.57
    seeds = rows(written / "seeds.csv")
    assert [(row["variant"], row["seed"]) for row in seeds[4:6]] == [("narrow (4)", "4"), ("wide_8 & more", "0")]
    assert float(seeds[0]["seconds_to_target"]) == 10


def test_the_page_stands_alone_and_names_what_it_came_out_of(written):
    page = (written / "page.html").read_text()
    assert page.count("data:image/png;base64,") >= 3
    assert "http" not in page
    for words in ("code: abc", "torch: 2.11", "trained on: cpu", "Is a wider network better?"):
        assert words in page
    provenance = json.loads((written / "provenance.json").read_text())
    assert provenance["b"]["code"]["commit"] == "abc"
    assert not (written / "partial").exists()


def test_the_latex_table_escapes_what_is_special(written):
    text = (written / "table.tex").read_text()
    assert r"wide\_8 \& more" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert not re.search(r"(?<!\\)[%_&#](?! )", text.replace(" & ", ""))


@pytest.mark.usefixtures("undrawn")
def test_seeds_that_failed_or_lie_apart_are_named(tmp_path):
    folder = study(tmp_path, b=WIDE | {2: 25.0, 4: 60.0})
    assert call(study_command.main, folder) is None
    text = (folder / "table.md").read_text()
    assert "Seeds of wide_8 & more that are no better than always naming the most frequent class: 2 (25.00 %)" in text
    assert "4 (60.00 %)" in text
    assert " 93.60 | " in text  # the median


def test_names_of_variants_are_no_formulas_links_or_cells(tmp_path):
    """In a spreadsheet, in Markdown and in the figures, which are drawn with them."""
    name, base = '=HYPERLINK("http://x"), ![a](http://x) $\\q$', "+1 | @x"
    compared = [{"name": name, "base": base, "weights": {"a": -1.0, "b": 1.0}}]
    folder = study(tmp_path, variants={"a": base, "b": name}, comparisons=compared)
    assert call(study_command.main, folder) is None
    assert [row["variant"] for row in rows(folder / "table.csv")] == [f"'{base}", f"'{name}"]
    assert [row["variant"] for row in read_table(folder / "table.csv")] == [base, name]
    rendered = (
        markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render((folder / "table.md").read_text())
    )
    assert "<a " not in rendered
    assert rendered.count("<img") == len(list((folder / "plots").iterdir()))  # the figures
    assert 'src="http' not in rendered


def test_an_unfinished_study_has_no_verdict_but_its_finished_seeds(tmp_path):
    folder = study(tmp_path, b={0: 93.6, 1: 93.7})
    refusal = call(study_command.main, folder)
    assert refusal.endswith("wide_8 & more has 2 of 5 seeds; finish the study with snakemake, or see --partial")
    assert call(study_command.main, folder, "--partial") is None
    text = (folder / "partial/table.md").read_text()
    assert "Not finished, so without verdicts: wide_8 & more has 2 of 5 seeds." in text
    assert "| wide_8 & more | 2 | 93.65" in text
    assert "p of no difference" not in text
    assert len(rows(folder / "partial/seeds.csv")) == 7


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("first", [2, 3, 4, 5])
def test_few_seeds_at_an_analysis_are_said_to_rely_on_what_they_cannot_show(tmp_path, first):
    folder = study(tmp_path, analyses=[first, 5] if first < 5 else [5])
    assert call(study_command.main, folder) is None
    text = (folder / "table.md").read_text()
    assert (f"- {first} seeds at an analysis: the tests assume roughly normal values" in text) == (first < 5)
    assert ("up to 17 % of studies of 9 variants" in text) == (first == 3)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("spread", "alike"), [(0.1, True), (1.5, False)])
def test_the_page_names_dunnetts_test_or_why_it_was_not_used(tmp_path, spread, alike):
    folder, rng = tmp_path / "study", np.random.default_rng(3)
    names = {"a": "base", "b": "one", "c": "two", "d": "three"}
    compared = [{"name": names[x], "base": "base", "weights": {"a": -1.0, x: 1.0}} for x in "bcd"]
    write_json(folder / "study.json", ABOUT | {"variants": names, "comparisons": compared, "test": "dunnett"})
    for place, name in enumerate(names):
        values = 93 + (spread if name == "a" else 0.1) * rng.normal(size=5) + 0.4 * (name == "b")
        over = {} if name == "a" else {"model": {"width": 8 + place}}
        finished(folder / name, dict(enumerate(values.round(2).tolist())), **over)
    assert call(study_command.main, folder) is None
    text = (folder / "table.md").read_text()
    assert all(v.common == alike for v in load(folder).verdicts)
    assert ("paired, and Dunnett over 5 seeds" in text) == alike
    refused = "Dunnett's test was not used for one against base; two against base; three against base"
    assert (refused in text) != alike


@pytest.mark.usefixtures("undrawn")
def test_more_seeds_than_were_planned_widen_the_intervals(tmp_path):
    rng = np.random.default_rng(0)
    a, b = (dict(enumerate((93 + rng.normal(size=8) * 0.2).round(2).tolist())) for _ in range(2))
    folder = study(tmp_path, a, b)
    assert call(study_command.main, folder) is None
    first = load(folder)
    assert (first.other_plans, first.verdicts[0].difference.n) == ([], 5)
    write_json(folder / "study.json", ABOUT | {"seeds": list(range(8)), "analyses": [8], "difference": 0.5})
    assert call(study_command.main, folder) is None
    text = (folder / "table.md").read_text()
    assert "Extended without a plan: results were seen when 5 seeds were planned." in text
    assert "difference was 0.2 and is 0.5" in text
    (verdict,) = load(folder).verdicts
    assert not verdict.planned
    (folder.parent / "history.json").unlink()
    (planned,) = load(folder).verdicts
    assert verdict.interval[1] - verdict.interval[0] > 1.5 * (planned.interval[1] - planned.interval[0])


@pytest.mark.usefixtures("undrawn")
def test_a_study_of_other_variants_is_no_extension(tmp_path):
    folder = study(tmp_path)
    assert call(study_command.main, folder) is None
    finished(folder / "b", WIDE | {5: 93.6}, model={"width": 16})
    finished(folder / "a", NARROW | {5: 93.0}, model={"width": 2})
    write_json(folder / "study.json", ABOUT | {"seeds": list(range(6)), "analyses": [6]})
    outcome = load(folder)
    assert (outcome.other_plans, outcome.unplanned) == ([], [])


def test_an_interim_analysis_asks_for_seeds_where_it_is_undecided(tmp_path):
    variants = ABOUT["variants"] | {"c": "other"}
    comparisons = [*ABOUT["comparisons"], {"name": "other", "base": "narrow (4)", "weights": {"a": -1.0, "c": 1.0}}]
    folder = study(tmp_path, b={seed: value + 5 for seed, value in WIDE.items()}, analyses=[3, 5],
                   variants=variants, comparisons=comparisons)  # fmt: skip
    finished(folder / "c", dict(enumerate([93.3, 92.8, 93.6])), model={"width": 2})
    done = step("interim", folder, "--analysis", 1, "--out", folder / "analyses/1.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((folder / "analyses/1.json").read_text())
    assert found["seeds"] == {"a": 5, "b": 3, "c": 5}
    assert found["verdicts"] == {
        "wide_8 & more against narrow (4)": "better",
        "other against narrow (4)": "cannot tell",
    }
    assert "wide_8 & more is better than narrow (4) by 5.5" in done.stderr
    finished(folder / "c", dict(enumerate([93.3, 92.8, 93.6, 92.5, 93.9])), model={"width": 2})
    outcome = load(folder)
    assert outcome.lacking == []
    assert short(outcome.verdicts[0]) == "better"
    assert [v.difference.n for v in outcome.verdicts] == [3, 5]


@pytest.mark.parametrize(("measure", "verdict"), [("loss", "better"), ("calibration_error", "cannot tell")])
def test_other_measures_have_their_direction(tmp_path, measure, verdict):
    folder = study(tmp_path, measure=measure, difference=0.0001)
    assert [v.kind for v in load(folder).verdicts] == [verdict]


GANS = {"a": "clip", "b": "hinge"}
COMPARED = [{"name": "hinge", "base": "clip", "weights": {"a": -1.0, "b": 1.0}}]


@pytest.fixture(scope="module")
def gans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "gans"
    about = {"task": "gan", "measure": "kid", "difference": 0.01, "variants": GANS, "comparisons": COMPARED}
    write_json(folder / "study.json", ABOUT | about)
    finished_gan(folder / "a", dict(enumerate([0.20, 0.21, 0.19, 0.205, 0.195])))
    finished_gan(folder / "b", dict(enumerate([0.15, 0.17, 0.14, 0.15, 0.15])), gan={"loss": "hinge"})
    assert call(study_command.main, folder) is None
    return folder


def test_a_lower_kid_is_better(gans):
    (row,) = rows(gans / "comparisons.csv")
    assert (row["verdict"], float(row["difference"])) == ("better", pytest.approx(-0.048))
    text = (gans / "table.md").read_text()
    assert "hinge is better than clip by 0.0480 (95 % interval -0.0" in text
    assert "| clip | 0.2000 (0.1902 to 0.2098) | 0.600 | 0.300 (0.290 to 0.310) | 1.00 | 2.00 (1.90 to 2.10) |" in text
    assert "| +0.000 | +0.048 (+0.0" in text
    assert "points the other way" not in text


def test_the_page_of_gans_has_nothing_of_classifiers(gans):
    for name in ("page.html", "table.md", "table.csv", "seeds.csv", "table.tex"):
        text = (gans / name).read_text()
        for word in ("top-5", "top5", "Target", "accuracy", "forward", "MFLOP", "flops"):
            assert word not in text, (name, word)
    assert {path.stem for path in (gans / "plots").iterdir()} == {"differences", "values", "price", "curves"}
    (clip, _) = load(gans).results.values()
    assert curve(clip, 2, gans / "a/seed-2/curve.tsv") == [(1, 40, pytest.approx(0.57)), (2, 80, 0.19)]
    first = rows(gans / "seeds.csv")[0]
    assert (first["kid"], first["checkerboard_distance"], first["seconds"]) == ("0.2", "2.0", "200.0")
    assert float(rows(gans / "table.csv")[1]["coverage_mean"]) == pytest.approx(0.348)
    assert (gans / "plots/price.png").read_bytes().startswith(b"\x89PNG")


def test_the_front_holds_what_nothing_else_beats_at_its_cost():
    found = [(3, 90), (1, 80), (2, 85), (2, 86), (4, 89), (5, 90)]
    assert front(found, True) == [(1, 80), (2, 86), (3, 90)]
    assert front([(1, 0.3), (2, 0.4), (3, 0.2)], False) == [(1, 0.3), (3, 0.2)]


def test_a_curve_is_the_mean_of_the_seeds_between_the_lowest_and_the_highest():
    one, other = ([Point(e, e * s, a) for e, a in enumerate(accuracies, 1)]
                  for accuracies, s in (([50, None, 80], 2.0), ([60, None, 90], 4.0)))  # fmt: skip
    assert over_seeds([one, other], "epoch") == [(1, 55, 50, 60), (3, 85, 80, 90)]
    assert over_seeds([one, other], "seconds") == [(3, 55, 50, 60), (9, 85, 80, 90)]


def test_the_difference_of_each_class_is_that_of_its_recalls(tmp_path):
    folder = study(tmp_path)
    for seed in range(5):
        path = folder / f"b/seed-{seed}/evaluation.json"
        evaluation = json.loads(path.read_text())
        evaluation["classes"]["class 1"]["recall"] += seed
        evaluation["classes"]["class 3"]["recall"] = None
        write_json(path, evaluation)
        manifest = folder / f"b/manifests/{seed}.json"
        sums = json.loads(manifest.read_text())
        sums["sha256"]["evaluation.json"] = sha256(path)
        write_json(manifest, sums)
    outcome = load(folder)
    found = recalls(outcome.verdicts[0], outcome.results)
    assert list(found) == ["class 0", "class 1", "class 2"]
    assert (found["class 0"].mean, found["class 1"].mean) == pytest.approx((0.57, 2.57))
    gaps = [WIDE[s] - NARROW[s] + s for s in range(5)]
    assert found["class 1"].p() == pytest.approx(stats.ttest_1samp(gaps, 0).pvalue)


def test_a_collapsed_gan_is_named(tmp_path):
    about = {"task": "gan", "measure": "kid", "difference": 0.01, "variants": GANS, "comparisons": COMPARED}
    folder = tmp_path / "gans"
    write_json(folder / "study.json", ABOUT | about)
    finished_gan(folder / "a", dict(enumerate([0.20, 0.21, 0.19, 0.205, 0.195])))
    finished_gan(folder / "b", dict(enumerate([0.15, 0.17, 0.14, 0.9, 0.15])), gan={"loss": "hinge"})
    assert suspects(load(folder)) == [
        "Seeds of hinge that lie apart from the others: 3 (0.9000). All numbers count them; see the median."
    ]


def test_one_seed_of_a_gan_has_intervals_over_the_images(tmp_path):
    about = {"task": "gan", "measure": "kid", "difference": 0.01, "variants": GANS, "comparisons": COMPARED}
    folder = tmp_path / "gans"
    write_json(folder / "study.json", ABOUT | about | {"seeds": [0], "analyses": [1]})
    finished_gan(folder / "a", {0: 0.2})
    finished_gan(folder / "b", {0: 0.15}, gan={"loss": "hinge"})
    assert call(study_command.main, folder) is None
    text = (folder / "table.md").read_text()
    assert "Nothing can be said of hinge and clip yet (-0.0500), since one seed has no spread." in text
    assert "| clip | 1 | 0.2000 (0.1900 to 0.2200) | – |" in text
    assert "| hinge | 0.1500 (0.1400 to 0.1700) | 0.600 (0.590 to 0.620) | 0.350 (0.340 to 0.370) |" in text


def test_another_feature_space_that_points_the_other_way_is_named(tmp_path):
    about = {"task": "gan", "measure": "kid", "difference": 0.01, "variants": GANS, "comparisons": COMPARED}
    folder = tmp_path / "gans"
    write_json(folder / "study.json", ABOUT | about)
    finished_gan(folder / "a", dict(enumerate([0.20, 0.21, 0.19, 0.205, 0.195])), kid_random=0.3)
    finished_gan(folder / "b", dict(enumerate([0.1, 0.12, 0.1, 0.11, 0.1])), kid_random=0.35, gan={"loss": "hinge"})
    outcome = load(folder)
    assert contradictions(outcome.verdicts, outcome.results, outcome.measure) == [
        "hinge against clip: the KID-judge, untrained network, points the other way (+0.0500). Do not conclude from "
        "one feature space."
    ]


def test_samples_of_equal_blocks_are_worse_than_real_images(tmp_path):
    folder, rng = tmp_path / "study", np.random.default_rng(0)
    distances: dict[str, list[float]] = {"a": [], "b": []}
    for _ in range(5):
        real, other = (rng.integers(60, 200, (40, 32, 32, 3), dtype=np.uint8) for _ in range(2))
        blocks = other[:, ::2, ::2].repeat(2, 1).repeat(2, 2)
        for name, samples in (("a", other), ("b", blocks)):
            distances[name].append(checkerboard(samples, real)["distance"]["value"])
    about = {"task": "gan", "measure": "checkerboard_distance", "difference": 0.5, "comparisons": COMPARED}
    write_json(folder / "study.json", ABOUT | about | {"variants": GANS})
    for name, values in distances.items():  # the files hold ten times their KID-judge as this distance
        finished_gan(folder / name, {seed: value / 10 for seed, value in enumerate(values)}, gan={"flip": name == "b"})
    (found,) = load(folder).verdicts
    assert found.kind == "worse"


def test_a_study_of_few_classes_has_no_top_5_next_to_other_measures(written):
    """The four classes of these data have 100 % of any network."""
    assert "top-5" not in (written / "table.md").read_text()
    assert "calibration error" in (written / "table.md").read_text()
