"""Requests to the server's HTTP port."""

import base64
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.wire import deadline_s


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def text(self) -> str:
        return self.body.decode()


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": "Bearer " + token}


class HttpConnection:
    """One connection, for one request after the other."""

    def __init__(self, port: int, headers: dict[str, str] | None = None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=deadline_s(60))
        self.headers = headers or {}

    def request(
        self, method: str, path: str, body: str | bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        data = body.encode() if isinstance(body, str) else body
        self.connection.request(method, path, data, {**self.headers, **(headers or {})})
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, None, {name.replace("_", "-"): value for name, value in headers.items()})

    def sql(self, statements: str | bytes, content_type: str = "application/sql", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", "/sql", statements, {"Content-Type": content_type, **named})

    def json_sql(self, request: Any, **headers: str) -> Answer:
        return self.sql(json.dumps(request), "application/json", **headers)

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> "HttpConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Event:
    name: str
    id: str
    data: Any


class EventStream:
    """`GET /events`, read event by event. `status` and `headers` are the answer's; another than 200 has a `body`."""

    def __init__(self, port: int, target: str, headers: dict[str, str] | None = None, receive_bytes: int = 0):
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(deadline_s(60))
        self.socket.connect(("127.0.0.1", port))
        fields = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = http.client.parse_headers(self.file)
        self.body = b""
        if self.status != 200:
            self.body = self.file.read(int(self.headers["Content-Length"]))

    def blocks(self) -> Iterator[list[str]]:
        """What stands between blank lines."""
        lines: list[str] = []
        for line in self.file:
            text = line.decode().rstrip("\n")
            if text:
                lines.append(text)
            else:
                yield lines
                lines = []

    def events(self) -> Iterator[Event]:
        for block in self.blocks():
            fields = dict(line.split(": ", 1) for line in block if not line.startswith(":"))
            if "data" in fields:
                yield Event(fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"]))

    def next(self) -> Event:
        return next(self.events())

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def __enter__(self) -> "EventStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
