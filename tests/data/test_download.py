"""Downloads against a server on the loopback that misbehaves in every way we could think of."""

import hashlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from dawn import download
from dawn.core import cli
from dawn.core.files import HOST
from dawn.data import http
from dawn.data.http import CAP, Limits
from dawn.download import Proof, fetch

BODY = bytes(range(256)) * 1000
HALF = len(BODY) // 2
SUM = hashlib.sha256(BODY).hexdigest()
PROOF = Proof(SUM, len(BODY))
SIZE_ONLY = Proof(None, len(BODY))
SUM_ONLY = Proof(SUM, None)
QUICK = Limits(timeout=0.3, answer=1.0, end=0.2, tries=3, backoff=0.01, window=0.5, speed=1000.0)
COMMAND = [sys.executable, "-m", "dawn.download"]
FAULTS = {"/missing": 404, "/forbidden": 403, "/gone": 410, "/broken": 500, "/part": 206}


class Handler(BaseHTTPRequestHandler):
    """Each path is a way to behave."""

    def do_GET(self):
        path = urlsplit(self.path).path
        seen = self.server.seen
        seen.append(path)
        with suppress(OSError):
            getattr(self, path.strip("/").replace("-", "_"), self.fault)(path, seen.count(path))

    def answer(self, status=200, body=BODY, **headers):
        self.send_response(status)
        for key, value in ({"Content_Length": len(body)} | headers).items():
            if value is not None:
                self.send_header(key.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def fault(self, path, count):
        self.answer(FAULTS[path], b"sorry")

    def fine(self, path, count):
        self.answer()

    def flaky(self, path, count):
        self.answer(500, b"") if count < 3 else self.answer()

    def busy(self, path, count):
        self.answer(429, b"", Retry_After=7) if count == 1 else self.answer()

    def busy_till_tomorrow(self, path, count):
        self.answer(503, b"", Retry_After=86400) if count == 1 else self.answer()

    def dropped(self, path, count):
        self.answer(body=BODY[:HALF], Content_Length=len(BODY))

    def dropped_once(self, path, count):
        self.dropped(path, count) if count == 1 else self.answer()

    def cut(self, path, count):
        self.answer(body=BODY[:HALF], Content_Length=None)

    def unsized(self, path, count):
        self.answer(Content_Length=None)

    def chunked(self, path, count):
        self.protocol_version = "HTTP/1.1"
        self.answer(body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY), Content_Length=None, Transfer_Encoding="chunked")
        self.close_connection = True

    def chunked_and_dropped(self, path, count):
        self.protocol_version = "HTTP/1.1"
        self.answer(body=b"%x\r\n%s" % (len(BODY), BODY[:HALF]), Content_Length=None, Transfer_Encoding="chunked")
        self.close_connection = True

    def said_to_be_gzipped(self, path, count):
        self.answer(Content_Encoding="gzip")

    def mute(self, path, count):
        self.server.over.wait(10)

    def stall(self, path, count):
        self.dropped(path, count)
        self.server.over.wait(10)

    def trickle(self, path, count):
        self.answer(body=b"", Content_Length=len(BODY))
        while not self.server.over.wait(0.05):
            self.wfile.write(b"drip")

    def trickle_unsized(self, path, count):
        self.answer(body=b"", Content_Length=None)
        while not self.server.over.wait(0.05):
            self.wfile.write(b"drip")

    def wrong(self, path, count):
        self.answer(body=BODY[::-1])

    def portal(self, path, count):
        self.answer(body=b"<html>Please log in</html>")

    def endless(self, path, count):
        self.answer(body=b"", Content_Length=None)
        while not self.server.over.is_set():
            self.wfile.write(BODY)

    def moved(self, path, count):
        self.answer(302, b"", Location="/fine")

    def moved_to_a_file(self, path, count):
        self.answer(302, b"", Location="file:///etc/hostname")

    def moved_in_a_circle(self, path, count):
        self.answer(302, b"", Location=path)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request, address):
        pass  # a client that went away is what we test


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server(("127.0.0.1", 0), Handler) as running:
        running.seen, running.over = [], threading.Event()
        running.url = lambda *names: [f"http://127.0.0.1:{running.server_port}/{name}" for name in names]
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def out(tmp_path):
    return tmp_path / "made" / "archive.tar.gz"


def refused(urls, proof, out, limits=QUICK):
    """The one line with which a download that cannot succeed ends; nothing may be left of it."""
    before = sorted(out.parent.glob("*"))
    with pytest.raises(cli.InputError) as caught:
        fetch(urls, proof, out, limits)
    assert sorted(out.parent.glob("*")) == before
    line = cli.describe(caught.value)
    assert str(out) in line
    assert "by hand" in line
    assert "data.urls" in line
    return line


def command(*arguments, cwd=None):
    return subprocess.run([*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("proof", [PROOF, SIZE_ONLY, SUM_ONLY])
@pytest.mark.parametrize("name", ["fine", "unsized", "chunked", "said-to-be-gzipped", "moved"])
def test_a_sound_server_gives_the_file_at_the_first_attempt(server, out, name, proof, capsys):
    fetch(server.url(name), proof, out, QUICK)
    assert out.read_bytes() == BODY
    assert [out] == list(out.parent.iterdir())
    assert server.seen == ([f"/{name}"] if name != "moved" else ["/moved", "/fine"])
    start, end = capsys.readouterr().err.splitlines()
    assert start == f"{server.url(name)[0]}: fetching"
    assert re.fullmatch(rf"{out}: {len(BODY)} bytes in [\d.]+ s, [\d.]+ MB/s, proven by its .*", end)
    assert ("size alone" in end) == (proof is SIZE_ONLY)


@pytest.mark.parametrize(("name", "requests"), [("flaky", 3), ("dropped-once", 2)])
def test_what_may_pass_is_tried_again(server, out, name, requests, capsys):
    fetch(server.url(name, "fine"), SUM_ONLY, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [f"/{name}"] * requests
    assert "(try 1 of 3), again in 0.01 s" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "wait"), [("busy", 7), ("busy-till-tomorrow", 60), ("flaky", 0.01)])
def test_the_server_may_ask_for_a_longer_wait_within_reason(server, out, name, wait, monkeypatch):
    waits = []
    monkeypatch.setattr(download, "time", SimpleNamespace(sleep=waits.append, monotonic=time.monotonic))
    fetch(server.url(name), PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert waits == ([wait] if name != "flaky" else [wait, 2 * wait])


@pytest.mark.parametrize(
    ("name", "proof", "reason"),
    [
        ("broken", PROOF, "HTTP 500 Internal Server Error"),
        ("dropped", PROOF, f"{HALF} more expected"),
        ("dropped", SUM_ONLY, f"{HALF} more expected"),
        ("chunked-and-dropped", PROOF, "the body broke off"),
        ("cut", PROOF, f"ended after {HALF} of {len(BODY)} bytes"),
        ("stall", PROOF, "nothing came for 0.3 s"),
        ("mute", PROOF, "nothing came for 0.3 s"),
    ],
)
def test_a_mirror_that_stays_bad_is_left_after_three_tries(server, out, name, proof, reason):
    line = refused(server.url(name), proof, out)
    assert re.search(rf"/{name}: .*{re.escape(reason)}.* \(try 3 of 3\)", line)
    assert server.seen == [f"/{name}"] * 3


@pytest.mark.parametrize(
    ("name", "proof", "reason"),
    [
        ("missing", PROOF, "HTTP 404 Not Found"),
        ("forbidden", PROOF, "HTTP 403 Forbidden"),
        ("gone", PROOF, "HTTP 410 Gone"),
        ("part", PROOF, "HTTP 206 Partial Content"),
        ("wrong", PROOF, f"sha256 {hashlib.sha256(BODY[::-1]).hexdigest()}, expected {SUM}"),
        ("portal", PROOF, f"26 bytes, expected {len(BODY)}"),
        ("portal", SUM_ONLY, f"expected {SUM}"),
        ("cut", SUM_ONLY, f"expected {SUM}"),
        ("trickle", PROOF, "too slow"),
        ("trickle-unsized", PROOF, "too slow"),
        ("trickle-unsized", SUM_ONLY, "too slow"),
        ("endless", PROOF, f"longer than {len(BODY)} bytes, cut off"),
        ("moved-to-a-file", PROOF, "a redirect to 'file:///etc/hostname', which is not followed"),
    ],
)
def test_a_hopeless_mirror_is_left_at_once(server, out, name, proof, reason):
    line = refused(server.url(name), proof, out)
    assert re.search(rf"/{name}: .*{re.escape(reason)}", line)
    assert server.seen == [f"/{name}"]
    server.seen.clear()
    fetch(server.url(name, "fine", "missing"), proof, out, QUICK)
    assert out.read_bytes() == BODY
    assert server.seen == [f"/{name}", "/fine"]


def test_an_endless_body_of_unknown_size_is_cut_off_too(server, out, monkeypatch):
    assert CAP == 4 * 2**30
    monkeypatch.setattr(http, "CAP", 1_000_000)
    assert "longer than 1000000 bytes, cut off" in refused(server.url("endless"), SUM_ONLY, out)


def test_redirects_in_a_circle_end(server, out):
    assert "Exceeded 10 redirects" in refused(server.url("moved-in-a-circle"), PROOF, out)


def test_nobody_listens(out):
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    line = refused([f"http://127.0.0.1:{port}/archive"], PROOF, out)
    assert "Connection refused (try 3 of 3)" in line
    assert "HTTPConnectionPool" not in line


def test_a_broken_certificate_is_no_passing_fault(server, out):
    line = refused([server.url("fine")[0].replace("http:", "https:")], PROOF, out)
    assert "try 3" not in line
    assert "SSL" in line


def test_the_last_line_names_every_source(server, out, tmp_path):
    line = refused([*server.url("missing", "wrong"), str(tmp_path / "none.tgz")], PROOF, out)
    assert re.search(r"/missing: HTTP 404 .*; .*/wrong: wrong content.*; .*none.tgz: no such file", line)


def test_a_proxy_of_the_environment_is_used(server, out, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    fetch(["http://mirror.invalid/fine"], PROOF, out, QUICK)
    assert out.read_bytes() == BODY


@pytest.mark.parametrize("proof", [PROOF, SIZE_ONLY, SUM_ONLY])
def test_an_archive_that_proves_right_is_not_fetched_again(server, out, proof, capsys):
    out.parent.mkdir()
    out.write_bytes(BODY)
    fetch(server.url("fine"), proof, out, QUICK)
    assert server.seen == []
    assert f"{out}: there already, proven by" in capsys.readouterr().err


def test_a_wrong_archive_gives_way_to_a_right_one_only(server, out):
    out.parent.mkdir()
    out.write_bytes(b"older")
    refused(server.url("wrong"), PROOF, out)
    assert out.read_bytes() == b"older"
    fetch(server.url("fine"), PROOF, out, QUICK)
    assert out.read_bytes() == BODY


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
@pytest.mark.parametrize("proof", [PROOF, Proof(None, None)])
def test_a_local_archive_is_copied_and_stays(out, tmp_path, form, proof, capsys):
    source = tmp_path / "with space%20.tgz"
    source.write_bytes(BODY)
    url = form.format(source if form == "{}" else str(source).replace("%", "%25").replace(" ", "%20"))
    fetch([url], proof, out, QUICK)
    assert out.read_bytes() == source.read_bytes() == BODY
    assert not out.samefile(source)
    assert ("unproven" in capsys.readouterr().err) == (proof != PROOF)


def test_a_wrong_local_archive_is_refused_and_stays(out, tmp_path):
    source = tmp_path / "wrong.tgz"
    remedy = "if this is the archive that you want, set data.sha256 to the former"
    for content, reason in ((BODY[::-1], f"expected {SUM}; {remedy}"), (b"short", f"5 bytes, expected {len(BODY)}")):
        source.write_bytes(content)
        assert reason in refused([str(source)], PROOF, out)
        assert source.read_bytes() == content
    assert "no such file" in refused([str(tmp_path)], PROOF, out)


def test_the_output_itself_is_no_source(server, out, tmp_path):
    out.parent.mkdir()
    out.write_bytes(b"older")
    link = tmp_path / "link.tgz"
    link.symlink_to(out)
    for url, proof in ((str(out), Proof(None, None)), (f"file://{out}", PROOF), (str(link), PROOF)):
        with pytest.raises(cli.InputError, match=r"is the output file .* itself; name another source"):
            fetch([*server.url("fine"), url], proof, out, QUICK)
    assert server.seen == []
    assert out.read_bytes() == b"older"


def test_what_a_killed_download_left_is_overwritten(server, out):
    out.parent.mkdir()
    killed = subprocess.Popen(["true"])
    killed.wait()
    (out.parent / f".{out.name}.{HOST}.{killed.pid}.partial").write_bytes(BODY * 2)
    fetch(server.url("fine"), PROOF, out, QUICK)
    assert out.read_bytes() == BODY
    assert [out] == list(out.parent.iterdir())


def test_what_cannot_be_written_is_no_fault_of_the_mirror(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileExistsError):
        fetch(server.url("fine"), PROOF, tmp_path / "file" / "archive.tgz", QUICK)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--url", "http://127.0.0.1:9/a"], "needs its sha256"),
        (["--url", "mirror.tgz", "--url", "https://127.0.0.1:9/a"], "needs its sha256"),
        (["--url", "ftp://127.0.0.1/a", "--bytes", "5"], "ftp://127.0.0.1/a: must be http"),
        (["--url", "file://relative/a", "--bytes", "5"], "file:///absolute/path"),
        (["--url", "http:///a", "--bytes", "5"], "must be http"),
        (["--url", "a", "--sha256", "12ab"], "sha256 '12ab': must be 64 hexadecimal digits"),
        (["--url", "a", "--bytes", "0"], "bytes 0: must be positive"),
        (["--url", "a", "--timeout", "nan"], "timeout nan: must be positive"),
    ],
)
def test_nonsense_is_refused_before_anything_is_asked(tmp_path, monkeypatch, arguments, reason):
    monkeypatch.setattr(sys, "argv", ["dawn.download", *arguments, "--out", str(tmp_path / "made" / "a")])
    with pytest.raises(SystemExit) as caught:
        cli.run(download.main)
    assert reason in caught.value.code
    assert "\n" not in caught.value.code
    assert list(tmp_path.iterdir()) == []


def test_flags_come_before_the_data_section(monkeypatch):
    data = SimpleNamespace(sources=("a", "b"), sha256=SUM, bytes=5)
    monkeypatch.setattr(download.experiment, "load", lambda path: SimpleNamespace(data=data))

    def options(**given):
        none = {"params": Path("p"), "url": None, "sha256": None, "bytes": None, "timeout": 1.0}
        return SimpleNamespace(**none | given)

    assert download.sources(options()) == (("a", "b"), Proof(SUM, 5))
    other = "AB" * 32
    assert download.sources(options(url=["c"], sha256=other, bytes=6)) == (["c"], Proof(other.lower(), 6))


def test_the_command_line(server, tmp_path):
    (tmp_path / "near.tgz").write_bytes(BODY)
    mirrors = [part for url in ["none.tgz", *server.url("missing", "fine")] for part in ("--url", url)]
    good = command(*mirrors, "--sha256", SUM.upper(), "--out", "made/a.tgz", cwd=tmp_path)
    assert (good.returncode, good.stdout) == (0, "")
    assert (tmp_path / "made" / "a.tgz").read_bytes() == BODY
    local = command("--url", "near.tgz", "--out", "b.tgz", cwd=tmp_path)
    assert (local.returncode, local.stdout) == (0, "")
    assert (tmp_path / "b.tgz").read_bytes() == BODY
    bad = command("--url", *server.url("wrong"), "--sha256", SUM, "--out", "c.tgz", cwd=tmp_path)
    assert bad.returncode == 1
    assert len(bad.stderr.splitlines()) == 3  # fetching, this mirror's reason, the end
    assert bad.stderr.splitlines()[-1].startswith("dawn.download: no source gave c.tgz (http://")
    assert {path.name for path in tmp_path.iterdir()} == {"near.tgz", "made", "b.tgz"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_takes_the_partial_file_along(server, out, number):
    out.parent.mkdir()
    out.write_bytes(b"older")
    process = subprocess.Popen(
        [*COMMAND, "--url", *server.url("stall"), "--sha256", SUM, "--out", out], stderr=subprocess.PIPE
    )
    with process:
        limit = time.monotonic() + 20
        while not any(path.stat().st_size for path in out.parent.glob(".*.partial")):
            assert time.monotonic() < limit
            time.sleep(0.02)
        process.send_signal(number)
        assert process.wait(10) == 128 + number
        assert b"Traceback" not in process.stderr.read()
    assert list(out.parent.iterdir()) == [out]
    assert out.read_bytes() == b"older"


def test_a_terminal_gets_a_bar(server, out):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    process = subprocess.Popen([*COMMAND, "--url", *server.url("stall"), "--sha256", SUM, "--out", out], stderr=theirs)
    os.close(theirs)
    with process, closing(os.fdopen(ours, "rb", buffering=0)) as terminal:
        shown = terminal.read(4096)
        process.terminate()
    assert b"%|" in shown
    assert b"fetching" not in shown
