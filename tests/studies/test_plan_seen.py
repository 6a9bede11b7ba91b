"""What `snakemake -n study` says of a plan whose experiments were seen before."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, TINY

from dawn.config.plan import plan
from dawn.studies import history
from dawn.studies.planning import outlook, seen_before

STUDY = {"question": "?", "seeds": 5, "variants": {"a": {}, "b": {"model": {"width": 8}}, "c": {"model": {"width": 2}}}}


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def made(name="mine", **keys):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(STUDY | keys))
        return plan(path, ROOT / "params.yaml", ROOT / "workflow/presets", TINY)

    return made


def shown(study):
    """Note that the results of all planned seeds were shown."""
    look = history.look_of_plan(study)
    seen = {key: e.model_copy(update={"seeds": look.seeds}) for key, e in look.experiments.items()}
    Path(study.directory).mkdir(parents=True)
    history.add(Path(study.directory), replace(look, experiments=seen))


def test_nothing_is_said_of_a_plan_that_was_kept(make):
    study = make()
    assert seen_before(study) == []
    shown(study)
    assert seen_before(study) == []
    assert seen_before(make("renamed", variants={"x": STUDY["variants"]["a"], "y": STUDY["variants"]["b"]})) == []


def test_what_will_be_tested_as_added_is_said_before_it_is_trained(make, tmp_path):
    shown(make())
    more = make(variants=STUDY["variants"] | {"d": {"model": {"width": 16}}})
    (said,) = seen_before(more)
    assert "d against a: a new variant, added on " in said and "is tested at 0.1 %" in said
    assert said in outlook(more, tmp_path / "data")
    gone, added = seen_before(
        make(against="b", variants={"a": {}, "b": {"model": {"width": 8}}, "e": {"model": {"width": 9}}})
    )
    assert "c against a (study mine, " in gone
    assert "e against b: chosen on" in added and "in results of its own" in added
    assert not (tmp_path / "results/studies/mine/study.json").exists()


def test_other_seeds_are_named(make):
    shown(make())
    (said,) = seen_before(make(seeds=10))
    assert "when 5 seeds were planned" in said and "anytime-valid tests, at 0.2 %" in said


def test_a_broken_history_is_one_line(make):
    shown(make())
    Path("results/studies/history.json").write_text("{")
    (said,) = seen_before(make())
    assert "is not JSON" in said
