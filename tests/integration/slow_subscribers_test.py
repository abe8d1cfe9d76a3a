"""Subscribers that do not read: what each policy comes to, and that nobody else is hurt."""

import contextlib
import json
import os
import random
import socket
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.replayed_rows import ReplayedRows  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Closed, FramedConnection  # noqa: E402

SANITIZED = os.environ.get("PUBSUBSQL_SANITIZE", "") != ""

# What the sockets between server and subscriber hold is nothing to the policies: with a small receive buffer, that is
# some megabytes, which the changes of a test have to exceed.
RECEIVE_BYTES = 4096


class SmallConnection(FramedConnection):
    """One whose socket takes little, so that the server's side is soon full."""

    def __init__(self, port: int):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", port))
        self.events: list[str] = []
        self._input = b""
        self.last_id = 0


class Replay:
    """What one subscription has been told, gaps included."""

    def __init__(self) -> None:
        self.rows = ReplayedRows()
        self.lost: list[int] = []
        self.events = 0

    def apply(self, event: dict[str, Any]) -> None:
        if event["action"] == "gap":
            assert (event["rows"], event["fromrow"], event["torow"], event["columns"], event["data"]) == (0, 0, 0, [], [])
            self.lost.append(event["lost"])
            self.rows = ReplayedRows()
        else:
            self.events += event["rows"]
            self.rows.apply(event)


def read_until(reader: FramedConnection, replays: dict[str, Replay], done: Any) -> None:
    """Applies events until `done()`."""
    while not done():
        event = reader.read_event()
        replays[event["pubsubid"]].apply(event)


def table_rows(client: FramedConnection, select: str = "select * from t") -> dict[str, dict[str, Any]]:
    reply = client.ask(select)
    return {row[0]: dict(zip(reply["columns"], row, strict=True)) for row in reply["data"]}


class Writer:
    """Changes a table of some rows at random, and ends with a change that every subscriber sees."""

    def __init__(self, client: FramedConnection, rows: int = 20, padding: int = 8000):
        self.client = client
        self.rows = rows
        self.padding = padding
        self.random = random.Random(7)

    def statement(self) -> str:
        row, kind = self.random.randrange(self.rows), self.random.randrange(10)
        text = f"{self.random.randrange(1000)}" + "x" * self.padding
        if kind == 0:
            return f"delete from t where k = {row}"
        if kind < 4:
            return f"replace into t (k, a, b, n) values ({row}, {text}, old, {self.random.randrange(100)})"
        if kind < 7:
            return f"update t set a = {text} where k = {row}"
        return f"update t set b = {text}, n = {self.random.randrange(100)} where k = {row}"

    def change(self, count: int, transactions: bool = False) -> None:
        for i in range(count):
            if transactions and i % 10 == 0:
                self.client.ask("begin")
            assert self.client.ask(self.statement())["status"] == "ok"
            if transactions and i % 10 == 9:
                self.client.ask("commit" if self.random.randrange(3) else "rollback")
        if transactions:
            self.client.ask("commit")


def make_table(writer: FramedConnection) -> None:
    writer.ask("key t k")
    writer.ask("insert into t (k, a, b, n) values (first, a, b, 0)")


def setups() -> list[tuple[list[str], bool]]:
    """Flags, and whether the tables have a store."""
    return [(["--threads", "1"], False), (["--threads", "4"], False), (["--threads", "4"], True)]


class Policies(unittest.TestCase):
    """A subscriber stops reading, much changes, and it reads again: then it knows the table."""

    def check(self, subscribe: str, select: str, transactions: bool = False, gaps: bool = False) -> None:
        for flags, stored in setups():
            with self.subTest(flags=flags, stored=stored), tempfile.TemporaryDirectory() as data:
                if stored:
                    flags = [*flags, "--data", data]
                with ServerProcess(*flags, "--max-backlog-bytes", "1MiB", "--log-level", "warning") as server:
                    self.run_one(server, subscribe, select, transactions, gaps)

    def run_one(self, server: ServerProcess, subscribe: str, select: str, transactions: bool, gaps: bool) -> None:
        writer, slow = server.framed(), SmallConnection(server.port)
        with writer, slow:
            make_table(writer)
            pubsubid = slow.ask(subscribe)["pubsubid"]
            replay = Replay()
            for _ in range(2):
                Writer(writer).change(1000, transactions)
                writer.ask("delete from t where k = first")
                writer.ask("insert into t (k, a, b, n) values (first, a, b, 1000000)")
                expected = table_rows(writer, select)
                read_until(slow, {pubsubid: replay}, lambda rows=expected: replay.rows.rows == rows)
            self.assertEqual(len(replay.lost) > 0, gaps)
            status = writer.ask("status")
            self.assertEqual(status["slowdisconnects"], 0)
            self.assertEqual(status["gaps"], len(replay.lost))
            self.assertEqual(status["dropped"], sum(replay.lost))
            self.assertEqual(status["conflated"] > 0, not gaps)
            # It is live again.
            writer.ask("update t set n = 1000001 where k = first")
            expected = table_rows(writer, select)
            read_until(slow, {pubsubid: replay}, lambda: replay.rows.rows == expected)

    def test_conflate(self) -> None:
        self.check("subscribe * from t on slow conflate", "select * from t")

    def test_conflate_filter_and_columns(self) -> None:
        self.check("subscribe n, b, a from t where n > 5 on slow conflate", "select id, n, b, a from t where n > 5")

    def test_conflate_first_rows(self) -> None:
        self.check(
            "subscribe n, a from t order by n desc limit 15 on slow conflate",
            "select id, n, a from t order by n desc, id limit 15",
        )

    def test_conflate_transactions(self) -> None:
        self.check("subscribe * from t on slow conflate", "select * from t", transactions=True)

    def test_drop(self) -> None:
        self.check("subscribe * from t on slow drop", "select * from t", gaps=True)

    def test_drop_filter_and_columns(self) -> None:
        self.check("subscribe a, n, b from t where n > 5 on slow drop", "select id, a, n, b from t where n > 5", gaps=True)

    def test_drop_first_rows(self) -> None:
        self.check(
            "subscribe n, a from t order by n desc limit 15 on slow drop",
            "select id, n, a from t order by n desc, id limit 15",
            gaps=True,
        )

    def test_drop_transactions(self) -> None:
        self.check("subscribe * from t on slow drop", "select * from t", transactions=True, gaps=True)


class Groups(unittest.TestCase):
    """Rows of groups have no id; their columns tell them apart."""

    def replay(self, policy: str) -> None:
        for threads in ("1", "4"):
            with ServerProcess(
                "--threads", threads, "--max-backlog-bytes", "1MiB", "--log-level", "warning"
            ) as server:
                writer, slow = server.framed(), SmallConnection(server.port)
                with writer, slow:
                    make_table(writer)
                    slow.ask(f"subscribe k, count(*), max(a) from t group by k on slow {policy}")
                    Writer(writer).change(800)
                    expected = {tuple(row) for row in writer.ask("select k, count(*), max(a) from t group by k")["data"]}
                    known: dict[str, tuple[str, ...]] = {}
                    while set(known.values()) != expected:
                        event = slow.read_event()
                        if event["action"] == "gap":
                            known.clear()
                        for row in event["data"]:
                            self.assertEqual(row[0] in known, event["action"] != "add")
                            if event["action"] == "remove":
                                del known[row[0]]
                            else:
                                known[row[0]] = tuple(row)

    def test_conflate(self) -> None:
        self.replay("conflate")

    def test_drop(self) -> None:
        self.replay("drop")


class Mixed(unittest.TestCase):
    def test_without_rows_only_the_gap_is_told(self) -> None:
        with ServerProcess("--max-backlog-bytes", "64KiB", "--log-level", "warning") as server:
            writer, slow = server.framed(), SmallConnection(server.port)
            with writer, slow:
                slow.ask("subscribe skip * from t on slow drop")
                count, seen, lost = 4000, 0, 0
                for _ in range(count):
                    writer.ask(f"insert into t (v) values ({'x' * 1000})")
                while seen + lost < count:
                    event = slow.read_event()
                    self.assertIn(event["action"], ("insert", "gap"))
                    lost += event.get("lost", 0)
                    seen += event["rows"]
                self.assertEqual(seen + lost, count)
                self.assertGreater(lost, 0)

    def test_several_policies_on_one_connection(self) -> None:
        """Until an event of a subscription comes that ends it, each keeps to its own."""
        for threads in ("1", "4"):
            with ServerProcess(
                "--threads", threads, "--max-backlog-bytes", "1MiB", "--on-slow", "conflate"
            ) as server:
                writer, slow = server.framed(), SmallConnection(server.port)
                with writer, slow:
                    make_table(writer)
                    ids = [
                        slow.ask("subscribe * from t")["pubsubid"],
                        slow.ask("subscribe * from t on slow drop")["pubsubid"],
                        slow.ask("subscribe n from t where n > 10")["pubsubid"],
                    ]
                    slow.ask("subscribe * from quiet on slow disconnect")
                    replays = {pubsubid: Replay() for pubsubid in ids}
                    Writer(writer).change(800)
                    listed = {row[1]: row for row in writer.ask("show subscriptions")["data"]}
                    self.assertEqual([listed[i][4] for i in ids], ["conflate", "drop", "conflate"])
                    self.assertEqual(listed[ids[2]][3], "subscribe n from t where n > 10")
                    self.assertGreater(int(listed[ids[0]][5]), 200_000)
                    self.assertGreater(int(listed[ids[1]][8]), 0)
                    self.assertGreater(int(listed[ids[0]][9]), 0)
                    rows, some = table_rows(writer), table_rows(writer, "select id, n from t where n > 10")
                    read_until(
                        slow,
                        replays,
                        lambda: [replays[i].rows.rows for i in ids] == [rows, rows, some],
                    )
                    self.assertEqual([len(replays[i].lost) for i in ids], [0, 1, 0])

                    Writer(writer).change(800)
                    writer.ask("insert into quiet (v) values (1)")
                    server.wait_for_log("disconnected .* too slow a subscriber")
                    with self.assertRaises(Closed):
                        while True:
                            slow.read_event()
                    self.assertEqual(writer.ask("status")["slowdisconnects"], 1)

    def test_unsubscribe_ends_it_whatever_waits(self) -> None:
        with ServerProcess("--threads", "2", "--max-backlog-bytes", "1MiB", "--log-level", "warning") as server:
            for policy in ("conflate", "drop"):
                writer, slow = server.framed(), SmallConnection(server.port)
                with writer, slow:
                    make_table(writer)
                    slow.ask(f"subscribe * from t on slow {policy}")
                    Writer(writer).change(800)
                    self.assertEqual(slow.ask("unsubscribe from t")["subscriptions"], 1)
                    slow.events.clear()
                    writer.ask("update t set a = 1")
                    slow.ask("status")
                    self.assertEqual(slow.events, [])
                    writer.ask("drop table t")

    def test_too_many_rows_to_conflate(self) -> None:
        with ServerProcess("--max-backlog-bytes", "128KiB") as server:
            writer, slow = server.framed(), SmallConnection(server.port)
            with writer, slow:
                slow.ask("subscribe * from t on slow conflate")
                for _ in range(6000):
                    writer.ask(f"insert into t (v) values ({'x' * 1000})")
                server.wait_for_log("too slow a subscriber of too many rows")

    def test_a_refused_subscription_is_forgotten(self) -> None:
        with ServerProcess("--log-level", "warning") as server, server.framed() as client:
            for _ in range(3):
                reply = client.ask("subscribe nothing from t on slow conflate")
                self.assertEqual(reply["status"], "err")
            self.assertEqual(client.ask("show subscriptions")["data"], [])


class Many(unittest.TestCase):
    """A publisher goes on, and one good subscriber sees everything, whatever the others do."""

    SUBSCRIBERS = int(os.environ.get("SLOW_SUBSCRIBERS", "200" if SANITIZED else "1000"))
    TOTAL = 64 << 20

    def check(self, policy: str) -> None:
        with ServerProcess(
            "--threads",
            "2",
            "--max-connections",
            str(self.SUBSCRIBERS + 10),
            "--max-backlog-bytes",
            "1MiB",
            "--max-total-backlog-bytes",
            str(self.TOTAL),
            "--log-level",
            "error",
        ) as server:
            writer, good = server.framed(), server.framed()
            slow = [SmallConnection(server.port) for _ in range(self.SUBSCRIBERS)]
            for client in slow:
                client.ask(f"subscribe * from t on slow {policy}")
            good.ask("subscribe skip * from t")
            writer.ask("insert into t (v) values (first)")
            good.read_event()
            before, most = server.resident_bytes(), 0
            count, batch = 2000, 100
            for first in range(0, count, batch):
                for i in range(first, first + batch):
                    writer.ask(f"update t set v = {i}{'x' * 1000}")
                seen = first
                while seen < first + batch:
                    for _, value in good.read_event()["data"]:
                        self.assertTrue(value.startswith(f"{seen}x"))
                        seen += 1
                most = max(most, server.resident_bytes() - before)
            status = writer.ask("status")
            print(f"{self.SUBSCRIBERS} x {policy}: grew by {most >> 20} MiB, {json.dumps(status)}")
            self.assertLessEqual(status["backlogbytes"], self.TOTAL)
            if not SANITIZED:
                # Buffers grow by doubling, and each connection has two that are never small.
                self.assertLess(most, 2 * self.TOTAL + self.SUBSCRIBERS * (16 << 10))
            for client in [*slow, writer, good]:
                client.close()

    def test_disconnect(self) -> None:
        self.check("disconnect")

    def test_conflate(self) -> None:
        self.check("conflate")

    def test_drop(self) -> None:
        self.check("drop")


class Published(unittest.TestCase):
    """Messages that are not stored have no latest state: none takes the place of another."""

    def publish(self, client: FramedConnection, messages: int) -> None:
        for first in range(0, messages, 20):
            rows = ", ".join(f"({n}, {'x' * 8000})" for n in range(first, min(first + 20, messages)))
            self.assertEqual(client.ask(f"publish into t (n, text) values {rows}")["status"], "ok")

    def test_conflate_keeps_all_of_them_in_order(self) -> None:
        with ServerProcess("--log-level", "warning") as server, server.framed() as client:
            reader = SmallConnection(server.port)
            self.assertEqual(reader.ask("subscribe n from t on slow conflate")["status"], "err")
            self.assertEqual(reader.ask("subscribe * from t on slow conflate")["status"], "ok")
            self.publish(client, 1500)
            seen: list[str] = []
            while len(seen) < 1500:
                event = reader.read_event()
                self.assertEqual(event["action"], "publish")
                at = event["columns"].index("n")
                seen += [row[at] for row in event["data"]]
            self.assertEqual(seen, [str(n) for n in range(1500)])
            reader.close()

    def test_drop_counts_them(self) -> None:
        with ServerProcess("--log-level", "warning", "--max-backlog-bytes", "1000000") as server:
            with server.framed() as client:
                reader = SmallConnection(server.port)
                self.assertEqual(reader.ask("subscribe * from t on slow drop")["status"], "ok")
                self.publish(client, 2000)
                seen = 0
                while seen < 2000:
                    event = reader.read_event()
                    seen += event["lost"] if event["action"] == "gap" else event["rows"]
                self.assertEqual(seen, 2000)
                reader.close()

    def test_what_is_kept_is_bounded(self) -> None:
        with ServerProcess("--log-level", "warning", "--max-backlog-bytes", "1000000") as server:
            with server.framed() as client:
                reader = SmallConnection(server.port)
                self.assertEqual(reader.ask("subscribe * from t on slow conflate")["status"], "ok")
                self.publish(client, 2000)
                with self.assertRaises(Closed):
                    while True:
                        reader.read_event()
                reader.close()


class OneStatement(unittest.TestCase):
    """One that tells more than there is room for: all of it is there at once, whoever reads."""

    ROWS = 10_000

    def check(self, *flags: str, transaction: bool = False) -> None:
        # By several connections: some are served by the thread that has the table, and some by others.
        limits = ("--max-total-backlog-bytes", "16MiB", "--max-backlog-bytes", "1MiB")
        with ServerProcess("--log-level", "error", "--threads", "3", *limits, *flags) as server:
            with server.framed() as client, contextlib.ExitStack() as closing:

                def subscribers(statement: str) -> list[FramedConnection]:
                    made = [closing.enter_context(server.framed()) for _ in range(4)]
                    for one in made:
                        self.assertEqual(one.ask(statement)["status"], "ok")
                    return made

                client.ask(f"create table t (a int, b int, {', '.join(f'column_{i} text' for i in range(1_000))})")
                for i in range(self.ROWS // 1_000):
                    client.ask("insert into t (a, b) values " + ", ".join(f"(1, {i * 1_000 + n})" for n in range(1_000)))
                ended = subscribers("subscribe skip * from t where a = 2")
                conflating = subscribers("subscribe skip * from t where a = 2 on slow conflate")
                dropping = subscribers("subscribe skip * from t where a = 2 on slow drop")
                others = subscribers(f"subscribe skip b from t where a = 2 and b = {self.ROWS - 1}")
                before = server.resident_bytes(at_most=True)
                if transaction:
                    client.ask("begin")
                self.assertEqual(client.ask("update t set a = 2")["rows"], self.ROWS)
                if transaction:
                    self.assertEqual(client.ask("commit")["status"], "ok")
                for one in others:  # whose rows come last
                    self.assertEqual(one.read_event()["data"], [[str(self.ROWS - 1), str(self.ROWS - 1)]])
                for one in (*ended, *conflating):
                    with self.assertRaises(Closed):
                        while True:
                            one.read_event()
                for one in dropping:
                    seen = lost = 0
                    while seen + lost < self.ROWS:
                        event = one.read_event()
                        lost += event.get("lost", 0)
                        seen += event["rows"]
                    self.assertEqual(seen + lost, self.ROWS)
                    self.assertGreater(lost, 0)
                client.ask("update t set column_1 = x where b = 7")
                for one in dropping:
                    while (event := one.read_event())["columns"] != ["id", "column_1"]:
                        pass
                if not SANITIZED:
                    self.assertLess(server.resident_bytes(at_most=True) - before, 120 << 20)

    def test_in_memory(self) -> None:
        self.check()

    def test_with_a_store(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            self.check("--data", directory)

    def test_in_a_transaction(self) -> None:
        self.check(transaction=True)


if __name__ == "__main__":
    unittest.main()
