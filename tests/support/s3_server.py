"""A real S3 server on this machine, by moto."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import moto.server
import pytest

SECRETS = {"AWS_ACCESS_KEY_ID": "dawn-key", "AWS_SECRET_ACCESS_KEY": "dawn-secret"}


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The URL of a bucket and the options of DVC's remote, for as long as the block lasts; the secrets are set."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    server = moto.server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), SECRETS.values(), strict=True))
    boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys).create_bucket(Bucket="dawn")
    try:
        yield "s3://dawn/runs", [("endpointurl", endpoint), ("region", "us-east-1")]
    finally:
        server.stop()
