"""Loading many rows: statements that are answered only when they are refused."""

from __future__ import annotations

from collections import deque
from typing import Awaitable, Callable, Deque, List, Optional, Sequence, Tuple

from pubsubsql.connection import Connection, Query
from pubsubsql.errors import LoadError, RefusedError
from pubsubsql.session import Block
from pubsubsql.values import Template, Value

_BLOCK_ROWS_MAX = 1_000
_BLOCK_BYTES_MAX = 1 << 18
_BLOCKS_MAX = 8  # under way; bounds what waits here and there, and keeps both sides busy
_FAILURES_MAX = 10_000


class Encoder:
    """Makes blocks of rows. May be used by another thread than the rest."""

    def __init__(self, sql: str) -> None:
        self._template = Template("stream " + sql)
        self._bodies: List[bytes] = []
        self._size = 0

    def add(self, row: Sequence[Value]) -> Optional[List[bytes]]:
        """The statements of a block, when the row has filled it."""
        body = self._template.encode(row)
        self._bodies.append(body)
        self._size += len(body)
        is_full = len(self._bodies) >= _BLOCK_ROWS_MAX or self._size >= _BLOCK_BYTES_MAX
        return self.rest() if is_full else None

    def rest(self) -> List[bytes]:
        """Those that have filled no block yet."""
        bodies, self._bodies = self._bodies, []
        self._size = 0
        return bodies


class Loader:
    """Sends blocks, with a question behind each: when that is answered, the block has been executed."""

    def __init__(self, connection: Callable[[], Awaitable[Connection]], sql: str) -> None:
        self._find_connection = connection
        self._connection: Optional[Connection] = None
        self._encoder = Encoder(sql)
        self._under_way: Deque[Query] = deque()
        self._sent = 0
        self._refused = 0
        self._failures: List[Tuple[int, RefusedError]] = []

    async def add(self, row: Sequence[Value]) -> None:
        full = self._encoder.add(row)
        if full is not None:
            await self.send(full)

    async def send(self, bodies: List[bytes]) -> None:
        """Sends a block, all on one connection. Waits while the server is slower."""
        if not bodies:
            return
        connection = self._connection = self._connection or await self._find_connection()
        while len(self._under_way) >= _BLOCKS_MAX:
            await self._wait_for_oldest()
        first_row = self._sent
        block = Block(bodies, lambda index, why: self._note(first_row + index, why))
        question = Query("select 1")
        question.future.add_done_callback(lambda _: connection.end_block(block))
        await connection.send_block(block)
        connection.send(question)
        self._under_way.append(question)
        self._sent += len(bodies)

    async def finish(self) -> int:
        """Waits for all; raises LoadError when there were refused ones."""
        await self.send(self._encoder.rest())
        while self._under_way:
            await self._wait_for_oldest()
        if self._refused > 0:
            raise LoadError(self._sent - self._refused, self._refused, self._failures)
        return self._sent

    async def _wait_for_oldest(self) -> None:
        await self._under_way.popleft().future

    def _note(self, row: int, why: RefusedError) -> None:
        self._refused += 1
        if len(self._failures) < _FAILURES_MAX:
            self._failures.append((row, why))
