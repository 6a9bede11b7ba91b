"""The page's server under load: half-open connections, requests that lie, uploads that grow when they are decoded."""

import json
import threading
import time
from contextlib import ExitStack

import pytest
import torch
from archives import png
from page_requests import answered, ended, opened, request, upload
from seeds import pixels, write_seed

from dawn import serve
from dawn.tasks.classify.serving import app as serving
from dawn.tasks.classify.serving.app import UPLOAD, application
from dawn.tasks.classify.serving.predictor import Predictor

HALF_OPEN = 500


@pytest.fixture
def port(tmp_path, monkeypatch):
    """The port of a running server; connections that send nothing are closed after a second."""
    monkeypatch.setitem(serve.LIMITS, "channel_timeout", 1)
    monkeypatch.setitem(serve.LIMITS, "cleanup_interval", 0)
    app = application(Predictor([write_seed(tmp_path / "seed-0")], torch.device("cpu")), None, None)
    over = threading.Event()
    with serve.listening(0) as listener:
        server = serve.server_of(app, listener)

        def run():
            while not over.is_set():
                server.asyncore.loop(timeout=0.05, map=server._map, use_poll=True, count=1)

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
        over.set()
        thread.join()
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map)


def test_half_open_connections_take_no_thread_and_are_closed(port):
    before = threading.active_count()
    with ExitStack() as stack:
        starts = (b"", b"GET / HTTP/1.1\r\nHost: ", request(port, "POST", "/predict", 1000) + b"slow")
        waiting = [stack.enter_context(opened(port, starts[i % 3])) for i in range(HALF_OPEN)]
        assert answered(stack.enter_context(opened(port, request(port))))[0] == 200
        assert threading.active_count() == before
        assert all(ended(connection) for connection in waiting)


def test_requests_that_are_not_read_to_their_end_close_their_connection(port):
    for status, sent in (
        (413, request(port, "POST", "/predict", serve.LIMITS["max_request_body_size"])),
        (413, request(port, "POST", "/predict", 10**18)),
        (431, request(port, Cookie="a" * 20_000)),
        (400, request(port, "POST", "/predict", "-5")),
        (400, request(port, "POST", "/predict", "0x10")),
        (400, request(port, "POST", "/predict", "5, 6")),
        (501, request(port, "POST", "/predict", **{"Transfer-Encoding": "gzip"})),
        (400, request(port, "POST", "/predict", **{"Transfer-Encoding": "chunked"}) + b"no length\r\n"),
        (400, b"GARBAGE\r\n\r\n"),
    ):
        with opened(port, sent) as connection:
            assert (status, True) == (answered(connection)[0], ended(connection)), sent[:200]


def test_a_refused_upload_that_was_read_keeps_its_connection(port):
    with opened(port, upload(port, bytes(UPLOAD + 1))) as connection:
        status, body = answered(connection)
        assert (status, json.loads(body)["error"]) == (413, "the upload is larger than 16 MiB")
        connection.sendall(upload(port, png(pixels(32, 32))))
        assert answered(connection)[0] == 200


def test_bytes_after_the_body_are_no_request_of_anybody(port):
    short = request(port, "POST", "/predict", 4) + b"abcdTRAILING BYTES\r\n\r\n"
    with opened(port, short) as connection:
        assert answered(connection)[0] == 400  # the form has no image
        assert answered(connection)[0] == 421  # a request without a Host
        assert ended(connection)
    with opened(port, request(port, "POST", "/predict", 10_000) + b"fewer") as connection:
        assert ended(connection)


def test_uploads_are_decoded_one_at_a_time(port, monkeypatch):
    active, most = [], []

    def read(content, size, resize):
        active.append(1)
        most.append(len(active))
        time.sleep(0.02)
        active.pop()
        return pixels(size, size)

    monkeypatch.setattr(serving, "read_image", read)
    with ExitStack() as stack:
        connections = [stack.enter_context(opened(port, upload(port, b"image"))) for _ in range(8)]
        assert [answered(connection)[0] for connection in connections] == [200] * 8
    assert max(most) == 1
