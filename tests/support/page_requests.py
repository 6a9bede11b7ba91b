"""Requests to the page as bytes, and their answers, over sockets."""

import socket

from dawn.tasks.classify.serving.app import HEADER


def opened(port, sent=b""):
    connection = socket.create_connection(("127.0.0.1", port), timeout=120)
    connection.sendall(sent)
    return connection


def request(port, method="GET", path="/about", length=None, **headers):
    given = {"Host": f"127.0.0.1:{port}", HEADER: "1"} | headers
    if length is not None:
        given["Content-Length"] = length
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode()


def form(content):
    part = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    return part + content + b"\r\n--b--\r\n"


def upload(port, content):
    body = form(content)
    return request(port, "POST", "/predict", len(body), **{"Content-Type": "multipart/form-data; boundary=b"}) + body


def answered(connection):
    """The status and the body of one response."""
    with connection.makefile("rb", buffering=0) as file:
        status, length = int(file.readline().split()[1]), 0
        while (line := file.readline().strip().lower()) != b"":
            length = int(line.split()[1]) if line.startswith(b"content-length") else length
        body = b""
        while len(body) < length:
            body += file.read(length - len(body))
        return status, body


def ended(connection):
    """Whether the server has closed the connection, with or without a reset."""
    try:
        return connection.recv(1 << 16) == b""
    except ConnectionResetError:
        return True
