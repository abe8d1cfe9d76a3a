"""Transactions: what others see of them, and how they end when something gets in between."""

import json
import os
import random
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import Mirror, memory_rows, pipeline, wait_until  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import FramedConnection, ok  # noqa: E402

TRANSFERS = 30 if os.environ.get("PUBSUBSQL_SANITIZE") else 200
ACCOUNTS = 4
DEADLOCK = {
    "status": "err",
    "msg": "Deadlock found when trying to get lock; try restarting transaction",
    "code": 1213,
    "sqlstate": "40001",
}


def values(client: FramedConnection, table: str, column: str) -> list[str]:
    return [row[0] for row in ok(client, f"select {column} from {table}")["data"]]


def set_up(server: ServerProcess, *tables: str) -> None:
    with server.framed() as client:
        for table in tables:
            ok(client, f"insert into {table} (n) values (0)")


class Ends(unittest.TestCase):
    """How a transaction ends that its client does not end."""

    def test_a_disconnect_rolls_back(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server:
            set_up(server, "a", "b")
            client = server.framed()
            for statement in ("begin", "update a set n = 1", "update b set n = 1", "insert into c (n) values (1)"):
                ok(client, statement)
            client.close()
            with server.framed() as other:
                self.assertEqual(values(other, "a", "n") + values(other, "b", "n"), ["0", "0"])
                self.assertEqual(other.ask("select * from c")["status"], "err")

    def test_close_rolls_back(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server:
            set_up(server, "a")
            with server.framed() as client, server.framed() as other:
                ok(client, "begin")
                ok(client, "update a set n = 1")
                client.send("close")
                self.assertEqual(values(other, "a", "n"), ["0"])

    def test_a_stop_rolls_back(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pubsubsql-transactions-") as directory:
            with ServerProcess("--threads", "2", "--data", directory, "--log-level", "warning") as server:
                set_up(server, "a", "b")
                client = server.framed()
                for statement in ("begin", "update a set n = 1", "update b set n = 1"):
                    ok(client, statement)
            with ServerProcess("--data", directory, "--log-level", "warning") as server, server.framed() as client:
                self.assertEqual(values(client, "a", "n") + values(client, "b", "n"), ["0", "0"])

    def test_all_that_was_sent_is_done_before_the_end_of_a_stream(self) -> None:
        with ServerProcess("--threads", "2", "--log-level", "warning") as server:
            set_up(server, "a", "b")
            with server.text() as client:
                client.socket.sendall(b"begin\nupdate a set n = 1\nupdate b set n = 1\ncommit\nbegin\nupdate a set n = 2")
                client.socket.shutdown(1)
                actions = [json.loads(client.read_reply())["action"] for _ in range(6)]
            self.assertEqual(actions, ["begin", "update", "update", "commit", "begin", "update"])
            with server.framed() as other:
                self.assertEqual(values(other, "a", "n") + values(other, "b", "n"), ["1", "1"])

    def test_too_many_rows(self) -> None:
        with ServerProcess("--max-transaction-rows", "3", "--log-level", "warning") as server:
            set_up(server, "a")
            with server.framed() as client:
                ok(client, "begin")
                ok(client, "insert into a (n) values (1), (2)")
                reply = client.ask("insert into a (n) values (3), (4)")
                self.assertEqual(
                    reply["msg"],
                    "the transaction changed more than 3 rows and was rolled back; commit more often, or raise "
                    "--max-transaction-rows",
                )
                self.assertEqual(values(client, "a", "n"), ["0"])

    def test_too_many_bytes(self) -> None:
        with ServerProcess("--max-transaction-bytes", "10KiB", "--log-level", "warning") as server:
            set_up(server, "a")
            with server.framed() as client:
                ok(client, "begin")
                reply = client.ask(f"insert into a (n) values ({'x' * 11_000})")
                self.assertEqual(
                    reply["msg"],
                    "the transaction changed more than 10240 bytes and was rolled back; commit more often, or raise "
                    "--max-transaction-bytes",
                )
                self.assertEqual(values(client, "a", "n"), ["0"])

    def test_too_long(self) -> None:
        too_long = (
            "the transaction took longer than 1 seconds and was rolled back; begin again, or raise "
            "--max-transaction-seconds"
        )
        with ServerProcess("--max-transaction-seconds", "1", "--threads", "2", "--log-level", "warning") as server:
            set_up(server, "a", "b")
            with server.framed() as client, server.framed() as other:
                ok(client, "begin")
                ok(client, "update a set n = 1")
                ok(client, "update b set n = 1")
                # The others wait for that long.
                self.assertEqual(values(other, "a", "n") + values(other, "b", "n"), ["0", "0"])
                self.assertEqual(client.ask("select * from a")["msg"], too_long)
                self.assertEqual(values(client, "a", "n"), ["0"])
                # One that waits for a table is told at once. The other began later, but both may end in one moment.
                while True:
                    ok(client, "begin")
                    ok(client, "update a set n = 2")
                    ok(other, "begin")
                    ok(other, "update b set n = 2")
                    reply = client.ask("update b set n = 3")
                    other.ask("rollback")
                    if reply["status"] == "err":
                        break
                    client.ask("rollback")
                self.assertEqual(reply["msg"], too_long)
                self.assertEqual(values(client, "a", "n") + values(client, "b", "n"), ["0", "0"])


class Conflicts(unittest.TestCase):
    def test_what_comes_before_a_transaction_is_done_before_it(self) -> None:
        """Else it could wait for somebody who waits for the transaction, and no deadlock would be found."""
        with ServerProcess("--threads", "2", "--log-level", "warning") as server:
            set_up(server, "a", "b")
            with server.framed() as client, server.framed() as other:
                ok(client, "begin")
                ok(client, "update a set n = 1")
                for statement in ("update a set n = 2", "begin", "update b set n = 2"):
                    other.send(statement)
                time.sleep(0.2)  # nothing depends on it: there is more time for what must not happen
                ok(client, "update b set n = 1")
                ok(client, "commit")
                self.assertEqual([json.loads(other.read_reply())["action"] for _ in range(3)], ["update", "begin", "update"])
                ok(other, "commit")
                self.assertEqual(values(client, "a", "n") + values(client, "b", "n"), ["2", "2"])

    def test_a_deadlock_ends_one_of_the_two(self) -> None:
        for threads in ("1", "3"):
            with (
                self.subTest(threads=threads),
                ServerProcess("--threads", threads, "--log-level", "warning") as server,
                server.framed() as x,
                server.framed() as y,
            ):
                set_up(server, "a", "b")
                for client, table in ((x, "a"), (y, "b")):
                    ok(client, "begin")
                    ok(client, f"update {table} set n = 1")
                x.send("update b set n = 1")
                y.send("update a set n = 1")
                replies = [json.loads(c.read_reply()) for c in (x, y)]
                victims = [r for r in replies if r["status"] == "err"]
                self.assertEqual(victims, [DEADLOCK])
                # Each is sent a commit: of the one whose transaction has ended it ends nothing.
                ok(x, "commit")
                ok(y, "commit")
                self.assertEqual(values(x, "a", "n") + values(x, "b", "n"), ["1", "1"])

    def transfer(self, server: ServerProcess, seed: int, problems: list[str]) -> None:
        choose = random.Random(seed)
        try:
            with server.framed() as client:
                done = 0
                while done < TRANSFERS:
                    source, target = choose.sample(range(ACCOUNTS), 2)
                    kept = choose.random() < 0.8
                    batch = [
                        "begin",
                        f"insert into t{source} (by, amount) values ({seed}, -{done})",
                        f"insert into t{target} (by, amount) values ({seed}, {done})",
                        "commit" if kept else "rollback",
                    ]
                    replies = pipeline(client, batch) if choose.random() < 0.5 else []
                    for statement in [] if replies else batch:
                        replies.append(client.ask(statement))
                        if replies[-1]["status"] == "err":
                            break
                    problems += [str(r) for r in replies if r["status"] == "err" and r != DEADLOCK]
                    done += 1
        except Exception as problem:  # noqa: BLE001
            problems.append(repr(problem))

    def run_transfers(self, *flags: str) -> None:
        with ServerProcess("--log-level", "warning", *flags) as server:
            watcher = server.framed()
            for i in range(ACCOUNTS):
                ok(watcher, f"tag t{i} by")
                ok(watcher, f"subscribe skip * from t{i}")
            problems: list[str] = []
            clients = [threading.Thread(target=self.transfer, args=(server, i, problems)) for i in range(5)]
            for c in clients:
                c.start()
            for c in clients:
                c.join()
            self.assertEqual(problems[:3], [])
            with server.framed() as reader:
                rows = [row for i in range(ACCOUNTS) for row in memory_rows(reader, f"t{i}")]
            for i in range(ACCOUNTS):
                ok(watcher, f"describe t{i}")  # all events have come
            events = [json.loads(e) for e in watcher.events]
            inserted = [row[1:] for e in events if e["action"] == "insert" for row in e["data"]]
            # The two sides of a transfer come one after the other, whatever others do.
            self.assertEqual(len(inserted), len(rows))
            for one, other in zip(inserted[::2], inserted[1::2]):
                self.assertEqual((one[0], int(one[1])), (other[0], -int(other[1])))
            self.assertEqual(sum(int(row[2]) for row in rows), 0)
            watcher.close()

    def test_transfers_in_memory(self) -> None:
        self.run_transfers("--threads", "3")

    def test_transfers_on_one_worker(self) -> None:
        self.run_transfers("--threads", "1")

    def test_transfers_with_a_store(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pubsubsql-transactions-") as directory:
            self.run_transfers("--threads", "3", "--data", directory)


class Crashes(unittest.TestCase):
    def test_nothing_remains_of_what_was_not_committed(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pubsubsql-transactions-") as directory:
            with ServerProcess("--threads", "2", "--data", directory, "--log-level", "warning") as server:
                set_up(server, "a", "b")
                client = server.framed()
                for statement in ("begin", "update a set n = 1", "update b set n = 1", "commit"):
                    ok(client, statement)
                for statement in ("begin", "update a set n = 2", "insert into c (n) values (1)"):
                    ok(client, statement)
                with server.framed() as other:
                    ok(other, "update b set n = 3")
                server.kill()
            with ServerProcess("--data", directory, "--log-level", "warning") as server, server.framed() as client:
                self.assertEqual(values(client, "a", "n") + values(client, "b", "n"), ["1", "3"])
                self.assertEqual(client.ask("select * from c")["status"], "err")

    def test_both_tables_or_none(self) -> None:
        """Killed while transactions are on their way: a pair of rows is there or not."""
        with tempfile.TemporaryDirectory(prefix="pubsubsql-transactions-") as directory:
            acknowledged = 0
            for _ in range(3):
                with ServerProcess("--threads", "2", "--data", directory, "--log-level", "warning") as server:
                    with server.framed() as client:
                        first = acknowledged
                        batch = [
                            s
                            for i in range(first, first + 50)
                            for s in ("begin", f"insert into a (n) values ({i})", f"insert into b (n) values ({i})", "commit")
                        ]
                        for statement in batch:
                            client.send(statement)
                        for _ in range(20):
                            for _ in range(4):
                                self.assertEqual(json.loads(client.read_reply())["status"], "ok")
                        server.kill()
                with ServerProcess("--data", directory, "--log-level", "warning") as server, server.framed() as client:
                    a, b = ([row[1] for row in memory_rows(client, t)] for t in ("a", "b"))
                    self.assertEqual(a, b)
                    self.assertGreaterEqual(len(a), first + 20)
                    self.assertEqual(a, [str(i) for i in range(len(a))])
                    acknowledged = len(a)


class Mysql(unittest.TestCase):
    mariadb: MariadbServer

    @classmethod
    def setUpClass(cls) -> None:
        cls.mariadb = MariadbServer()
        cls.mariadb.start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.mariadb.close()

    def test_a_refused_commit_leaves_nothing(self) -> None:
        db = Mirror(self.mariadb, "refused")
        db.sql("CREATE TABLE checked (id bigint PRIMARY KEY, n int, CHECK (n < 10)) CHARACTER SET utf8mb4")
        with db.server("--threads", "2") as server, server.framed() as client, server.framed() as watcher:
            ok(client, "insert into plain (n) values (1)")
            ok(client, "insert into checked (n) values (1)")
            for table in ("plain", "checked"):
                ok(watcher, f"subscribe skip * from {table}")
            ok(client, "begin")
            ok(client, "insert into plain (n) values (2)")
            ok(client, "insert into checked (n) values (20)")
            reply = client.ask("commit")
            self.assertEqual((reply["status"], reply["code"]), ("err", 4025))
            for table in ("plain", "checked"):
                self.assertEqual(values(client, table, "n"), ["1"])
                self.assertEqual([row[-1] for row in db.rows(table)], ["1"])
            ok(client, "begin")
            ok(client, "insert into plain (n) values (3)")
            ok(client, "insert into checked (n) values (3)")
            ok(client, "commit")
            for table in ("plain", "checked"):
                self.assertEqual([row[-1] for row in db.rows(table)], ["1", "3"])
                ok(watcher, f"describe {table}")
            rows = [json.loads(e)["data"] for e in watcher.events]
            self.assertEqual(rows, [[["1", "3"]], [["1", "3"]]])

    def test_keys_that_mysql_gives(self) -> None:
        db = Mirror(self.mariadb, "keys")
        db.sql("CREATE TABLE given (k bigint PRIMARY KEY AUTO_INCREMENT, n int) CHARACTER SET utf8mb4")
        with db.server() as server, server.framed() as client:
            ok(client, "begin")
            reply = client.ask("insert into given (n) values (1)")
            self.assertEqual(
                reply["msg"],
                "MySQL gives the column k of table given its value, which a transaction cannot wait for; give it one in "
                "the statement, or insert outside the transaction",
            )
            ok(client, "insert into given (k, n) values (5, 1)")
            ok(client, "commit")
            self.assertEqual(db.rows("given"), [["5", "1"]])

    def test_rows_that_mysql_stores_otherwise(self) -> None:
        db = Mirror(self.mariadb, "otherwise")
        db.sql("CREATE TABLE rounded (id bigint PRIMARY KEY, d decimal(10,2)) CHARACTER SET utf8mb4")
        with db.server() as server, server.framed() as client:
            ok(client, "begin")
            ok(client, "insert into rounded (d) values (1.2345)")
            ok(client, "commit")
            wait_until(lambda: values(client, "rounded", "d") == ["1.23"])

    def test_mysql_connect_waits_for_transactions(self) -> None:
        db = Mirror(self.mariadb, "connected")
        with (
            ServerProcess("--threads", "3", "--log-level", "warning") as server,
            server.framed() as client,
            server.framed() as connecting,
            server.framed() as later,
        ):
            set_up(server, "a", "b", "c")
            ok(client, "begin")
            ok(client, "update a set n = 1")
            connecting.send(f"mysql connect {db.url}")
            wait_until(lambda: self.is_waiting(later))
            # It has begun, so it may go on.
            ok(client, "update b set n = 1")
            ok(client, "commit")
            self.assertEqual(json.loads(connecting.read_reply())["status"], "ok")
            self.assertEqual(json.loads(later.read_reply())["status"], "ok")
            ok(later, "commit")
            self.assertEqual([db.rows(t)[0][1] for t in ("a", "b", "c")], ["1", "1", "2"])

    def is_waiting(self, client: FramedConnection) -> bool:
        """Whether a transaction that begins now has to wait; then its first statement is under way."""
        ok(client, "begin")
        client.send("update c set n = 2")
        client.socket.settimeout(0.5)
        try:
            reply = client.read_reply()
        except TimeoutError:
            return True
        finally:
            client.socket.settimeout(60)
        assert json.loads(reply)["status"] == "ok", reply
        ok(client, "rollback")
        return False


if __name__ == "__main__":
    unittest.main()
