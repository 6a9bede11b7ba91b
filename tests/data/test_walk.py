"""Listing the files below a folder: links, hidden files, and what cannot be read."""

import os

import pytest
from seeds import write_image

from dawn.core.cli import InputError
from dawn.data.collection.tracking import file_list
from dawn.data.collection.walk import image_files, walk


@pytest.fixture
def photos(tmp_path):
    """A class in a folder, one in a folder elsewhere that is linked, and hidden files."""
    for name in (
        "photos/cat/1.png",
        "elsewhere/dog/1.png",
        "elsewhere/2.png",
        "photos/.trash/1.png",
        "photos/cat/.1.png",
    ):
        write_image(tmp_path / name)
    (tmp_path / "photos/dog").symlink_to(tmp_path / "elsewhere/dog")
    (tmp_path / "photos/cat/2.png").symlink_to(tmp_path / "elsewhere/2.png")
    return tmp_path / "photos"


def test_links_are_followed_and_hidden_files_left_out(photos):
    (photos / "empty").mkdir()
    files, folders = walk(photos)
    assert list(files) == ["cat/1.png", "cat/2.png", "dog/1.png"]
    assert folders == ["cat", "dog", "empty"]
    assert image_files([photos]) == ([photos / name for name in files], [])
    assert image_files([photos / "cat/.1.png"]) == ([photos / "cat/.1.png"], [])


def test_a_change_behind_a_link_is_seen(photos):
    before = file_list(str(photos))
    write_image(photos.parent / "elsewhere/dog/2.png")
    after = file_list(str(photos))
    assert after != before
    (photos / "empty").mkdir()
    assert file_list(str(photos)) != after


@pytest.mark.parametrize("target", ["none.png", "3.png"])
def test_a_link_that_leads_nowhere_is_listed(photos, target):
    (photos / "cat/3.png").symlink_to(target)
    assert "cat/3.png" in walk(photos)[0]
    assert photos / "cat/3.png" in image_files([photos])[0]
    assert image_files([photos / "cat/3.png"]) == ([photos / "cat/3.png"], [])
    file_list(str(photos))
    (photos / "bird").symlink_to("bird" if target == "3.png" else "no folder")
    assert "bird" in walk(photos)[1]


@pytest.mark.parametrize("target", [".", "..", "../../photos"])
def test_a_link_to_a_folder_around_it_is_refused(photos, target):
    (photos / "cat/again").symlink_to(target)
    with pytest.raises(InputError, match="cat/again is a link to a folder that it is in; delete the link"):
        walk(photos)
    assert "cat/again is a link to a folder that it is in" in file_list(str(photos))


def test_a_folder_with_a_link_without_an_end_is_named(photos):
    before = image_files([photos / "cat", photos / "dog"])
    (photos / "cat/again").symlink_to("again")  # leads nowhere
    assert image_files([photos / "cat", photos / "dog"]) == before
    (photos / "cat/around").symlink_to(".")
    files, faults = image_files([photos / "cat", photos / "dog"])
    assert files == [photos / "dog/1.png"]
    assert len(faults) == 1
    assert faults[0].startswith(f"{photos}/cat/around is a link to a folder that it is in")


def test_folders_within_folders_have_no_limit(tmp_path):
    deep = tmp_path
    for _ in range(1200):
        deep /= "a"
        deep.mkdir()
    try:
        assert len(walk(tmp_path)[1]) == 1200
    finally:  # what removes the folder of a test cannot remove these
        while deep != tmp_path:
            deep.rmdir()
            deep = deep.parent


def test_a_folder_that_cannot_be_read_is_named(photos, monkeypatch):
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(PermissionError, match="photos/dog"):
        walk(photos)
    assert image_files([photos]) == ([], [f"{photos}/dog: cannot be read (Permission denied)"])
    assert file_list(str(photos)) == f"Permission denied: {photos}/dog"


def test_folders_are_searched_and_files_taken_once(tmp_path):
    one, two = write_image(tmp_path / "in/b.PNG"), write_image(tmp_path / "in/deep/a.webp")
    (tmp_path / "in/notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    files, missing = image_files([tmp_path / "in", one, tmp_path / "empty", tmp_path / "none.png"])
    assert files == [one, two]
    assert [line.split(": ")[1][:12] for line in missing] == ["has no image", "is not there"]
