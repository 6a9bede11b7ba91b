"""Results that were edited or damaged: each command that reads them ends with its output or with one line."""

import json
import struct
import tracemalloc
import zipfile

import damage
import damaged_runs
import numpy as np
import pytest
import torch
from conftest import experiment
from seed_files import seed

from dawn.config.plan_records import StudyFile
from dawn.config.records import Dataset, Manifest
from dawn.core.array_file import LABELS, Kind, load_array, load_arrays
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.core.reading import from_json, read_json, read_table
from dawn.engine.checkpoint import FILE, Checkpoints, checksum
from dawn.engine.weights import read_weights
from dawn.results import manifest
from dawn.results.manifest import header, location, verify
from dawn.results.predictions import load_predictions
from dawn.tasks.classify.networks.build import restored

LIGHT = {"summarize", "summary", "measurement", "predict", "sample", "translate"}  # commands that take no second
MOST = 1500  # bytes of a line: a fault of each of several settings is in it


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return damaged_runs.classifier(tmp_path_factory.mktemp("damaged"))


def faults(made, commands, step):
    """What went wrong when every ``step``-th damage was done to each file and the commands ran that read it."""
    found, ends = [], 0
    chosen = damaged_runs.Made(made.root, [c for c in made.commands if commands is None or c[0] in commands])
    for place, path in enumerate(made.files()):
        whole = path.read_bytes()
        for each in damage.damages(path)[place % step :: step]:
            try:
                ended = chosen.damaged(path, each, whole)
            except Exception as error:  # what no command expects
                found.append(f"{path.relative_to(made.root)}, {each.name}: {error!r}")
                continue
            ends += len(ended)
            found += [f"{path.name}, {each.name}, {name}: {end.said}" for name, end in ended if not right(end)]
    assert ends > 20
    return found


def right(end):
    """Whether a command ended with 0, or else with one line of a sentence."""
    line = end.said.strip()
    return end.code == 0 or (0 < len(line) < MOST and "\n" not in line and "Traceback" not in line)


@pytest.mark.full
def test_a_damaged_result_of_a_classifier_is_one_line(classifier):
    assert faults(classifier, LIGHT, 211) == []


@pytest.mark.full
@pytest.mark.parametrize("task", ["classifier", "gan", "cycle"])
def test_a_damage_of_each_file_is_one_line_of_each_command(tmp_path, task):
    commands = LIGHT | {"plot"} if task == "gan" else None  # an evaluation of samples takes long
    assert faults(getattr(damaged_runs, task)(tmp_path / task), commands, 499) == []


@pytest.mark.parametrize("name", ["evaluation.json", "curve.tsv", "model.safetensors"])
def test_what_is_no_file_is_one_line(classifier, tmp_path, name):
    root = classifier.copy(tmp_path / "copy")
    path = root / f"results/seed-0/{name}"
    for what, make in damage.specials(path):
        path.unlink()
        make()
        for command, arguments, _ in classifier.commands:
            if command in ("summarize", "predict"):
                here = [str(argument).replace(str(classifier.root), str(root)) for argument in arguments]
                end = damage.run(command, *here)
                read = command == "summarize" or name == "model.safetensors"
                assert (end.code == 1) is read, (what, command, end)
                assert right(end), (what, command, end)
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        path.touch()


@pytest.mark.parametrize("names", [[], ["metrics.json"], ["metrics.json", "../../etc/passwd"]])
def test_a_manifest_that_leaves_a_file_out_or_has_another_verifies_nothing(tmp_path, names):
    path = seed(tmp_path, 0, [50.0, 90.0])
    known = read_json(location(path))
    write_json(location(path), known | {"sha256": dict.fromkeys(names, "0" * 64)})
    with pytest.raises(InputError, match=r"manifests/0\.json is no manifest of a seed: it has (no|a) checksum of"):
        verify(path, ["metrics.json"])
    write_json(location(path), known | {"sha256": known["sha256"] | {"more.json": "0" * 64}})
    with pytest.raises(InputError, match=r"it has a checksum of 'more\.json'; delete it"):
        verify(path)
    write_json(location(path), known)
    assert set(verify(path)["sha256"]) == set(experiment().declared.seed_files)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"classes": ["a"], "classes": ["b"]}', "'classes' is there twice"),
        ('{"classes": NaN}', "NaN is no number of JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"shape": [2, 2, 3], "counts": {"train": 1, "test": 1}}', "classes is missing"),
        ('{"classes": ["a", "a"], "shape": [2, 2, 3], "counts": {"train": 1, "test": 1}}', "two classes have one name"),
        ('{"classes": ["a"], "shape": [2, 2, 3], "counts": {"train": 1, "test": true}}', "counts.test is 'true'"),
        ('{"classes": ["a"], "shape": [2, 2, 3], "counts": {"train": 1.5, "test": 1}}', "counts.train is '1.5'"),
        ('{"classes": {"a": 1}, "shape": [2, 2, 3], "counts": {"train": 1, "test": 1}}', "classes is"),
        ('{"classes": ["a"], "shape": [2, 2], "counts": {"train": 1, "test": 1}}', "shape.2 is missing"),
        (b"\xff\xfe", "not text in UTF-8"),
    ],
)
def test_json_is_read_as_a_type(text, words):
    with pytest.raises(InputError, match=words) as error:
        from_json(text, "data/dataset.json", Dataset)
    assert str(error.value).startswith("data/dataset.json")
    assert "\n" not in str(error.value) and str(error.value).endswith("delete it to have it made again")


def test_a_value_that_is_right_is_returned_as_it_is():
    text = '{"classes": ["a"], "shape": [2, 2, 3], "counts": {"train": 1, "test": 1}, "more": [1.0, 2]}'
    assert from_json(text, "x", Dataset) == json.loads(text)


def test_a_study_compares_its_variants_alone():
    about = {"name": "s", "variants": {"a": "A", "b": "B"}, "seeds": [0], "analyses": [1], "measure": "accuracy",
             "difference": 0.2, "test": "holm", "comparisons": []}  # fmt: skip
    contrast = {"name": "B", "base": "A", "weights": {"a": -1.0, "b": 1.0}}
    assert from_json(json.dumps(about | {"comparisons": [contrast]}), "s", StudyFile)
    with pytest.raises(InputError, match="a comparison has weights of 'c', which is no variant"):
        from_json(json.dumps(about | {"comparisons": [contrast | {"weights": {"a": 1, "c": 1}}]}), "s", StudyFile)
    with pytest.raises(InputError, match="variants"):
        from_json(json.dumps(about | {"variants": {"../a": "A"}}), "s", StudyFile)


def test_a_manifest_needs_a_section_of_a_task(tmp_path):
    write_json(tmp_path / "m.json", {"choices": {"data": {"urls": [], "sha256": None, "holdout": 0}}, "sha256": {}})
    with pytest.raises(InputError, match="no section of a task, one of train, gan, cycle"):
        manifest.read(tmp_path / "m.json")
    with pytest.raises(InputError, match="choices"):
        from_json('{"choices": {"data": {}}, "sha256": {}}', "m.json", Manifest)


def test_an_archive_that_would_take_more_memory_than_it_has_is_refused(tmp_path):
    rows = 3_000_000
    bomb = damage.zipped({"logits": np.zeros((rows, 10), np.float32), "labels": np.zeros(rows, np.uint8)})
    assert len(bomb) < 300_000
    tracemalloc.start()
    with pytest.raises(InputError, match=r"p\.npz is not a whole .npz file \(.*logits.* would take 120,000,128 bytes"):
        load_predictions(bomb, "p.npz")
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(("shape", "words"), [((2**40, 10), "has not the values"), ((-5, 10), "is not a whole")])
def test_a_header_that_says_more_than_there_is_takes_no_memory(shape, words, tmp_path):
    content = damage.zipped({"logits": damage.header("<f4", shape), "labels": np.zeros(3, np.uint8)})
    with pytest.raises(InputError, match=words):
        load_predictions(content, "p.npz")
    (tmp_path / "a.npy").write_bytes(damage.header("|u1", shape))
    with pytest.raises(InputError, match=r"a\.npy is not a whole .npy array"):
        load_array(tmp_path / "a.npy")


def test_arrays_of_another_kind_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 3), np.float32))
    with pytest.raises(InputError, match=r"a\.npy is float32 \(2, 3\), not integer \(\*\); delete it"):
        load_array(tmp_path / "a.npy", LABELS)
    logits, labels = np.zeros((3, 2), np.float32), np.array([0, 1, 2], np.uint8)
    with pytest.raises(InputError, match="labels of other classes than 0 to 1"):
        load_predictions(damage.zipped({"logits": logits, "labels": labels}), "p.npz")
    logits[0, 0] = np.nan
    with pytest.raises(InputError, match=r"logits\.npy has values that are NaN or infinite"):
        load_arrays(damage.zipped({"logits": logits}), "p.npz", {"logits": Kind(np.floating, (None, None))})


def test_a_header_of_weights_that_is_longer_than_its_file_takes_no_memory(tmp_path):
    path = seed(tmp_path, 0, [50.0]) / "model.safetensors"
    content = path.read_bytes()
    for length in (2**20, 2**40, 2**63, 2**64 - 1):
        path.write_bytes(struct.pack("<Q", length) + content[8:])
        with pytest.raises(InputError, match="is not a safetensors file"):
            header(path)
        with pytest.raises(InputError, match="is not a safetensors file"):
            read_weights(path)


def test_a_network_is_not_built_for_weights_that_do_not_fit_it(tmp_path):
    """The header of hostile weights may describe a network of many gigabytes."""
    path = seed(tmp_path, 0, [50.0]) / "model.safetensors"
    large = experiment(model={"width": 1024, "blocks": [1, 1]}).model
    with pytest.raises(InputError, match=r"does not fit .* \(\S+ is (missing|not in the network)\)"):
        restored(large, path, 3)


def test_a_table_with_other_columns_or_rows_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    for text in ("", "a\n1\n", "a,b\n1\n", "a,b\n1,2,3\n", 'a,b\n"1,2\n', "a,b\n" + "x" * 200_000 + ",1\n"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"t\.csv"):
            read_table(path, columns=("a", "b"))


def bomb_of(path):
    """Make a checkpoint one whose record is compressed zeros of 200 MB, and return what it was."""
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, bytes(200_000_000) if name.endswith("data/0") else content)
    return whole


def test_a_checkpoint_that_is_a_bomb_or_holds_itself_is_damaged(tmp_path, capsys):
    kept = Checkpoints(tmp_path, "k", 0)
    kept.save({"step": 1, "weights": torch.zeros(5)})
    whole = bomb_of(kept.directory / FILE)
    with pytest.raises(InputError, match=r"state\.pt is damaged .*; delete .* to train from the start"):
        kept.load(torch.device("cpu"))
    (kept.directory / FILE).write_bytes(whole)
    assert kept.load(torch.device("cpu"))["step"] == 1
    wide = torch.zeros(1).expand(2**40)
    torch.save({"key": "k", "seed": 0, "weights": wide, "checksum": "0"}, kept.directory / FILE)
    with pytest.raises(InputError, match="damaged"):
        kept.load(torch.device("cpu"))
    for values in ([], {}, {"checksum": 1}, {"step": 1, "checksum": checksum({"step": 1})}, 5):
        torch.save(values, kept.directory / FILE)
        with pytest.raises(InputError, match="damaged"):
            kept.load(torch.device("cpu"))


def test_the_checks_read_what_the_tests_write(classifier):
    """The undamaged folder is read by every command: a test of the tests."""
    for name, arguments, _ in classifier.commands:
        if name in LIGHT:
            assert damage.run(name, *arguments).code == 0, name
