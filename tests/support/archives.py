"""Small archives of every layout, and hand-made pickles such as Python 2 wrote, for the tests."""

import gzip
import io
import itertools
import struct
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dawn.core import cli

CLASSES = ("airplane", "bird", "cat")
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
Member = tuple[str | tarfile.TarInfo, bytes]
SplitOf = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class Sample:
    """Random images and labels; every class is in both splits."""

    classes: tuple[str, ...]
    train: SplitOf
    test: SplitOf


def sample(train: int = 20, test: int = 6, classes: tuple[str, ...] = CLASSES, seed: int = 0) -> Sample:
    generator = np.random.default_rng(seed)

    def split(n: int) -> SplitOf:
        labels = generator.permutation(np.arange(n) % len(classes)).astype(np.uint8)
        return generator.integers(0, 256, (n, 32, 32, 3), np.uint8), labels

    return Sample(classes, split(train), split(test))


def batches(of: Sample) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Name, planes (n, 3072) and labels of the six batches."""
    parts = zip(np.array_split(of.train[0], 5), np.array_split(of.train[1], 5), strict=True)
    for k, (images, labels) in enumerate(parts, 1):
        yield f"data_batch_{k}", planes(images), labels
    yield "test_batch", planes(of.test[0]), of.test[1]


def planes(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), 3072)


def binary(of: Sample) -> list[Member]:
    top = "cifar-10-batches-bin"
    members: list[Member] = [
        (f"{top}/{name}.bin", np.concatenate([labels[:, None], data], axis=1).tobytes())
        for name, data, labels in batches(of)
    ]
    return [*members, (f"{top}/batches.meta.txt", ("\n".join(of.classes) + "\n\n").encode())]


def python(
    of: Sample,
    batch: Callable[[NDArray[np.uint8], list[int]], bytes] | None = None,
    meta: Callable[[tuple[str, ...]], bytes] | None = None,
) -> list[Member]:
    top = "cifar-10-batches-py"
    members: list[Member] = [(f"{top}/readme.html", b"<html>"), (top, b"")]
    members += [
        (f"{top}/{name}", (batch or python2_batch)(data, labels.tolist())) for name, data, labels in batches(of)
    ]
    return [*members, (f"{top}/batches.meta", (meta or python2_meta)(of.classes))]


def folders(of: Sample) -> list[Member]:
    members: list[Member] = [("cifar10/labels.txt", "\n".join(of.classes).encode())]
    for name, (images, labels) in (("train", of.train), ("test", of.test)):
        members += [
            (f"cifar10/{name}/{of.classes[label]}/{i}_{of.classes[label]}.png", png(image))
            for i, (image, label) in enumerate(zip(images, labels, strict=True))
        ]
    return members


LAYOUTS: dict[str, Callable[[Sample], list[Member]]] = {"python": python, "binary": binary, "folders": folders}


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int, colour: int = 2) -> bytes:
    """The chunk IHDR of a PNG of 8 bit."""
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))


def bomb() -> bytes:
    """A PNG of few bytes and 60,000 x 60,000 pixels."""
    data = png_chunk(b"IDAT", zlib.compress(bytes(10**6)))
    return b"\x89PNG\r\n\x1a\n" + png_header(60_000, 60_000) + data + png_chunk(b"IEND", b"")


def png_rows(image: NDArray[np.uint8]) -> bytes:
    """The unfiltered rows of a PNG."""
    return b"".join(b"\0" + row.tobytes() for row in image)


def png(image: NDArray[np.uint8], colour: int = 2) -> bytes:
    """An unfiltered PNG of 8 bit, written independently of any library."""
    height, width = image.shape[:2]
    data = png_chunk(b"IDAT", zlib.compress(png_rows(image), 1))
    return b"\x89PNG\r\n\x1a\n" + png_header(width, height, colour) + data + png_chunk(b"IEND", b"")


class Python2:
    """The opcodes that Python 2's cPickle wrote with protocol 2, memo and all."""

    def __init__(self) -> None:
        self.index = itertools.count(1)

    def put(self) -> bytes:
        index = next(self.index)
        return b"q" + bytes([index]) if index < 256 else b"r" + struct.pack("<I", index)

    def text(self, value: bytes) -> bytes:
        return string(value) + self.put()

    def array(self, array: NDArray[np.uint8], code: bytes = b"u1") -> bytes:
        out = b"cnumpy.core.multiarray\n_reconstruct\n" + self.put() + b"cnumpy\nndarray\n" + self.put()
        out += number(0) + b"\x85" + string(b"b") + b"\x87R" + self.put()
        out += b"(" + number(1) + b"".join(map(number, array.shape)) + b"\x86cnumpy\ndtype\n" + self.put()
        out += string(code) + number(0) + number(1) + b"\x87R" + self.put()
        out += b"(" + number(3) + string(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
        return out + b"\x89" + string(array.tobytes()) + b"tb"


def string(value: bytes) -> bytes:
    return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value


def number(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    return b"M" + struct.pack("<H", value) if 0 <= value < 1 << 16 else b"J" + struct.pack("<i", value)


def python2_batch(data: NDArray[np.uint8], labels: list[int], code: bytes = b"u1") -> bytes:
    p = Python2()
    out = b"\x80\x02}" + p.put() + b"(" + p.text(b"batch_label") + p.text(b"training batch 1 of 5")
    out += p.text(b"labels") + b"]" + p.put() + b"(" + b"".join(map(number, labels)) + b"e"
    out += p.text(b"data") + p.array(data, code)
    out += p.text(b"filenames") + b"]" + p.put() + b"("
    return out + b"".join(p.text(b"leptodactylus_s_%06d.png" % k) for k in range(len(labels))) + b"eu."


def python2_meta(classes: tuple[str, ...]) -> bytes:
    p = Python2()
    out = b"\x80\x02}" + p.put() + b"(" + p.text(b"num_cases_per_batch") + number(10_000)
    out += p.text(b"label_names") + b"]" + p.put() + b"(" + b"".join(p.text(name.encode()) for name in classes)
    return out + b"e" + p.text(b"num_vis") + number(3072) + b"u."


def tar_bytes(members: Iterable[Member]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(name, str):
                info.size = len(data)
                info.type = tarfile.REGTYPE if data or "." in Path(name).name else tarfile.DIRTYPE
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def archive(path: Path, members: Iterable[Member], packed: bool = True) -> Path:
    data = tar_bytes(members)
    path.write_bytes(gzip.compress(data, 1, mtime=0) if packed else data)
    return path


def call(main: Callable[[], None], *args: object) -> str | None:
    """Run a step in this process as its command line does. Returns what it says to stderr, None if it ends well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["step", *map(str, args)])
        try:
            cli.run(main)
        except SystemExit as stop:
            assert isinstance(stop.code, str), "the step refused its command line"
            return stop.code
    return None
