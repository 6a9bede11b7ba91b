"""A server on this machine that gives a file only to whoever has the password and the signature."""

import base64
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit


@contextmanager
def serving(file: Path, user: str, signature: str, token: str = "") -> Iterator[str]:
    """The host and the port of a server of ``file``, at any path that ends with its name, and has ``token``."""
    expected = f"Basic {base64.b64encode(unquote(user).encode()).decode()}"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            allowed = self.headers.get("Authorization") == expected or (token and token in parts.path)
            allowed = allowed and (parse_qs(parts.query).get("X-Amz-Signature") == [signature] or bool(token))
            if not allowed:
                self.send_error(403)
                return
            content = file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
