"""What a crate says of the data: its name, how it is packed and its licence, all from the data and the settings."""

import io
import tarfile
import zipfile

import pytest
from conftest import ROOT, experiment

from dawn import crate
from dawn.config.experiment import read
from dawn.data.collection.source import media_type
from dawn.results.data_set import named

PHOTOS = {"classes": ["cat", "dog"], "archive": "photos", "media_type": None, "sha256": "e" * 64}
ZIP = PHOTOS | {"archive": "my photos (1).zip", "media_type": "application/zip"}
CIFAR10 = {"classes": ["a"] * 10, "archive": "x.tgz", "sha256": read(ROOT / "params.yaml")["data"]["sha256"]}


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        (PHOTOS, ("custom", "2 classes from photos")),
        (PHOTOS | {"archive": "cifar-10-python.tar.gz"}, ("custom", "2 classes from cifar-10-python.tar.gz")),
        (CIFAR10, ("cifar10", "CIFAR-10")),
    ],
)
def test_a_data_set_is_known_by_its_checksum(dataset, name):
    assert named(dataset) == name


def packed(dataset, **settings):
    """The root, the archive and the licences of a crate of an experiment on this data."""
    here, made = experiment(**settings), crate.empty_crate()
    crate.describe(made, here, dataset)
    archive = crate.add_archive(made, here, dataset)
    return made.root_dataset, archive, [e.id for e in made.get_entities() if "licenses" in e.id]


def test_a_crate_of_a_folder_of_photos_says_no_more_than_it_knows():
    root, archive, licences = packed(PHOTOS, data={"urls": ["/home/jane/photos"]})
    assert root["name"] == "A run of dawn on 2 classes from photos"
    assert archive["name"] == "2 classes from photos, a folder photos"
    assert archive.id == "#photos"
    assert archive.get("encodingFormat") is None
    assert root["license"].id == "#no-licence"
    assert root["license"]["name"] == "no licence is stated"
    assert archive.get("license") is None
    assert licences == []


def test_a_crate_of_data_of_another_program_has_what_is_known():
    root, archive, _ = packed({"classes": ["cat", "dog"]}, data={"urls": ["/home/jane/photos"]})
    assert root["name"] == "A run of dawn on 2 classes from a local source"
    assert archive["name"] == "2 classes from a local source, a folder without a name"
    assert archive.get("sha256") is None


def test_a_crate_of_an_archive_has_its_media_type_and_the_licences_that_are_stated():
    terms = {"license": "CC-BY-4.0", "data_license": "https://photos.example/terms"}
    root, archive, _ = packed(ZIP, data={"urls": ["my photos (1).zip"]}, submission=terms)
    assert archive["encodingFormat"] == "application/zip"
    assert archive["sha256"] == "e" * 64
    assert archive["license"].id == "https://photos.example/terms"
    assert root["license"].id == "https://spdx.org/licenses/CC-BY-4.0"
    address = "https://u:p@a.example/x.zip"
    _, archive, _ = packed(ZIP, data={"urls": [address], "sha256": "e" * 64})
    assert archive.id == "https://REDACTED@a.example/x.zip"


def test_how_an_archive_is_packed_is_read_from_it(tmp_path):
    assert media_type(tmp_path) is None
    for mode, kind in (("w:gz", "gzip"), ("w:bz2", "x-bzip2"), ("w:xz", "x-xz"), ("w", "x-tar")):
        with tarfile.open(tmp_path / "photos.zip", mode) as file:  # whatever its name says
            file.addfile(tarfile.TarInfo("a"), io.BytesIO())
        assert media_type(tmp_path / "photos.zip") == f"application/{kind}"
    with zipfile.ZipFile(tmp_path / "photos.tar.gz", "w") as file:
        file.writestr("a", "b")
    assert media_type(tmp_path / "photos.tar.gz") == "application/zip"
