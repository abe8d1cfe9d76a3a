"""The client for asyncio programs; the one for all others (blocking.py) is a façade of it."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, AsyncIterable, Dict, Iterable, Optional, Sequence, Set, Tuple, Union

from pubsubsql.connection import Connection, Query, open_connection
from pubsubsql.errors import (
    CannotConnect,
    ClosedError,
    ConnectionLost,
    Error,
    LimitError,
    QueryTimeout,
    RefusedError,
    TransactionLost,
    UsageError,
)
from pubsubsql.load import Loader
from pubsubsql.options import DEFAULT_PORT, Options
from pubsubsql.rows import Change, Result
from pubsubsql.statement import (
    begins_transaction,
    ends_transaction,
    prepared_verb_of,
    unsubscribe_statement,
    verb_of,
)
from pubsubsql.subscription import AsyncSubscription
from pubsubsql.values import Value, Values

_ELSEWHERE = {
    "subscribe": "use subscribe() for a subscribe statement",
    "unsubscribe": "call unsubscribe() of the subscription",
    "stream": "use load() to send many statements without an answer to each",
    "close": "use close()",
}
# What the client has to see when it is executed.
_UNPREPARED = frozenset([*_ELSEWHERE, "begin", "start", "commit", "rollback", "stop"])
_UNSET: Any = object()


async def aconnect(host: str = "localhost", port: int = DEFAULT_PORT, **options: Any) -> "AsyncClient":
    """Connects to a server; `options` are those of Options. Raises CannotConnect, or RefusedError when the server does not
    accept the user. The connection is kept, and made anew when it is lost, until close().

        async with await pubsubsql.aconnect("localhost") as db:
            result = await db.query("select * from stocks where ticker = ?", ["IBM"])
    """
    client = AsyncClient(host, port, Options(**options))
    await client._start()
    return client


class AsyncClient:
    """A server, as an asyncio program sees it: one connection after the other, and the subscriptions that outlive them.
    Use it in the event loop that made it, by any number of tasks."""

    def __init__(self, host: str, port: int, options: Options) -> None:
        """Does not connect: aconnect() makes one that is connected."""
        self._host = host
        self._port = port
        self._options = options
        self._state = "connecting"
        self._connection: Optional[Connection] = None
        self._waiting: Dict[Query, None] = {}
        self._subscriptions: Dict[AsyncSubscription, None] = {}
        self._by_id: Dict[str, AsyncSubscription] = {}
        self._transaction_lost = False
        self._error: Optional[Error] = None
        self._keeper: Optional[asyncio.Task[None]] = None
        self._tasks: Set[asyncio.Task[None]] = set()

    @property
    def state(self) -> str:
        """ "open"; "connecting" while there is no connection and one is being made; "closed" for good, by close() or
        because the server no longer accepts the user."""
        return self._state

    async def query(self, sql: str, values: Values = None, *, timeout: Optional[float] = _UNSET) -> Result:
        """Executes a statement; each `?` in it stands for the value at its place. While there is no connection it waits for
        one. `timeout` is in seconds, None for none; otherwise that of the options. A `pop ... wait` needs more than it waits.

        Tasks can have any number of queries under way; they are executed in their order. Cancelling gives a query up;
        what was sent may still be executed."""
        verb = verb_of(sql)
        if verb in _ELSEWHERE:
            raise UsageError(_ELSEWHERE[verb])
        _check_prepared(sql)
        timeout = self._options.timeout if timeout is _UNSET else timeout
        query = Query(sql, values, timeout)
        self._submit(query)
        try:
            return await self._answer(query, timeout)
        except ConnectionLost:
            if verb == "stop":
                return Result("stop")
            raise

    async def subscribe(
        self,
        sql: str,
        values: Values = None,
        *,
        queue: Optional[int] = None,
        key: Union[str, Sequence[str], None] = None,
        keep_rows: bool = True,
        resume: Optional[bool] = None,
        since: Optional[int] = None,
    ) -> AsyncSubscription:
        """Subscribes, now and after each reconnect; returns when the server has agreed.

        `queue`: how many rows of events, and events, wait for the consumer at most; otherwise that of the options.
        `key`: the columns that tell rows apart, for tables that do not show the id that the server gives: those of the
        primary key, which must not change. UsageError ends the subscription when two rows have the same.
        `keep_rows`: without, `rows` stays empty, and the consumer has nothing but a `reset` after an overflow.
        `resume`: after a reconnect it goes on where it was: what happened meanwhile comes as the changes it was, without
        gap or repeat, and without `reset`; with `on slow conflate` what is known may be told again. Only when the server
        has it no longer there is a `reset` with the reason "resync". Servers that do not know positions are asked as
        without. If not given that of the options, but not for a statement that asks for positions itself.
        `since`: begin behind this position, the `seq` of a change that was seen before, without initial rows; implies
        `resume`. When that cannot be, the first change is a `reset` with the reason "resync"."""
        subscription = AsyncSubscription(
            sql,
            values,
            queue=self._options.queue if queue is None else queue,
            key=key,
            keep_rows=keep_rows,
            resume=resume,
            resumes_by_default=self._options.resume,
            since=since,
            end=self._unsubscribe,
        )
        if self._state == "closed":
            raise self._closed_error()
        self._subscriptions[subscription] = None
        if self._connection is not None:
            self._establish(subscription)
        try:
            await asyncio.wait_for(asyncio.shield(subscription._agreed), self._options.timeout)
        except asyncio.TimeoutError:
            self._discard(subscription)
            raise QueryTimeout(f"the server has not agreed within {self._options.timeout} s") from None
        except asyncio.CancelledError:
            self._discard(subscription)
            raise
        return subscription

    async def load(
        self, sql: str, rows: Union[Iterable[Sequence[Value]], AsyncIterable[Sequence[Value]]]
    ) -> int:
        """Executes a statement once for each row of values, without waiting in between; for loading many rows. Returns how
        many there were when all have been executed. Raises LoadError when some were refused (the others are in), and
        ConnectionLost when the connection broke: then, some may be in."""
        check_loaded(sql)
        loader = Loader(self._present_connection, sql)
        if isinstance(rows, AsyncIterable):
            async for row in rows:
                await loader.add(row)
        else:
            for row in rows:
                await loader.add(row)
        return await loader.finish()

    async def close(self) -> None:
        """Hangs up. What is under way fails with ClosedError; subscriptions end."""
        self._shut(None)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # Statements

    def _submit(self, query: Query) -> None:
        refused = self._closed_error() if self._state == "closed" else self._lost_transaction(query.sql)
        if refused is not None:
            query.fail(refused)
        elif self._connection is not None:
            self._connection.send(query)
        elif len(self._waiting) >= self._options.pending_max:
            query.fail(LimitError("too many statements wait for the connection (pending_max)"))
        else:
            self._waiting[query] = None

    async def _answer(self, query: Query, timeout: Optional[float]) -> Result:
        try:
            return await asyncio.wait_for(query.future, timeout)
        except asyncio.TimeoutError:
            waited = query in self._waiting
            sent = "the statement may have been executed, or still be"
            fate = "there was no connection to send it on" if waited else sent
            raise QueryTimeout(f"no answer within {timeout} s; {fate}") from None
        finally:
            self._waiting.pop(query, None)

    def _lost_transaction(self, sql: str) -> Optional[Error]:
        """The transaction of a connection that broke must not go on, without its beginning, on the next one."""
        if not self._transaction_lost:
            return None
        if begins_transaction(sql) or ends_transaction(sql):
            self._transaction_lost = False
        if begins_transaction(sql) or verb_of(sql) == "rollback":
            return None
        return TransactionLost(
            "the server has taken the transaction back, as its connection was lost; begin it anew, or send rollback to "
            "go on without"
        )

    async def _present_connection(self) -> Connection:
        """For load(). Raises when there is none, and as query() does when a transaction was lost with the one before."""
        lost = self._lost_transaction("stream") if self._state != "closed" else None
        if lost is not None:
            raise lost
        if self._connection is None:
            raise self._closed_error() if self._state == "closed" else CannotConnect("there is no connection now")
        return self._connection

    # Subscriptions

    def _establish(self, subscription: AsyncSubscription, plain: bool = False) -> None:
        """`plain`: as a server knows it that has no positions."""
        assert self._connection is not None
        self._connection.send(_Subscribing(self, subscription, plain))

    def _agreed(self, subscription: AsyncSubscription, reply: Result) -> None:
        pubsubid = str(reply.members.get("pubsubid"))
        if subscription not in self._subscriptions:
            self._tell_server(subscription, pubsubid)
            return
        self._by_id[pubsubid] = subscription
        subscription._confirm(reply)

    def _refused(self, subscription: AsyncSubscription, plain: bool, error: Error) -> None:
        if isinstance(error, ConnectionLost) or subscription not in self._subscriptions:
            return
        if not plain and self._connection is not None and subscription._is_unknown(error):
            self._establish(subscription, plain=True)
        else:
            self._drop(subscription, error)

    def _drop(self, subscription: AsyncSubscription, error: Optional[Error]) -> None:
        self._subscriptions.pop(subscription, None)
        if subscription.pubsubid is not None:
            self._by_id.pop(subscription.pubsubid, None)
        subscription._finish(error)

    def _deliver(self, pubsubid: str, change: Change) -> None:
        subscription = self._by_id.get(pubsubid)
        if subscription is None:
            return
        if change.action == "ended":
            self._drop(subscription, RefusedError(change.reason or "the subscription has ended"))
            return
        try:
            subscription._take(change)
        except UsageError as error:
            self._drop(subscription, error)
            self._tell_server(subscription, pubsubid)

    def _discard(self, subscription: AsyncSubscription) -> None:
        """Of a subscription that nobody has got."""
        self._drop(subscription, None)
        if subscription.pubsubid is not None:
            self._tell_server(subscription, subscription.pubsubid)

    async def _unsubscribe(self, subscription: AsyncSubscription) -> None:
        if subscription not in self._subscriptions:
            return
        self._drop(subscription, None)
        if subscription.pubsubid is not None:
            await self._send_unsubscribe(subscription, subscription.pubsubid)

    async def _send_unsubscribe(self, subscription: AsyncSubscription, pubsubid: str) -> None:
        if self._connection is None or subscription.table is None:
            return
        query = Query(unsubscribe_statement(subscription.table, pubsubid))
        self._connection.send(query)
        try:
            await self._answer(query, self._options.timeout)
        except (ConnectionLost, ClosedError):
            pass  # the subscription has ended with the connection

    def _tell_server(self, subscription: AsyncSubscription, pubsubid: str) -> None:
        async def tell() -> None:
            try:
                await self._send_unsubscribe(subscription, pubsubid)
            except Error:
                pass  # its events are ignored anyhow

        task = asyncio.get_running_loop().create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Connections

    async def _start(self) -> None:
        try:
            connection = await self._connect()
        except Error as error:
            self._shut(error)
            raise
        self._keeper = asyncio.get_running_loop().create_task(self._keep(connection))
        self._opened(connection)

    async def _connect(self) -> Connection:
        return await open_connection(self._host, self._port, self._options, self._deliver, self._lost)

    async def _keep(self, connection: Connection) -> None:
        """Makes connection after connection, until that is hopeless, or this is cancelled."""
        delay = self._options.first_delay
        try:
            while True:
                since = time.monotonic()
                error = await asyncio.shield(connection.ended)
                if self._state == "closed":
                    return
                if not self._options.reconnect:
                    return self._shut(error)
                self._enter("connecting", error)
                if time.monotonic() - since > self._options.delay_max:
                    delay = self._options.first_delay
                connection, delay = await self._reconnect(delay)
                if self._state == "closed":  # see _reconnect()
                    return
                self._opened(connection)
        except Error as error:
            self._shut(error)
        finally:
            connection.end(self._closed_error())
            await connection.wait_closed()

    async def _reconnect(self, delay: float) -> Tuple[Connection, float]:
        """A new connection, and the delay before the next if that does not last. Raises RefusedError when it is no use, and
        whatever there is when the client was closed meanwhile: until Python 3.12, wait_for() can miss that it was cancelled
        when what it waits for has just ended, in one way or the other."""
        while True:
            await asyncio.sleep(delay * random.uniform(0.5, 1))
            delay = min(2 * delay, self._options.delay_max)
            try:
                return await self._connect(), delay
            except Error as error:
                hopeless = isinstance(error, RefusedError) and "try again later" not in str(error)
                if hopeless or self._state == "closed":
                    raise
                self._enter("connecting", error)

    def _opened(self, connection: Connection) -> None:
        self._connection = connection
        self._enter("open", None)
        for subscription in list(self._subscriptions):
            self._establish(subscription)
        waiting, self._waiting = self._waiting, {}
        for query in waiting:
            connection.send(query)

    def _lost(self, connection: Connection) -> None:
        if connection is not self._connection:
            return
        self._transaction_lost = self._transaction_lost or connection.in_transaction
        self._connection = None
        self._by_id.clear()
        for subscription in self._subscriptions:
            subscription.pubsubid = None

    def _shut(self, error: Optional[Error]) -> None:
        if self._state == "closed":
            return
        self._error = error
        self._enter("closed", error)
        if self._connection is not None:
            self._connection.end(self._closed_error())
        for subscription in list(self._subscriptions):
            self._drop(subscription, error)
        waiting, self._waiting = self._waiting, {}
        for query in waiting:
            query.fail(self._closed_error())

    def _closed_error(self) -> Error:
        return self._error or ClosedError("the client is closed")

    def _enter(self, state: str, error: Optional[Error]) -> None:
        if state == self._state and error is None:
            return
        self._state = state
        if self._options.on_state is not None:
            asyncio.get_running_loop().call_soon(self._options.on_state, state, error)


def _check_prepared(sql: str) -> None:
    verb = prepared_verb_of(sql)
    if verb in _UNPREPARED:
        raise UsageError(f"`{verb}` cannot be prepared with this client; {_ELSEWHERE.get(verb, 'send it by itself')}")


def check_loaded(sql: str) -> None:
    """Raises UsageError for statements that are not to be sent by load()."""
    verb = verb_of(sql)
    if verb in _UNPREPARED or verb == "prepare":
        raise UsageError(f"load() cannot send `{verb}`; {_ELSEWHERE.get(verb, 'use query()')}")


class _Subscribing:
    """The request that makes a subscription on the present connection. A lost connection is no answer: it is made on the
    next one."""

    timeout = None

    def __init__(self, client: AsyncClient, subscription: AsyncSubscription, plain: bool) -> None:
        self._client = client
        self._subscription = subscription
        self._plain = plain
        self.sql, self.body = subscription._statement(plain)

    def done(self) -> bool:
        return False

    def succeed(self, result: Result) -> None:
        self._client._agreed(self._subscription, result)

    def fail(self, error: Error) -> None:
        self._client._refused(self._subscription, self._plain, error)
