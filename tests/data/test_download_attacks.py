"""Servers that answer for ever, too slowly or with nonsense: one line, in bounded time and memory."""

import socket
import subprocess
import sys
import threading
import time
import zlib
from contextlib import suppress

import pytest

from dawn.core import cli
from dawn.data.http import Limits
from dawn.download import Proof, fetch

BODY = bytes(range(256)) * 100
PROOF = Proof(None, len(BODY))
QUICK = Limits(timeout=0.4, answer=1.0, end=0.2, tries=1, backoff=0.01, window=0.5, speed=1000.0)
OK = b"HTTP/1.1 200 OK\r\n"
MOVED = b"HTTP/1.1 302 Found\r\n"
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)
SIZED = b"Content-Length: %d\r\n" % len(BODY)


def once(*parts):
    yield from parts


def forever(first, part, pause=0.0):
    yield first
    while True:
        yield part
        time.sleep(pause)


def bytewise(text, pause=0.05):
    for i in range(len(text)):
        yield text[i : i + 1]
        time.sleep(pause)


def to(location):
    return once(MOVED + b"Location: " + location + b"\r\nContent-Length: 0\r\n\r\n")


def bomb():
    compressor = zlib.compressobj(9, wbits=31)
    return compressor.compress(bytes(64 << 20)) + compressor.flush()


ENDLESS = {
    "redirect with an endless body": lambda: forever(MOVED + b"Location: /more\r\n\r\n", bytes(1 << 16)),
    "redirect with a compressed body": lambda: once(
        MOVED + b"Location: /more\r\nContent-Encoding: gzip\r\nContent-Length: 100000000\r\n\r\n", bomb()
    ),
    "redirect with endless chunks": lambda: forever(
        MOVED + b"Location: /more\r\nTransfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n" % (1 << 16, bytes(1 << 16))
    ),
    "redirect with a slow body": lambda: forever(MOVED + b"Location: /more\r\n\r\n", b"x", 0.05),
    "a header a byte at a time": lambda: bytewise(OK + b"X: " + b"y" * 500),
    "a header line at a time": lambda: forever(OK, b"X: y\r\n", 0.05),
    "endless 100-continue": lambda: forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
    "endless header line": lambda: forever(OK + b"X: ", b"y" * 1000),
    "thousands of headers": lambda: forever(OK, b"X: y\r\n" * 100),
    "a chunk size a byte at a time": lambda: forever(CHUNKS, b"0", 0.05),
    "a body a byte at a time": lambda: forever(OK + SIZED + b"\r\n", b"x", 0.05),
    "no answer": lambda: forever(b"", b"", 0.05),
}
NONSENSE = {
    "no UTF-8": lambda: to(b"http://\xff\xfe/"),
    "no IPv6 address": lambda: to(b"http://[::1/x"),
    "no port": lambda: to(b"http://127.0.0.1:99999/"),
    "a file": lambda: to(b"file:///etc/hostname"),
    "a script": lambda: to(b"javascript:alert(1)"),
    "credentials": lambda: to(b"http://user:word@127.0.0.1/"),
    "no location": lambda: once(MOVED + b"Content-Length: 0\r\n\r\n"),
    "a line without end": lambda: to(b"http://127.0.0.1/" + b"a" * 5000),
    "negative length": lambda: once(OK + b"Content-Length: -5\r\n\r\n", BODY[:7]),
    "a length of a thousand digits": lambda: once(OK + b"Content-Length: " + b"9" * 1000 + b"\r\n\r\n", BODY[:7]),
    "two lengths": lambda: once(OK + SIZED + b"Content-Length: 7\r\n\r\n", BODY[:7]),
    "no chunk size": lambda: once(CHUNKS, b"zz\r\nabc\r\n0\r\n\r\n"),
    "a negative chunk size": lambda: once(CHUNKS, b"-5\r\nabc\r\n0\r\n\r\n"),
    "no HTTP": lambda: once(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "no status": lambda: once(b"HTTP/1.1 abc\r\n\r\n"),
    "an unasked range": lambda: once(b"HTTP/1.1 206 Partial Content\r\n" + SIZED + b"\r\n", BODY),
    "not modified": lambda: once(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "a date to come back at": lambda: once(b"HTTP/1.1 503 No\r\nRetry-After: Wed, 21 Oct 2065 07:28:00 GMT\r\n\r\n"),
}


@pytest.fixture
def serve(monkeypatch):
    """Start a server that sends the parts of an answer to each connection, whatever is asked for."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def start(answers):
        def answer(connection):
            with suppress(OSError), connection:
                connection.recv(65536)
                for part in answers():
                    if ended.is_set():
                        return
                    connection.sendall(part)

        def accept():
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/archive.tar.gz"

    yield start
    ended.set()
    listener.close()


def refused(url, folder):
    """The one line that a download ends in."""
    with pytest.raises(cli.InputError) as error:
        fetch([url], PROOF, folder / "archive.tar.gz", QUICK)
    assert list(folder.iterdir()) == []
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 600
    return message


@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_without_end_is_cut_off(serve, tmp_path, name):
    begun = time.monotonic()
    refused(serve(ENDLESS[name]), tmp_path)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_ends_in_one_line(serve, tmp_path, name):
    begun = time.monotonic()
    refused(serve(NONSENSE[name]), tmp_path)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("end", [b"", b"X: y\r\n"], ids=["no end", "endless trailers"])
def test_a_whole_body_needs_no_end(serve, tmp_path, end):
    begun = time.monotonic()
    fetch([serve(lambda: forever(CHUNKS + WHOLE, end, 0.05))], PROOF, tmp_path / "archive.tar.gz", QUICK)
    assert (tmp_path / "archive.tar.gz").read_bytes() == BODY
    assert time.monotonic() - begun < 3


def test_secure_answers_do_not_lead_to_plain_ones():
    from dawn.data.session import redirected
    from dawn.data.source import SourceError

    assert redirected("http://a/b", "c") == "http://a/c"
    assert redirected("http://a/b", "https://a/c") == "https://a/c"
    with pytest.raises(SourceError, match="is not followed"):
        redirected("https://a/b", "http://a/b")


@pytest.mark.parametrize(
    "name",
    [
        "redirect with an endless body",
        "redirect with a compressed body",
        "redirect with endless chunks",
        "endless header line",
    ],
)
def test_memory_is_bounded(serve, tmp_path, name):
    url = serve(ENDLESS[name])
    code = (
        "import resource, sys\n"
        "from dawn.download import Proof, fetch\n"
        "from dawn.data.http import Limits\n"
        "from pathlib import Path\n"
        "limits = Limits(timeout=1, answer=2, tries=1)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: fetch([sys.argv[1]], Proof(None, 9), Path(sys.argv[2]), limits)\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, url, tmp_path / "a"], capture_output=True, text=True, check=True)
    kind, grown = done.stdout.split()
    assert kind == "InputError"
    assert int(grown) < 30_000, "kilobytes"
