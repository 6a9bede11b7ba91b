"""Random damage to valid archives: each ends in one line, or in arrays that are whole.

Damage to a tar or PNG as such rarely passes its checksums, so half of the cases have the checksums repaired.
"""

import gzip
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import archives
import numpy as np
import pytest
from refusals import one_line

from dawn import arrays

SAMPLE = archives.sample(5, 3)
MEMBERS = {layout: make(SAMPLE) for layout, make in archives.LAYOUTS.items()}


def flip(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice([1, 1, 2, 8])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def overwrite(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    value = rng.choice([b"\0", b"\xff", b"\x7f", b"\x80", b"0", b"9", b"\n", b".", rng.randbytes(1)])
    data[start : start + rng.choice([1, 2, 4, 8, 12])] = value * rng.choice([1, 2, 4, 8, 12])


def truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def duplicate(data: bytearray, rng: random.Random) -> None:
    start, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    place = rng.choice([start, end, rng.randrange(len(data) + 1)])
    data[place:place] = data[start:end]


def remove(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.choice([1, 4, 12, 100, 512])]


def exchange(data: bytearray, rng: random.Random) -> None:
    size = rng.choice([1, 4, 12, 512])
    one, two = (rng.randrange(len(data)) for _ in range(2))
    data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


DAMAGE: list[Callable[[bytearray, random.Random], None]] = [flip, overwrite, truncate, duplicate, remove, exchange]


def damaged(data: bytes, rng: random.Random, head: int) -> bytes:
    """The bytes with one to three faults, half of them among the first ``head`` bytes, where the structure is."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        part = changed[:head] if rng.random() < 0.5 else changed
        if part:
            rng.choice(DAMAGE)(part, rng)
        if part is not changed:
            changed[:head] = part
    return bytes(changed)


def repaired_headers(tar: bytes) -> bytes:
    """A tar with the right checksum in every block that looks like a header."""
    data = bytearray(tar)
    for start in range(0, len(data) - 511, 512):
        if data[start + 257 : start + 262] == b"ustar":
            data[start + 148 : start + 156] = b" " * 8
            data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])
    return bytes(data)


def repaired_chunks(png: bytes) -> bytes:
    """A PNG with the right checksum after every chunk, as far as their lengths lead."""
    data, position = bytearray(png), 8
    while position + 12 <= len(data):
        end = position + 8 + struct.unpack_from(">I", data, position)[0]
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[position + 4 : end]))
        position = end + 4
    return bytes(data)


def case(layout: str, rng: random.Random) -> bytes:
    """An archive with a damaged member, a damaged tar or a damaged gzip stream."""
    members = list(MEMBERS[layout])
    level = rng.choice(["member", "member", "members", "tar", "gzip"])
    if level == "member":
        index = rng.choice([k for k, (_, content) in enumerate(members) if content])
        name, content = members[index]
        content = damaged(content, rng, 400)
        members[index] = (name, repaired_chunks(content) if rng.random() < 0.5 else content)
    if level == "members":
        rng.choice([rng.shuffle, lambda m: m.pop(), lambda m: m.insert(0, rng.choice(m)), lambda m: m.pop(0)])(members)
    tar = archives.tar_bytes(members)
    if level == "tar":
        tar = damaged(tar, rng, 1024)
        tar = repaired_headers(tar) if rng.random() < 0.5 else tar
    data = gzip.compress(tar, 1) if rng.random() < 0.3 or level == "gzip" else tar
    return damaged(data, rng, 20) if level == "gzip" else data


def check(archive: Path, layout: str) -> bool:
    """Whether an archive was read; AssertionError unless it was read well or refused well."""
    out = archive.parent / "out"
    message = archives.call(arrays.main, "--source", archive, "--layout", layout, "--out", out)
    if message is not None:
        assert one_line(message), message
        return False
    classes = json.loads((out / "dataset.json").read_text())["classes"]
    for split in ("train", "test"):
        images, labels = np.load(out / f"{split}_images.npy"), np.load(out / f"{split}_labels.npy")
        assert images.shape == (len(labels), 32, 32, 3) and images.dtype == labels.dtype == np.uint8
        assert sorted(set(labels.tolist())) == list(range(len(classes)))
    return True


@pytest.mark.parametrize("layout", archives.LAYOUTS)
@pytest.mark.parametrize(("seed", "cases"), [(0, 300), pytest.param(1, 20_000, marks=pytest.mark.full)])
def test_damage_ends_in_one_line_or_in_whole_arrays(tmp_path: Path, layout: str, seed: int, cases: int) -> None:
    rng = random.Random(f"{layout}-{seed}")
    read = 0
    for number in range(cases):
        archive = tmp_path / "damaged.tar"
        archive.write_bytes(case(layout, rng))
        try:
            read += check(archive, layout)
        except BaseException:
            print(f"case {number} of seed {layout}-{seed}")
            raise
    assert 0 < read < cases / 2
