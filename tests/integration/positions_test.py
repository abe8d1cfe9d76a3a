"""Positions: a subscriber that comes back goes on where it was, whatever the server has been through meanwhile."""

import contextlib
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.faults import as_every_user  # noqa: E402
from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import Mirror  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Closed, FramedConnection, deadline_s, ok  # noqa: E402

ROUNDS = 4


@contextlib.contextmanager
def scratch() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="pubsubsql-positions-") as directory:
        yield directory


def start(directory: str, *flags: str) -> ServerProcess:
    return ServerProcess("--data", directory, "--threads", "4", "--log-level", "warning", *flags)


class Follower:
    """A subscriber that keeps the rows of a table, and goes on where it was each time it connects."""

    def __init__(self, statement: str):
        self.statement = statement
        self.position: int | None = None  # that it may go on at
        self.rows: dict[str, list[str]] = {}
        self.seen: list[tuple[str, str]] = []  # action and id of each event
        self.resyncs = 0

    def connect(self, server: ServerProcess) -> FramedConnection:
        client = server.framed()
        since = "with seq" if self.position is None else f"since {self.position}"
        reply = client.ask(f"{self.statement} {since}")
        assert reply["status"] == "ok", reply
        if reply.get("resync"):
            self.resyncs += 1
        if reply.get("resync") or self.position is None:
            self.position = None
            self.rows.clear()
        elif self.position is not None:
            assert reply["seq"] == self.position, reply
        with server.framed() as other:
            self.target = other.ask("subscribe skip * from t with seq")["seq"]
        return client

    def take(self, event: dict[str, Any]) -> None:
        if self.position is not None:
            assert event["seq"] >= self.position, (event, self.position)
        for row in event["data"]:
            key = row[0]
            if event["action"] in ("add", "insert"):
                assert event["action"] == "add" or key not in self.rows, f"row {key} came twice"
                self.rows[key] = row
            elif event["action"] == "update":
                assert key in self.rows, f"row {key} was never told of"
                self.rows[key] = [key, row[event["columns"].index("v")]]
            else:
                del self.rows[key]
            self.seen.append((event["action"], key))
        if event.get("snapshot") == "end" or self.position is not None:
            self.position = event["seq"]

    def follow(self, client: FramedConnection, until: int) -> None:
        while self.position is None or self.position < until:
            self.take(client.read_event())


class Positions(unittest.TestCase):
    def test_a_restart(self) -> None:
        with scratch() as directory:
            follower = Follower("subscribe * from t")
            with start(directory) as server, server.framed() as writer:
                with follower.connect(server) as client:
                    writer.ask("insert into t (v) values ('a'), ('b')")
                    follower.follow(client, follower.target + 1)
                    while len(follower.rows) < 2:
                        follower.take(client.read_event())
                writer.ask("update t set v = 'c' where id = 0")
                writer.ask("delete from t where id = 1")
                writer.ask("insert into t (v) values ('d')")
            with start(directory) as server:
                with follower.connect(server) as client:
                    follower.follow(client, follower.target)
                    self.assertEqual(follower.seen, [("insert", "0"), ("insert", "1"), ("update", "0"), ("delete", "1"),
                                                     ("insert", "2")])
                    self.assertEqual(follower.rows, {"0": ["0", "c"], "2": ["2", "d"]})
                with server.framed() as writer:
                    writer.ask("insert into t (v) values ('e')")
                    with follower.connect(server) as client:
                        follower.follow(client, follower.target)
                        self.assertEqual(follower.rows["3"], ["3", "e"])
            self.assertEqual(follower.resyncs, 0)

    def test_kills_under_load(self) -> None:
        """Every change once and in order for a subscriber that is cut off again and again, as the server is."""
        with scratch() as directory:
            follower = Follower("subscribe * from t")
            watcher = Follower("subscribe * from t where v > 3")
            for _ in range(ROUNDS):
                server = start(directory)
                try:
                    self.write_and_follow(server, (follower, watcher))
                    server.kill()
                finally:
                    with contextlib.suppress(Exception):
                        server.kill()
            with start(directory) as server, server.framed() as client:
                self.catch_up(server, (follower, watcher))
                rows = {row[0]: row for row in client.ask("select id, v from t")["data"]}
                self.assertEqual(follower.rows, rows)
                self.assertEqual(watcher.rows, {key: row for key, row in rows.items() if float(row[1]) > 3})
                self.assertEqual(follower.resyncs + watcher.resyncs, 0)
                whole = Follower("subscribe * from t")
                whole.position = self.first
                with whole.connect(server) as again:
                    whole.follow(again, whole.target)
                self.assertEqual(whole.resyncs, 0)
                self.assertEqual(follower.seen, whole.seen[:len(follower.seen)])
                self.assertGreater(len(follower.seen), 10 * ROUNDS)

    first = 0

    def catch_up(self, server: ServerProcess, followers: tuple[Follower, ...]) -> None:
        for follower in followers:
            with follower.connect(server) as client, server.framed() as marker:
                # What is behind the last change that concerns it is told by the next one that does.
                marker.ask("insert into t (v) values (9)")
                while "9" not in {row[1] for row in follower.rows.values()}:
                    follower.take(client.read_event())
                marker.ask("delete from t where v = 9")
                while "9" in {row[1] for row in follower.rows.values()}:
                    follower.take(client.read_event())

    def write_and_follow(self, server: ServerProcess, followers: tuple[Follower, ...]) -> None:
        with server.framed() as setup:
            if not self.first:
                self.first = setup.ask("subscribe skip * from t with seq")["seq"]
                setup.ask("alter table t set history = 64000000 bytes")
                for follower in followers:
                    follower.position = self.first
        stop = threading.Event()

        def write(which: int) -> None:
            with contextlib.suppress(Closed, OSError), server.framed() as client:
                for i in range(1_000_000):
                    if stop.is_set():
                        return
                    client.ask(f"insert into t (v) values ({i % 8})")
                    client.ask(f"update t set v = v + 1 where v < 7 and id > {i} limit 3")
                    client.ask(f"delete from t where v = {which} limit 1")

        writers = [threading.Thread(target=write, args=(which,)) for which in (2, 6)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(5):
                for follower in followers:
                    with follower.connect(server) as client:
                        end = time.monotonic() + deadline_s(60)
                        for _ in range(30):
                            follower.take(client.read_event())
                            self.assertLess(time.monotonic(), end)
        finally:
            server.kill()
            stop.set()
            for writer in writers:
                writer.join()

    def test_what_was_told_and_lost(self) -> None:
        """Acknowledged in memory, changes may be told that a crash takes away: their positions are not given again."""
        with scratch() as directory:
            with start(directory) as server, server.framed() as client:
                client.ask("insert into t (v) values ('kept')")
                client.ask("alter table t set ack = memory")
            told = []
            for _ in range(3):
                server = start(directory)
                try:
                    with server.framed() as client:
                        told.append(client.ask("subscribe skip * from t with seq")["seq"])
                        client.send("insert into t (v) values ('perhaps')")
                        client.read_reply()
                        told.append(client.read_event()["seq"])
                finally:
                    server.kill()
            self.assertEqual(told, sorted(set(told)))

    def test_a_table_that_keeps_nothing(self) -> None:
        with scratch() as directory:
            with start(directory) as server, server.framed() as client:
                client.ask("insert into t (v) values (1)")
                client.ask("alter table t set history = off")
                begin = client.ask("subscribe skip * from t with seq")["seq"]
                client.ask("insert into t (v) values (2)")
            with start(directory) as server, server.framed() as client:
                self.assertTrue(client.ask(f"subscribe skip * from t since {begin}").get("resync"))
                client.ask("alter table t set history = 50 seconds 100000 bytes")
                begin = client.ask("subscribe skip * from t with seq")["seq"]
                client.ask("insert into t (v) values (3)")
            with start(directory) as server, server.framed() as client:
                self.assertFalse(client.ask(f"subscribe skip * from t since {begin}").get("resync"))
                self.assertEqual(client.read_event()["data"], [["2", "3"]])

    def test_changes_by_others_in_mysql(self) -> None:
        with MariadbServer() as mariadb, scratch() as directory:
            for name, flags in (("alone", ()), ("both", ("--data", directory))):
                db = Mirror(mariadb, name)
                with self.subTest(name):
                    self.go_on_beside_mysql(db, ("--mysql", db.url, *flags))

    def go_on_beside_mysql(self, db: Mirror, flags: tuple[str, ...]) -> None:
        with ServerProcess(*flags) as server, server.framed() as client:
            self.assertEqual(client.ask("subscribe skip * from t with seq")["status"], "ok")
            self.assertEqual(client.ask("insert into t (v) values (1), (2)")["status"], "ok")
            self.assertEqual(client.ask("update t set v = 10000")["status"], "ok")
            self.assertEqual(client.ask("update t set v = 3")["status"], "ok")  # in the room of the longer one
            while (event := client.read_event())["action"] != "update" or event["data"][-1] != ["1", "3"]:
                pass
            position = event["seq"]
            server.signal()
            server.wait()
        with ServerProcess(*flags) as server, server.framed() as client:
            reply = client.ask(f"subscribe skip * from t since {position}")
            self.assertNotIn("resync", reply)
            position = reply["seq"]
            server.signal()
            server.wait()
        db.sql("update t set v = 7 where id = 1")
        with ServerProcess(*flags) as server, server.framed() as client:
            self.assertTrue(client.ask(f"subscribe skip * from t since {position}")["resync"])
            self.assertEqual(client.ask("select v from t")["data"], [["3"], ["7"]])

    def test_in_mysql_alone(self) -> None:
        """What was kept is there after an orderly stop, and counts as long as nobody has changed anything since."""
        with MariadbServer() as mariadb:
            db = Mirror(mariadb, "alone")
            flags = ("--mysql", db.url, "--threads", "2")
            with ServerProcess(*flags) as server, server.framed() as client:
                ok(client, "create table typed (id int primary key, price decimal(8, 2), made datetime(3), note text)")
                ok(client, "create table other (code char(3) primary key, n int)")
                ok(client, "insert into quiet (n) values (1)")
                ok(client, "alter table quiet set history = 900 seconds")
                quiet = ok(client, "subscribe skip * from quiet with seq")["seq"]
                ok(client, "subscribe skip * from t as feed")
                begin = ok(client, "subscribe skip * from typed with seq")["seq"]
                other = ok(client, "subscribe skip * from other with seq")["seq"]
                ok(client, "insert into typed values (1, 1.5, '2026-01-01 10:00:00', 'ü'), (2, 2, null, null)")
                ok(client, "update typed set note = 'x' where id = 2")
                ok(client, "delete from typed where id = 1")
                ok(client, "insert into other values ('abc', 1), ('def', 2)")
                ok(client, "insert into t (v, w) values (1, '')")
                ok(client, f"insert into t (v) values ('{'x' * 1_500_000}')")
                server.signal()
                server.wait()
            for _ in range(2):
                with ServerProcess(*flags) as server, server.framed() as client:
                    self.assertNotIn("resync", ok(client, f"subscribe skip * from quiet since {quiet}"))
                    self.assertNotIn("resync", ok(client, f"subscribe skip * from typed since {begin}"))
                    events = [client.read_event() for _ in range(3)]
                    self.assertEqual([e["action"] for e in events], ["insert", "update", "delete"])
                    self.assertEqual(events[0]["data"][0], ["1", "1.50", "2026-01-01 10:00:00.000", "ü"])
                    self.assertNotIn("resync", ok(client, f"subscribe skip * from other since {other}"))
                    self.assertEqual(client.read_event()["rows"], 2)
                    self.assertTrue(ok(client, "subscribe skip * from t as feed")["resumed"])
                    event = client.read_event()
                    self.assertEqual((event["rows"], event["data"][0]), (2, ["0", "1", ""]))
                    server.signal()
                    server.wait()
            with ServerProcess(*flags) as server, server.framed() as client:
                ok(client, "alter table typed drop column note")
                ok(client, "insert into other values ('ghi', 3)")
                ok(client, "delete from other where code = 'ghi'")
                ok(client, "drop table quiet")
                server.kill()
            kept = db.sql("select distinct table_name from pubsubsql_histories order by 1")
            self.assertEqual(kept, [["other"], ["t"], ["typed"]])
            with ServerProcess(*flags) as server, server.framed() as client:
                self.assertTrue(ok(client, f"subscribe skip * from quiet since {quiet}")["resync"])
                self.assertTrue(ok(client, f"subscribe skip * from typed since {begin}")["resync"])
                self.assertTrue(ok(client, f"subscribe skip * from other since {other}")["resync"])
                self.assertTrue(ok(client, "subscribe skip * from t as feed")["resumed"])

    def test_a_login_to_mysql_without_the_right_to_make_tables(self) -> None:
        with MariadbServer() as mariadb:
            db = Mirror(mariadb, "alone")
            with ServerProcess("--mysql", db.url) as server, server.framed() as client:
                ok(client, "insert into t (v) values (1)")
            as_every_user(db, "revoke create on alone.* from {}")
            with ServerProcess("--mysql", db.url) as server, server.framed() as client:
                told = ok(client, "subscribe skip * from t with seq")["seq"]
                ok(client, "insert into t (v) values (1)")
                server.signal()
                server.wait_for_log("saved the latest changes of 0 of 1 tables")
                server.wait()
            with ServerProcess("--mysql", db.url) as server, server.framed() as client:
                self.assertTrue(ok(client, f"subscribe skip * from t since {told}")["resync"])

    def test_without_a_store(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server, server.framed() as client:
            begin = client.ask("subscribe skip * from t with seq")["seq"]
            self.assertGreater(begin, 1_600_000_000_000_000)
            self.assertLess(begin, 1 << 53)
            client.ask("insert into t (v) values (1)")
            last = client.read_event()["seq"]
        with ServerProcess("--threads", "2", "--log-level", "warning") as server, server.framed() as client:
            for position in (begin, last):
                self.assertTrue(client.ask(f"subscribe skip * from t since {position}")["resync"])

    def test_too_slow_and_back(self) -> None:
        """A gap, and the rows behind it, say where to go on."""
        with ServerProcess("--threads", "2", "--log-level", "warning", "--max-backlog-bytes", "100000") as server:
            with server.framed() as slow, server.framed() as writer:
                slow.ask("subscribe * from t with seq on slow drop")
                text = "x" * 10_000
                for _ in range(2_000):
                    writer.send(f"stream insert into t (v) values ('{text}')")
                writer.ask("delete from t where id < 1990")
                rows: dict[str, Any] = {}
                position = gaps = 0
                told: list[int] = []
                deleted = False
                while not deleted or len(rows) != 10 or position == 0:
                    event = slow.read_event()
                    told.append(event["seq"])
                    if event["action"] == "gap":
                        rows.clear()
                        gaps += 1
                        position = 0
                    elif event["action"] == "delete":
                        for row in event["data"]:
                            rows.pop(row[0], None)
                    else:
                        rows.update((row[0], row) for row in event["data"])
                    if position or event.get("snapshot") == "end":
                        position = event["seq"]
                    deleted = deleted or event["action"] == "delete" or (gaps > 0 and "1999" in rows)
                self.assertEqual(told, sorted(told))
                with server.framed() as again:
                    reply = again.ask(f"subscribe * from t since {position}")
                    self.assertEqual((reply.get("resync"), reply["seq"]), (None, position))


if __name__ == "__main__":
    unittest.main()
