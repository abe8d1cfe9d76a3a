"""The wire protocol as docs/protocol.md has it, in its two modes."""

import json
import os
import socket
import struct
from typing import Any

SLOWDOWN = float(os.environ.get("PUBSUBSQL_TEST_SLOWDOWN", "1"))


def deadline_s(seconds: float) -> float:
    return seconds * SLOWDOWN


def frame(request_id: int, statement: str | bytes) -> bytes:
    payload = statement.encode() if isinstance(statement, str) else statement
    return struct.pack(">II", len(payload), request_id) + payload


class Closed(Exception):
    """The server closed the connection."""


class Connection:
    """What both modes share: a socket with a deadline on every wait, and messages read one by one.

    A message is (request id, JSON text). In text mode a reply has the id None.
    """

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), deadline_s(60))
        self.socket.settimeout(deadline_s(60))
        self.events: list[str] = []
        self._input = b""

    def close(self) -> None:
        self.socket.close()

    def _fill(self) -> None:
        try:
            received = self.socket.recv(1 << 20)
        except ConnectionResetError as lost:
            raise Closed from lost
        if not received:
            raise Closed
        self._input += received

    def read_message(self) -> tuple[int | None, str]:
        raise NotImplementedError

    def send(self, statement: str) -> int | None:
        raise NotImplementedError

    def is_event(self, request_id: int | None, text: str) -> bool:
        raise NotImplementedError

    def read_reply(self) -> str:
        """The next message that is no event; events met on the way are put aside."""
        while True:
            request_id, text = self.read_message()
            if not self.is_event(request_id, text):
                return text
            self.events.append(text)

    def read_event(self) -> dict[str, Any]:
        """The next event; fails when a reply comes instead."""
        if not self.events:
            request_id, text = self.read_message()
            if not self.is_event(request_id, text):
                raise AssertionError(f"expected an event, got the reply {text}")
            self.events.append(text)
        return json.loads(self.events.pop(0))

    def ask(self, statement: str) -> dict[str, Any]:
        """Sends a statement and returns its reply, all batches in one."""
        self.send(statement)
        whole = json.loads(self.read_reply())
        while whole.get("torow") != whole.get("rows") and "data" in whole:
            batch = json.loads(self.read_reply())
            whole["data"] += batch["data"]
            whole["torow"] = batch["torow"]
        return whole

    def expect_closed(self) -> None:
        try:
            _, text = self.read_message()
        except Closed:
            return
        raise AssertionError(f"expected the connection to be closed, got {text}")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FramedConnection(Connection):
    def __init__(self, port: int):
        super().__init__(port)
        self.last_id = 0

    def send(self, statement: str) -> int:
        self.last_id += 1
        self.socket.sendall(frame(self.last_id, statement))
        return self.last_id

    def read_message(self) -> tuple[int, str]:
        while len(self._input) < 8:
            self._fill()
        size, request_id = struct.unpack(">II", self._input[:8])
        while len(self._input) < 8 + size:
            self._fill()
        payload = self._input[8 : 8 + size]
        self._input = self._input[8 + size :]
        return request_id, payload.decode()

    def is_event(self, request_id: int | None, text: str) -> bool:
        return request_id == 0


class TextConnection(Connection):
    def send(self, statement: str) -> None:
        self.socket.sendall(statement.encode() + b"\n")

    def read_message(self) -> tuple[None, str]:
        while b"\n" not in self._input:
            self._fill()
        line, self._input = self._input.split(b"\n", 1)
        return None, line.decode()

    def is_event(self, request_id: int | None, text: str) -> bool:
        # Events are the messages that have both a pubsubid and rows.
        message = json.loads(text)
        return "pubsubid" in message and "data" in message


def ok(client: FramedConnection, statement: str) -> dict[str, Any]:
    """The reply to a statement that must succeed."""
    reply = client.ask(statement)
    assert reply["status"] == "ok", (statement, reply)
    return reply
