"""Folders and archives of images of any kind as arrays: classes, splits, sizes, and what is refused."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from archives import call
from conftest import ROOT, experiment
from PIL import Image
from pillow_heif import register_heif_opener
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
    monkeypatch.setattr(decoding, "CHUNK_BYTES", 5000)
    monkeypatch.setattr(decoding, "cores", lambda: 2)
    assert run(tmp_path, packed(photos, tmp_path, "zip"), tmp_path / "two") is None
    (one, about), (two, again) = made(tmp_path / "one"), made(tmp_path / "two")
    for of_source in ("archive", "media_type", "sha256"):
        assert about.pop(of_source) != again.pop(of_source)
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
        (["test/a/1.png", "val/a/1.png", "train/a/1.png"], "has a test and a validation split; move one away"),
    ],
)
def test_names_that_are_no_classes_are_refused(paths, message):
    with pytest.raises(InputError, match=message) as refusal:
        listing.listing(paths, [], "photos")
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
    assert "leave classes without images on one side: 'ant hill (10)', 'cat (10)'" in run(
        tmp_path, photos, test_fraction=0.01
    )


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
    assert [url.whole for url in settings.data.urls] == [str(photos)]
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


def test_no_preset_for_what_is_no_data(photos, tmp_path, capsys):
    assert "is not there; name a folder of images" in new(tmp_path, tmp_path / "none")[0]
    (photos / "cat/bad.png").write_bytes(b"none")
    refusal, out = new(tmp_path, photos)
    assert "1 images cannot be read; delete or replace them, or leave them out with --skip-broken" in refusal
    assert f"{photos}/cat/bad.png: is no image of a known format" in capsys.readouterr().err
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
    files, folders = source_files.names(path)
    monkeypatch.setattr(reader, "names", lambda source: ([*files, "photos/dog/new.png"], folders))
    assert "'photos/dog/new.png' is not there; run the step again" in run(tmp_path, path)
    assert not list((tmp_path / "data").iterdir())


def listed(out):
    """The rows of left_out.tsv."""
    head, *rows = (line.split("\t") for line in (out / "left_out.tsv").read_text().splitlines())
    assert head == ["file", "reason"]
    return rows


def test_what_was_taken_for_what_is_printed(photos, tmp_path, capsys):
    assert run(tmp_path, photos) is None
    line = f"{photos}: classes: ant hill (10), cat (10), dog (10); no test split"
    assert line in capsys.readouterr().err.splitlines()
    assert listed(tmp_path / "data") == []


def test_skipped_files_are_as_if_they_were_deleted(photos, tmp_path, capsys):
    bad = {"cat/bad.png": b"none", "dog/cut.jpg": (photos / "dog/01.jpg").read_bytes()[:100], "dog/empty.webp": b""}
    for name, data in bad.items():
        (photos / name).write_bytes(data)
    (photos / "dog/nowhere.png").symlink_to("none.png")
    (photos / "dog/ring.png").symlink_to("ring.png")
    os.mkfifo(photos / "dog/fifo.png")
    (photos / "notes.txt").write_text("notes")
    assert "6 of 36 images cannot be read" in run(tmp_path, photos)
    capsys.readouterr()
    assert run(tmp_path, photos, tmp_path / "one", skip_broken=True) is None
    assert "left out, since they cannot be read: 6 of 36 images" in capsys.readouterr().err
    names = [*sorted(bad), "dog/fifo.png", "dog/nowhere.png", "dog/ring.png"]
    reasons = dict(listed(tmp_path / "one"))
    assert sorted(reasons) == sorted([*names, "notes.txt"])
    assert reasons["dog/nowhere.png"] == "cannot be read (No such file or directory)"
    assert reasons["dog/ring.png"] == "cannot be read (Too many levels of symbolic links)"
    assert reasons["dog/fifo.png"] == "cannot be read (a FIFO, not a file)"
    assert reasons["notes.txt"] == "no image by its name"
    for name in names:
        (photos / name).unlink()
    assert run(tmp_path, photos, tmp_path / "two") is None
    for name in ("dataset.json", "files.tsv", "train_images.npy", "test_images.npy", "test_labels.npy"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_class_of_broken_files_alone_is_refused(photos, tmp_path):
    for path in (photos / "dog").rglob("*.*"):
        path.write_bytes(b"none")
    assert "leave classes without images on one side: 'dog (0)'" in run(tmp_path, photos, skip_broken=True)
    assert not list((tmp_path / "data").glob("*"))


def test_skipping_needs_a_size():
    with pytest.raises(InputError, match="data: skip_broken is for images of your own; set size"):
        experiment(data={"layout": "folders", "skip_broken": True})


def test_files_that_vanish_while_they_are_read_are_named(photos, tmp_path, monkeypatch, capsys):
    found = source_files.contents

    def vanishing(*arguments):
        (photos / "cat/00.png").unlink()
        return found(*arguments)

    monkeypatch.setattr(reader, "contents", vanishing)
    assert "1 of 30 images cannot be read" in run(tmp_path, photos)
    assert f"{photos}/cat/00.png: cannot be read (No such file or directory)" in capsys.readouterr().err


def test_a_class_of_heic_and_one_of_avif(photos, tmp_path):
    register_heif_opener()
    for name in ("heic", "avif"):
        for i in range(5):
            write_image(photos / name / f"{i}.{name}", pixels(40, 40, seed=i))
    assert run(tmp_path, photos) is None
    assert made(tmp_path / "data")[1]["class_counts"]["train"] == [8, 4, 8, 8, 4]


def test_a_linked_class_folder_is_read(photos, tmp_path):
    (photos / "dog").rename(tmp_path / "dog")
    (photos / "dog").symlink_to(tmp_path / "dog")
    assert run(tmp_path, photos) is None
    assert made(tmp_path / "data")[1]["classes"] == ["ant hill", "cat", "dog"]


def test_a_zip_with_backslashes_is_read(photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "windows.zip", "w") as archive:
        for path in sorted(photos.rglob("*.*")):
            info = zipfile.ZipInfo("photos/" + path.relative_to(photos).as_posix())
            info.filename = info.filename.replace("/", "\\")
            archive.writestr(info, path.read_bytes())
    assert run(tmp_path, photos, tmp_path / "one") is None
    assert run(tmp_path, tmp_path / "windows.zip", tmp_path / "two") is None
    assert all(
        np.array_equal(array, made(tmp_path / "two")[0][name]) for name, array in made(tmp_path / "one")[0].items()
    )


@pytest.mark.parametrize("name", ["photos/cat/link.png", "photos/bird"])
def test_a_link_in_a_zip_is_refused(photos, tmp_path, name):
    path = packed(photos, tmp_path, "zip")
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "elsewhere")
    refusal = run(tmp_path, path)
    assert f"'{name}' is a link, a device" in refusal
    assert "pack it anew" in refusal


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_empty_class_folder_of_an_archive_is_refused(photos, tmp_path, kind):
    path = packed(photos, tmp_path, kind)
    if kind == "zip":
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("photos/bird/", b"")
    else:
        with tarfile.open(path, "a") as archive:
            info = tarfile.TarInfo("photos/bird")
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
    assert "no images in 'photos/bird', which would be a class" in run(tmp_path, path)


def test_fifos_and_devices_are_no_sources(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for source, kind in ((tmp_path / "fifo", "a FIFO"), (Path("/dev/zero"), "a device")):
        for data in ({}, {"size": None, "layout": "binary"}):
            assert f"{kind}, not a file: {source}" in run(tmp_path, source, **data)
        assert f"{kind}, not a file: {source}" in new(tmp_path, source)[0]


def test_a_full_disk_is_noticed_before_images_are_read(photos, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(reader, "contents", lambda *_: pytest.fail("images were read"))
    monkeypatch.setattr(os, "posix_fallocate", full)
    refusal = run(tmp_path, photos)
    assert f"{tmp_path}/data/train_images.npy needs 18,560 bytes (No space left on device, " in refusal
    assert not list((tmp_path / "data").iterdir())


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_that_reserves_nothing_is_written_to(photos, tmp_path, monkeypatch, code):
    def without(*_):
        raise OSError(code, "no")

    monkeypatch.setattr(os, "posix_fallocate", without)
    assert run(tmp_path, photos) is None


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_leaves_no_processes(tmp_path, number):
    for name in "ab":
        image = write_image(tmp_path / name / "0.png", pixels(1500, 1500))
        for i in range(1, 300):
            os.link(image, tmp_path / name / f"{i}.png")
    line = [sys.executable, "-m", "dawn.arrays", "--source", tmp_path, "--params", tmp_path / "p.yaml"]
    (tmp_path / "p.yaml").write_text(dump(experiment(data={"urls": ["x"], "layout": "folders", "size": 16})))
    process = subprocess.Popen([*map(str, line), "--out", str(tmp_path / "out")], stderr=subprocess.PIPE)
    with process:
        workers = []
        while len(workers) < 3:  # two, and what tracks their resources
            workers = psutil.Process(process.pid).children()
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(20) == (-number if number == signal.SIGKILL else 128 + number)
        assert b"Traceback" not in process.stderr.read()
    assert not psutil.wait_procs(workers, 10)[1]
    assert number == signal.SIGKILL or not list((tmp_path / "out").iterdir())


def test_a_class_of_one_image_gets_no_preset(photos, tmp_path):
    write_image(photos / "bird/1.png")
    assert "leave classes without images on one side: 'bird (1)'" in new(tmp_path, photos)[0]
    assert "'bird (1)'" in run(tmp_path, photos)


def test_broken_images_are_not_counted_in_a_preset(photos, tmp_path, capsys):
    (photos / "dog/cut.jpg").write_bytes((photos / "dog/01.jpg").read_bytes()[:200])
    assert "1 images cannot be read; delete or replace them" in new(tmp_path, photos)[0]
    assert f"{photos}/dog/cut.jpg: is a damaged image" in capsys.readouterr().err
    refusal, out = new(tmp_path, photos, "--skip-broken")
    assert refusal is None
    assert "30 images of 3 classes, 10 for each" in capsys.readouterr().out
    assert check(merge(read(ROOT / "params.yaml"), read(out))).data.skip_broken


def test_a_preset_names_the_folders_that_are_classes(tmp_path):
    for i in range(12):
        write_image(tmp_path / "in" / ("train", "test")[i % 2] / f"{i}.png")
    assert "are named as a split" in new(tmp_path, tmp_path / "in")[0]
    refusal, out = new(tmp_path, tmp_path / "in", "--classes", "test", "train")
    assert refusal is None
    assert read(out)["data"]["classes"] == ["test", "train"]


GAN = {"task": "gan", "gan": {"batch": 8}}
CYCLE = {"task": "cycle", "domains": {"a": ["a"], "b": ["b"]}}


@pytest.mark.parametrize(
    ("counts", "settings", "message"),
    [
        ((40, 5), {}, "measures.neighbours = 5 needs 28 images, and there are 10 test images; add images"),
        ((40, 8), {}, "there are 16 test images; add images, or lower measures.neighbours to 2"),
        ((40, 8), {"measures": {"neighbours": 2}}, "judge.preset = judge: train.batch = 500 is more than the 80"),
        ((6, 14), {}, "measures.neighbours = 5 needs 14 images, and there are 12 train images"),
        ((40, 14), {"gan": {"batch": 100}}, "gan.batch = 100 is more than the 80 images"),
        ((40, 3), CYCLE, "domains.b: 3 test images of b; at least 4 are needed"),
        ((40, 3), merge(CYCLE, {"domains": {"a": ["c"]}}), "domains.a: c is no class of the data; they are 'a, b'"),
    ],
)  # fmt: skip
def test_images_too_few_for_an_evaluation_by_judges_are_refused_at_once(tmp_path, counts, settings, message):
    for i, split in enumerate(("train", "test")):
        for label, name in enumerate("ab"):
            for k in range(counts[i] + (name == "a" and counts[i] == 3)):
                write_image(tmp_path / "in" / split / name / f"{k}.png", pixels(8, 8, seed=1000 * i + 100 * label + k))
    values = merge(merge(GAN, {"data": {"urls": ["in"], "layout": "folders", "size": 16}}), settings)
    (tmp_path / "params.yaml").write_text(dump(experiment(**values)))
    refusal = call(
        arrays.main, "--params", tmp_path / "params.yaml", "--source", tmp_path / "in", "--out", tmp_path / "data"
    )
    assert message in refusal
    assert not (tmp_path / "data").exists()
