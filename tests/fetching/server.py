"""A server on this machine that fails as servers do, and a substitute for the Hugging Face hub."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(kw_only=True)
class Answer:
    """How one file is served: each list has a value for each request, the last one for all further requests."""

    data: bytes
    statuses: list[int] = field(default_factory=lambda: [200])
    cuts: list[int | None] = field(default_factory=lambda: [None])
    etags: list[str] = field(default_factory=list)
    redirect: str = ""
    stated_length: int | None = None
    chunked: bool = False
    ranges: bool = True
    delay: float = 0.0
    stall: float = 0.0
    requests: list[str] = field(default_factory=list)

    def of(self, values: list[int] | list[int | None]) -> int | None:
        """The value for the last request."""
        return values[min(len(self.requests), len(values)) - 1]

    @property
    def etag(self) -> str:
        heads = sum(one.startswith("HEAD") for one in self.requests)
        return self.etags[min(max(heads, 1), len(self.etags)) - 1] if self.etags else sha256(self.data)


class Server:
    """Answers by path, and the address."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.address = ""

    def serve(self, path: str, data: bytes, **facts: object) -> Answer:
        self.answers[path] = Answer(data=data, **facts)  # type: ignore[arg-type]
        return self.answers[path]

    def serve_hub(self, data_set: str, name: str, data: bytes, **facts: object) -> Answer:
        return self.serve(f"/datasets/{data_set}/resolve/main/{name}", data, **facts)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@contextmanager
def running() -> Iterator[Server]:
    """A server that runs during the block."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            self.close_connection = True
            answer = server.answers.get(self.path)
            if answer is None:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            answer.requests.append(f"{self.command} {self.headers.get('Range', '')}".strip())
            threading.Event().wait(answer.delay)
            status = answer.of(answer.statuses) or 200
            if answer.redirect or status != 200:
                self.send_response(302 if answer.redirect else status)
                self.send_header("Location", answer.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._send(answer, body=body)

        def _send(self, answer: Answer, *, body: bool) -> None:
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if answer.ranges else None
            begin = int(found[1]) if found else 0
            data = answer.data[begin:]
            self.send_response(206 if found else 200)
            self.send_header("ETag", f'"{answer.etag}"')
            self.send_header("X-Repo-Commit", "0" * 40)
            if answer.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header(
                    "Content-Length", str(len(data) if answer.stated_length is None else answer.stated_length)
                )
            if found:
                self.send_header("Content-Range", f"bytes {begin}-{len(answer.data) - 1}/{len(answer.data)}")
            self.end_headers()
            if body:
                cut = answer.of(answer.cuts)
                sent = data if cut is None else data[:cut]
                with suppress(OSError):  # the client has gone
                    self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(sent), sent) if answer.chunked else sent)
                    threading.Event().wait(answer.stall)

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.address = f"http://127.0.0.1:{http.server_address[1]}/"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
