"""The protocol on one connection without the connection: bytes in, answers and events out."""

from __future__ import annotations

import json
import struct
from typing import Any, Callable, Dict, Iterator, List, Optional, Protocol

from pubsubsql.errors import ConnectionLost, Error, LimitError, ProtocolError, RefusedError, refusal
from pubsubsql.options import Options
from pubsubsql.rows import Change, Result
from pubsubsql.statement import begins_transaction, ends_transaction

_HEADER = struct.Struct(">II")
_ID_MAX = 0xFFFF_FFFF
_DEADLOCK = 1213


class Request(Protocol):
    """A statement on its way. Its caller may have given it up: then it is `done`, and its answer goes nowhere."""

    @property
    def sql(self) -> str: ...

    @property
    def body(self) -> bytes:
        """The payload of its frame."""

    @property
    def timeout(self) -> Optional[float]:
        """For how long its caller waits, in seconds, if that is known."""

    def done(self) -> bool: ...

    def succeed(self, result: Result) -> None: ...

    def fail(self, error: Error) -> None: ...


class _Pending:
    __slots__ = ("request", "result", "size")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.result: Optional[Result] = None
        self.size = 0


class Block:
    """`stream` statements sent together, of which only those that are refused are answered."""

    def __init__(self, bodies: List[bytes], refused: Callable[[int, RefusedError], None]) -> None:
        """`refused(index, why)` is called for each of them that is."""
        self.bodies = bodies
        self.refused = refused
        self.first_id = 0


class FrameReader:
    """Takes the bytes of a server in any pieces."""

    def __init__(self, frame_bytes_max: int) -> None:
        self._bytes = bytearray()
        self._frame_bytes_max = frame_bytes_max

    def read(self, data: bytes) -> Iterator["tuple[int, bytes]"]:
        """Each whole frame, as its request id and its payload."""
        self._bytes += data
        at = 0
        try:
            while len(self._bytes) - at >= _HEADER.size:
                size, request_id = _HEADER.unpack_from(self._bytes, at)
                if size > self._frame_bytes_max:
                    raise ProtocolError(f"a frame of {size} bytes was announced; is there a PubSubSQL server?")
                end = at + _HEADER.size + size
                if end > len(self._bytes):
                    break
                payload = bytes(memoryview(self._bytes)[at + _HEADER.size : end])
                at = end
                yield request_id, payload
        finally:
            del self._bytes[:at]


class Session:
    """Gives each request its answer, and passes events on.

    Not safe to use by several threads. When feed() has raised, or the connection is gone, call end(), and nothing else
    after that.
    """

    def __init__(self, options: Options, on_event: Callable[[str, Change], None]) -> None:
        """`on_event` gets the `pubsubid` and what happened."""
        self._options = options
        self._on_event = on_event
        self._reader = FrameReader(options.frame_bytes_max)
        self._pending: Dict[int, _Pending] = {}
        self._blocks: List[Block] = []
        self._last_id = 0
        self.in_transaction = False
        """Whether there is a transaction, told by what is sent and answered; in doubt there is."""

    @property
    def pending(self) -> int:
        """How many requests have no answer yet."""
        return len(self._pending)

    def longest_timeout(self) -> float:
        """Of the requests under way, in seconds; 0 when none has one."""
        return max((entry.request.timeout or 0.0 for entry in self._pending.values()), default=0.0)

    def send(self, request: Request) -> bytes:
        """The bytes to send; none when the request has been given up, or has failed at once."""
        if request.done():
            return b""
        if len(self._pending) >= self._options.pending_max:
            request.fail(LimitError("too many statements are under way (pending_max); wait for answers"))
            return b""
        if begins_transaction(request.sql):
            self.in_transaction = True
        request_id = self._next_id()
        self._pending[request_id] = _Pending(request)
        return _HEADER.pack(len(request.body), request_id) + request.body

    def send_block(self, block: Block) -> bytes:
        """The bytes to send. Call end_block() when a request that was sent behind it has been answered."""
        count = len(block.bodies)
        if self._last_id + count > _ID_MAX:
            self._last_id = 0
        block.first_id = self._last_id + 1
        self._last_id += count
        self._blocks.append(block)
        ids = range(block.first_id, block.first_id + count)
        return b"".join([_HEADER.pack(len(body), i) + body for body, i in zip(block.bodies, ids)])

    def end_block(self, block: Block) -> None:
        if block in self._blocks:
            self._blocks.remove(block)

    def feed(self, data: bytes) -> None:
        """Takes bytes of the server. Raises ProtocolError."""
        for request_id, payload in self._reader.read(data):
            try:
                message = json.loads(payload)
            except ValueError:
                raise ProtocolError("the server sent something that is no JSON") from None
            if not isinstance(message, dict):
                raise ProtocolError("the server sent JSON that is no object")
            if request_id == 0:
                self._event(message)
            else:
                self._answer(request_id, message, len(payload))

    def end(self, why: Error) -> None:
        """The connection is gone: everything under way fails."""
        pending, self._pending = self._pending, {}
        for entry in pending.values():
            entry.request.fail(why)

    def _next_id(self) -> int:
        while True:
            self._last_id = 1 if self._last_id == _ID_MAX else self._last_id + 1
            if self._last_id not in self._pending:
                return self._last_id

    def _event(self, message: Dict[str, Any]) -> None:
        if message.get("status") == "err":
            raise ConnectionLost(f"the server hangs up: {message.get('msg')}")
        change = Change(
            action=message.get("action", ""),
            columns=message.get("columns", []),
            rows=message.get("rows", 0),
            data=message.get("data", []),
            lost=message.get("lost", 0),
            reason=message.get("msg"),
            seq=message.get("seq"),
            snapshot_end=message.get("snapshot") == "end",
        )
        self._on_event(message.get("pubsubid", ""), change)

    def _answer(self, request_id: int, message: Dict[str, Any], size: int) -> None:
        entry = self._pending.get(request_id)
        if message.get("status") != "ok":
            self._refused(request_id, entry, message)
        elif entry is not None and self._add_batch(entry, message, size):
            del self._pending[request_id]
            self._note_transaction(entry.request.sql, None)
            if entry.result is not None and not entry.request.done():
                entry.request.succeed(entry.result)

    def _refused(self, request_id: int, entry: Optional[_Pending], message: Dict[str, Any]) -> None:
        if entry is None:
            self._refused_in_block(request_id, refusal(message, ""))
            return
        del self._pending[request_id]
        error = refusal(message, entry.request.sql)
        self._note_transaction(entry.request.sql, error)
        if not entry.request.done():
            entry.request.fail(error)

    def _refused_in_block(self, request_id: int, error: RefusedError) -> None:
        for block in self._blocks:
            if block.first_id <= request_id < block.first_id + len(block.bodies):
                return block.refused(request_id - block.first_id, error)

    def _add_batch(self, entry: _Pending, message: Dict[str, Any], size: int) -> bool:
        """Puts the batches of a reply together; whether this was the last."""
        entry.size += size
        rows, to_row = message.get("rows", 0), message.get("torow")
        data = message.get("data", [])
        if entry.request.done():
            entry.result = None
        elif entry.size > self._options.reply_bytes_max:
            entry.result = None
            entry.request.fail(LimitError("the reply is too long (reply_bytes_max); ask for fewer rows at a time"))
        elif entry.result is None:
            known = ("status", "action", "columns", "rows", "data", "fromrow", "torow")
            members = {name: value for name, value in message.items() if name not in known}
            entry.result = Result(message.get("action", ""), message.get("columns", []), rows, data, members)
        else:
            entry.result.data.extend(data)
        return to_row is None or to_row >= rows

    def _note_transaction(self, sql: str, error: Optional[RefusedError]) -> None:
        if not self.in_transaction:
            return
        if begins_transaction(sql):
            self.in_transaction = error is None
        elif ends_transaction(sql) or (error is not None and error.code == _DEADLOCK):
            self.in_transaction = False
