"""Folders and archives of images of any kind as arrays: classes, splits, sizes, and what is refused."""

import json
import re
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from archives import call
from conftest import ROOT, experiment
from PIL import Image
from seeds import pixels, write_image

from dawn import arrays, preset
from dawn.config.experiment import check, dump, merge, read
from dawn.core.cli import InputError
from dawn.data import image_file
from dawn.data.collection import decoding, listing, reader
from dawn.data.collection import source as source_files
from dawn.data.collection.survey import survey
from dawn.data.collection.tracking import file_list
from dawn.data.image_file import read_image
from dawn.tasks.classify.networks.build import build


def run(tmp_path, source, out=None, **data):
    """Call the step on a source; what it refuses, or None."""
    settings = {"urls": [str(source)], "layout": "folders", "size": 16, **data}
    (tmp_path / "params.yaml").write_text(dump(experiment(data=settings)))
    return call(
        arrays.main, "--params", tmp_path / "params.yaml", "--source", source, "--out", out or tmp_path / "data"
    )


def made(out):
    """The arrays by name, and dataset.json."""
    return {p.stem: np.load(p) for p in out.glob("*.npy")}, json.loads((out / "dataset.json").read_text())


@pytest.fixture
def photos(tmp_path):
    """Three classes of ten images of many sizes, formats and modes, without a split."""
    kinds = [
        ("png", "RGB"),
        ("jpg", "RGB"),
        ("webp", "RGB"),
        ("png", "L"),
        ("gif", "P"),
        ("bmp", "RGB"),
        ("png", "RGBA"),
    ]
    for label, name in enumerate(("cat", "dog", "ant hill")):
        for i in range(10):
            suffix, mode = kinds[i % len(kinds)]
            image = Image.fromarray(pixels(20 + i, 50 - i, seed=10 * label + i)).convert(mode)
            path = tmp_path / "photos" / name / ("deep" if i == 3 else "") / f"{i:02d}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
    return tmp_path / "photos"


def test_any_size_format_and_mode(photos, tmp_path):
    assert run(tmp_path, photos) is None
    found, about = made(tmp_path / "data")
    assert about["classes"] == ["ant hill", "cat", "dog"]
    assert about["counts"] == {"train": 24, "test": 6}
    assert about["class_counts"]["test"] == [2, 2, 2]
    assert about["shape"] == [16, 16, 3]
    assert found["train_images"].shape == (24, 16, 16, 3)
    assert found["train_labels"].dtype == np.uint8
    every = np.concatenate([found["train_images"], found["test_images"]])
    for path in photos.rglob("*.*"):
        assert (every == read_image(path, 16, "crop")).all((1, 2, 3)).any(), path


def test_the_order_and_the_labels_are_those_of_the_names(photos, tmp_path):
    assert run(tmp_path, photos, test_fraction=0.1) is None
    found, about = made(tmp_path / "data")
    paths = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.*"))
    order = [read_image(photos / name, 16, "crop") for name in paths]
    for image, label in zip(found["train_images"], found["train_labels"], strict=True):
        (place,) = [i for i, other in enumerate(order) if np.array_equal(image, other)]
        assert about["classes"][label] == paths[place].split("/")[0]


def test_the_test_split_is_drawn_by_its_seed(photos, tmp_path):
    drawn = []
    for i, seed in enumerate((0, 0, 1)):
        assert run(tmp_path, photos, tmp_path / str(i), test_seed=seed) is None
        drawn.append(made(tmp_path / str(i))[0]["test_images"])
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_a_holdout_is_cut_from_train_and_forgotten_without_one(photos, tmp_path):
    assert run(tmp_path, photos, holdout=6) is None
    found, about = made(tmp_path / "data")
    assert about["counts"] == {"train": 18, "holdout": 6, "test": 6}
    assert np.bincount(found["holdout_labels"]).tolist() == [2, 2, 2]
    assert run(tmp_path, photos) is None
    assert not list((tmp_path / "data").glob("holdout*"))


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Training", "val")])
def test_a_split_of_its_own_is_kept(tmp_path, train, test):
    for split, count in ((train, 3), (test, 2)):
        for label, name in enumerate("ab"):
            for i in range(count):
                write_image(
                    tmp_path / "top" / "deeper" / split / name / f"{i}.png", pixels(9, 9, seed=10 * label + i + count)
                )
    assert run(tmp_path, tmp_path / "top") is None
    found, about = made(tmp_path / "data")
    assert about["counts"] == {"train": 6, "test": 4}
    assert about["test_fraction"] is None
    assert found["test_labels"].tolist() == [0, 0, 1, 1]


def test_the_folders_of_a_cyclegan_are_splits_of_two_classes(tmp_path):
    for folder, count in (("trainA", 3), ("trainB", 2), ("testA", 1), ("testB", 2)):
        for i in range(count):
            write_image(tmp_path / "horse2zebra" / folder / f"{i}.png", pixels(9, 9, seed=10 * len(folder) + i))
    assert run(tmp_path, tmp_path / "horse2zebra") is None
    found, about = made(tmp_path / "data")
    assert about["classes"] == ["A", "B"]
    assert found["train_labels"].tolist() == [0, 0, 0, 1, 1]
    assert found["test_labels"].tolist() == [0, 1, 1]


def packed(photos, tmp_path, kind):
    path = tmp_path / f"photos.{kind}"
    files = sorted(p for p in photos.rglob("*") if p.is_file())
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(tmp_path))
    else:
        with tarfile.open(path, f"w:{kind.rpartition('.')[2].replace('tar', '')}") as archive:
            for file in files:
                archive.add(file, file.relative_to(tmp_path))
    return path


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_an_archive_gives_what_its_folder_gives(photos, tmp_path, kind):
    assert run(tmp_path, photos, tmp_path / "one") is None
    assert run(tmp_path, packed(photos, tmp_path, kind), tmp_path / "two") is None
    (one, _), (two, about) = made(tmp_path / "one"), made(tmp_path / "two")
    assert about["archive"] == f"photos.{kind}"
    for name, array in one.items():
        assert np.array_equal(array, two[name])


def test_processes_give_what_one_gives(photos, tmp_path, monkeypatch):
    assert run(tmp_path, photos, tmp_path / "one") is None
    monkeypatch.setattr(decoding, "FEW", 0)
    monkeypatch.setattr(decoding, "CHUNK", 7)
    monkeypatch.setattr(decoding, "cores", lambda: 2)
    assert run(tmp_path, photos, tmp_path / "two") is None
    (one, about), (two, again) = made(tmp_path / "one"), made(tmp_path / "two")
    assert about == again
    assert all(np.array_equal(array, two[name]) for name, array in one.items())


def test_all_that_cannot_be_read_is_named_at_once_and_nothing_is_written(photos, tmp_path, capsys):
    assert run(tmp_path, photos) is None
    before = {p.name: p.read_bytes() for p in (tmp_path / "data").iterdir()}
    (photos / "cat/bad.png").write_bytes(b"no image")
    (photos / "dog/01.jpg").write_bytes((photos / "dog/01.jpg").read_bytes()[:100])
    (photos / "notes.txt").write_text("notes")
    refusal = run(tmp_path, photos)
    printed = capsys.readouterr().err
    assert f"{photos}: 2 of 31 images cannot be read; delete or replace them" in refusal
    assert f"{photos}/cat/bad.png: is no image of a known format" in printed
    assert f"{photos}/dog/01.jpg: is a damaged image" in printed
    assert "left out, since no image: 1 x .txt" in printed
    assert {p.name: p.read_bytes() for p in (tmp_path / "data").iterdir()} == before


def test_images_that_are_in_both_splits_are_reported(tmp_path, capsys):
    def add(split, name, number, seed):
        write_image(tmp_path / "top" / split / name / f"{number}.png", pixels(9, 9, seed=seed))

    for i, name in enumerate("ab"):
        add("train", name, 1, i)
        add("test", name, 1, i)
        add("test", name, 2, 10 + i)
    add("train", "a", 2, 0)
    assert run(tmp_path, tmp_path / "top") is None
    printed = capsys.readouterr().err
    assert "2 of 4 test images are byte for byte in train too" in printed
    assert "1 of 3 train images are there before, byte for byte" in printed
    add("train", "b", 2, 10)
    assert "3 of 4 test images are byte for byte in train too" in run(tmp_path, tmp_path / "top")


def test_the_checksum_is_of_names_and_contents(photos, tmp_path):
    assert run(tmp_path, photos) is None
    digest = made(tmp_path / "data")[1]["sha256"]
    assert run(tmp_path, photos, sha256=digest) is None
    (photos / "cat/00.png").rename(photos / "cat/0.png")
    assert "data.sha256 is" in run(tmp_path, photos, sha256=digest)


def test_many_classes_have_wider_labels(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for i in range(300):
            for k in range(2):
                image = write_image(tmp_path / "one.png", pixels(8, 8, seed=2 * i + k)).read_bytes()
                archive.writestr(f"class {i:03d}/{k}.png", image)
    assert run(tmp_path, tmp_path / "many.zip", size=8, test_fraction=0.5) is None
    found, _ = made(tmp_path / "data")
    assert found["test_labels"].dtype == np.uint16
    assert found["test_labels"].tolist() == list(range(300))


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["a/b.txt"], r"photos: has no image files \(\.png"),
        (["a.png", "b/c.png"], "in no class folder: 'a.png'; each image must be in a folder"),
        (["a/1.png", "a/2.png"], r"has 1 class folders \('a'\), 2 to 65536 are needed"),
        (["a\n/1.png", "b/2.png"], r"folder 'a\\n' cannot name a class"),
        (["test/a/1.png", "val/a/1.png", "train/a/1.png"], "has a test and a validation split; delete one"),
    ],
)
def test_names_that_are_no_classes_are_refused(paths, message):
    with pytest.raises(InputError, match=message) as refusal:
        listing.listing(paths, "photos")
    assert "\n" not in str(refusal.value)


def test_classes_may_be_expected(photos, tmp_path):
    assert run(tmp_path, photos, classes=["dog", "cat", "ant hill"]) is None
    assert made(tmp_path / "data")[1]["classes"] == ["dog", "cat", "ant hill"]
    assert "has classes 'ant hill, cat, dog'; data.classes expects 'cat, dog'" in run(
        tmp_path, photos, classes=["cat", "dog"]
    )


def test_sources_that_cannot_be_used_are_refused(photos, tmp_path):
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(packed(photos, tmp_path, "zip").read_bytes()[:-30])
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(packed(photos, tmp_path, "tar.gz").read_bytes()[:-900])
    for source in (damaged, cut):
        assert "is no whole tar or zip archive" in run(tmp_path, source)
    assert "is not there; name a folder" in run(tmp_path, tmp_path / "none")
    assert "data.size is null" in run(tmp_path, photos, size=None)
    assert "leave a class without images on one side" in run(tmp_path, photos, test_fraction=0.01)


def test_a_change_in_a_folder_is_seen(photos):
    before = file_list(str(photos))
    assert file_list(str(photos)) == before
    (photos / ".hidden").write_text("x")
    assert file_list(str(photos)) == before
    (photos / "cat/00.png").unlink()
    assert file_list(str(photos)) != before


def new(tmp_path, source, *more):
    out = tmp_path / "mine.yaml"
    return call(preset.main, "new", "--data", source, "--params", ROOT / "params.yaml", "--out", out, *more), out


def test_a_preset_is_written_from_what_is_found(photos, tmp_path, capsys):
    refusal, out = new(tmp_path, photos)
    assert refusal is None
    printed = capsys.readouterr().out
    assert f"{photos}: 30 images of 3 classes, 10 for each; no test split" in printed
    assert "width 41 to 50, height 20 to 29 pixels" in printed
    settings = check(merge(read(ROOT / "params.yaml"), read(out)))
    assert settings.data.urls == (str(photos),)
    assert (settings.data.size, settings.train.batch) == (32, 4)
    assert build(settings.model, 3, 0)(torch.zeros(2, 3, 32, 32)).shape == (2, 3)
    assert "exists; delete it" in new(tmp_path, photos)[0]


def test_the_tutorial_shows_what_is_written(photos):
    tutorial = (ROOT / "docs/tutorials/my-data.md").read_text()
    shown = re.search(r"```yaml\n(.*?)```", tutorial, re.DOTALL)[1].partition("data:\n")[2]
    written = survey(photos).preset().partition("data:\n")[2].partition("model:\n")[0]
    plain = [re.sub(r"\[/.*\]|(?<=size: )\d+", "", text).splitlines() for text in (shown, written)]
    assert plain[0] == plain[1]


def test_the_proposed_size_is_one_that_most_images_have(tmp_path):
    for name in "ab":
        for i, side in enumerate((300, 70, 66, 40)):
            write_image(tmp_path / "top" / name / f"{i}.png", pixels(side, side))
    assert survey(tmp_path / "top").size == 64


def test_no_preset_for_what_is_no_data(photos, tmp_path):
    assert "is not there; name a folder of images" in new(tmp_path, tmp_path / "none")[0]
    (photos / "cat/bad.png").write_bytes(b"none")
    refusal, out = new(tmp_path, photos)
    assert "cannot be read: 'cat/bad.png (UnidentifiedImageError)'; delete or replace" in refusal
    assert not out.exists()


@pytest.mark.parametrize("holdout", [0, 6])
def test_the_file_of_each_image_is_named_in_order(photos, tmp_path, holdout):
    (photos / "cat/line\nfeed.png").write_bytes((photos / "cat/00.png").read_bytes())
    assert run(tmp_path, photos, holdout=holdout) is None
    found, about = made(tmp_path / "data")
    header, *lines = (tmp_path / "data/files.tsv").read_text().splitlines()
    assert header == "split\trow\tclass\tfile"
    assert len(lines) == 31
    for split, row, name, file in (line.split("\t") for line in lines):
        path = photos / (file if "feed" not in file else "cat/line\nfeed.png")
        assert np.array_equal(found[f"{split}_images"][int(row)], read_image(path, 16, "crop"))
        assert about["classes"][found[f"{split}_labels"][int(row)]] == name == file.strip("'").split("/")[0]
    assert len({line.split("\t")[3] for line in lines}) == 31


def test_only_images_of_an_archive_are_held_against_the_size_of_an_image(photos, tmp_path, monkeypatch, capsys):
    (photos / "film.bin").write_bytes(bytes(50_000))
    (photos / "dog/large.png").write_bytes(bytes(50_000))
    for module in (image_file, reader):
        monkeypatch.setattr(module, "MAX_BYTES", 20_000)
    for kind in ("zip", "tar.gz"):
        assert "1 of 31 images cannot be read" in run(tmp_path, packed(photos, tmp_path, kind))
        assert "dog/large.png: has 20,001 bytes, at most 20,000 are allowed" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(photos, tmp_path, kind):
    path = packed(photos, tmp_path, "tar")
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo("photos/cat/link.png")
        info.type, info.linkname = kind, "00.png"
        archive.addfile(info)
    assert "'photos/cat/link.png' is a link, a device" in run(tmp_path, path)


@pytest.mark.parametrize("name", ["/photos/cat/x.png", "photos/../../cat/x.png"])
def test_names_that_lead_out_of_an_archive_are_refused(photos, tmp_path, name):
    tar, zipped = packed(photos, tmp_path, "tar"), packed(photos, tmp_path, "zip")
    with tarfile.open(tar, "a") as archive:
        archive.addfile(tarfile.TarInfo(name))
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr(name, b"")
    for path in (tar, zipped):
        assert f"'{name}' leads out of the archive" in run(tmp_path, path)


def test_names_that_come_twice_are_refused(photos, tmp_path):
    path = packed(photos, tmp_path, "tar")
    with tarfile.open(path, "a") as archive:
        archive.add(photos / "cat/00.png", "./photos/cat/00.png")
    assert "'photos/cat/00.png' is there twice" in run(tmp_path, path)


def test_a_tar_that_is_cut_between_two_images_is_refused(photos, tmp_path):
    path = packed(photos, tmp_path, "tar")
    with tarfile.open(path) as archive:
        end = archive.getmembers()[9].offset
    path.write_bytes(path.read_bytes()[:end])
    assert "the tar has no end mark" in run(tmp_path, path)


def test_an_encrypted_zip_is_refused(photos, tmp_path):
    path = packed(photos, tmp_path, "zip")
    data = bytearray(path.read_bytes())
    for magic, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(magic) + flags] |= 1
    path.write_bytes(data)
    assert "password required" in run(tmp_path, path)


def test_a_file_that_goes_away_while_the_source_is_read_is_named(photos, tmp_path, monkeypatch):
    path = packed(photos, tmp_path, "tar")
    monkeypatch.setattr(reader, "names", lambda source: [*source_files.names(source), "photos/dog/new.png"])
    assert "'photos/dog/new.png' is not there; run the step again" in run(tmp_path, path)
    assert not list((tmp_path / "data").iterdir())
