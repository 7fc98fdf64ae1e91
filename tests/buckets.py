"""A bucket of S3's, served by moto on this machine, that can fail as a store on a network does."""

import logging
import socket
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, Literal

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

BUCKET = "bucket"
Failure = Literal["error", "cut"]


class Failing:
    """S3, which may answer writes with errors, or leave them half done."""

    def __init__(self) -> None:
        self._s3 = DomainDispatcherApplication(create_backend_app)
        self.failure: Failure | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        writes = environ["REQUEST_METHOD"] in ("PUT", "POST")
        if self.failure == "error" and writes:
            start_response("500 Internal Server Error", [("Content-Length", "0")])
            return [b""]
        if self.failure == "cut" and "partNumber" in environ["QUERY_STRING"]:
            # A part of what was sent has arrived, and nobody answers any more.
            environ["wsgi.input"].read(1_000_000)
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError
        return self._s3(environ, start_response)


@contextmanager
def served(patch: pytest.MonkeyPatch) -> Generator[Failing]:
    """The bucket during the block, which all who are asked for S3 find there."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Failing()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "DEFAULT_REGION": "us-east-1"}.items():
        patch.setenv(f"AWS_{name}", value)
    try:
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
