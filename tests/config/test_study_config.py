"""A study is a file; a faulty one stops with one line before any job."""

import json
import re

import pytest
import yaml
from conftest import ROOT

from dawn.config import registry
from dawn.config.plan import find, plan, slug, that_matters
from dawn.core.cli import InputError
from dawn.results.measures import DECIDING as MEASURES
from dawn.studies.planning import detection

STUDIES = ROOT / "workflow/studies"
READY = sorted(path.stem for path in STUDIES.glob("*.yaml"))
GOOD = {"question": "Does it help?", "variants": {"plain": {}, "wide": {"model": {"width": 64}}}}
GANS = {"plain": {}, "wide": {"gan": {"generator": {"width": 128}}}}
CYCLE = {"settings": {"task": "cycle"}, "difference": 1, "variants": {"a": {}, "b": {"cycle": {"pool": 0}}}}
SHAPES = CYCLE | {"settings": {"task": "cycle", "domains": {"kind": "shapes"}}}
GAN = {"settings": {"task": "gan"}, "variants": GANS, "difference": 0.01}


@pytest.fixture
def planned(tmp_path):
    def make(over=None, **keys):
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump({k: v for k, v in (GOOD | keys).items() if v is not None}, sort_keys=False))
        return plan(path, ROOT / "params.yaml", ROOT / "workflow/presets", over or {})

    return make


def test_the_ready_studies_are_those_promised():
    assert {
        "blocks",
        "bottleneck",
        "width-depth",
        "one-cycle",
        "augmentation",
        "precision",
        "image-size",
        "demo",
        "gan-ladder",
        "upsampling",
        "held-out",
    } <= set(READY)


@pytest.mark.parametrize("name", READY)
def test_a_ready_study_is_a_valid_one_of_valid_experiments(name):
    found = plan(find(name, STUDIES), ROOT / "params.yaml", ROOT / "workflow/presets", {})
    assert len(found.variants) >= 2
    assert len(found.shared.seeds) >= 3
    for key, variant in found.variants.items():
        assert slug(variant.name) == key
        assert variant.experiment.data == found.shared.data


def test_a_variant_lies_over_the_command_line_over_settings_over_base_over_params(planned):
    found = planned(
        {"seeds": 2, "train": {"epochs": 4}},
        base="demo",
        settings={"train": {"epochs": 3, "batch": 40}},
        variants={"a": {"train": {"batch": 80}}, "b": None},
        seeds=7,
    )
    a, b = (found.variants[name].experiment for name in "ab")
    assert a.train.schedule.peak == b.train.schedule.peak == 0.1  # the preset's
    assert (a.train.epochs, a.train.batch) == (4, 80)
    assert (b.train.epochs, b.train.batch) == (4, 40)
    assert a.seeds == found.shared.seeds == (0, 1)
    assert [comparison["weights"] for comparison in json.loads(found.text)["comparisons"]] == [{"b": 1, "a": -1}]
    assert found.directory == "results/studies/mine"


def test_a_grid_has_a_variant_for_each_of_its_points(planned):
    found = planned(
        variants=None, grid={"model.width": [16, 32], "model.kernels": [[1, 3], [3]]}, against="width 32, kernels [3]"
    )
    assert list(found.variants) == [
        "width-16-kernels-1-3",
        "width-16-kernels-3",
        "width-32-kernels-1-3",
        "width-32-kernels-3",
    ]
    assert found.variants["width-16-kernels-3"].experiment.model.kernels == (3,)
    compared = [comparison["weights"] for comparison in json.loads(found.text)["comparisons"]]
    assert len(compared) == 3
    assert all(weights["width-32-kernels-3"] == -1 for weights in compared)


def test_a_study_of_gans_decides_by_the_kid_if_nothing_else_is_chosen(planned):
    assert (planned(**GAN).measure, planned(**GAN).study.difference) == ("kid", 0.01)
    assert (planned(**GAN, measure="coverage").measure, planned().measure) == ("coverage", "accuracy")
    assert (planned().study.difference, planned(difference=1).study.difference) == (None, 1)


@pytest.mark.parametrize(
    ("difference", "images", "points"),
    [(None, 10_000, 0.2), (None, 500, 0.2), (None, 120, 0.84), (None, 7, 14.29), (None, None, 0.2), (0.5, 7, 0.5)],
)
def test_a_difference_that_matters_is_seen_in_the_images_at_hand(difference, images, points):
    """0.2 points are 20 of CIFAR-10's test images, and a quarter of one of 120."""
    assert that_matters(difference, images) == points


def test_each_measure_has_a_direction_and_a_unit():
    assert set(MEASURES) == {key for task in registry.TASKS for key in registry.task(task).deciding}
    assert {name for name, measure in MEASURES.items() if not measure.higher} == {
        "loss", "calibration_error", "kid", "kid_middle", "kid_random", "fd", "copied", "density_distance",
        "c_t_distance", "critic_gap_distance", "checkerboard_distance", "cycle_error", "cycle_error_noise",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"), [("B(3,1)", "B-3-1"), ("lr 0.1 / wd 1e-4", "lr-0.1-wd-1e-4"), ("..", ""), ("größer", "gr-er")]
)
def test_names_of_directories(name, expected):
    assert slug(name) == expected


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"question": None}, ["question is missing"]),
        ({"seads": 3}, ["seads is not a known key", "allowed: against, base"]),
        ({"variants": None}, ["variants or a grid, not neither"]),
        ({"grid": {"model.width": [1, 2]}}, ["not both"]),
        ({"variants": {"one": {}}}, ["at least two variants"]),
        ({"against": "other"}, ["against = other", "plain, wide"]),
        (
            {"base": "cpuu"},
            ["base = cpuu", "no such preset", "cpu, cpu-darknet, cpu95, cycle, cycle-cpu, cycle-demo, demo"],
        ),
        ({"seeds": 0}, ["0 seeds"]),
        ({"difference": 0}, ["difference = 0"]),
        ({"settings": {"train": {"epoks": 3}}}, ["settings", "train.epoks", "did you mean epochs"]),
        ({"variants": {"a": {}, "b": {"model": {"widht": 3}}}}, ["variant b", "did you mean width"]),
        ({"variants": {"a": {}, "b": {"data": {"holdout": 5}}}}, ["variant b changes data", "share"]),
        ({"variants": {"a": {}, "b": {"seeds": 9}}}, ["variant b changes seeds", "share"]),
        ({"variants": None, "grid": {"data.holdout": [1, 2]}}, ["holdout 1 changes data"]),
        ({"variants": {"a": {}, "b": {"model": {"width": 32}}}}, ["a and b are the same experiment"]),
        ({"variants": {"B(3)": {}, "B-3": {"model": {"width": 8}}}}, ["need the same directory B-3/", "rename"]),
        ({"variants": {"a": {}, "()": {"model": {"width": 8}}}}, ["() cannot name"]),
        ({"variants": {"a": {}, "plots": {"model": {"width": 8}}}}, ["plots cannot name"]),
        ({"variants": {"a": {}, "b|c": {"model": {"width": 8}}}}, ["b|c cannot name"]),
        ({"variants": [1, 2]}, ["variants = [1, 2]"]),
        ({"measure": "kid"}, ["measure = kid: task classify has accuracy, top5"]),
        ({"measure": "loss"}, ["measure = loss needs difference"]),
        ({"measure": "kidd"}, ['measure = "kidd"', "critic_gap"]),
        ({"settings": {"task": "gan"}, "variants": GANS}, ["measure = kid needs difference"]),
        (GAN | {"measure": "accuracy"}, ["measure = accuracy: task gan has kid, kid_middle"]),
        (GAN | {"measure": "critic_gap_distance"}, ["needs held-out images; set data.holdout"]),
        ({"budget": {}}, ["budget: give seconds or flops"]),
        ({"budget": {"seconds": 3, "flops": 4}}, ["give seconds or flops"]),
        ({"budget": {"seconds": 3}, "measure": "top5", "difference": 1}, ["budget is for measure accuracy or loss"]),
        (GAN | {"budget": {"seconds": 3}}, ["measure = kid is known at the end only"]),
        ({"split": "train"}, ['split = "train"', "holdout"]),
        ({"split": "holdout"}, ["split: holdout needs images held out of train; set data.holdout in settings"]),
        ({"split": "holdout", "measure": "top5", "difference": 1}, ["measure = top5 is of the test split only"]),
        (GAN | {"measure": "cas"}, ["measure = cas is not measured; set measures.cas"]),
        (GAN | {"variants": {"a": {}, "b": {"judge": {"seeds": 1}}}}, ["variant b changes judge"]),
        (GAN | {"variants": {"a": {}, "b": {"task": "classify"}}}, ["variant b changes task"]),
        (CYCLE | {"measure": "fd"}, ["measure = fd: task cycle has psnr, ssim"]),
        (SHAPES | {"measure": "kid", "difference": 1}, ["measure = kid needs judges, which only domains.kind classes"]),
        (CYCLE, ["measure = psnr needs a truth, and domains.kind classes has none"]),
        (CYCLE | {"variants": {"a": {}, "b": {"domains": {"kind": "grey"}}}}, ["variant b changes domains"]),
    ],
)  # fmt: skip
def test_faults_are_named_in_one_line(planned, keys, words):
    with pytest.raises(InputError) as refusal:
        planned(**keys)
    message = str(refusal.value)
    assert "mine.yaml" in message
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_an_unknown_study_names_those_there_are():
    with pytest.raises(InputError, match=r"study = blokcs: .*blokcs.yaml does not exist; studies: .*blocks"):
        find("blokcs", STUDIES)


def test_a_study_may_lie_anywhere(planned, tmp_path):
    planned()
    assert find(str(tmp_path / "mine.yaml"), STUDIES) == tmp_path / "mine.yaml"


@pytest.mark.parametrize("name", ["a{b}.yaml", "a\nb.yaml"])
def test_a_file_whose_name_cannot_be_that_of_a_directory_is_refused(tmp_path, name):
    (tmp_path / name).write_text("question: ?")
    with pytest.raises(InputError, match="no braces and no control characters; rename the file") as error:
        find(str(tmp_path / name), STUDIES)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", READY)
def test_the_seeds_of_a_ready_study_detect_what_its_header_says(name):
    """The comment after ``seeds`` names the difference that so many detect four times in five."""
    text = (STUDIES / f"{name}.yaml").read_text()
    said = re.search(r"^seeds: (\d+) # they detect ([\d.]+) points? four times in five", text, re.MULTILINE)
    if said is None:
        return
    found = plan(find(name, STUDIES), ROOT / "params.yaml", ROOT / "workflow/presets", {})
    lines = detection(found)
    assert f"a fixed study takes {said[1]} seeds a variant to detect {said[2]} points four times in five" in lines[-1]


def test_a_sequential_study_begins_at_five_seeds(planned):
    found = planned(seeds={"most": 20}, until="decided")
    assert found.counts == (5, 8, 13, 20)
    assert len(planned().shared.seeds) == 5
