"""Subscriptions as asyncio programs use them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Awaitable, Callable, Deque, List, Optional, Sequence, Tuple, Union

from pubsubsql.errors import ClosedError, Error, QueryTimeout, UsageError
from pubsubsql.rows import Change, LiveRows
from pubsubsql.statement import first_word, shape_of
from pubsubsql.values import Values, encode_statement


class AsyncSubscription:
    """A subscription that outlives connections. `rows` are the rows as they are now; iterating gives what happens, to one
    consumer. When that is too slow for the queue, what waits is dropped: it goes on with a `reset`, and the rows of that
    moment. An error that ends the subscription is raised behind the changes that came before it.

        async with await db.subscribe("subscribe * from stocks where bid > ?", [100]) as stocks:
            async for change in stocks:
                print(change.action, len(stocks.rows))
    """

    # Invariant: while _overflowed, the queue is empty.

    def __init__(
        self,
        sql: str,
        values: Values,
        *,
        queue: int,
        key: Union[str, Sequence[str], None],
        keep_rows: bool,
        end: Callable[["AsyncSubscription"], Awaitable[None]],
    ) -> None:
        if first_word(sql) != "subscribe":
            raise UsageError("subscribe() takes a subscribe statement; query() runs all others")
        shape = shape_of(sql)
        self.sql = sql
        self.table = shape.table
        self.pubsubid: Optional[str] = None
        """The server's name of it on the present connection; None while there is none."""
        self.error: Optional[Error] = None
        """Why it has ended, when that was not asked for."""
        self.rows = LiveRows([key] if isinstance(key, str) else key, shape.group_columns)
        self._body = encode_statement(sql, values)
        self._agreed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keep_rows = keep_rows
        self._queue: Deque[Tuple[Change, int]] = deque()  # with what each counts
        self._queued = 0
        self._queue_max = queue
        self._overflowed = False
        self._ended = False
        self._confirmed = False
        self._something = asyncio.Event()
        self._end = end

    @property
    def ended(self) -> bool:
        return self._ended

    async def unsubscribe(self) -> None:
        """Ends it: there is no change after this. Returns when the server knows, too, or the connection is gone."""
        self._finish(None)
        await self._end(self)

    async def __aenter__(self) -> "AsyncSubscription":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.unsubscribe()

    def __aiter__(self) -> "AsyncSubscription":
        return self

    async def __anext__(self) -> Change:
        change = await self.next()
        if change is None:
            raise StopAsyncIteration
        return change

    async def next(self) -> Optional[Change]:
        """The next change; None when the subscription has ended."""
        return self._pop() if await self._wait() else None

    async def next_all(self, timeout: Optional[float] = None) -> List[Change]:
        """All changes that wait, at least one; none when the subscription has ended. Raises QueryTimeout when there was
        none for `timeout` seconds."""
        try:
            if self._is_there() is None:
                await asyncio.wait_for(self._wait(), timeout)
        except asyncio.TimeoutError:
            raise QueryTimeout(f"nothing has changed for {timeout} s") from None
        all_there: List[Change] = []
        while self._queue:
            all_there.append(self._pop())
        return all_there

    async def _wait(self) -> bool:
        """Whether a change is there; not when the subscription has ended."""
        while True:
            there = self._is_there()
            if there is not None:
                return there
            self._something.clear()
            await self._something.wait()

    def _is_there(self) -> Optional[bool]:
        """None when that is to be waited for."""
        if self._overflowed:
            self._recover()
        if self._queue:
            return True
        if not self._ended:
            return None
        if self.error is not None:
            raise self.error
        return False

    # For the client

    def _confirm(self, pubsubid: str) -> None:
        """The server has agreed, once for each connection; all rows come anew."""
        self.pubsubid = pubsubid
        if self._confirmed:
            self.rows._clear()
            self._push(Change("reset", reason="reconnect"))
        self._confirmed = True
        if not self._agreed.done():
            self._agreed.set_result(None)

    def _take(self, change: Change) -> None:
        """Raises UsageError when a change does not fit, and the subscription cannot go on."""
        if self._ended:
            return
        if change.action == "gap":
            self.rows._clear()
        elif self._keep_rows:
            self.rows._apply(change)
        self._push(change)

    def _finish(self, error: Optional[Error]) -> None:
        """Ends it, with an error if there is one, which comes behind the changes that wait."""
        if self._ended:
            return
        self._ended = True
        self.error = error
        if error is None:
            self._forget_queue()
        if not self._agreed.done():
            self._agreed.set_exception(error or ClosedError("the subscription was ended"))
            self._agreed.exception()  # told to nobody if nobody waits for it
        self._something.set()

    def _push(self, change: Change) -> None:
        if self._overflowed:
            return
        cost = len(change.data) + 1
        if self._queued + cost > self._queue_max:
            self._forget_queue()
            self._overflowed = True
        else:
            self._queue.append((change, cost))
            self._queued += cost
        self._something.set()

    def _pop(self) -> Change:
        change, cost = self._queue.popleft()
        self._queued -= cost
        return change

    def _forget_queue(self) -> None:
        self._queue.clear()
        self._queued = 0
        self._overflowed = False

    def _recover(self) -> None:
        """The rows do not count: a queue that is smaller than they are would never get beyond them."""
        self._forget_queue()
        self._queue.append((Change("reset", reason="overflow"), 0))
        if self.rows:
            self._queue.append((self.rows._snapshot(), 0))
