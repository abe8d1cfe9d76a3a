"""A server of which a test says every word."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any, Dict

_HEADER = struct.Struct(">II")


class ScriptedConnection:
    """What was asked on one connection, and what the test answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self) -> "tuple[int, str]":
        """The next statement: its request id and its payload."""
        size, request_id = _HEADER.unpack(await self._reader.readexactly(_HEADER.size))
        return request_id, (await self._reader.readexactly(size)).decode()

    async def answer(self, payload: str, **reply: Any) -> None:
        """Waits for this statement and answers it."""
        request_id, asked = await self.ask()
        assert asked == payload, f"{asked} was asked in place of {payload}"
        self._send(request_id, reply)

    def tell(self, **event: Any) -> None:
        self._send(0, event)

    async def cut(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    def _send(self, request_id: int, message: Dict[str, Any]) -> None:
        payload = json.dumps({"status": "ok", **message}).encode()
        self._writer.write(_HEADER.pack(len(payload), request_id) + payload)


class ScriptedServer:
    """For use with `async with`."""

    port = 0

    async def __aenter__(self) -> "ScriptedServer":
        self._opened: "asyncio.Queue[ScriptedConnection]" = asyncio.Queue()
        self._all: "list[ScriptedConnection]" = []
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        for connection in self._all:
            await connection.cut()

    async def accept(self) -> ScriptedConnection:
        """The next connection that a client makes."""
        return await self._opened.get()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = ScriptedConnection(reader, writer)
        self._all.append(connection)
        self._opened.put_nowait(connection)
