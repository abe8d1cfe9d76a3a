"""Client of PubSubSQL, a server for live data that speaks SQL. Begin with connect(), or aconnect() for asyncio."""

from pubsubsql.blocking import Client, Subscription, connect
from pubsubsql.client import AsyncClient, aconnect
from pubsubsql.errors import (
    CannotConnect,
    ClosedError,
    ConnectionLost,
    Error,
    LimitError,
    LoadError,
    ProtocolError,
    QueryTimeout,
    RefusedError,
    TransactionLost,
    UsageError,
)
from pubsubsql.options import DEFAULT_PORT, Options
from pubsubsql.rows import Cell, Change, Key, LiveRows, Result, Row
from pubsubsql.subscription import AsyncSubscription
from pubsubsql.values import Value, Values

__version__ = "2.0.0"

__all__ = [
    "DEFAULT_PORT",
    "AsyncClient",
    "AsyncSubscription",
    "CannotConnect",
    "Cell",
    "Change",
    "Client",
    "ClosedError",
    "ConnectionLost",
    "Error",
    "Key",
    "LimitError",
    "LiveRows",
    "LoadError",
    "Options",
    "ProtocolError",
    "QueryTimeout",
    "RefusedError",
    "Result",
    "Row",
    "Subscription",
    "TransactionLost",
    "UsageError",
    "Value",
    "Values",
    "aconnect",
    "connect",
]
