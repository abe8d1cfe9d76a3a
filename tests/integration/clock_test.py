"""The machine's wall clock jumps by hours: nothing hangs, nothing ends early, and what is shown as a time follows it."""

import datetime
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness.clock import WallClock  # noqa: E402
from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import databases_of, wait_until  # noqa: E402
from harness.mirror_case import MirrorCase  # noqa: E402
from harness.server_process import PROGRAM, ServerProcess  # noqa: E402
from harness.wire import Closed, FramedConnection, deadline_s  # noqa: E402

CLI = os.environ.get("PUBSUBSQL_CLI") or os.path.join(os.path.dirname(PROGRAM), "pubsubsql")
SANITIZED = os.environ.get("PUBSUBSQL_SANITIZE", "") != ""
JUMPS_H = (5, -10, 30, -25)
LONG_S = "1800"  # less than any jump, more than the test takes

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close


@unittest.skipIf(SANITIZED, "sanitizers have to be the first library")
class Clock(MirrorCase):
    databases = staticmethod(databases_of(mariadb))

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="pubsubsql-clock-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.clock = WallClock(self.folder / "clock")

    def jumping(self, *flags: str) -> ServerProcess:
        return ServerProcess("--threads", "2", "--log-level", "info", *flags, environment=self.clock.environment())

    def ahead_h(self, client: FramedConnection) -> int:
        """How far the server's clock is ahead of ours."""
        text = self.ok(client, "select utc_timestamp() as t")["data"][0][0]
        theirs = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
        return round((theirs - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 3600)

    def users(self) -> str:
        file = str(self.folder / "users")
        subprocess.run([CLI, "user", "add", "--file", file, "--admin", "root"], input="root-secret\n", text=True,
                       check=True, capture_output=True, timeout=deadline_s(60))
        return file

    def test_nothing_ends_early(self) -> None:
        """What may last half an hour outlives jumps of many hours in both directions."""
        flags = ("--idle-timeout-seconds", LONG_S, "--max-transaction-seconds", LONG_S, "--data", self.data)
        with self.jumping(*flags) as server:
            with server.framed() as idle, server.framed() as writer, server.framed() as reader:
                self.ok(idle, "status")
                self.ok(reader, "subscribe * from t")
                for number, hours in enumerate(JUMPS_H):
                    self.ok(writer, "begin")
                    self.ok(writer, f"insert into t (n, at) values ({2 * number}, now())")
                    self.clock.jump(hours)
                    self.assertEqual(self.ahead_h(writer), self.clock.ahead_h)
                    self.ok(writer, f"insert into t (n, at) values ({2 * number + 1}, now())")
                    self.ok(writer, "commit")
                    told = [row[1] for row in self.next_rows(reader, 2)]
                    self.assertEqual(told, [str(2 * number), str(2 * number + 1)])
                self.assertLess(self.ok(idle, "status")["uptime"], int(LONG_S))

    def next_rows(self, reader: FramedConnection, count: int) -> list[list[str]]:
        rows: list[list[str]] = []
        while len(rows) < count:
            rows += reader.read_event()["data"]
        return rows

    def test_timeouts_do_not_wait_for_the_clock(self) -> None:
        """A clock set back does not lengthen what ends after a second."""
        for flags in (("--idle-timeout-seconds", "1"), ("--handshake-timeout-seconds", "1", "--users", self.users())):
            with self.jumping(*flags) as server, server.framed() as silent:
                self.clock.jump(-10)
                with self.assertRaises(Closed):
                    silent.read_message()
        with self.jumping("--max-transaction-seconds", "1") as server, server.framed() as slow:
            self.ok(slow, "begin")
            self.ok(slow, "insert into t (n) values (1)")
            self.clock.jump(-10)
            wait_until(lambda: "longer than 1 seconds" in slow.ask("select 1 as one").get("msg", ""))

    def test_guessing_stays_slow(self) -> None:
        with self.jumping("--users", self.users()) as server, server.framed() as guesser:
            waits = []
            for hours in (0, 5, -10, 0):
                self.clock.jump(hours)
                message = guesser.ask("auth root wrong")["msg"]
                waits.append(int(re.search(r"waits (\d+) ms", message)[1]))
            self.assertEqual(waits, [250, 500, 1000, 2000])
            self.ok(guesser, "auth root root-secret")

    def test_mysql_comes_back(self) -> None:
        """A connection is tried again, and the lag counted, by a clock that does not jump."""
        with self.jumping("--mysql", self.db.url, "--data", self.data) as server, server.framed() as client:
            self.ok(client, "insert into t (n) values (1)")
            for hours in (-10, 20):
                mariadb.kill()
                try:
                    self.ok(client, "insert into t (n) values (2)")
                    self.clock.jump(hours)
                    self.ok(client, "insert into t (n) values (3)")
                    s = self.ok(client, "mysql status")
                    self.assertEqual(s["online"], 0)
                    self.assertLess(s["lagseconds"], int(LONG_S))
                finally:
                    mariadb.start()
                wait_until(lambda: self.ok(client, "mysql status")["online"] == 1)
            wait_until(lambda: self.ok(client, "mysql status")["lagrows"] == 0)
            self.assertEqual(self.check(client, "t"), [])


if __name__ == "__main__":
    unittest.main()
