"""Which folders are splits and which are classes: what is taken for what, and what is refused."""

import pytest

from dawn.core.cli import InputError
from dawn.data.collection.listing import left_out, listing

NFC, NFD = "caf\u00e9", "cafe\u0301"


def files(*folders):
    """Two images in each folder."""
    return [f"{folder}/{i}.jpg" for folder in folders for i in (1, 2)]


def taken(folders, expected=None):
    found = listing(files(*folders), (), "photos", expected)
    return found.classes, None if found.test is None else found.test[::2].tolist()


def refused(folders, expected=None, empty=(), more=()):
    with pytest.raises(InputError) as refusal:
        listing([*files(*folders), *more], empty, "photos", expected)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


SPLIT = [
    ("Training", "Testing"), ("train", "dev"), ("TRAIN", "Test"), ("training_set", "test_set"), ("trn", "tst"),
    ("seg_train", "seg_test"), ("Train Data", "eval"), ("train-images", "holdout"), ("train2017", "val2017"),
    ("trainset", "hold_out"), ("Train", "Validation"),
]  # fmt: skip


@pytest.mark.parametrize(("train", "test"), SPLIT)
@pytest.mark.parametrize("above", ["", "data/v1/"])
def test_the_usual_names_of_splits_are_known(train, test, above):
    folders = [f"{above}{split}/{name}" for split in (test, train) for name in ("cat", "dog")]
    assert taken(folders) == (("cat", "dog"), [True, True, False, False])


def test_a_folder_between_split_and_classes_is_passed():
    assert taken([f"{s}/images/{c}" for s in ("train", "test") for c in "ab"])[0] == ("a", "b")
    assert taken([f"seg_{s}/seg_{s}/{c}" for s in ("train", "test") for c in "ab"])[0] == ("a", "b")


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["train/cat", "train/dog", "test"], "'test' is named as a split, with images that are in no class folder"),
        (["cat", "dog", "test"], "'test' are named as splits, 'cat', 'dog' not"),
        (["train", "test"], "'train', 'test' are named as a split, with images that are in no class folder"),
        (["train/a", "train/b", "test/a", "test/b", "samples"], "named as splits, 'samples' not; move away"),
        (["train/a", "train/b", "samples"], "'train' are named as splits, 'samples' not"),
        (["train/a", "val/a", "test/a"], "has a test and a validation split"),
        (["test/a", "val/a"], "none as the train split"),
        (["train/a", "Train/b", "test/a"], "several folders of one split"),
        (["trainA", "trainB", "valA", "valB", "testA", "testB"], "has a test and a validation split"),
        (["trainA", "trainB", "testA", "train"], "are named as a split, with images that are in no class folder"),
        (["fold1/cat", "fold1/dog", "fold2/cat", "fold2/dog"], "'fold1', 'fold2' would be classes, but they hold"),
        (["site1/cat", "site1/dog", "site2/cat", "site3/dog"], "folders of the same names, 'cat', 'dog'"),
        (["cat/train", "cat/test", "dog/train", "dog/test"], "folders of the same names, 'test', 'train'"),
        (["2023-01-02", "2023-02-03"], "folders named as dates or by a camera"),
        (["cat/2023-01", "cat/2023-02"], "'2023-01', '2023-02': folders named as dates"),
        (["2023/cat", "2024/dog"], "folders named as dates"),
        (["cat", "dog", "2023_05_06"], "'2023_05_06': folders named as dates"),
        (["20230101", "20230102"], "folders named as dates"),
        (["2023/05/cat", "2023/06/dog"], "'05', '06': folders named as dates"),
        (["100APPLE", "101APPLE"], "by a camera"),
        (["Photos from 2022", "Photos from 2023"], "folders named as dates"),
        (["May 2023", "June 2023"], "folders named as dates"),
        (["2021-01-01 12.30.05", "2021-01-02T11-00-00"], "folders named as dates"),
        (["2023-Q1", "2023-W07"], "folders named as dates"),
        (["train_cat", "train_dog", "test_cat", "test_dog"], "'train_cat', 'train_dog' are named as splits of classes"),
        (["trainCat", "trainDog", "testCat", "testDog"], "'trainCat', 'trainDog' are named as splits of classes"),
        (["catTrain", "catVal"], "are named as splits of classes"),
        (["2023年5月", "2023年6月"], "folders named as dates"),
        (["2023년 5월 1일", "2023년 5월 2일"], "folders named as dates"),
        (["cat-train", "cat-val"], "are named as splits of classes; put the images into train/CLASS"),
        (["Cat", "cat"], "'Cat', 'cat' differ in capital letters alone"),
        (["train/Cat", "train/dog", "test/cat", "test/dog"], "'Cat', 'cat' differ in capital letters alone"),
    ],
)  # fmt: skip
def test_classes_that_are_none_are_refused(folders, message):
    assert message in refused(folders)


@pytest.mark.parametrize(
    ("folders", "classes"),
    [
        (["train", "car", "ship"], ("car", "ship", "train")),
        (["cat/sofa", "cat/garden", "dog/street"], ("cat", "dog")),
        (["n01/images", "n02/images"], ("n01", "n02")),
        (["cat/2023-01", "dog/2023-02"], ("cat", "dog")),
        (["cat", "cat/deep", "dog", "dog/deep"], ("cat", "dog")),
        (["10", "20", "2000"], ("10", "20", "2000")),
        (["digits/05", "digits/06"], ("05", "06")),
        (["trainA", "trainB"], ("A", "B")),
        (["train_a", "train_b"], ("A", "B")),
        (["testa", "mano"], ("mano", "testa")),
        (["Trainer", "Tester"], ("Tester", "Trainer")),
        (["trainer", "tester"], ("tester", "trainer")),
        (["TRAINER", "VALVE"], ("TRAINER", "VALVE")),
        (["TrainCar", "Ship"], ("Ship", "TrainCar")),
        (["vala", "cat"], ("cat", "vala")),
        (["train station", "train track"], ("train station", "train track")),
        (["test tube", "flask"], ("flask", "test tube")),
        ([NFD, "tea"], (NFC, "tea")),
        ([NFD, NFC, "tea"], (NFC, "tea")),
    ],
)
def test_what_are_classes(folders, classes):
    assert taken(folders) == (classes, None)


def test_names_are_equal_in_any_form_of_unicode():
    assert taken([f"train/{NFC}", "train/tea", f"test/{NFD}", "test/tea"])[0] == (NFC, "tea")
    assert taken([NFD, "tea"], ["tea", NFC])[0] == ("tea", NFC)


@pytest.mark.parametrize("folders", [("train", "test"), ("2022", "2023"), ("a/x", "b/x"), ("Cat", "cat")])
def test_classes_that_are_named_are_taken(folders):
    names = [folder.split("/")[0] for folder in folders]
    assert taken(folders, names)[0] == tuple(names)


def test_validation_folders_of_a_cyclegan_are_splits():
    found = listing(files("h2z/trainA", "h2z/trainB", "h2z/valA", "h2z/valB"), [], "photos")
    assert found.classes == ("A", "B")
    assert found.test.tolist() == [False] * 4 + [True] * 4
    assert "train split trainA, trainB, validation split valA, valB" in found.described()


@pytest.mark.parametrize(
    ("folders", "empty", "more", "named"),
    [
        (["cat", "dog"], ["bird"], [], "no images in 'bird', which would be a class"),
        (["cat", "dog"], [], ["bird/1.mp4"], "no images in 'bird', which would be a class"),
        (["x/cat", "x/dog"], ["x/bird/deep"], [], "no images in 'x/bird', which would be a class"),
        (["train/cat", "train/dog"], ["test/cat"], [], "no images in 'test', which would be a split"),
        (["train/cat", "train/dog", "test/cat", "test/dog"], ["train/bird"], [], "'train/bird', which would"),
        (["trainA", "trainB", "testA"], ["testB"], [], "no images in 'testB', which would be a split"),
    ],
)  # fmt: skip
def test_a_class_or_a_split_without_images_is_refused(folders, empty, more, named):
    assert named in refused(folders, None, empty, more)


def test_folders_that_can_be_no_classes_are_reported():
    found = listing([*files("x/cat", "x/dog"), "labels/1.txt", ".git/1.txt"], ["docs"], "photos")
    assert left_out(found) == ["left out, since no image: 1 x .txt", "folders without images: 'docs', 'labels'"]
    assert found.described() == "classes in x: cat (2), dog (2); no test split"
    found = listing(files("cat", "dog"), ["bird"], "photos", ["cat", "dog"])
    assert left_out(found) == ["folders without images: 'bird'"]


def test_what_systems_add_is_ignored():
    added = ["__MACOSX/cat/._1.jpg", "cat/@eaDir/1.jpg", "cat/.ipynb_checkpoints/1.jpg", "lost+found/1.jpg"]
    found = listing([*files("cat", "dog"), *added], ["$RECYCLE.BIN"], "photos")
    assert len(found.names) == 4
    assert (found.others, found.without) == ((), ())
