"""A falsified crate is refused in one line that names what was changed, or the change is a finding."""

import stat
import subprocess
import zipfile

import crates
import pytest
import yaml
from conftest import ROOT
from crates import edited, put

from dawn.core.cli import InputError
from dawn.reproduction.files import DENSITY, SMALL, Sum, copy
from dawn.reproduction.packed import check_commit
from dawn.reproduction.publication import read

EVALUATION, WEIGHTS = "results/seed-0/evaluation.json", "results/seed-0/model.safetensors"


@pytest.fixture(scope="module")
def crate(tmp_path_factory):
    return crates.make(tmp_path_factory.mktemp("published"))


@pytest.fixture
def refused(crate, tmp_path):
    """Reads a falsified copy and returns the one line with which it is refused."""

    def refuse(changes, signed):
        path = edited(crate, tmp_path / "falsified.zip", changes, signed)
        with pytest.raises(InputError) as error:
            read(path, tmp_path / "read", ROOT)
        assert "\n" not in str(error.value)
        return str(error.value)

    return refuse


def test_the_crate_itself_is_read(crate, tmp_path):
    published = read(crate, tmp_path, ROOT)
    assert (published.seeds, published.values.n, published.measure.key) == ((0, 1), 2, "accuracy")
    assert published.values.values == tuple(
        json_of(tmp_path / f"results/seed-{seed}/evaluation.json")["accuracy"] for seed in (0, 1)
    )
    assert (published.extra, published.findings) == ([], [])
    assert not list(tmp_path.rglob("*.py"))  # the code is checksummed, and not written


def json_of(path):
    return yaml.safe_load(path.read_text())


def test_a_folder_of_results_and_an_unpacked_crate_are_read_too(crate, tmp_path):
    zipfile.ZipFile(crate).extractall(tmp_path / "unpacked")
    for source in (tmp_path / "unpacked", tmp_path / "unpacked/results"):
        assert read(source, tmp_path / source.name / "copy", ROOT).values == read(crate, tmp_path / "a", ROOT).values
        assert (tmp_path / source.name / "copy/results/params.yaml").is_file()


@pytest.mark.parametrize(
    ("name", "change"), [(EVALUATION, put(accuracy=99.0)), (WEIGHTS, lambda content: content[:-1] + b"\0"),
                         ("workflow/dawn/train.py", lambda content: content + b"# faster\n")]
)  # fmt: skip
def test_a_changed_file_is_named(refused, name, change):
    assert f"not as it was packed, by the checksums of its files; changed: '{name}'" in refused({name: change}, False)


def test_a_removed_file_is_named(refused):
    assert f"missing: '{EVALUATION}'" in refused({EVALUATION: crates.removed}, False)


def test_an_edited_metric_is_refused_although_all_checksums_fit(refused):
    wrong = refused({EVALUATION: put(accuracy=99.0)}, True)
    assert "results/metrics.json says accuracy = " in wrong
    assert "the mean of its seeds is" in wrong
    mean = dict.fromkeys(("mean", "median", "interquartile_mean"), 99.0) | dict.fromkeys(("std", "low", "high"))
    both = {f"results/seed-{seed}/evaluation.json": put(accuracy=99.0) for seed in (0, 1)}
    wrong = refused(both | {"results/metrics.json": put(accuracy=mean)}, True)
    assert "seed-0/evaluation.json says accuracy = 99.0, and its predictions have" in wrong


def test_a_removed_seed_is_named_although_all_checksums_fit(refused):
    names = [f"results/seed-1/{name}" for name in ("evaluation.json", "metrics.json", "curve.tsv", "confusion.csv",
                                                  "predictions.npz", "model.safetensors")]  # fmt: skip
    every = dict.fromkeys([*names, "results/manifests/1.json"], crates.removed)
    assert "lacks 'results/manifests/1.json', so it is no finished run" in refused(every, True)


def test_other_settings_are_named_although_all_checksums_fit(refused):
    def change(content):
        values = yaml.safe_load(content)
        values["train"]["schedule"]["peak"] = 0.2
        return yaml.safe_dump(values).encode()

    wrong = refused({"results/params.yaml": change}, True)
    assert "made with other settings than results/params.yaml has (train.schedule.peak: 0.1, now 0.2)" in wrong


def test_weights_of_another_seed_are_a_finding(crate, tmp_path):
    with zipfile.ZipFile(crate) as archive:
        other = archive.read("results/seed-1/model.safetensors")
    path = edited(crate, tmp_path / "falsified.zip", {WEIGHTS: lambda content: other}, True)
    findings = read(path, tmp_path / "read", ROOT).findings
    assert findings == ["The published seeds are not independent: seeds 0 and 1 have the same weights."]


def test_seeds_of_one_training_are_a_finding(crate, tmp_path):
    changes = {f"results/seed-{seed}/metrics.json": put(after_first_step="a" * 16) for seed in (0, 1)}
    path = edited(crate, tmp_path / "falsified.zip", changes, True)
    (finding,) = read(path, tmp_path / "read", ROOT).findings
    assert finding.startswith("The published seeds are not independent: seeds 0 and 1 share their first step")


@pytest.mark.parametrize(
    "urls", [["https://example.org/${SECRET}.tar"], ["/etc/passwd"], ["../../elsewhere.tar"], ["file:///etc/passwd"]]
)
def test_settings_that_would_read_what_is_ours_are_refused(refused, urls):
    def change(content):
        values = yaml.safe_load(content)
        values["data"] |= {"urls": urls, "sha256": "0" * 64}
        return yaml.safe_dump(values).encode()

    assert "a variable, a secret or a path of another machine" in refused({"results/params.yaml": change}, True)


def test_a_network_that_is_not_the_checkouts_is_refused(refused, tmp_path):
    code = tmp_path / "evil.py"
    code.write_text("def net(classes): ...\n")

    def change(content):
        values = yaml.safe_load(content)
        values["model"] = {"family": "file", "path": str(code), "name": "net"}
        return yaml.safe_dump(values).encode()

    assert "a network is executed, so it must be a file of this" in refused({"results/params.yaml": change}, True)


@pytest.mark.parametrize("content", [b"", b"[]", b"seeds: [", b"seeds: 1e9", b"train: {epohcs: 3}", b"\xff"])
def test_settings_that_are_none_are_refused(refused, content):
    assert "params.yaml" in refused({"results/params.yaml": lambda _: content}, True)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"@graph": []}', b'{"@graph": [{"@id": 1}]}', b"\xff"])
def test_a_description_that_is_none_is_refused(refused, content):
    assert "ro-crate-metadata.json" in refused({crates.METADATA: lambda _: content}, False)


def test_a_name_cannot_be_an_option_or_move_a_cursor(crate, tmp_path):
    def change(content):
        return content.replace(b"A run of dawn on", b"--out=x\\u0000\\u001b[2J" + 300 * b"a")

    name = read(edited(crate, tmp_path / "a.zip", {crates.METADATA: change}, False), tmp_path / "read", ROOT).name
    assert name.startswith("--out=x\\x00\\x1b[2Jaa")
    assert len(name) == 200


def zipped(path, name, content=b"", mode=0o100644):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
    return path


@pytest.mark.parametrize("name", ["../out.json", "/out.json", "results/../../out.json", "results\\..\\..\\out.json"])
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="leads out of the archive"):
        copy(zipped(tmp_path / "a.zip", name), tmp_path / "read")


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_a_device_in_a_zip_is_refused(tmp_path, mode):
    with pytest.raises(InputError, match="is a link, a device"):
        copy(zipped(tmp_path / "a.zip", "results/params.yaml", b"/etc/passwd", mode), tmp_path / "read")
    assert not (tmp_path / "read").exists()


def test_a_link_in_a_folder_is_refused(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/params.yaml").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match=r"'results/params.yaml' is a link or a device"):
        copy(tmp_path / "results", tmp_path / "read")


def test_a_bomb_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", "results/metrics.json", bytes(SMALL + 1))
    assert path.stat().st_size * DENSITY < SMALL
    with pytest.raises(InputError, match="unpacks to more than"):
        copy(path, tmp_path / "read")


def test_a_file_that_is_there_twice_is_refused(tmp_path):
    with pytest.warns(UserWarning), zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("results/params.yaml", "a: 1")
        archive.writestr("results/params.yaml", "a: 2")
    with pytest.raises(InputError, match="is there twice"):
        copy(tmp_path / "a.zip", tmp_path / "read")


@pytest.fixture
def repository(tmp_path):
    """A repository with a Snakefile and a module, and its commit."""
    root = tmp_path / "repository"
    (root / "workflow").mkdir(parents=True)
    (root / "Snakefile").write_text("rule all:\n")
    (root / "workflow/train.py").write_text("print(1)\n")
    git = ["git", "-C", root, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "first"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()
    return root, commit


def test_code_that_is_not_that_of_its_commit_is_refused(repository):
    root, commit = repository
    sums = {name: Sum.of((root / name).read_bytes()) for name in ("Snakefile", "workflow/train.py")}
    assert check_commit("a.zip", sums, commit, False, root) == f"the packed code is that of commit {commit}"
    falsified = sums | {"workflow/train.py": Sum.of(b"print(2)\n"), "workflow/new.py": Sum.of(b"")}
    with pytest.raises(
        InputError, match=r"is not that of commit .*, which it names: 'workflow/train.py', 'workflow/new"
    ):
        check_commit("a.zip", falsified, commit, False, root)
    admitted = check_commit("a.zip", falsified, commit, True, root)
    assert admitted == f"the code was changed after commit {commit}: workflow/train.py, workflow/new.py"
    assert "is not in this repository" in check_commit("a.zip", sums, "0" * 40, False, root)
    assert check_commit("a.zip", sums, None, None, root) == "the packed code names no commit"
