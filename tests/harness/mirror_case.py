"""What the tests of a server with a database of its own ask again and again."""

import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.mirror import PASSWORD, Mirror, memory_rows
from harness.server_process import ServerProcess
from harness.wire import FramedConnection


class MirrorCase(unittest.TestCase):
    """Each test has a new database and a place for a data directory."""

    databases: Callable[[], Mirror]
    """Set by the module: what makes one new database after the other."""
    maxDiff = 4000

    def setUp(self) -> None:
        self.db = self.databases()
        directory = tempfile.TemporaryDirectory(prefix="pubsubsql-mirror-")
        self.addCleanup(directory.cleanup)
        self.data = str(Path(directory.name) / "data")

    def serve(self, *flags: str) -> ServerProcess:
        """Without MySQL."""
        return ServerProcess("--log-level", "info", *flags)

    def ok(self, client: FramedConnection, statement: str, **expected: Any) -> dict[str, Any]:
        reply = client.ask(statement)
        self.assertEqual(reply["status"], "ok", (statement, reply))
        for name, value in expected.items():
            self.assertEqual(reply.get(name), value, (statement, reply))
        return reply

    def refused(self, client: FramedConnection, statement: str, *parts: str) -> dict[str, Any]:
        reply = client.ask(statement)
        self.assertEqual(reply["status"], "err", (statement, reply))
        for part in parts:
            self.assertIn(part, reply["msg"])
        self.assertNotIn(PASSWORD, reply["msg"])
        return reply

    def check(self, client: FramedConnection, table: str) -> list[list[str | None]]:
        reply = self.ok(client, f"mysql check {table}", action="mysqlCheck")
        self.assertEqual(reply["columns"], ["Difference", "Row", "Column", "Memory", "MySQL"])
        return reply["data"]

    def rows(self, client: FramedConnection, table: str) -> list[list[str | None]]:
        """Without a column id, in any order."""
        return sorted(self.ok(client, f"select * from {table}")["data"], key=str)

    def equal_everywhere(self, client: FramedConnection, table: str) -> list[list[str | None]]:
        rows = memory_rows(client, table)
        self.assertEqual(self.db.rows(table), rows)
        self.assertEqual(self.check(client, table), [])
        return rows

    def in_data_directory(self, table: str) -> list[list[str | None]]:
        """As a server on it alone has the table. No other may use the directory."""
        with ServerProcess("--data", self.data) as server, server.framed() as client:
            return memory_rows(client, table)
