"""With --keep-going one training that fails keeps no other from being summarized, and nothing passes for complete."""

import json

import pytest

pytestmark = pytest.mark.full


def fail(place, seed):
    """Let the training of one seed diverge, and no other."""
    path = place.path / "workflow/dawn/train.py"
    text = path.read_text()
    old = "    experiment = load(args.params)\n"
    assert old in text
    peak = '"train": {"schedule": {"peak": 1e9}}'
    new = f"    if args.seed == {seed}:\n        from dawn.config.experiment import check, merge\n\n"
    new += f"        experiment = check(merge(experiment.model_dump(mode='json'), {{{peak}}}))\n"
    path.write_text(text.replace(old, old + new))
    return text


@pytest.fixture(scope="module")
def failed(copied):
    """A finished run of two seeds, of three, whose third diverges."""
    text = fail(copied, 1)
    run = copied.snakemake("--keep-going", "seeds=[0, 1, 2]")
    (copied.path / "workflow/dawn/train.py").write_text(text)
    return copied, run


def test_the_finished_seeds_are_summarized_apart(failed):
    place, run = failed
    assert run.returncode != 0
    assert "the loss is nan" in run.stderr
    assert "results/partial: 2 of 3 seeds are finished; not finished: 1" in run.stderr
    metrics = json.loads((place.path / "results/partial/metrics.json").read_text())
    assert (metrics["seeds"], metrics["missing_seeds"]) == (2, [1])
    page = (place.path / "results/partial/summary.md").read_text()
    assert "over 2 of 3 seeds (not finished: 1)" in page.splitlines()[0]
    assert not (place.path / "results/seed-1/model.safetensors").exists()


def test_a_later_run_trains_what_is_missing(failed):
    place, _ = failed
    assert {"train", "evaluate", "summarize", "summary"} <= place.planned("seeds=[0, 1, 2]")


def test_a_later_run_is_complete_and_leaves_no_partial_result(failed):
    place, _ = failed
    assert place.snakemake("seeds=[0, 1, 2]").returncode == 0
    metrics = json.loads((place.path / "results/metrics.json").read_text())
    assert metrics["seeds"] == 3
    assert "missing_seeds" not in metrics
    assert not (place.path / "results/partial").exists()


def test_without_keep_going_nothing_partial_is_written(failed):
    place, _ = failed
    assert place.snakemake("seeds=[0, 3]", "train={epochs: 1, schedule: {peak: 1e9}}").returncode != 0
    assert not (place.path / "results/partial").exists()
