"""Subscriptions as asyncio programs use them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Awaitable, Callable, Deque, List, Optional, Sequence, Tuple, Union

from pubsubsql.errors import ClosedError, Error, QueryTimeout, RefusedError, UsageError
from pubsubsql.position import Position
from pubsubsql.rows import Change, LiveRows, Result
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
        resume: Optional[bool] = None,
        resumes_by_default: bool = False,
        since: Optional[int] = None,
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
        self._values = values if values is None else list(values)
        encode_statement(sql, values)  # raises what is wrong with them now
        self._position: Optional[Position] = None
        if resume is None:
            resume = resumes_by_default and not shape.positioned
        if resume or since is not None:
            if shape.positioned:
                raise UsageError("leave `with seq`, `since` and `as` out of the statement: `resume` and `since` are arguments")
            self._position = Position(sql, shape.skips, since)
        self._agreed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._loaded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._refusal: Optional[RefusedError] = None
        if self._position is None:
            self._not_loaded(UsageError("the end of the initial rows is told to subscriptions with `resume`"))
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

    @property
    def position(self) -> Optional[int]:
        """Of a subscription with `resume`: the position of `rows`, which is ahead of the consumer by the changes that wait
        for it. None while initial rows come, and with servers that do not know positions."""
        return None if self._position is None else self._position.value

    async def loaded(self) -> None:
        """Returns once `rows` has all initial rows, for the first time; at once where there are none to come. Raises
        UsageError without `resume`, why the subscription has ended when it ends before, and RefusedError when the server
        knows no positions, and does not tell."""
        await asyncio.shield(self._loaded)

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

    def _statement(self, plain: bool) -> Tuple[str, bytes]:
        """What asks the server for it, and that encoded; `plain` as old servers know it."""
        sql = self.sql if plain or self._position is None else self._position.statement()
        return sql, encode_statement(sql, self._values)

    def _is_unknown(self, error: Error) -> bool:
        """Whether a server that refused _statement(False) is to be asked for _statement(True)."""
        if self._position is None or not isinstance(error, RefusedError):
            return False
        self._refusal = error
        return self._position.is_unknown(error)

    def _confirm(self, reply: Result) -> None:
        """The server has agreed, once for each connection: it goes on behind the last change, or all rows come anew."""
        self.pubsubid = str(reply.members.get("pubsubid"))
        seq, resync = reply.members.get("seq"), bool(reply.members.get("resync"))
        goes_on = self._position is not None and self._position.agreed(seq, resync)
        goes_on = goes_on or bool(reply.members.get("resumed"))
        if goes_on:
            self.rows._may_repeat = True
        if not goes_on and (self._confirmed or resync):
            self.rows._clear()
            self._push(Change("reset", reason="resync" if resync else "reconnect"))
        self._confirmed = True
        if not self._agreed.done():
            self._agreed.set_result(None)
        if self.position is not None:
            self._set_loaded()
        elif seq is None and self._refusal is not None:
            self._not_loaded(self._refusal)

    def _set_loaded(self) -> None:
        if not self._loaded.done():
            self._loaded.set_result(None)

    def _not_loaded(self, error: Error) -> None:
        if not self._loaded.done():
            self._loaded.set_exception(error)
            self._loaded.exception()  # told to nobody if nobody waits for it

    def _take(self, change: Change) -> None:
        """Raises UsageError when a change does not fit, and the subscription cannot go on."""
        if self._ended:
            return
        if change.action == "gap":
            self.rows._clear()
        elif self._keep_rows:
            self.rows._apply(change)
        if self._position is not None:
            self._position.passed(change)
            if self.position is None:
                change.seq = None  # nothing to begin behind
        self._push(change)
        if change.snapshot_end:
            self._set_loaded()

    def _finish(self, error: Optional[Error]) -> None:
        """Ends it, with an error if there is one, which comes behind the changes that wait."""
        if self._ended:
            return
        self._ended = True
        self.error = error
        if error is None:
            self._forget_queue()
        why = error or ClosedError("the subscription was ended")
        if not self._agreed.done():
            self._agreed.set_exception(why)
            self._agreed.exception()  # told to nobody if nobody waits for it
        self._not_loaded(why)
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
        is_whole = self._keep_rows and self.position is not None
        if self.rows or is_whole:
            snapshot = self.rows._snapshot()
            if is_whole:
                snapshot.seq, snapshot.snapshot_end = self.position, True
            self._queue.append((snapshot, 0))
