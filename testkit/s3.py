"""A server that speaks S3, on loopback, and a fresh bucket in it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

KEY, SECRET = "AKIAOFTHETESTS", "the secret key of the tests"


@contextlib.contextmanager
def an_s3_server(*, port: int = 0) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


def a_bucket(endpoint: str) -> Any:
    name = f"goods-{uuid.uuid4().hex[:12]}"
    options = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
    bucket = boto3.resource("s3", endpoint_url=endpoint, **options).Bucket(name)
    bucket.create()
    return bucket
