"""A server that supports Range and If-Range, unless a test scripts its next answers, and downloads from it."""

import hashlib
import random
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dawn.core import cli
from dawn.data.http import Limits
from dawn.download import Proof, fetch

BODY = random.Random(1).randbytes(256_000)
OTHER = random.Random(2).randbytes(256_000)  # of the same size
HALF = 128_000
PROOF = Proof(hashlib.sha256(BODY).hexdigest(), len(BODY))
SUM_ONLY = Proof(PROOF.sha256, None)
SIZE_ONLY = Proof(None, len(BODY))
OTHER_PROOF = Proof(hashlib.sha256(OTHER).hexdigest(), len(OTHER))
QUICK = Limits(timeout=0.5, answer=1.0, end=0.2, tries=1, backoff=0.01, window=5.0, speed=1000.0)
THREE = Limits(timeout=0.5, answer=1.0, end=0.2, tries=3, backoff=0.01, window=5.0, speed=1000.0)
ETAG, DATE = '"v1"', "Tue, 01 Dec 2026 00:00:00 GMT"
WHOLE = (None, None)  # a request without Range and If-Range
REST = (f"bytes={HALF}-", ETAG)


class Handler(BaseHTTPRequestHandler):
    """Supports Range and If-Range; ``server.script`` holds functions that answer the next requests in its place."""

    def do_GET(self):
        server = self.server
        server.seen.append((self.headers["Range"], self.headers["If-Range"]))
        answer = server.script.pop(0) if server.script else Handler.honest
        with suppress(OSError):
            answer(self)

    def honest(self, sent=None, hold=False):
        """The file, or its rest; only ``sent`` bytes of it where the connection is to break."""
        server, headers = self.server, self.server.headers
        known = [headers.get("ETag"), headers.get("Last-Modified")]
        first = int(self.headers["Range"][6:-1]) if self.headers["If-Range"] in known and self.headers["Range"] else 0
        rest = server.body[first:]
        if first:
            headers = headers | {"Content-Range": f"bytes {first}-{len(server.body) - 1}/{len(server.body)}"}
        self.answer(206 if first else 200, rest[:sent], {"Content-Length": str(len(rest))} | headers)
        if hold:
            server.over.wait(30)

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with self.server.counting:
            self.server.sent.append(len(body))
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request, address):
        pass


@contextmanager
def serving():
    """Run the server for a block: ``seen`` has Range and If-Range of each request, ``sent`` the bytes of each body."""
    with Server(("127.0.0.1", 0), Handler) as running:
        running.seen, running.sent, running.script = [], [], []
        running.body, running.headers = BODY, {"ETag": ETAG, "Last-Modified": DATE}
        running.over, running.counting = threading.Event(), threading.Lock()
        running.url = f"http://127.0.0.1:{running.server_port}/archive"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


def broken(handler):
    """The first half of what is asked for."""
    handler.honest(sent=HALF)


def held(handler):
    handler.honest(sent=HALF, hold=True)


def rest(status=206, body=BODY[HALF:], **changed):
    """An answer to a request for the second half, with some headers changed or, by None, left out."""
    headers = {
        "ETag": ETAG,
        "Last-Modified": DATE,
        "Content-Range": f"bytes {HALF}-{len(BODY) - 1}/{len(BODY)}",
        "Content-Length": str(len(body)),
    }
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    headers = {name: value for name, value in headers.items() if value is not None}
    return lambda handler: handler.answer(status, body, headers)


def interrupted(server, out, proof=PROOF, limits=QUICK):
    """A download that the server breaks off after half of the file."""
    server.script.append(broken)
    with pytest.raises(cli.InputError, match="128000 more expected"):
        fetch([server.url], proof, out, limits)
    assert server.seen == [WHOLE]
    server.seen.clear()
    server.sent.clear()


def left(out):
    """The names of what is in the folder of the archive: the partial file, its record."""
    return sorted(path.name for path in out.parent.iterdir())


def partial_file(out):
    (path,) = out.parent.glob(".*.partial")
    return path
