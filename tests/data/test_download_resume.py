"""Downloads that were interrupted: only the rest is transferred, and never into a file of another version."""

import errno
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from range_server import (
    BODY,
    DATE,
    ETAG,
    HALF,
    PROOF,
    QUICK,
    REST,
    SIZE_ONLY,
    SUM_ONLY,
    THREE,
    WHOLE,
    broken,
    held,
    interrupted,
    left,
    partial_file,
    rest,
    serving,
)

from dawn.core import cli, file_lock
from dawn.download import fetch


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as running:
        yield running


@pytest.fixture
def out(tmp_path):
    return tmp_path / "made" / "archive.tar.gz"


def start(server, out, proof=PROOF):
    command = [sys.executable, "-m", "dawn.download", "--url", server.url, "--out", out]
    command += ["--sha256", proof.sha256] if proof.sha256 else []
    command += ["--bytes", str(proof.bytes)] if proof.bytes else []
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def wait_for(condition):
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("proof", [PROOF, SIZE_ONLY])
def test_after_a_kill_only_the_rest_is_transferred(server, out, number, proof):
    out.parent.mkdir()
    server.script.append(held)
    with start(server, out, proof) as process:
        wait_for(lambda: any(path.stat().st_size > HALF // 2 for path in out.parent.glob(".*.partial")))
        process.send_signal(number)
        assert process.wait(10) == (-number if number == signal.SIGKILL else 128 + number)
        assert "Traceback" not in process.stderr.read()
    kept = partial_file(out).stat().st_size
    server.sent.clear()
    with start(server, out, proof) as process:
        shown = process.stderr.read()
        assert process.wait(10) == 0
    assert out.read_bytes() == BODY
    assert server.seen == [WHOLE, (f"bytes={kept}-", ETAG)]
    assert server.sent == [len(BODY) - kept]
    assert f"MB/s, resumed after {kept} bytes, proven by" in shown
    assert left(out) == [out.name]


def test_a_failed_download_is_continued_by_the_next(server, out, capsys):
    interrupted(server, out)
    assert len(left(out)) == 2
    fetch([server.url], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert (server.seen, server.sent) == ([REST], [HALF])
    assert left(out) == [out.name]
    assert f"resumed after {HALF} bytes" in capsys.readouterr().err


def test_a_further_try_continues_too(server, out):
    server.script += [broken, lambda handler: handler.honest(sent=1000)]
    fetch([server.url], PROOF, out, THREE)
    assert out.read_bytes() == BODY
    assert server.seen == [WHOLE, REST, (f"bytes={HALF + 1000}-", ETAG)]
    assert server.sent == [HALF, 1000, HALF - 1000]


@pytest.mark.parametrize(
    ("headers", "proof", "validator"),
    [
        ({"ETag": ETAG}, PROOF, ETAG),
        ({"ETag": ETAG}, SUM_ONLY, ETAG),
        ({"ETag": ETAG}, SIZE_ONLY, ETAG),
        ({"ETag": ETAG, "Last-Modified": DATE}, SIZE_ONLY, ETAG),
        ({"Last-Modified": DATE}, PROOF, DATE),
        ({"Last-Modified": DATE}, SIZE_ONLY, None),
        ({"ETag": 'W/"v1"'}, PROOF, None),
        ({"ETag": 'W/"v1"', "Last-Modified": DATE}, PROOF, DATE),
        ({"ETag": 'W/"v1"', "Last-Modified": DATE}, SIZE_ONLY, None),
        ({"ETag": "v1"}, PROOF, None),
        ({"ETag": '"v 1"'}, PROOF, None),
        ({"ETag": '"' + "v" * 2000 + '"'}, PROOF, None),
        ({"Last-Modified": "yesterday"}, PROOF, None),
        ({}, PROOF, None),
        ({"ETag": ETAG, "Content-Encoding": "x-gzip"}, PROOF, ETAG),  # as servers describe a .gz file
    ],
)
def test_what_a_file_is_resumed_by(server, out, headers, proof, validator):
    server.headers = headers
    interrupted(server, out, proof)
    assert len(left(out)) == (2 if validator else 0)
    fetch([server.url], proof, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [(f"bytes={HALF}-", validator) if validator else WHOLE]


def test_a_date_is_not_enough_once_the_checksum_is_gone(server, out):
    server.headers = {"Last-Modified": DATE}
    interrupted(server, out)
    fetch([server.url], SIZE_ONLY, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [WHOLE]


def test_a_busy_server_does_not_cost_what_is_there(server, out):
    interrupted(server, out)
    for status in (503, 429):
        server.script.append(rest(status, b""))
        with pytest.raises(cli.InputError, match=f"HTTP {status}"):
            fetch([server.url], PROOF, out, QUICK)
    fetch([server.url], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [REST, REST, REST]


def test_a_server_that_fails_at_ranges_is_asked_for_the_whole_file_in_the_end(server, out):
    interrupted(server, out)
    server.script += [rest(500, b""), lambda handler: None]
    fetch([server.url], PROOF, out, THREE)
    assert out.read_bytes() == BODY
    assert server.seen == [REST, REST, WHOLE]


def test_a_redirect_takes_the_range_along(server, out):
    server.script.append(lambda handler: handler.answer(302, b"", {"Location": "/elsewhere"}))
    server.script.append(broken)
    with pytest.raises(cli.InputError, match="more expected"):
        fetch([server.url], PROOF, out, QUICK)
    server.script.append(lambda handler: handler.answer(307, b"", {"Location": "/elsewhere"}))
    fetch([server.url], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [WHOLE, WHOLE, REST, REST]


def test_only_the_same_source_continues_a_file(server, out):
    interrupted(server, out)
    server.script.append(rest(404, b"", Content_Range=None))
    mirror = server.url.replace("/archive", "/mirror")
    with pytest.raises(cli.InputError, match="HTTP 404"):
        fetch([mirror], PROOF, out, QUICK)
    fetch([server.url], PROOF, out, QUICK)
    assert server.seen == [WHOLE, REST]
    out.unlink()
    server.seen.clear()
    interrupted(server, out)
    fetch([mirror], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [WHOLE]


def test_four_processes_continue_one_file_once(server, out):
    interrupted(server, out)
    processes = [start(server, out) for _ in range(4)]
    shown = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert out.read_bytes() == BODY
    assert (server.seen, server.sent) == ([REST], [HALF])
    assert sum("resumed after" in text for text in shown) == 1
    assert left(out) == [out.name]


def test_a_process_that_waits_continues_the_file_of_one_that_is_killed(server, out):
    out.parent.mkdir()
    server.script.append(held)
    with start(server, out) as first:
        wait_for(lambda: any(path.stat().st_size > HALF // 2 for path in out.parent.glob(".*.partial")))
        with start(server, out) as second:
            assert "another process fetches it" in second.stderr.readline()
            first.kill()
            first.wait()
            shown = second.stderr.read()
            assert second.wait(10) == 0
    assert out.read_bytes() == BODY
    assert len(server.seen) == 2
    assert re.search(r"resumed after \d+ bytes", shown)
    assert server.sent[1] < len(BODY) - HALF // 2
    assert left(out) == [out.name]


def test_without_locks_no_process_continues_the_file_of_another(server, out, monkeypatch):
    interrupted(server, out)
    before = left(out)

    def flock(file, operation):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(file_lock.fcntl, "flock", flock)
    server.script.append(broken)
    with pytest.raises(cli.InputError, match="more expected"):
        fetch([server.url], PROOF, out, QUICK)
    assert left(out) == before
    server.script.append(broken)
    fetch([server.url], PROOF, out, THREE)
    assert out.read_bytes() == BODY
    assert server.seen == [WHOLE, WHOLE, REST]
    assert left(out) == sorted([out.name, *before])


def test_the_partial_file_gives_way_to_a_local_archive(server, out, tmp_path):
    interrupted(server, out)
    source = tmp_path / "near.tgz"
    source.write_bytes(BODY)
    fetch([str(source)], PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert left(out) == [out.name]
