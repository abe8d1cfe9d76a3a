"""A database of a private MariaDB with pubsubsqld in front of it, and what the two must have in common."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

from harness.mariadb import MariadbServer
from harness.replayed_rows import ReplayedRows
from harness.server_process import ServerProcess
from harness.wire import FramedConnection, deadline_s, frame

USER = "app"
PASSWORD = "it's a secret"


def wait_until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What the condition gives once it is true; fails when it never is."""
    deadline = time.monotonic() + deadline_s(seconds)
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("what was waited for did not come")
        time.sleep(0.01)
    return value


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


class Mirror:
    """A database, new and empty."""

    def __init__(self, mariadb: MariadbServer, name: str):
        self.mariadb = mariadb
        self.name = name
        mariadb.create_database(name, USER, PASSWORD)

    def sql(self, statement: str) -> list[list[str | None]]:
        """As root."""
        return self.mariadb.sql(statement, self.name)

    @property
    def url(self) -> str:
        return self.mariadb.url(self.name, USER, PASSWORD)

    def server(self, *flags: str, log_level: str = "warning") -> ServerProcess:
        return ServerProcess("--mysql", self.url, "--log-level", log_level, *flags)

    def tables(self) -> list[str]:
        """Those of users."""
        return [str(row[0]) for row in self.sql("SHOW TABLES") if not str(row[0]).startswith("pubsubsql_")]

    def rows(self, table: str) -> list[list[str | None]]:
        """The columns that memory has too, the id first, in order of the id. For tables of text and numbers."""
        return self.sql(f"SELECT * FROM {quoted(table)} ORDER BY 1")


def memory_rows(client: FramedConnection, table: str) -> list[list[str | None]]:
    """In order of the id."""
    reply = client.ask(f"select * from {quoted(table)}")
    assert reply["status"] == "ok", reply
    return sorted(reply["data"], key=lambda row: int(row[0]))


def pipeline(client: FramedConnection, statements: list[str]) -> list[dict[str, Any]]:
    """Sends all at once; one message for each statement, in order. Not for results of more than 100 rows."""
    first = client.last_id + 1
    client.last_id += len(statements)
    client.socket.sendall(b"".join(frame(first + i, s) for i, s in enumerate(statements)))
    replies = []
    while len(replies) < len(statements):
        number, text = client.read_message()
        if number == 0:
            client.events.append(text)
            continue
        assert number == first + len(replies), f"a reply out of order: {number} {text}"
        replies.append(json.loads(text))
    return replies


def databases_of(server: MariadbServer) -> Callable[[], Mirror]:
    """What makes one new database after the other."""
    numbers = itertools.count(1)
    return lambda: Mirror(server, f"db{next(numbers)}")


class Follower(ReplayedRows):
    """Replays the subscription to a whole table, and fails on anything that cannot be."""

    def __init__(self, client: FramedConnection, table: str):
        super().__init__()
        self.client = client
        self.table = table
        reply = client.ask(f"subscribe * from {quoted(table)}")
        assert reply["status"] == "ok", reply

    def replayed(self) -> list[list[str | None]]:
        """The table as this subscriber was told it is: it has all events when a reply about the table has come."""
        reply = self.client.ask(f"select * from {quoted(self.table)}")
        while self.client.events:
            self.apply(json.loads(self.client.events.pop(0)))
        columns = reply["columns"]
        return sorted(([row.get(c) for c in columns] for row in self.rows.values()), key=lambda row: int(row[0]))
