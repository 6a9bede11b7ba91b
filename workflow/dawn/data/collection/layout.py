"""Which folders of a source are splits and which are classes, by their names and what is in them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from dawn.core.cli import InputError, listed

Parts = tuple[str, ...]  # of a path

WORDS = {"train": "train(?:ing)?|trn", "test": "test(?:s|ing)?|tst",
         "validation": "val(?:id(?:ation)?)?|dev(?:el(?:opment)?)?|eval(?:uation)?|hold[-_ ]?out"}  # fmt: skip
AFTER = "sets?|data(?:sets?)?|images?|imgs?|photos?|pictures?|samples?|split|part|folder|dir"
ANY = "|".join(f"(?P<{split}>{words})" for split, words in WORDS.items())
SPLIT = re.compile(rf"(?:seg|my|the)?[\W_]*(?:{ANY})[\W_]*(?:{AFTER})?[\W_\d]*", re.IGNORECASE)
# The folders of CycleGAN's data sets, such as trainA; without a separator the letter is a capital one.
DOMAIN = re.compile(rf"(?:{ANY})(?:[-_ ]|(?-i:(?=[AB])))(?P<domain>[AB])", re.IGNORECASE)
# Folders that are a split of a class, such as train_cat, trainCat and cat-test.
BREAK = r"(?:[-_ .]|(?-i:(?<=[a-z])(?=[A-Z])))"  # between words
BOTH = re.compile(rf"(?:{ANY}){BREAK}.+|.+{BREAK}(?:{ANY.replace('P<', 'P<after_')})", re.IGNORECASE)
VEHICLE = ("train", "trains")  # a split's name that is a class too
WRAPPER = re.compile("images?|imgs?|photos?|pictures?|data|jpe?gs?|pngs?|raw|originals?|rgb|colou?r", re.IGNORECASE)
YEAR, MONTH, DAY = "(?:19|20)[0-9]{2}", "(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])"
GAP, AGAIN = "[-_. /]", r"(?:[-_ T]\(?[0-9][0-9.:_-]*\)?)?"  # a time, or a number
NAMED = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
DATE = re.compile(
    rf"(?:{YEAR}{GAP}{MONTH}(?:{GAP}{DAY})?|{DAY}{GAP}{MONTH}{GAP}{YEAR}|{MONTH}{GAP}{YEAR}|{NAMED}{GAP}{YEAR}"
    rf"|{YEAR}{GAP}{NAMED}|{YEAR}{GAP}?(?:Q[1-4]|W[0-5][0-9])|photos from {YEAR}"
    rf"|{YEAR}[年년]\s?{MONTH}[月월](?:\s?{DAY}[日일])?){AGAIN}",
    re.IGNORECASE,
)
# These may be other numbers, so that only all names of a source together are taken for dates; the last is a camera's.
CAMERAS = "APPLE|CANON|NIKON|_PANA|MSDCF|OLYMP|MEDIA|GOPRO|_FUJI|EOS..|CASIO|RICOH|PHOTO|ANDRO|SSCAM|CLOUD|LEICA"
DIGITS = re.compile(rf"{YEAR}(?:(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])?)?_*|[1-9][0-9]{{2}}(?:{CAMERAS})")
BY_CLASSES = "or name the folders that are classes in data.classes"


@dataclass(frozen=True)
class Layout:
    """The class of each image and the folder of its split.

    ``shared`` are the folders above all images, ``around`` those that hold the folders of classes; ``splits`` names the
    folders of the train split and of the other one, if there are any.
    """

    classes: list[str]
    shared: Parts
    around: Collection[Parts]
    kinds: list[str] | None = None  # the split of each image
    splits: dict[str, list[str]] = field(default_factory=dict)


def layout(paths: Sequence[Parts], source: str, expected: Collection[str] | None = None) -> Layout:
    """The layout of images at these paths, each in a folder below those that all share; InputError if there is none.

    Where the names of the outermost folders are ``expected``, they are the classes, whatever these are called.
    """
    shared = _shared(paths)
    parts = [path[len(shared) :] for path in paths]
    if strays := ["/".join(path) for path, part in zip(paths, parts, strict=True) if len(part) < 2]:
        raise InputError(
            f"{source}: in no class folder: {listed(strays)}; each image must be in a folder named as its class"
        )
    tops = dict.fromkeys(part[0] for part in parts)
    if expected is not None and {plain(top) for top in tops} == {plain(name) for name in expected}:
        return Layout([plain(part[0]) for part in parts], shared, [shared])
    domains = {top: match for top in tops if (match := DOMAIN.fullmatch(top))}
    named = {top: _split(match) for top in tops if (match := SPLIT.fullmatch(top) or domains.get(top))}
    if len(domains) == len(tops):
        return _domains(parts, shared, {top: (_split(m), m["domain"].upper()) for top, m in domains.items()}, source)
    if not named or _is_class(named, parts):
        _check_classes([(plain(part[0]), part[1:-1]) for part in parts], source, shared)
        return Layout([plain(part[0]) for part in parts], shared, [shared])
    if other := [top for top in tops if top not in named]:
        raise InputError(
            f"{source}: {listed(named)} are named as splits, {listed(other)} not; move away what is no split, "
            f"{BY_CLASSES}"
        )
    return _splits(parts, shared, named, source, expected)


def plain(name: str) -> str:
    """A name in the form in which equal ones are equal: systems write an accented letter as one character or as two."""
    return unicodedata.normalize("NFC", name)


def is_split(folder: str) -> bool:
    """Return whether a folder has the name of a split."""
    return bool(SPLIT.fullmatch(folder) or DOMAIN.fullmatch(folder))


def _split(match: re.Match[str]) -> str:
    return next(name for name in WORDS if match[name])


def _begins(name: str) -> str | None:
    """Return the split, train or another one, of a folder that is a split of a class."""
    match = BOTH.fullmatch(name)
    return match and ("train" if match["train"] or match["after_train"] else "other")


def _shared(paths: Sequence[Parts]) -> Parts:
    """The folders that all images share, none of them the folder of an image itself."""
    depth = 0
    while all(len(path) > depth + 2 for path in paths) and len({path[depth] for path in paths}) == 1:
        depth += 1
    return paths[0][:depth]


def _is_class(named: Iterable[str], parts: Sequence[Parts]) -> bool:
    """Say whether the one folder named as a split is a class of trains: all hold images and no folders."""
    (name, *more) = named
    if more or name.lower() not in VEHICLE:
        return False
    depths = {top: {len(part) for part in parts if part[0] == top} for top in {part[0] for part in parts}}
    return len(depths) > 1 and all(depth == {2} for depth in depths.values())


def _domains(parts: Sequence[Parts], shared: Parts, tops: dict[str, tuple[str, str]], source: str) -> Layout:
    """The classes A and B, of which each split has a folder."""
    if len(set(tops.values())) < len(tops):
        raise InputError(f"{source}: {listed(tops)} are several folders of one split; join them")
    kinds = [tops[part[0]][0] for part in parts]
    classes = [tops[part[0]][1] for part in parts]
    if len(set(kinds)) == 1:
        return Layout(classes, shared, [shared])
    _check_kinds({top: split for top, (split, _) in tops.items()}, source)
    splits = {split: [top for top in tops if tops[top][0] == split] for split in dict.fromkeys(kinds)}
    return Layout(classes, shared, [shared], kinds, splits)


def _splits(
    parts: Sequence[Parts], shared: Parts, named: dict[str, str], source: str, expected: Collection[str] | None
) -> Layout:
    """The classes in the folders of splits."""
    if flat := dict.fromkeys(part[0] for part in parts if len(part) < 3):
        raise InputError(
            f"{source}: {listed(flat)} {'is' if len(flat) == 1 else 'are'} named as a split, with images that are in "
            f"no class folder; put those of each class into a folder named as the class, move away images without a "
            f"class, {BY_CLASSES}"
        )
    _check_kinds(named, source)
    if len(set(named.values())) < len(named):
        raise InputError(f"{source}: {listed(named)} are several folders of one split; join them")
    below = {top: [part[1:] for part in parts if part[0] == top] for top in named}
    depth = min(len(_shared(paths)) for paths in below.values())  # train/images/CLASS, test/images/CLASS
    inner = [part[1 + depth :] for part in parts]
    if expected is None or {plain(part[0]) for part in inner} != {plain(name) for name in expected}:
        _check_classes([(plain(part[0]), part[1:-1]) for part in inner], source, shared)
    around = {(*shared, *part[: 1 + depth]) for part in parts}
    splits = {split: [top] for top, split in named.items()}
    return Layout([plain(part[0]) for part in inner], shared, around, [named[part[0]] for part in parts], splits)


def _check_kinds(named: dict[str, str], source: str) -> None:
    """InputError unless there is a train split and one other."""
    kinds = set(named.values())
    if len(kinds) > 2:
        raise InputError(
            f"{source}: has a test and a validation split; move one away (data.holdout draws a validation split): "
            f"{listed(named)}"
        )
    if "train" not in kinds:
        raise InputError(f"{source}: {listed(named)} are named as splits, but none as the train split; rename one, "
                         f"{BY_CLASSES}")  # fmt: skip


def _check_classes(folders: Sequence[tuple[str, Parts]], source: str, above: Parts) -> None:
    """InputError where classes are dates or hold folders of equal names; ``folders`` has class and inner folders."""
    classes = sorted({name for name, _ in folders})
    if {"train", "other"} == {_begins(name) for name in classes}:
        raise InputError(
            f"{source}: {listed(classes)} are named as splits of classes; put the images into train/CLASS and "
            f"test/CLASS, {BY_CLASSES}"
        )
    dated = [name for name in classes if DATE.fullmatch(name) or DATE.fullmatch("/".join((*above[-1:], name)))]
    if not dated and all(DIGITS.fullmatch(name) for name in classes):
        dated = classes
    if dated:
        raise InputError(
            f"{source}: {listed(dated)}: folders named as dates or by a camera, which are no classes; put the images "
            f"of each class into one folder named as the class, {BY_CLASSES}"
        )
    inner: dict[str, set[str]] = {name: set() for name in classes}
    for name, path in folders:
        inner[name] |= {plain(path[0]).casefold()} if path else {""}
    counts = Counter(folder for folders in inner.values() for folder in folders if folder)
    direct = all("" in folders for folders in inner.values())  # each class has images that are in no inner folder
    everywhere = [folder for folder, count in counts.items() if count == len(classes) > 1 and not direct]
    if len(everywhere) == 1 == len(counts) and WRAPPER.fullmatch(everywhere[0]):  # CLASS/images/FILE
        return
    nested = all("" not in folders and max(counts[folder] for folder in folders) > 1 for folders in inner.values())
    if everywhere or nested:
        again = sorted(everywhere or [folder for folder, count in counts.items() if count > 1])
        raise InputError(
            f"{source}: {listed(classes)} would be classes, but they hold folders of the same names, {listed(again)}; "
            f"where these are the classes, join those of the same name, {BY_CLASSES}"
        )
    if clash := [name for name, count in Counter(map(str.casefold, classes)).items() if count > 1]:
        same = [name for name in classes if name.casefold() == clash[0]]
        raise InputError(f"{source}: {listed(same)} differ in capital letters alone; rename one, {BY_CLASSES}")
