"""What can go wrong. Every error of this library is an `Error`."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence, Tuple


class Error(Exception):
    """Base of all errors of this library; its text is a sentence for people."""


class RefusedError(Error):
    """The server said no, and nothing of the statement happened."""

    def __init__(
        self,
        message: str,
        *,
        code: Optional[int] = None,
        sqlstate: Optional[str] = None,
        offset: Optional[int] = None,
        index: Optional[int] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        """The server's number for it, MySQL's where MySQL has one."""
        self.sqlstate = sqlstate
        self.offset = offset
        """Where in the statement the mistake is: bytes of UTF-8 from its beginning."""
        self.index = index
        """The same place in the str: `sql[error.index:]` begins with the mistake."""


class ConnectionLost(Error, ConnectionError):
    """The connection broke while the statement was under way: it may have been executed or not. It is never sent again
    by itself."""


class TransactionLost(Error):
    """The connection broke in a transaction, which the server has taken back. Nothing else is sent until `begin` or
    `rollback`, so that no part of the transaction is executed by itself."""


class CannotConnect(Error, ConnectionError):
    """Nobody answers at the address."""


class QueryTimeout(Error, TimeoutError):
    """No answer in time; the statement may still be executed."""


class LimitError(Error):
    """A limit of this client was reached; the text names it."""


class ProtocolError(Error):
    """What answers there is no PubSubSQL server."""


class UsageError(Error, ValueError):
    """The call is wrong, for example a value that SQL has not."""


class ClosedError(Error):
    """The client was closed."""


class LoadError(Error):
    """Some of the rows given to load() were refused; all others are in."""

    def __init__(self, loaded: int, refused: int, failures: Sequence[Tuple[int, RefusedError]]) -> None:
        index, first = failures[0]
        super().__init__(f"{refused} of {loaded + refused} rows were refused; row {index}: {first}")
        self.loaded = loaded
        """How many rows are in."""
        self.refused = refused
        self.failures = list(failures)
        """The first 10,000 refused: which row, counted from 0, and why."""


def refusal(message: Mapping[str, Any], sql: str) -> RefusedError:
    """The error in a message of the server, about `sql`."""
    offset = message.get("offset")
    return RefusedError(
        str(message.get("msg")),
        code=message.get("code"),
        sqlstate=message.get("sqlstate"),
        offset=offset,
        index=None if offset is None else len(sql.encode("utf-8", "replace")[:offset].decode("utf-8", "ignore")),
    )
