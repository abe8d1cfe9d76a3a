"""One TCP connection, with or without TLS, with a session on it."""

from __future__ import annotations

import asyncio
import math
import ssl
from typing import Callable, Optional, cast

from pubsubsql.errors import CannotConnect, ClosedError, ConnectionLost, Error, LimitError, ProtocolError
from pubsubsql.options import Options
from pubsubsql.rows import Change, Result
from pubsubsql.session import Block, Request, Session
from pubsubsql.statement import auth_statement
from pubsubsql.values import Values, encode_statement

_CLOSING_SECONDS = 2.0


class Query:
    """A request whose answer comes out of a future. Cancelling the future gives the request up."""

    def __init__(self, sql: str, values: Values = None, timeout: Optional[float] = None) -> None:
        """`timeout`: for how long its caller waits, in seconds; None: that is not known."""
        self.sql = sql
        self.timeout = timeout
        self.body = encode_statement(sql, values)
        self.future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def done(self) -> bool:
        return self.future.done()

    def succeed(self, result: Result) -> None:
        self.future.set_result(result)

    def fail(self, error: Error) -> None:
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # told to nobody if nobody waits for it


class Connection(asyncio.Protocol):
    """Ends once, and then fails what was under way."""

    def __init__(
        self, options: Options, on_event: Callable[[str, Change], None], on_end: Callable[["Connection"], None]
    ) -> None:
        """`on_end` is called before what was under way fails."""
        self.ended: asyncio.Future[Error] = asyncio.get_running_loop().create_future()
        """Why it has ended."""
        self._options = options
        self._on_end = on_end
        self._session = Session(options, on_event)
        self._transport: Optional[asyncio.Transport] = None
        self._closed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._aborting: Optional[asyncio.TimerHandle] = None
        self._heart: Optional[asyncio.TimerHandle] = None
        self._heard = True
        self._silent_beats = 0
        self._probe: Optional[Query] = None

    @property
    def in_transaction(self) -> bool:
        return self._session.in_transaction

    def send(self, request: Request) -> None:
        if self._transport is None or self.ended.done():
            return request.fail(_lost("it is closed"))
        if self._transport.get_write_buffer_size() > self._options.output_bytes_max:
            return request.fail(LimitError("the server does not keep up (output_bytes_max); send less at a time"))
        self._transport.write(self._session.send(request))

    async def send_block(self, block: Block) -> None:
        """Waits while too much waits to be sent. Raises why the connection has ended."""
        await self._writable.wait()
        if self._transport is None or self.ended.done():
            raise _lost("it is closed")
        self._transport.write(self._session.send_block(block))

    def end_block(self, block: Block) -> None:
        self._session.end_block(block)

    def end(self, why: Error) -> None:
        if self.ended.done():
            return
        self.ended.set_result(why)
        if self._heart is not None:
            self._heart.cancel()
        if self._transport is not None:
            self._transport.close()
            self._aborting = asyncio.get_running_loop().call_later(_CLOSING_SECONDS, self._transport.abort)
        self._writable.set()
        self._on_end(self)
        self._session.end(why)

    async def wait_closed(self) -> None:
        if self._transport is not None:
            await self._closed.wait()

    async def authenticate(self) -> None:
        options = self._options
        if not options.user:
            return
        query = Query(auth_statement(options.user, options.token or options.password or ""))
        self.send(query)
        await query.future

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._schedule_beat()

    def data_received(self, data: bytes) -> None:
        self._heard = True
        if self.ended.done():
            return
        try:
            self._session.feed(data)
        except (ProtocolError, ConnectionLost) as error:
            self.end(error)

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self._closed.set()
        if self._aborting is not None:
            self._aborting.cancel()
        self._transport = None
        self.end(_lost(str(exc) if exc else "the server has closed it"))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # Whether the server is there

    def _schedule_beat(self) -> None:
        if self._options.heartbeat is not None and not self.ended.done():
            self._heart = asyncio.get_running_loop().call_later(self._options.heartbeat, self._beat)

    def _beat(self) -> None:
        """Asks when nothing was heard for the time between two beats; gives up when nothing was heard until the next one.

        A question would wait behind the statements under way, so while there are any they are given their time instead.
        In a transaction it could be answered with why the server took that back, which is not its to know.
        """
        idle = self._session.pending == 0
        if self._heard or (idle and self.in_transaction):
            self._heard = False
            self._silent_beats = 0
        else:
            self._silent_beats += 1
            if self._silent_beats > self._patience():
                return self.end(_lost("nothing was heard of the server for too long"))
            if idle:
                self._probe = Query("select 1")
                self.send(self._probe)
        self._schedule_beat()

    def _patience(self) -> float:
        """How many beats of silence are not too long: what is under way may take its time, such as a `pop` that waits."""
        if self._session.pending == 0 or (self._probe is not None and not self._probe.done()):
            return 1
        heartbeat, timeout = self._options.heartbeat, self._options.timeout
        if timeout is None or heartbeat is None:
            return math.inf
        return 1 + math.ceil(max(timeout, self._session.longest_timeout()) / heartbeat)


def _lost(why: str) -> ConnectionLost:
    return ConnectionLost(f"the connection was lost: {why}; what was under way may have been executed or not")


def _tls_context(options: Options) -> Optional[ssl.SSLContext]:
    if isinstance(options.tls, ssl.SSLContext):
        return options.tls
    return ssl.create_default_context() if options.tls else None


async def open_connection(
    host: str,
    port: int,
    options: Options,
    on_event: Callable[[str, Change], None],
    on_end: Callable[[Connection], None],
) -> Connection:
    """A connection on which statements can be sent: connected, and authenticated if there is a user. Raises CannotConnect,
    or RefusedError when authentication failed; nothing is left open then."""
    connection = Connection(options, on_event, on_end)
    context = _tls_context(options)
    name = (options.server_name or host) if context is not None else None

    async def prepare() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: connection, host, port, ssl=context, server_hostname=name)
        await connection.authenticate()

    try:
        await asyncio.wait_for(prepare(), options.connect_timeout)
    except (OSError, asyncio.TimeoutError, ConnectionLost, ProtocolError) as error:
        why = f"no answer within {options.connect_timeout} s" if isinstance(error, asyncio.TimeoutError) else str(error)
        failure = CannotConnect(f"cannot connect to {host}:{port}: {why}")
        connection.end(failure)
        raise failure from error
    except BaseException:
        connection.end(ClosedError("the attempt to connect was given up"))
        raise
    return connection
