"""YAML of users: a key given twice, dates, large numbers and aliases without end are refused in one line."""

import re
import shutil
import subprocess
import sys
import time

import pytest
from conftest import ROOT, experiment, step
from refusals import one_line

from dawn.config import search, study
from dawn.config.experiment import dump, load, read
from dawn.config.types import MOST_SEEDS
from dawn.config.yaml_text import parse
from dawn.core.cli import InputError

LAUGHS = "\n".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n in range(9))
BOMB = f"a0: &a0 [1, 1]\n{LAUGHS}\n"
MERGES = "\n".join(f"a{n + 1}: &a{n + 1}\n  <<: [{', '.join([f'*a{n}'] * 9)}]" for n in range(9))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train:\n  epochs: 3\n  batch: 4\n  'epochs': 5\n", "train.epochs is there twice, in lines 2 and 4; delete"),
        ("a: 1\nb: 2\na: 3\n", "a is there twice, in lines 1 and 3"),
        ("a: [{b: 1, b: 2}]", "a.0.b is there twice, in lines 1 and 1"),
        ("author: 2024-01-31", "author = '2024-01-31' in line 1 is a date, which no setting is; text needs quotes"),
        ("a:\n  - 2024-01-31: 1", "a.0.2024-01-31 = '2024-01-31' in line 2 is a date"),
        ("a: !!set {b, c}", "a in line 1 is of the type '!!set'"),
        ("a: !!python/object:os.system x", "is of the type '!!python/object:os.system'"),
        ("a: =", "a = '=' in line 1 is of the type '!!value'"),
        (f"seeds: [{2**64}]", "seeds.0 = '18446744073709551616' in line 1 is too large a number"),
        (f"a: {'9' * 5000}", "is too large a number; text of digits needs quotes"),
        (f"a: 0x{'f' * 5000}", "is too large a number"),
        (BOMB, "has more than 100000 values, with all aliases written out"),
        (f"a0: &a0 {{k: 1}}\n{MERGES}\n", "has more than 100000 values"),
        ("a: &a [*a]", "a.0 in line 1 contains itself by an alias"),
        ("[" * 5000, "is nested more than 50 levels deep"),
        ("[" * 60 + "]" * 60, "is nested more than 50 levels deep"),
        ("{[1]: 2}", "is a list or a mapping as a key"),
        ("a: !!int x", "is not YAML"),
        ("# " + "x" * 1_000_001, "has 1000003 characters"),
        ("a: b: c", "is not YAML"),
        ("\x00", "is not YAML"),
    ],
)  # fmt: skip
def test_what_is_no_plain_data_is_refused_at_once_in_one_line(text, words):
    start = time.monotonic()
    with pytest.raises(InputError) as refusal:
        parse(text, "p.yaml")
    assert time.monotonic() - start < 5
    message = str(refusal.value)
    assert message.startswith("p.yaml") and words in message
    assert one_line(message)


def test_plain_data_is_read_as_before():
    text = "a: &a {b: [1, 2.5, true, null, x]}\nc: *a\nd: {<<: *a, e: '2024-01-31'}\nf: 18446744073709551615\n"
    inner = {"b": [1, 2.5, True, None, "x"]}
    assert parse(text, "") == {"a": inner, "c": inner, "d": inner | {"e": "2024-01-31"}, "f": 2**64 - 1}
    assert parse("", "") is None
    assert parse('{\n\t"a": {"b": [1, "c"]}\n}', "") == {"a": {"b": [1, "c"]}}


@pytest.mark.parametrize("load", [read, study.load, search.load])
def test_every_kind_of_file_is_read_so(load, tmp_path):
    (tmp_path / "f.yaml").write_text("seeds: 1\nquestion: a\nquestion: b\n")
    with pytest.raises(InputError, match=r"f\.yaml: question is there twice, in lines 2 and 3"):
        load(tmp_path / "f.yaml")


@pytest.mark.parametrize("twice", ["params", "preset"])
def test_a_preset_with_a_key_twice_is_not_written(twice, tmp_path):
    file, preset = shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml"), tmp_path / "p.yaml"
    preset.write_text("train: {epochs: 1}\n")
    with (file if twice == "params" else preset).open("a") as out:
        out.write("train: {epochs: 2}\n")
    before = file.read_text()
    done = step("preset", preset, "--params", file)
    assert done.returncode == 1
    assert re.fullmatch(r"dawn\.preset: \S+: train is there twice, in lines \d+ and \d+; delete one of them\n",
                        done.stderr)  # fmt: skip
    assert file.read_text() == before


def test_a_setting_of_the_command_line_is_read_so(tmp_path):
    done = step(
        "params", "--base", ROOT / "params.yaml", "--set", "submission.author=2024-01-31", "--out", tmp_path / "o"
    )
    assert done.returncode == 1
    assert "is a date" in done.stderr and "Traceback" not in done.stdout + done.stderr


def test_no_other_module_reads_yaml_of_users():
    readers = re.compile(r"yaml\.(safe_load|load|full_load|unsafe_load|compose)|SafeLoader")
    found = [path.name for path in (ROOT / "workflow").rglob("*.py") if readers.search(path.read_text())]
    assert found == ["yaml_text.py"]


def test_snakemake_refuses_a_configfile_with_a_key_twice(tmp_path):
    (tmp_path / "c.yaml").write_text("train: {epochs: 1}\ntrain: {epochs: 2}\n")
    line = [sys.executable, "-m", "snakemake", "-n", "-s", ROOT / "Snakefile", "-d", tmp_path]
    done = subprocess.run([*line, "--configfile", tmp_path / "c.yaml"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "c.yaml: train is there twice, in lines 1 and 2; delete one of them" in done.stdout + done.stderr


def test_the_longest_list_of_seeds_is_written_and_read(tmp_path):
    (tmp_path / "p.yaml").write_text(dump(experiment(seeds=MOST_SEEDS)))
    assert load(tmp_path / "p.yaml") == experiment(seeds=MOST_SEEDS)
