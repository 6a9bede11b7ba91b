"""Every number in params.yaml, in a study and in a search has an upper limit, so that no mistyped one is used."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ROOT, experiment, step

from dawn.config.experiment import COMPLETE
from dawn.config.search import Search
from dawn.config.study import Study
from dawn.core.cli import LARGEST_SEED, InputError

UNLIMITED = {
    "Study.seeds": "checked with the settings of the variants, which have limits",
    "Values.low": "the end of a range is checked as a value of its setting, which has limits",
    "Values.high": "the end of a range is checked as a value of its setting, which has limits",
}


def unlimited(schema: Any, key: str) -> Iterator[str]:
    """The keys below a part of a JSON schema where a number may be as large as it likes."""
    if isinstance(schema, list):
        for each in schema:
            yield from unlimited(each, key)
    elif isinstance(schema, dict):
        limits = {"maximum", "exclusiveMaximum", "enum"}
        if schema.get("type") in ("integer", "number") and not limits & schema.keys():
            yield key
        for part in ("anyOf", "oneOf", "allOf", "items", "prefixItems", "additionalProperties"):
            yield from unlimited(schema.get(part), key)


@pytest.mark.parametrize("settings", [COMPLETE, Study, Search])
def test_every_number_has_an_upper_limit(settings):
    schema = settings.model_json_schema()
    classes = {settings.__name__: schema} | schema["$defs"]
    keys = [(f"{name}.{key}", about) for name, each in classes.items() for key, about in each["properties"].items()]
    assert len(keys) > 8
    found = {place for key, about in keys for place in unlimited(about, key)}
    assert sorted(found - UNLIMITED.keys()) == []


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"evaluate": {"batch": 10**20}}, "evaluate.batch = 100000000000000000000: input should be less than or equal"),
        ({"seeds": [2**64]}, f"seeds.0 = {2**64}: input should be less than or equal to {LARGEST_SEED}"),
        ({"seeds": list(range(10_001))}, "seeds"),
        ({"seeds": [7] * 9_000}, "contains a seed twice"),
        ({"seeds": [-1] * 9_000}, "more faults"),
        ({"seeds": "9" * 5000}, "seeds"),
        ({"seeds": 10**5000}, "seeds"),
        ({"train": {"batch": 10**5000}}, "train.batch"),
        ({"train": {"batch": "9" * 5000}}, "train.batch"),
        ({"train": {"schedule": {"peak": "9" * 400}}}, "train.schedule.peak"),
        ({"x" * 5000: 1}, "is not a known key"),
    ],
)
def test_a_number_beyond_it_is_refused_in_one_short_line(over, words):
    with pytest.raises(InputError) as refusal:
        experiment(**over)
    assert words in str(refusal.value)
    assert str(refusal.value).isprintable() and len(str(refusal.value)) < 1500


@pytest.mark.parametrize("seed", ["-1", str(2**32), "9" * 5000, "1e3", "x"])
def test_a_seed_of_the_command_line_has_limits(seed, tmp_path):
    done = step("demo_archive", "--out", "a.tar.gz", "--seed", seed, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and len(done.stderr) < 200
    assert f"a whole number from 0 to {LARGEST_SEED}" in done.stderr


def test_no_command_has_a_seed_without_limits():
    paths = (ROOT / "workflow/dawn").rglob("*.py")
    found = [path.name for path in paths if re.search(r'"--seed", type=int', path.read_text())]
    assert found == ["arrays.py"]  # which checks it as data.holdout_seed
