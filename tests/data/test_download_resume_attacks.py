"""Servers that lie about the rest of a file, and partial files and records that are not what they should be."""

import json

import pytest
from range_server import (
    BODY,
    DATE,
    ETAG,
    HALF,
    OTHER,
    OTHER_PROOF,
    PROOF,
    QUICK,
    REST,
    SIZE_ONLY,
    SUM_ONLY,
    THREE,
    WHOLE,
    Handler,
    broken,
    interrupted,
    left,
    partial_file,
    rest,
    serving,
)

from dawn.core import cli
from dawn.download import fetch


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as running:
        yield running


@pytest.fixture
def out(tmp_path):
    return tmp_path / "made" / "archive.tar.gz"


@pytest.mark.parametrize("proof", [OTHER_PROOF, SIZE_ONLY])
@pytest.mark.parametrize("careful", [True, False])
def test_a_file_that_changed_is_fetched_from_its_start(server, out, proof, careful):
    interrupted(server, out, proof)
    server.body, server.headers = OTHER, {"ETag": '"v2"', "Last-Modified": DATE}
    if not careful:  # If-Range is ignored
        server.script.append(rest(body=OTHER[HALF:], ETag='"v2"'))
    fetch([server.url], proof, out, QUICK)
    assert out.read_bytes() == OTHER
    assert server.seen == ([REST] if careful else [REST, WHOLE])
    assert left(out) == [out.name]


LIES = {
    "another start": rest(Content_Range=f"bytes 0-{len(BODY) - 1}/{len(BODY)}"),
    "a later start": rest(Content_Range=f"bytes {HALF + 1}-{len(BODY) - 1}/{len(BODY)}"),
    "another size": rest(Content_Range=f"bytes {HALF}-{len(BODY)}/{len(BODY) + 1}"),
    "no size": rest(Content_Range=f"bytes {HALF}-{len(BODY) - 1}/*"),
    "an end beyond the size": rest(Content_Range=f"bytes {HALF}-{len(BODY)}/{len(BODY)}"),
    "an end before the start": rest(Content_Range=f"bytes {HALF}-{HALF - 1}/{len(BODY)}"),
    "another unit": rest(Content_Range=f"lines {HALF}-{len(BODY) - 1}/{len(BODY)}"),
    "digits of another script": rest(Content_Range=f"bytes {HALF}-{len(BODY) - 1}/\xb2"),
    "a range of a thousand digits": rest(Content_Range=f"bytes {'9' * 1000}-{'9' * 1000}/{'9' * 1000}"),
    "no range": rest(Content_Range=None),
    "several parts": rest(Content_Range=None, Content_Type="multipart/byteranges; boundary=x"),
    "another version": rest(ETag='"v2"'),
    "a weak version": rest(ETag=f"W/{ETAG}"),
    "no version": rest(ETag=None),
    "compressed": rest(Content_Encoding="gzip"),
    "not satisfiable": rest(416, b"", Content_Range=f"bytes */{len(BODY)}"),
    "not found": rest(404, b""),
    "bad request": rest(400, b""),
    "no content": rest(204, b"", Content_Length=None),
}


@pytest.mark.parametrize("name", LIES)
@pytest.mark.parametrize("proof", [PROOF, SIZE_ONLY])
def test_any_answer_but_the_rest_means_a_new_start(server, out, name, proof):
    interrupted(server, out, proof)
    server.script.append(LIES[name])
    fetch([server.url], proof, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [REST, WHOLE]
    assert left(out) == [out.name]


WRONG = {
    "another rest": rest(body=OTHER[HALF:]),
    "longer than promised": rest(body=BODY[HALF:] + b"more"),
    "longer than promised, chunked": rest(
        body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY), Content_Length=None, Transfer_Encoding="chunked"
    ),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("proof", [PROOF, SUM_ONLY])
def test_a_resumed_file_that_is_wrong_is_fetched_anew(server, out, name, proof, capsys, monkeypatch):
    monkeypatch.setattr(Handler, "protocol_version", "HTTP/1.1")
    interrupted(server, out, proof)
    server.script.append(WRONG[name])
    fetch([server.url], proof, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [REST, WHOLE]
    assert "after it was resumed, so it is fetched anew" in capsys.readouterr().err


def test_it_is_fetched_anew_only_once(server, out):
    interrupted(server, out)
    server.script += [rest(body=OTHER[HALF:]), broken, rest(body=OTHER[HALF:])]
    with pytest.raises(cli.InputError, match="wrong content"):
        fetch([server.url], PROOF, out, THREE)
    assert server.seen == [REST, WHOLE, REST]
    assert left(out) == []


def test_a_chunked_rest_is_accepted(server, out, monkeypatch):
    monkeypatch.setattr(Handler, "protocol_version", "HTTP/1.1")
    interrupted(server, out)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (HALF, BODY[HALF:])
    server.script.append(rest(body=chunked, Content_Length=None, Transfer_Encoding="chunked"))
    fetch([server.url], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [REST]


@pytest.mark.parametrize("proof", [PROOF, SUM_ONLY])
def test_a_shorter_rest_than_asked_for_is_continued(server, out, proof):
    interrupted(server, out, proof)
    part = BODY[HALF : HALF + 500]
    server.script.append(rest(body=part, Content_Range=f"bytes {HALF}-{HALF + 499}/{len(BODY)}"))
    fetch([server.url], proof, out, THREE)
    assert out.read_bytes() == BODY
    assert server.seen == [REST, (f"bytes={HALF + 500}-", ETAG)]


def test_a_page_in_place_of_the_file_does_not_cost_what_is_there(server, out):
    interrupted(server, out)
    server.script.append(rest(200, b"<html>Please log in</html>", Content_Range=None))
    with pytest.raises(cli.InputError, match="26 bytes, expected 256000"):
        fetch([server.url], PROOF, out, QUICK)
    fetch([server.url], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [REST, REST]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"url": 5}', "null", b"\xff\xfe"])
def test_a_damaged_record_means_a_new_start(server, out, damage):
    interrupted(server, out)
    note = partial_file(out).with_name(f"{partial_file(out).name}.json")
    note.write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    fetch([server.url], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [WHOLE]
    assert left(out) == [out.name]


@pytest.mark.parametrize(
    ("key", "value", "requests"),
    [
        ("validator", '"v1"\r\nX: y', [WHOLE]),
        ("validator", None, [WHOLE]),
        ("total", -5, [WHOLE]),
        ("total", 300_000, [REST, WHOLE]),
        ("url", "http://127.0.0.1:9/", [WHOLE]),
    ],
)
def test_a_record_is_checked(server, out, key, value, requests):
    interrupted(server, out)
    note = partial_file(out).with_name(f"{partial_file(out).name}.json")
    note.write_text(json.dumps(json.loads(note.read_text()) | {key: value}))
    fetch([server.url], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == requests


@pytest.mark.parametrize(
    ("content", "requests"),
    [
        (BODY, []),  # killed before it was proven
        (BODY[:HALF] + OTHER[HALF:], [WHOLE]),
        (BODY[:HALF] + bytes(10), [(f"bytes={HALF + 10}-", ETAG), WHOLE]),
        (BODY + b"more", [(f"bytes={len(BODY) + 4}-", ETAG), WHOLE]),
        (b"", [WHOLE]),
        (None, [WHOLE]),
    ],
)
def test_whatever_is_in_the_partial_file_the_archive_is_right(server, out, content, requests):
    interrupted(server, out)
    path = partial_file(out)
    path.unlink() if content is None else path.write_bytes(content)
    fetch([server.url], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == requests
    assert left(out) == [out.name]
