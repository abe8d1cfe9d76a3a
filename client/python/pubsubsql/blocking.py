"""The client for programs that wait: the asyncio client, in a thread of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections import deque
from typing import Any, Coroutine, Deque, Iterable, Iterator, Optional, Sequence, TypeVar, Union

from pubsubsql.client import _UNSET, AsyncClient, check_loaded
from pubsubsql.errors import ClosedError, Error, QueryTimeout, UsageError
from pubsubsql.load import Encoder, Loader
from pubsubsql.options import DEFAULT_PORT, Options
from pubsubsql.rows import Change, LiveRows, Result
from pubsubsql.subscription import AsyncSubscription
from pubsubsql.values import Value, Values

_T = TypeVar("_T")


def connect(host: str = "localhost", port: int = DEFAULT_PORT, **options: Any) -> "Client":
    """Connects to a server; `options` are those of Options. Raises CannotConnect, or RefusedError when the server does not
    accept the user. The connection is kept, and made anew when it is lost, until close().

        with pubsubsql.connect("localhost") as db:
            for row in db.query("select * from stocks where bid > ?", [100]):
                print(row["ticker"])
    """
    client = Client(host, port, Options(**options))
    try:
        client._run(client._core._start())
    except BaseException:
        client.close()
        raise
    return client


class Client:
    """A server, as a program sees it: one connection after the other, and the subscriptions that outlive them. Any number
    of threads can use it at the same time."""

    def __init__(self, host: str, port: int, options: Options) -> None:
        """Does not connect: connect() makes one that is connected."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pubsubsql", daemon=True)
        self._closing = threading.Lock()
        self._closed = False
        self._core = AsyncClient(host, port, options)
        self._thread.start()

    @property
    def state(self) -> str:
        """See AsyncClient.state."""
        return self._core.state

    def query(self, sql: str, values: Values = None, *, timeout: Optional[float] = _UNSET) -> Result:
        """Executes a statement; each `?` in it stands for the value at its place. While there is no connection it waits for
        one. `timeout` is in seconds, None for none; otherwise that of the options. A `pop ... wait` needs more than it
        waits."""
        return self._run(self._core.query(sql, values, timeout=timeout))

    def submit(
        self, sql: str, values: Values = None, *, timeout: Optional[float] = _UNSET
    ) -> "concurrent.futures.Future[Result]":
        """query() without waiting: the answer comes out of the future. Any number can be under way; those of a thread are
        executed in their order."""
        return self._begin(self._core.query(sql, values, timeout=timeout))

    def subscribe(
        self,
        sql: str,
        values: Values = None,
        *,
        queue: Optional[int] = None,
        key: Union[str, Sequence[str], None] = None,
        keep_rows: bool = True,
        resume: Optional[bool] = None,
        since: Optional[int] = None,
    ) -> "Subscription":
        """See AsyncClient.subscribe()."""
        coroutine = self._core.subscribe(
            sql, values, queue=queue, key=key, keep_rows=keep_rows, resume=resume, since=since
        )
        return Subscription(self, self._run(coroutine))

    def load(self, sql: str, rows: Iterable[Sequence[Value]]) -> int:
        """See AsyncClient.load(). The rows are taken in the calling thread."""
        check_loaded(sql)
        encoder = Encoder(sql)
        loader = Loader(self._core._present_connection, sql)
        for row in rows:
            block = encoder.add(row)
            if block is not None:
                self._run(loader.send(block))
        self._run(loader.send(encoder.rest()))
        return self._run(loader.finish())

    def close(self) -> None:
        """Hangs up. What is under way, in any thread, fails with ClosedError; subscriptions end."""
        with self._closing:
            if self._closed:
                return
            self._run(self._core.close())
            self._closed = True
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, coroutine: "Coroutine[Any, Any, _T]") -> "concurrent.futures.Future[_T]":
        if self._closed:
            coroutine.close()
            raise ClosedError("the client is closed")
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _run(self, coroutine: "Coroutine[Any, Any, _T]") -> _T:
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise UsageError("on_state is called in the client's own thread, where nothing can be waited for")
        future = self._begin(coroutine)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise ClosedError("the client is closed") from None
        except KeyboardInterrupt:
            future.cancel()
            raise


async def _within(loaded: "Coroutine[Any, Any, None]", timeout: Optional[float]) -> None:
    try:
        await asyncio.wait_for(loaded, timeout)
    except asyncio.TimeoutError:
        raise QueryTimeout(f"the initial rows were not there within {timeout} s") from None


class Subscription:
    """A subscription that outlives connections; see AsyncSubscription.

    with db.subscribe("subscribe * from stocks where bid > ?", [100]) as stocks:
        for change in stocks:
            print(change.action, len(stocks.rows))

    One thread at a time iterates; `rows` can be read, and unsubscribe() be called, by any other.
    """

    def __init__(self, client: Client, core: AsyncSubscription) -> None:
        self._client = client
        self._core = core
        self._there: Deque[Change] = deque()

    @property
    def sql(self) -> str:
        return self._core.sql

    @property
    def table(self) -> Optional[str]:
        return self._core.table

    @property
    def rows(self) -> LiveRows:
        """The rows as they are now."""
        return self._core.rows

    @property
    def pubsubid(self) -> Optional[str]:
        return self._core.pubsubid

    @property
    def position(self) -> Optional[int]:
        """See AsyncSubscription.position."""
        return self._core.position

    def wait_loaded(self, timeout: Optional[float] = None) -> None:
        """Waits until `rows` has all initial rows; see AsyncSubscription.loaded(). Raises QueryTimeout when they were not
        there within so many seconds."""
        self._client._run(_within(self._core.loaded(), timeout))

    @property
    def ended(self) -> bool:
        return self._core.ended

    @property
    def error(self) -> Optional[Error]:
        return self._core.error

    def next(self, timeout: Optional[float] = None) -> Optional[Change]:
        """The next change; None when the subscription has ended. Raises QueryTimeout when there was none for so long."""
        if not self._there and not self._client._closed:
            self._there.extend(self._client._run(self._core.next_all(timeout)))
        return self._there.popleft() if self._there else None

    def unsubscribe(self) -> None:
        """Ends it: there is no change after this."""
        if not self._client._closed:
            self._client._run(self._core.unsubscribe())
        self._there.clear()

    def __iter__(self) -> Iterator[Change]:
        return self

    def __next__(self) -> Change:
        change = self.next()
        if change is None:
            raise StopIteration
        return change

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.unsubscribe()
