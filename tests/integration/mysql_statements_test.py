"""What the `mysql ...` statements do, on a real MariaDB: state, check, repair, connecting at run time, and what the
server does about passwords, TLS and a data directory beside MySQL.

Usage: mysql_statements_test.py [Class or Class.test ...]
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import PASSWORD, USER, Follower, databases_of, memory_rows, pipeline, wait_until  # noqa: E402
from harness.server_process import PROGRAM, ServerProcess, refused_start  # noqa: E402
from harness.wire import Closed, FramedConnection, frame  # noqa: E402

STATE = "pubsubsql_mysql"

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close
new_database = databases_of(mariadb)


class Case(unittest.TestCase):
    maxDiff = 4000

    def setUp(self) -> None:
        self.db = new_database()
        directory = tempfile.TemporaryDirectory(prefix="pubsubsql-statements-")
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


class Writers:
    """Connections that write rows of their own, some statements at a time, and know what must be there."""

    def __init__(self, server: ServerProcess, count: int = 3, table: str = "t"):
        self.server = server
        self.table = table
        self.keys: list[set[str]] = [set() for _ in range(count)]
        self.values: list[dict[str, str]] = [{} for _ in range(count)]
        self.problems: list[str] = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]

    def run(self, number: int) -> None:
        try:
            with self.server.framed() as client:
                made = 0
                mine = self.values[number]
                while not self.stopping.is_set():
                    made += 1
                    key = f"w{number}-{made}"
                    statements = [
                        f"insert into {self.table} (k, v) values ({key}, 1)",
                        f"update {self.table} set v = {made} where k = {key}",
                        f"select * from {self.table} where k = {key}",
                    ]
                    if made % 3 == 0:
                        statements.append(f"delete from {self.table} where k = w{number}-{made - 1}")
                    replies = pipeline(client, statements)
                    for statement, reply in zip(statements, replies):
                        if reply["status"] != "ok" or reply["rows"] != 1:
                            self.problems.append(f"{statement}: {reply}")
                            return
                    row = dict(zip(replies[2]["columns"], replies[2]["data"][0]))
                    if row["v"] != str(made):
                        self.problems.append(f"{statements[2]}: {row}")
                    mine[key] = str(made)
                    if made % 3 == 0:
                        del mine[f"w{number}-{made - 1}"]
        except Exception as problem:  # noqa: BLE001
            self.problems.append(repr(problem))

    def written(self) -> int:
        return sum(len(v) for v in self.values)

    def wait_for(self, more: int) -> None:
        aim = self.written() + more
        wait_until(lambda: self.problems or self.written() >= aim, 30)

    def expected(self) -> dict[str, str]:
        return {k: v for values in self.values for k, v in values.items()}

    def __enter__(self) -> "Writers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()


class Status(Case):
    def status(self, client: FramedConnection) -> dict[str, Any]:
        return self.ok(client, "mysql status", action="mysqlStatus")

    def shown(self, client: FramedConnection) -> dict[str, str]:
        reply = self.ok(client, f"select * from {STATE}", rows=1)
        self.assertEqual(reply["columns"], ["id", "online", "lagrows", "lagseconds", "journalled", "lasterror"])
        return dict(zip(reply["columns"][1:], reply["data"][0][1:]))

    def wait_for_state_table(self, client: FramedConnection) -> None:
        wait_until(lambda: client.ask(f"select * from {STATE}")["status"] == "ok")

    def run_outage(self, *flags: str, keeps: bool, journals: bool) -> None:
        """keeps: what is written during the outage is accepted."""
        with self.db.server(*flags, "--mysql-timeout-ms", "1000", log_level="info") as server:
            with server.framed() as client, server.framed() as watcher:
                self.ok(client, "key t k")
                self.ok(client, "insert into t (k, v) values (a, 1)")
                wait_until(lambda: self.status(client)["lagrows"] == 0)
                s = self.status(client)
                self.assertEqual((s["online"], s["lagrows"], s["lagseconds"], s["journalled"]), (1, 0, 0, 0))
                self.assertEqual(s["address"], f"{USER}@127.0.0.1:{mariadb.port}/{self.db.name}")
                self.assertNotIn("lasterror", s)
                self.wait_for_state_table(client)
                follower = Follower(watcher, STATE)
                self.assertEqual(len(follower.replayed()), 1)
                mariadb.kill()
                try:
                    wait_until(lambda: self.status(client)["online"] == 0)
                    for i in range(3):
                        reply = client.ask(f"insert into t (k, v) values (b{i}, 1)")
                        self.assertEqual(reply["status"], "ok" if keeps else "err", reply)
                    s = self.status(client)
                    self.assertEqual(s["online"], 0)
                    self.assertIn("127.0.0.1", s["lasterror"] + "127.0.0.1" * ("Lost" in s["lasterror"]))
                    wait_until(lambda: self.status(client)["lagrows"] == (3 if keeps else 0))
                    self.assertEqual(self.status(client)["journalled"], 3 if journals else 0)
                    wait_until(lambda: self.shown(client)["online"] == "0")
                    wait_until(lambda: self.shown(client)["lagrows"] == ("3" if keeps else "0"))
                    if keeps:
                        wait_until(lambda: self.status(client)["lagseconds"] >= 1)
                    self.refused(client, "mysql tables")
                    self.refused(client, "mysql check t")
                    self.refused(client, "mysql repair t")
                    self.refused(client, "mysql repair t from mysql")
                    self.ok(client, "select * from t where k = a", rows=1)
                finally:
                    mariadb.start()
                wait_until(lambda: self.status(client)["online"] == 1)
                wait_until(lambda: self.status(client)["lagrows"] == 0)
                s = self.status(client)
                self.assertEqual((s["lagseconds"], s["journalled"]), (0, 0))
                self.assertTrue(s["lasterror"])
                wait_until(lambda: self.shown(client)["online"] == "1" and self.shown(client)["lagrows"] == "0")
                self.assertEqual([row[1:] for row in follower.replayed()], [list(self.shown(client).values())])
                wait_until(lambda: client.ask("mysql tables")["status"] == "ok")
                self.assertEqual(self.ok(client, "mysql tables")["tables"], ["t"])
                self.assertEqual(len(self.equal_everywhere(client, "t")), 4 if keeps else 1)

    def test_outage_without_data(self) -> None:
        self.run_outage(keeps=False, journals=False)

    def test_outage_with_data(self) -> None:
        self.run_outage("--data", self.data, keeps=True, journals=True)
        self.assertEqual(len(self.in_data_directory("t")), 4)

    def test_outage_acknowledged_from_memory(self) -> None:
        self.run_outage("--ack", "memory", keeps=True, journals=False)

    def test_no_mysql(self) -> None:
        with self.serve() as server, server.framed() as client:
            self.assertEqual(self.status(client), {"status": "ok", "action": "mysqlStatus", "online": 0})
            self.ok(client, "insert into t (k) values (1)")
            for statement in ("mysql tables", "mysql check t", "mysql repair t", "mysql repair t from mysql", "mysql disconnect"):
                self.refused(client, statement, "no MySQL is connected")
            for name in (STATE, "pubsubsql_anything"):
                self.refused(client, f"select * from {name}")
                for statement in ("insert into {} (k) values (1)", "push into {} (k) values (1)", "key {} k", "tag {} k",
                                  "subscribe * from {}"):
                    self.refused(client, statement.format(name))
            self.assertEqual([r[0] for r in self.ok(client, "show tables")["data"]], ["t"])

    def test_the_table_of_the_state(self) -> None:
        for threads in ("1", "3"):
            with self.subTest(threads=threads):
                with self.db.server("--data", self.data, "--threads", threads, log_level="info") as server:
                    with server.framed() as client, server.framed() as early:
                        early.ask(f"subscribe * from {STATE}")  # is there or not
                        self.wait_for_state_table(client)
                        self.assertEqual(
                            self.shown(client),
                            {"online": "1", "lagrows": "0", "lagseconds": "0", "journalled": "0", "lasterror": ""},
                        )
                        for statement in (
                            f"insert into {STATE} (online) values (7)",
                            f"push into {STATE} (online) values (7)",
                            f"update {STATE} set online = 7",
                            f"delete from {STATE}",
                            f"pop * from {STATE}",
                            f"key {STATE} online",
                            f"tag {STATE} online",
                            f"truncate {STATE}",
                            f"drop table {STATE}",
                            f"mysql check {STATE}",
                            f"mysql repair {STATE}",
                            f"mysql repair {STATE} from mysql",
                            "insert into pubsubsql_other (k) values (1)",
                            "subscribe * from pubsubsql_fronts",
                            "mysql repair pubsubsql_tables",
                        ):
                            self.refused(client, statement)
                        self.assertEqual(self.shown(client)["online"], "1")
                        self.assertEqual(self.ok(client, "mysql tables")["tables"], [])
                self.assertEqual(
                    [r[0] for r in self.db.sql("SHOW TABLES")], ["pubsubsql_fronts", "pubsubsql_tables"]
                )
                self.assertEqual(self.db.sql("SELECT * FROM pubsubsql_tables"), [])
                with self.serve("--data", self.data) as server, server.framed() as client:
                    self.refused(client, f"select * from {STATE}")

    def test_state_through_connect_and_disconnect(self) -> None:
        with self.serve() as server, server.framed() as client, server.framed() as watcher:
            self.ok(client, f"mysql connect {self.db.url}")
            self.wait_for_state_table(client)
            follower = Follower(watcher, STATE)
            self.ok(client, "mysql disconnect")
            wait_until(lambda: self.shown(client)["online"] == "0")
            self.ok(client, f"mysql connect {self.db.url}")
            wait_until(lambda: self.shown(client)["online"] == "1")
            self.assertEqual([row[1:] for row in follower.replayed()], [list(self.shown(client).values())])


class Check(Case):
    def test_every_kind_of_difference(self) -> None:
        with self.db.server("--data", self.data, log_level="info") as server, server.framed() as client:
            self.ok(client, "key t k")
            self.ok(client, "insert into t (k, v, w) values (a, 1, x), (b, 2, null), (c, 3, ''), (d, 4, null)")
            self.assertEqual(self.check(client, "t"), [])
            self.db.sql(
                "UPDATE t SET v = '22', w = 'new' WHERE k = 'b'; UPDATE t SET w = NULL WHERE k = 'c';"
                "UPDATE t SET w = '' WHERE k = 'd'; DELETE FROM t WHERE k = 'a'; INSERT INTO t (id, k) VALUES (77, 'z')"
            )
            self.assertEqual(
                sorted(self.check(client, "t"), key=str),
                sorted(
                    [
                        ["only in memory", "0", None, None, None],
                        ["only in MySQL", "77", None, None, None],
                        ["different", "1", "v", "2", "22"],
                        ["different", "1", "w", None, "new"],
                        ["different", "2", "w", "", None],
                        ["different", "3", "w", None, ""],
                    ],
                    key=str,
                ),
            )
            self.ok(client, "mysql repair t", action="mysqlRepair", rows=5)
            self.equal_everywhere(client, "t")
            self.ok(client, "mysql repair t", rows=0)
            self.ok(client, "mysql repair t from mysql", rows=0)

    def test_front_and_back(self) -> None:
        """Rows pushed to the front have places of their own."""
        with self.db.server(log_level="info") as server, server.framed() as client:
            self.ok(client, "push front into t (k) values (a)")
            self.ok(client, "push back into t (k) values (b)")
            self.ok(client, "push front into t (k) values (c)")
            before = self.ok(client, "select * from t")["data"]
            self.assertEqual(self.check(client, "t"), [])
            self.db.sql("DELETE FROM t; DELETE FROM pubsubsql_fronts")
            self.ok(client, "mysql repair t", rows=3)
            self.assertEqual(self.check(client, "t"), [])
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(self.ok(client, "select * from t")["data"], before)

    def test_kinds_of_tables(self) -> None:
        self.db.sql(
            "CREATE TABLE pair (a int, b varchar(10), v text, PRIMARY KEY (a, b)); INSERT INTO pair VALUES (1, 'x', 'o'), (1, 'y', 'o');"
            "CREATE TABLE named (name varchar(20) PRIMARY KEY, v text); INSERT INTO named VALUES ('n1', 'o'), ('n2', 'o');"
            "CREATE TABLE alone (u varchar(20) NOT NULL UNIQUE, v text); INSERT INTO alone VALUES ('u1', 'o'), ('u2', 'o');"
            "CREATE TABLE nokey (a int, v text); INSERT INTO nokey VALUES (1, 'o');"
            "CREATE VIEW seen AS SELECT * FROM named"
        )  # fmt: skip
        with self.db.server(log_level="info") as server, server.framed() as client:
            for table in ("pair", "named", "alone"):
                with self.subTest(table=table):
                    self.assertEqual(self.check(client, table), [])
                    self.db.sql(f"UPDATE {table} SET v = 'p' LIMIT 1")
                    self.assertEqual(self.check(client, table), [["different", "0", "v", "o", "p"]])
                    self.ok(client, f"mysql repair {table} from mysql", rows=1)
                    self.assertEqual(self.check(client, table), [])
                    self.db.sql(f"DELETE FROM {table} LIMIT 1")
                    self.assertEqual(self.check(client, table), [["only in memory", "0", None, None, None]])
                    self.ok(client, f"mysql repair {table}", rows=1)
                    self.assertEqual(self.check(client, table), [])
                    self.assertEqual(self.db.sql(f"SELECT COUNT(*) FROM {table} WHERE v = 'p'"), [["1"]])
            for statement in ("check nokey", "repair nokey", "repair nokey from mysql"):
                self.refused(client, f"mysql {statement}", "nokey", "key")
            self.refused(client, "mysql check unknown", "unknown")
            self.refused(client, "mysql repair unknown", "unknown")
            self.ok(client, "insert into gone (k) values (1)")
            self.db.sql("DROP TABLE gone")
            self.refused(client, "mysql check gone", "gone")
            self.refused(client, "mysql repair gone from mysql", "gone")
            self.ok(client, "mysql repair gone", rows=1)
            self.equal_everywhere(client, "gone")
            self.ok(client, "insert into gone (k) values (2)")
            self.equal_everywhere(client, "gone")

    def test_tables_changed_in_mysql(self) -> None:
        with self.db.server(log_level="info") as server, server.framed() as client:
            self.ok(client, "key t k")
            self.ok(client, "insert into t (k, v, w) values (a, 1, 2), (b, 2, 3)")
            self.db.sql("ALTER TABLE t ADD COLUMN extra varchar(10) DEFAULT 'e' AFTER k")
            self.assertEqual(self.check(client, "t"), [])
            self.db.sql("UPDATE t SET w = '9' WHERE k = 'b'")
            self.assertEqual(self.check(client, "t"), [["different", "1", "w", "3", "9"]])
            self.ok(client, "mysql repair t from mysql", rows=1)
            self.db.sql("UPDATE t SET w = '8' WHERE k = 'b'")
            self.ok(client, "mysql repair t", rows=1)
            self.assertEqual(self.db.sql("SELECT k, extra, w FROM t"), [["a", "e", "2"], ["b", "e", "9"]])
            self.db.sql("ALTER TABLE t DROP COLUMN v")
            for statement in ("check", "repair"):
                self.refused(client, f"mysql {statement} t", "fewer columns")
            self.refused(client, "mysql repair t from mysql", "fewer columns")
            self.ok(client, "select * from t", rows=2)

    def test_key_no_longer_unique_in_mysql(self) -> None:
        """Memory cannot have two rows with one key: it says so, and goes on as it was."""
        with self.db.server(log_level="info") as server, server.framed() as client:
            self.ok(client, "key t k")
            self.ok(client, "insert into t (k, v) values (a, 1), (b, 2)")
            index = [r[2] for r in self.db.sql("SHOW INDEX FROM t") if r[4] == "k"][0]
            self.db.sql(f"ALTER TABLE t DROP INDEX `{index}`; INSERT INTO t (id, k, v) VALUES (10, 'a', 3), (11, 'c', 3), (12, 'c', 4)")
            self.assertEqual(len(self.check(client, "t")), 3)
            self.refused(client, "mysql repair t from mysql", "key")
            self.ok(client, "select * from t", rows=2)
            self.ok(client, "select * from t where k = a", rows=1)
            self.ok(client, "mysql repair t", rows=3)
            self.equal_everywhere(client, "t")

    def test_more_differences_than_are_shown(self) -> None:
        with self.db.server(log_level="info") as server, server.framed() as client:
            self.ok(client, "insert into t (v) values " + ", ".join(f"({i})" for i in range(3000)))
            self.db.sql("UPDATE t SET v = 'x'")
            self.assertEqual(len(self.check(client, "t")), 1000)
            server.wait_for_log("mysql check t: 3000 rows differ")
            self.ok(client, "mysql repair t", rows=3000)
            self.equal_everywhere(client, "t")

    def run_load(self, *flags: str) -> None:
        with self.db.server(*flags, log_level="info") as server, server.framed() as client, server.framed() as watcher:
            self.ok(client, "key t k")
            follower = Follower(watcher, "t")
            with Writers(server) as writers:
                for _ in range(8):
                    writers.wait_for(20)
                    # The rest of the connection's statements wait for their turn.
                    statements = ["insert into t (k, v) values (mine, 1)", "mysql check t", "update t set v = 2 where k = mine",
                                  "mysql repair t", "mysql repair t from mysql", "mysql tables", "select * from t where k = mine",
                                  "delete from t where k = mine"]  # fmt: skip
                    replies = pipeline(client, statements)
                    self.assertEqual({r["status"] for r in replies}, {"ok"}, replies)
                    self.assertEqual([r.get("rows") for r in replies], [1, 0, 1, 0, 0, None, 1, 1])
                    self.assertEqual(replies[6]["data"][0][1:3], ["mine", "2"])
                writers.wait_for(20)
            self.assertEqual(writers.problems, [])
            rows = self.equal_everywhere(client, "t")
            self.assertEqual({row[1]: row[2] for row in rows}, writers.expected())
            self.assertEqual(follower.replayed(), rows)

    def test_under_load(self) -> None:
        self.run_load("--threads", "1")

    def test_under_load_with_data_and_threads(self) -> None:
        self.run_load("--threads", "3", "--data", self.data)

    def test_client_leaves_meanwhile(self) -> None:
        with self.db.server("--threads", "3", log_level="info") as server, server.framed() as client:
            self.ok(client, "insert into t (k) values " + ", ".join(f"({i})" for i in range(2000)))
            for i in range(20):
                with server.framed() as leaving:
                    leaving.socket.sendall(frame(1, "mysql check t") + frame(2, "mysql repair t from mysql"))
                self.ok(client, f"update t set k = x{i} where id = 1", rows=1)
            self.assertEqual(self.check(client, "t"), [])


class Repair(Case):
    def both_ways(self, prepare: list[str], table: str, change: str, *flags: str) -> None:
        """What others change in MySQL is taken over, or put back, and subscribers follow."""
        with self.db.server("--data", self.data, *flags, log_level="info") as server:
            with server.framed() as client, server.framed() as watcher:
                for statement in prepare:
                    self.ok(client, statement)
                follower = Follower(watcher, table)
                before = self.equal_everywhere(client, table)
                self.db.sql(change)
                changed = self.db.rows(table)
                self.assertNotEqual(changed, before)
                self.ok(client, f"mysql repair {table}")
                self.assertEqual(self.equal_everywhere(client, table), before)
                self.assertEqual(follower.replayed(), before)
                self.db.sql(change)
                changed = self.db.rows(table)
                self.ok(client, f"mysql repair {table} from mysql")
                self.assertEqual(self.equal_everywhere(client, table), changed)
                self.assertEqual(follower.replayed(), changed)
                self.ok(client, f"mysql repair {table} from mysql", rows=0)
        self.assertEqual(self.in_data_directory(table), changed)

    def test_swapped_keys(self) -> None:
        rows = ", ".join(f"(k{i}, {i})" for i in range(10))
        self.both_ways(
            ["key t k", "tag t v", f"insert into t (k, v) values {rows}"],
            "t",
            "UPDATE t SET k = CONCAT('tmp', id); UPDATE t SET k = CONCAT('k', (id + 1) % 10);"
            "UPDATE t SET v = '7' WHERE id = 3; DELETE FROM t WHERE k = 'k5'; INSERT INTO t (id, k) VALUES (500, 'k5')",
        )

    def test_many_rows(self) -> None:
        """More than go into one transaction, and each takes the key of another one."""
        rows = [", ".join(f"(k{j}, {j})" for j in range(i, i + 3000)) for i in range(0, 24000, 3000)]
        self.both_ways(
            ["key t k", *(f"insert into t (k, v) values {r}" for r in rows)],
            "t",
            "UPDATE t SET k = CONCAT('tmp', id); UPDATE t SET k = CONCAT('k', 23999 - id) WHERE id % 17 > 0;"
            "DELETE FROM t WHERE id % 17 = 0; INSERT INTO t (id, k, v) SELECT id + 100000, CONCAT('n', id), v FROM t WHERE id % 5 = 0",
        )

    def test_all_rows_gone(self) -> None:
        self.both_ways(["key t k", "insert into t (k) values (a), (b)"], "t", "DELETE FROM t")

    def test_types(self) -> None:
        self.db.sql(
            "CREATE TABLE t (id int PRIMARY KEY, d decimal(10,2), f float, g double, u varchar(20) UNIQUE, w datetime(3), e enum('a','b'));"
            "INSERT INTO t VALUES (1, 1.5, 0.1, 0.1, 'x', '2020-01-01', 'a'), (2, 2.5, 1e30, 1e300, 'y', NULL, 'b'), (3, 0, 0, 0, 'z', NULL, NULL)"
        )  # fmt: skip
        self.both_ways(
            [],
            "t",
            "UPDATE t SET u = 'tmp' WHERE id = 1; UPDATE t SET u = 'x' WHERE id = 2; UPDATE t SET u = 'y', d = -7.25, f = 12.5,"
            "w = '1999-12-31 23:59:59.999' WHERE id = 1; UPDATE t SET g = 3.25, e = NULL WHERE id = 2",
        )

    def test_binary_columns_and_own_defaults(self) -> None:
        self.db.sql(
            "CREATE TABLE t (id int PRIMARY KEY, b varbinary(20), k binary(4) UNIQUE, bit8 bit(8));"
            "INSERT INTO t VALUES (1, x'00ff', x'61620000', 5), (2, x'', x'ffffffff', 255), (3, NULL, NULL, NULL)"
        )
        self.db.sql("CREATE TABLE twin LIKE t; INSERT INTO twin SELECT * FROM t")
        with self.db.server("--data", self.data, log_level="info") as server:
            with server.framed() as client, server.framed() as watcher:
                follower = Follower(watcher, "t")
                self.assertEqual(self.check(client, "t"), [])
                change = "UPDATE t SET k = NULL WHERE id = 1; UPDATE t SET k = x'61620000', b = x'0a' WHERE id = 2; UPDATE t SET k = x'ffffffff', bit8 = 0 WHERE id = 1; DELETE FROM t WHERE id = 3"
                self.db.sql(change)
                self.ok(client, "mysql repair t", rows=3)
                self.assertEqual(self.check(client, "t"), [])
                sums = self.db.sql("CHECKSUM TABLE t, twin EXTENDED")
                self.assertEqual(sums[0][1], sums[1][1])
                self.db.sql(change)
                self.ok(client, "mysql repair t from mysql", rows=3)
                self.assertEqual(self.check(client, "t"), [])
                after = [["1", "0x00ff", "0xffffffff", "0"], ["2", "0x0a", "0x61620000", "255"]]
                self.assertEqual(memory_rows(client, "t"), after)
                self.assertEqual(follower.replayed(), after)
        self.assertEqual(self.in_data_directory("t"), after)

    def test_triggers_and_generated_columns(self) -> None:
        self.db.sql(
            "CREATE TABLE t (id int PRIMARY KEY, k varchar(10) UNIQUE, v int, twice int AS (v * 2) STORED); INSERT INTO t (id, k, v) VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3);"
            "CREATE TABLE audit (what varchar(20), n int);"
        )
        change = "UPDATE t SET k = 'tmp' WHERE id = 1; UPDATE t SET k = 'a', v = 7 WHERE id = 2; UPDATE t SET k = 'b' WHERE id = 1; DELETE FROM t WHERE id = 3; INSERT INTO t (id, k, v) VALUES (9, 'c', 9)"
        for trigger in ("", "CREATE TRIGGER t_update AFTER UPDATE ON t FOR EACH ROW INSERT INTO audit VALUES ('update', NEW.id)"):
            with self.subTest(trigger=trigger):
                self.db.sql(trigger or "DO 1")
                for host in ("127.0.0.1", "localhost"):
                    mariadb.sql(f"GRANT TRIGGER ON {self.db.name}.* TO {USER}@{host}")
                with self.db.server(log_level="info") as server, server.framed() as client:
                    before = self.equal_everywhere(client, "t")
                    self.db.sql(change)
                    self.ok(client, "mysql repair t", rows=4)
                    self.assertEqual(self.equal_everywhere(client, "t"), before)

    def test_hidden_id(self) -> None:
        """A table with a key that is no number: swapped and moved rows reach subscribers too."""
        self.db.sql(
            "CREATE TABLE t (name varchar(20) PRIMARY KEY, u int UNIQUE, v text); INSERT INTO t VALUES ('a', 1, 'o'), ('b', 2, 'o'), ('c', 3, 'o')"
        )
        change = "UPDATE t SET u = 100 WHERE name = 'a'; UPDATE t SET u = 1 WHERE name = 'b'; UPDATE t SET u = 2 WHERE name = 'a'; UPDATE t SET name = 'd' WHERE name = 'c'"
        with self.db.server("--data", self.data, log_level="info") as server:
            with server.framed() as client, server.framed() as watcher:
                self.ok(watcher, "subscribe skip * from t")
                before = self.rows(client, "t")
                self.db.sql(change)
                self.ok(client, "mysql repair t", rows=4)
                self.assertEqual(self.check(client, "t"), [])
                self.assertEqual(self.rows(client, "t"), before)
                self.assertEqual(self.db.rows("t"), [["a", "1", "o"], ["b", "2", "o"], ["c", "3", "o"]])
                self.db.sql(change)
                self.ok(client, "mysql repair t from mysql", rows=4)
                self.assertEqual(self.check(client, "t"), [])
                self.ok(watcher, "select * from t", rows=3)
                self.assertTrue(watcher.events)
                for name, u in (("a", "2"), ("b", "1"), ("d", "3")):
                    self.ok(client, f"select * from t where u = {u}", rows=1)
                    self.ok(client, f"select * from t where name = {name}", rows=1)
                self.ok(client, "update t set v = p where name = d", rows=1)
                self.assertEqual(self.check(client, "t"), [])
                rows = self.rows(client, "t")
        with ServerProcess("--data", self.data) as server, server.framed() as client:
            self.assertEqual(self.rows(client, "t"), rows)

    def test_under_load(self) -> None:
        for threads, direction in (("1", ""), ("3", " from mysql")):
            with self.subTest(direction=direction):
                with self.db.server("--threads", threads, log_level="info") as server:
                    with server.framed() as client, server.framed() as watcher:
                        self.ok(client, "insert into t (k, v) values " + ", ".join(f"(own{i}, 0)" for i in range(500)))
                        self.ok(client, "key t k")
                        follower = Follower(watcher, "t")
                        with Writers(server) as writers:
                            for turn in range(5):
                                writers.wait_for(15)
                                self.db.sql(f"UPDATE t SET v = 'm{turn}' WHERE k LIKE 'own%'")
                                self.assertGreaterEqual(self.ok(client, f"mysql repair t{direction}")["rows"], 500)
                        self.assertEqual(writers.problems, [])
                        rows = self.equal_everywhere(client, "t")
                        self.assertEqual({r[2] for r in rows if str(r[1]).startswith("own")}, {"m4" if direction else "0"})
                        self.assertEqual({str(r[1]): r[2] for r in rows if str(r[1]).startswith("w")}, writers.expected())
                        self.assertEqual(follower.replayed(), rows)
                self.db.sql("DROP TABLE t; DELETE FROM pubsubsql_tables")


class Connect(Case):
    flags: list[str] = ["--threads", "1"]

    def make_flags(self) -> list[str]:
        return self.flags

    def server(self) -> ServerProcess:
        return self.serve(*self.make_flags())

    def connect(self, client: FramedConnection) -> None:
        self.ok(client, f"mysql connect {self.db.url}", action="mysqlConnect")

    def disconnect(self, client: FramedConnection) -> None:
        self.ok(client, "mysql disconnect", action="mysqlDisconnect")

    def test_both_sides_get_what_only_the_other_has(self) -> None:
        self.db.sql(
            "CREATE TABLE e (id int PRIMARY KEY AUTO_INCREMENT, x varchar(10) UNIQUE, n decimal(5,2) NOT NULL DEFAULT 1.5);"
            "INSERT INTO e (id, x) VALUES (5, 'five'); CREATE TABLE empty (id int PRIMARY KEY)"
        )
        with self.server() as server, server.framed() as client, server.framed() as other:
            self.ok(client, "key s k")
            self.ok(client, "tag s v")
            self.ok(client, "insert into s (k, v) values (a, 1), (b, 2), (c, null)")
            self.ok(client, "push front into s (k, v) values (first, 1)")
            order = self.ok(client, "select * from s")["data"]
            # On the same connection what follows waits for the reply.
            replies = pipeline(client, ["insert into s (k) values (d)", f"mysql connect {self.db.url}", "select * from e",
                                        "insert into e (x) values (six) returning *", "mysql status"])  # fmt: skip
            self.assertEqual({r["status"] for r in replies}, {"ok"}, replies)
            self.assertEqual(replies[2]["data"], [["5", "five", "1.50"]])
            self.assertEqual(replies[3]["data"], [["6", "six", "1.50"]])
            self.assertEqual(replies[4]["online"], 1)
            self.refused(client, f"mysql connect {self.db.url}", "is connected")
            self.refused(other, "insert into e (x) values (six)")
            self.equal_everywhere(client, "s")
            self.equal_everywhere(other, "e")
            self.equal_everywhere(client, "empty")
            self.refused(client, "insert into s (k) values (a)")
            self.ok(client, "insert into s (k, more) values (z, 1)")
            self.assertEqual(self.ok(client, "mysql tables")["tables"], ["e", "empty", "s"])
            rows = self.equal_everywhere(client, "s")
            self.assertEqual(self.ok(client, "select * from s")["data"][: len(order)], [[*r, None] for r in order])
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(memory_rows(client, "s"), rows)

    def test_memory_leads_after_changes(self) -> None:
        with self.server() as server, server.framed() as client, server.framed() as watcher:
            self.ok(client, "key s k")
            self.ok(client, "insert into s (k, v) values (a, 1), (b, 2), (c, 3)")
            follower = Follower(watcher, "s")
            self.connect(client)
            self.disconnect(client)
            self.ok(client, "update s set v = 9, w = new where k = a", rows=1)
            self.ok(client, "update s set k = tmp where k = b", rows=1)
            self.ok(client, "update s set k = b where k = c", rows=1)
            self.ok(client, "update s set k = c where k = tmp", rows=1)
            self.ok(client, "insert into s (k) values (d)")
            self.ok(client, "push front into s (k) values (first)")
            order = self.ok(client, "select * from s")["data"]
            self.ok(client, "insert into fresh (k) values (1)")
            self.assertEqual(self.db.rows("s"), [["0", "a", "1"], ["1", "b", "2"], ["2", "c", "3"]])
            self.connect(client)
            rows = self.equal_everywhere(client, "s")
            self.assertEqual(rows[0], ["0", "a", "9", "new"])
            self.equal_everywhere(client, "fresh")
            self.ok(client, "insert into s (k) values (e)")
            rows = self.equal_everywhere(client, "s")
            self.assertEqual(follower.replayed(), rows)
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(memory_rows(client, "s"), rows)
            self.assertEqual(self.ok(client, "select * from s")["data"][: len(order)], order)

    def test_mysql_leads_when_memory_is_unchanged(self) -> None:
        with self.server() as server, server.framed() as client, server.framed() as watcher:
            self.ok(client, "key s k")
            self.ok(client, "insert into s (k, v) values (a, 1), (b, 2), (c, 3)")
            follower = Follower(watcher, "s")
            self.connect(client)
            self.disconnect(client)
            self.db.sql(
                "UPDATE s SET k = 'tmp' WHERE k = 'a'; UPDATE s SET k = 'a' WHERE k = 'b'; UPDATE s SET k = 'b' WHERE k = 'tmp';"
                "DELETE FROM s WHERE k = 'c'; INSERT INTO s (id, k) VALUES (50, 'z'); CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (3)"
            )  # fmt: skip
            self.connect(client)
            wait_until(lambda: memory_rows(client, "s") == self.db.rows("s"))
            rows = self.equal_everywhere(client, "s")
            self.assertEqual(rows, [["0", "b", "1"], ["1", "a", "2"], ["50", "z", None]])
            self.assertEqual(follower.replayed(), rows)
            self.equal_everywhere(client, "late")
            self.ok(client, "insert into s (k) values (y) returning *", data=[["51", "y", None]])
            self.equal_everywhere(client, "s")
            # And again, without anything changed.
            self.disconnect(client)
            self.connect(client)
            self.equal_everywhere(client, "s")

    def test_two_tables_of_one_name(self) -> None:
        self.db.sql(
            "CREATE TABLE a_before (id int PRIMARY KEY); INSERT INTO a_before VALUES (1);"
            "CREATE TABLE s (id bigint PRIMARY KEY, k varchar(20), v varchar(20)); INSERT INTO s VALUES (1, 'theirs', 'x')"
        )
        with self.server() as server, server.framed() as client, server.framed() as watcher:
            self.ok(client, "insert into b_ours (k) values (1)")
            self.ok(client, "insert into s (k, v) values (ours, 1), (too, 2)")
            self.ok(watcher, "subscribe skip * from s")
            before = memory_rows(client, "s")
            for _ in range(3):  # asking again does not make it right
                self.refused(client, f"mysql connect {self.db.url}", "table s", "different rows")
                self.assertEqual(memory_rows(client, "s"), before)
                self.assertEqual(self.db.rows("s"), [["1", "theirs", "x"]])
                self.refused(client, "select * from a_before")
                self.assertEqual(self.db.tables(), ["a_before", "s"])
                self.assertEqual(self.ok(client, "mysql status"), {"status": "ok", "action": "mysqlStatus", "online": 0})
                self.ok(client, "update s set v = 5 where k = ours", rows=1)
                before = memory_rows(client, "s")
            self.db.sql("DELETE FROM s")
            self.connect(client)
            self.equal_everywhere(client, "s")
            self.equal_everywhere(client, "a_before")
            self.equal_everywhere(client, "b_ours")

    def test_same_rows_on_both_sides(self) -> None:
        self.db.sql("CREATE TABLE s (id bigint PRIMARY KEY, k varchar(20)); INSERT INTO s VALUES (0, 'a'), (1, 'b')")
        with self.server() as server, server.framed() as client:
            self.ok(client, "insert into s (k) values (a), (b)")
            self.connect(client)
            self.equal_everywhere(client, "s")
            self.ok(client, "insert into s (k) values (c)")
            self.equal_everywhere(client, "s")

    @unittest.expectedFailure
    def test_empty_table_here(self) -> None:
        self.db.sql("CREATE TABLE s (id bigint PRIMARY KEY, k varchar(20)); INSERT INTO s VALUES (7, 'a'), (9, 'b')")
        with self.server() as server, server.framed() as client, server.framed() as watcher:
            follower = Follower(watcher, "s")
            self.connect(client)
            wait_until(lambda: memory_rows(client, "s") == self.db.rows("s"), 2)
            self.assertEqual(follower.replayed(), self.equal_everywhere(client, "s"))
            self.ok(client, "insert into s (k) values (c)")
            self.assertEqual(follower.replayed(), self.equal_everywhere(client, "s"))

    def test_refusals(self) -> None:
        where = f"127.0.0.1:{mariadb.port}/{self.db.name}"
        cases = [
            (f"mysql://{USER}:wrongsecret@{where}", "Access denied"),
            (f"mysql://nobody:wrongsecret@{where}", "Access denied"),
            (mariadb.url("nosuchdatabase", USER, PASSWORD), "nosuchdatabase"),
            ("mysql://u:wrongsecret@127.0.0.1:1/d", "connect"),
            ("u:wrongsecret@tcp(127.0.0.1:1)/d", "connect"),
            ("u:wrongsecret@unix(/nowhere)/d", "/nowhere"),
            ("mysql://u:wrongsecret@no.such.host.invalid/d", "no.such.host.invalid"),
            ("nonsense", "form"),
            ("mysql://u:wrongsecret@127.0.0.1:99999/d", "port"),
            ("mysql://u:wrongsecret@127.0.0.1", "database"),
            ("mysql://u:wrongsecret@127.0.0.1/d?x=wrongsecret", "option"),
            ("'mysql://u:wrongsecret%zz@127.0.0.1/d'", "%"),
            ("u:wrongsecret@tcp(127.0.0.1:1)/d extra", "end of statement"),
            ("'u:wrongsecret@tcp(127.0.0.1:1)/d", ""),
            ("", "address"),
        ]
        with self.server() as server, server.framed() as client:
            self.ok(client, "insert into s (k) values (1)")
            for address, part in cases:
                with self.subTest(address=address):
                    reply = self.refused(client, f"mysql connect {address}", part)
                    self.assertNotIn("wrongsecret", json.dumps(reply))
                    self.assertEqual(self.ok(client, "mysql status")["online"], 0)
                    self.ok(client, "insert into s (k) values (1)")
            self.assertEqual(self.db.sql("SHOW TABLES"), [])
            self.assertNotIn("wrongsecret", "\n".join(server.log))
            self.connect(client)
            self.equal_everywhere(client, "s")

    def test_no_right_to_create(self) -> None:
        for host in ("127.0.0.1", "localhost"):
            mariadb.sql(f"CREATE USER IF NOT EXISTS reader@{host} IDENTIFIED BY 'p'; GRANT SELECT ON {self.db.name}.* TO reader@{host}")
        with self.server() as server, server.framed() as client:
            self.ok(client, "insert into s (k) values (1)")
            self.refused(client, f"mysql connect {mariadb.url(self.db.name, 'reader', 'p')}", "denied")
            self.ok(client, "insert into s (k) values (2)")
            self.connect(client)
            self.equal_everywhere(client, "s")

    def test_under_load(self) -> None:
        with self.server() as server, server.framed() as client, server.framed() as watcher:
            self.ok(client, "key t k")
            self.ok(client, "insert into t (k, v) values " + ", ".join(f"(own{i}, 0)" for i in range(300)))
            follower = Follower(watcher, "t")
            with Writers(server) as writers:
                for _ in range(6):
                    writers.wait_for(20)
                    # A statement behind `mysql connect` finds MySQL connected.
                    replies = pipeline(client, [f"mysql connect {self.db.url}", "mysql status", "insert into t (k, v) values (mine, 1)"])
                    self.assertEqual([r["status"] for r in replies], ["ok"] * 3, replies)
                    self.assertEqual(replies[1]["online"], 1)
                    self.assertEqual(self.db.sql("SELECT v FROM t WHERE k = 'mine'"), [["1"]])
                    writers.wait_for(20)
                    replies = pipeline(client, ["delete from t where k = mine", "mysql check t", "mysql disconnect", "mysql status"])
                    self.assertEqual([r["status"] for r in replies], ["ok"] * 4, replies)
                    self.assertEqual((replies[1]["rows"], replies[3]["online"]), (0, 0))
            self.assertEqual(writers.problems, [])
            self.connect(client)
            rows = self.equal_everywhere(client, "t")
            self.assertEqual({r[1]: r[2] for r in rows if r[1][0] == "w"}, writers.expected())
            self.assertEqual(follower.replayed(), rows)

    def test_from_all_sides_at_once(self) -> None:
        """Several clients connect, disconnect, check and repair as they like: every statement is answered, in order."""
        with self.server() as server, server.framed() as client:
            self.ok(client, "key t k")
            problems: list[str] = []
            texts = [f"mysql connect {self.db.url}", "mysql check t", "mysql repair t", "mysql repair t from mysql",
                     "mysql tables", "mysql disconnect", "mysql status", "select * from t where k = w0-1"]  # fmt: skip

            def turn(first: int) -> None:
                try:
                    with server.framed() as c:
                        for i in range(6):
                            batch = [texts[(first * 3 + i + j) % len(texts)] for j in range(len(texts))]
                            for text, reply in zip(batch, pipeline(c, batch)):
                                allowed = ("is connected", "no MySQL is connected", "there is no table t in MySQL")
                                if reply["status"] != "ok" and not any(a in reply["msg"] for a in allowed):
                                    problems.append(f"{text}: {reply}")
                except Exception as problem:  # noqa: BLE001
                    problems.append(repr(problem))

            with Writers(server) as writers:
                threads = [threading.Thread(target=turn, args=(i,)) for i in range(3)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                writers.wait_for(5)
            self.assertEqual(problems[:3], [])
            self.assertEqual(writers.problems, [])
            client.ask("mysql disconnect")
            self.connect(client)
            rows = self.equal_everywhere(client, "t")
            self.assertEqual({r[1]: r[2] for r in rows}, writers.expected())

    def test_stopping_meanwhile(self) -> None:
        """The server ends in order whatever is under way."""
        for i in range(4):
            with self.serve("--threads", "3") as server, server.framed() as client:
                client.ask("insert into t (k) values " + ", ".join(f"({j})" for j in range(500)))
                for j in range(5):
                    client.send(f"mysql connect {self.db.url}")
                    client.send("mysql check t")
                    client.send("mysql disconnect")
                with server.framed() as other:
                    other.ask("mysql status")
                    for j in range(i * 2):
                        self.ok(other, f"update t set k = {i}{j} where id = 1")
                    other.send("stop")
                    with self.assertRaises(Closed):
                        while True:
                            client.read_message()
            self.db.sql("DROP TABLE IF EXISTS t, pubsubsql_tables, pubsubsql_fronts")

    def test_address_of_the_other_form(self) -> None:
        mariadb.sql(f"CREATE USER plain@127.0.0.1 IDENTIFIED BY 'p'; GRANT ALL ON {self.db.name}.* TO plain@127.0.0.1")
        try:
            with self.server() as server, server.text() as client:
                self.ok(client, "insert into s (k) values (1)")  # type: ignore[arg-type]
                self.ok(client, f"mysql connect plain:p@tcp(127.0.0.1:{mariadb.port})/{self.db.name}")  # type: ignore[arg-type]
                self.assertEqual(len(self.db.rows("s")), 1)
                self.assertEqual(client.ask("mysql status")["address"], f"plain@127.0.0.1:{mariadb.port}/{self.db.name}")
        finally:
            mariadb.sql("DROP USER plain@127.0.0.1")


class ConnectThreads(Connect):
    flags = ["--threads", "3"]


class ConnectWithData(Connect):
    def make_flags(self) -> list[str]:
        return ["--threads", "3", "--data", self.data]

    def test_data_directory_has_what_came_from_mysql(self) -> None:
        self.db.sql("CREATE TABLE e (id int PRIMARY KEY, x text); INSERT INTO e SELECT seq, CONCAT('r', seq) FROM seq_1_to_25000")
        with self.server() as server, server.framed() as client:
            self.ok(client, "insert into s (k) values (1)")
            self.connect(client)
            self.disconnect(client)
            self.db.sql("UPDATE e SET x = 'y' WHERE id < 12000; DELETE FROM e WHERE id > 24000")
            self.connect(client)
            wait_until(lambda: client.ask("select * from e where id = 1")["data"][0][1] == "y")
            rows = self.equal_everywhere(client, "e")
            self.assertEqual(len(rows), 24000)
            self.disconnect(client)
            self.ok(client, "update e set x = alone where id = 5", rows=1)
        self.assertEqual(self.in_data_directory("e")[4], ["5", "alone"])
        with self.serve("--data", self.data, "--mysql", self.db.url) as server, server.framed() as client:
            self.equal_everywhere(client, "e")
            self.assertEqual(self.db.sql("SELECT x FROM e WHERE id IN (5, 6)"), [["alone"], ["y"]])

    def test_disconnect_with_a_journal(self) -> None:
        with self.server() as server, server.framed() as client:
            self.connect(client)
            self.ok(client, "key t k")
            self.ok(client, "insert into t (k, v) values (a, 1)")
            mariadb.kill()
            try:
                wait_until(lambda: self.ok(client, "mysql status")["online"] == 0)
                self.ok(client, "insert into t (k, v) values (b, 2)")
                self.ok(client, "update t set v = 3, extra = 1 where k = a", rows=1)
                self.ok(client, "insert into made (k) values (1)")
                self.disconnect(client)
                self.ok(client, "insert into t (k, v) values (c, 2)")
                self.ok(client, "delete from t where k = b", rows=1)
            finally:
                mariadb.start()
            self.connect(client)
            self.assertEqual(self.ok(client, "mysql status")["journalled"], 0)
            self.equal_everywhere(client, "t")
            self.equal_everywhere(client, "made")
            self.ok(client, "insert into t (k) values (d)")
            rows = self.equal_everywhere(client, "t")
        self.assertEqual(self.in_data_directory("t"), rows)


class Passwords(Case):
    def command_line(self, server: ServerProcess) -> str:
        return Path(f"/proc/{server.process.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()

    def test_shown_nowhere(self) -> None:
        secret = "5ecretWord"
        for host in ("127.0.0.1", "localhost"):
            mariadb.sql(f"CREATE USER holder@{host} IDENTIFIED BY '{secret}'; GRANT ALL ON {self.db.name}.* TO holder@{host}")
        self.addCleanup(mariadb.sql, "DROP USER holder@127.0.0.1, holder@localhost")
        url = mariadb.url(self.db.name, "holder", secret)
        go_form = f"holder:{secret}@tcp(127.0.0.1:{mariadb.port})/{self.db.name}"
        for flags in (["--mysql", url], [f"--mysql={url}"], ["--mysql", go_form], [f"--mysql={go_form}"]):
            with self.subTest(flags=flags):
                with ServerProcess("--log-level", "trace", *flags, "--data", self.data) as server, server.framed() as client:
                    self.assertNotIn(secret, self.command_line(server))
                    self.assertIn("--data", self.command_line(server))
                    self.ok(client, "insert into t (k) values (1)")
                    wait_until(lambda: client.ask(f"select * from {STATE}")["status"] == "ok")
                    told = [client.ask(s) for s in ("mysql status", "status", "mysql tables", f"select * from {STATE}",
                                                    f"mysql connect {go_form}", "mysql disconnect", f"mysql connect {url}",
                                                    "mysql status", f"mysql connect {url}x")]  # fmt: skip
                    mariadb.sql("ALTER USER holder@127.0.0.1 IDENTIFIED BY 'another'")
                    self.ok(client, "mysql disconnect")
                    told.append(self.refused(client, f"mysql connect {url}", "Access denied"))
                    mariadb.sql(f"ALTER USER holder@127.0.0.1 IDENTIFIED BY '{secret}'")
                    self.assertNotIn(secret, json.dumps(told))
                self.assertNotIn(secret, "\n".join(server.log))

    def test_refused_starts(self) -> None:
        secret = "5ecretWord"
        for address in (
            f"mysql://{USER}:{secret}@127.0.0.1:{mariadb.port}/{self.db.name}",
            f"{USER}:{secret}@tcp(127.0.0.1:{mariadb.port})/{self.db.name}",
            f"mysql://{USER}:{secret}@127.0.0.1:1/{self.db.name}",
            f"mysql://{USER}:{secret}/@127.0.0.1:{mariadb.port}/{self.db.name}",
            f"mysql://{USER}:{secret}@127.0.0.1:{mariadb.port}/{self.db.name}?tls={secret}",
            f"{USER}:{secret}@127.0.0.1",
            secret,
        ):
            with self.subTest(address=address):
                log = refused_start("--mysql", address)
                self.assertIn("error", log)
                self.assertNotIn(secret, log)

    def test_from_the_environment(self) -> None:
        without = f"mysql://{USER}@127.0.0.1:{mariadb.port}/{self.db.name}"
        environment = {"PUBSUBSQL_MYSQL_PASSWORD": PASSWORD}
        with ServerProcess("--mysql", without, environment=environment) as server, server.framed() as client:
            self.ok(client, "insert into t (k) values (1)")
            self.assertEqual(len(self.db.rows("t")), 1)
            self.ok(client, "mysql disconnect")
            self.ok(client, f"mysql connect {without}")
            self.equal_everywhere(client, "t")
        # One in the address counts more.
        with ServerProcess("--mysql", self.db.url, environment={"PUBSUBSQL_MYSQL_PASSWORD": "no"}) as server, server.framed() as client:
            self.assertEqual(len(memory_rows(client, "t")), 1)
        self.assertIn("Access denied", refused_start("--mysql", without))


class Tls(unittest.TestCase):
    def test_encryption(self) -> None:
        with MariadbServer(tls=True) as tls:
            tls.create_database("d", "safe", "p")
            tls.sql("ALTER USER safe@127.0.0.1 REQUIRE SSL")
            url = tls.url("d", "safe", "p")

            def ciphers() -> set[str | None]:
                rows = tls.sql(
                    "SELECT s.variable_value FROM information_schema.processlist p JOIN"
                    " (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Ssl_finished_accepts') s"
                    " WHERE p.user = 'safe'"
                )
                return {r[0] for r in rows}

            for options in ("tls=require", f"tls=verify&ca={tls.ca_path}", "tls=skip-verify"):
                with self.subTest(options=options):
                    handshakes = int(next(iter(tls.sql("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")))[1] or 0)
                    with ServerProcess("--mysql", f"{url}?{options}") as server, server.framed() as client:
                        self.assertEqual(client.ask("insert into t (k) values (1)")["status"], "ok")
                        self.assertTrue(ciphers())
                        now = int(next(iter(tls.sql("SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")))[1] or 0)
                        self.assertGreaterEqual(now, handshakes + 2)
                        self.assertEqual(client.ask("mysql check t")["data"], [])
            # Somebody who must not log in without TLS.
            self.assertIn("Access denied", refused_start("--mysql", url))
            with ServerProcess() as server, server.framed() as client:
                self.assertEqual(client.ask(f"mysql connect {url}")["status"], "err")
                self.assertEqual(client.ask(f"mysql connect '{url}?tls=verify&ca={tls.ca_path}'")["status"], "ok")
                self.assertEqual(len(client.ask("select * from t")["data"]), 3)
            with tempfile.TemporaryDirectory() as directory:
                subprocess.run(
                    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "5",
                     "-subj", "/CN=another CA", "-keyout", f"{directory}/key.pem", "-out", f"{directory}/ca.pem"],
                    check=True, capture_output=True,
                )  # fmt: skip
                Path(directory, "garbage.pem").write_text("nothing", encoding="ascii")
                for ca in (f"{directory}/ca.pem", f"{directory}/garbage.pem", f"{directory}/absent.pem"):
                    log = refused_start("--mysql", f"{url}?tls=verify&ca={ca}")
                    self.assertRegex(log, "(?i)tls|ssl|certificate")
                self.assertRegex(refused_start("--mysql", f"{url}?tls=verify"), "(?i)tls|ssl|certificate")
            # The certificate is for 127.0.0.1 and localhost: another name of the same machine is refused.
            other_name = url.replace("127.0.0.1", "127.0.0.2")
            log = refused_start("--mysql", f"{other_name}?tls=verify&ca={tls.ca_path}")
            self.assertIn("error", log)

    def test_server_without_tls(self) -> None:
        mariadb.create_database("notls", USER, PASSWORD)
        url = mariadb.url("notls", USER, PASSWORD)
        for options in ("tls=require", "tls=verify"):
            log = refused_start("--mysql", f"{url}?{options}")
            self.assertRegex(log, "(?i)tls|ssl")
            self.assertNotIn(PASSWORD, log)
        with ServerProcess() as server, server.framed() as client:
            reply = client.ask(f"mysql connect {url}?tls=require")
            self.assertEqual(reply["status"], "err")
            self.assertRegex(reply["msg"], "(?i)tls|ssl")


class DataAndMysql(Case):
    def both(self, *flags: str) -> ServerProcess:
        return self.db.server("--data", self.data, *flags, log_level="info")

    def alone(self) -> ServerProcess:
        return self.serve("--data", self.data)

    def test_data_first(self) -> None:
        with self.alone() as server, server.framed() as client:
            self.ok(client, "key t k")
            self.ok(client, "insert into t (k, v) values (a, 1), (b, 2)")
            self.ok(client, "push front into t (k) values (first)")
            order = self.ok(client, "select * from t")["data"]
        with self.both() as server, server.framed() as client:
            self.assertEqual(self.ok(client, "select * from t")["data"], order)
            self.equal_everywhere(client, "t")
            self.refused(client, "insert into t (k) values (a)")
            self.ok(client, "insert into t (k, v) values (c, 3)")
            rows = self.equal_everywhere(client, "t")
        with self.both() as server, server.framed() as client:
            self.assertEqual(self.equal_everywhere(client, "t"), rows)
        self.assertEqual(self.in_data_directory("t"), rows)

    def test_data_alone_in_between_leads(self) -> None:
        with self.both() as server, server.framed() as client:
            self.ok(client, "key t k")
            self.ok(client, "insert into t (k, v) values (a, 1), (b, 2), (c, 3)")
            self.ok(client, "insert into still (k) values (1)")
        with self.alone() as server, server.framed() as client:
            self.ok(client, "update t set v = 9, w = new where k = a", rows=1)
            self.ok(client, "delete from t where k = b", rows=1)
            self.ok(client, "insert into t (k) values (d)")
            self.ok(client, "insert into fresh (k) values (1)")
        self.db.sql("UPDATE t SET v = 'edited'; INSERT INTO t (id, k) VALUES (99, 'x'); UPDATE still SET k = 'edited'")
        with self.both() as server, server.framed() as client:
            rows = self.equal_everywhere(client, "t")
            self.assertEqual(rows, [["0", "a", "9", "new"], ["2", "c", "3", None], ["3", "d", None, None]])
            self.equal_everywhere(client, "fresh")
            # Unchanged here, so MySQL's word counts.
            self.assertEqual(self.equal_everywhere(client, "still"), [["0", "edited"]])
            self.ok(client, "insert into t (k) values (e)")
            rows = self.equal_everywhere(client, "t")
        self.assertEqual(self.in_data_directory("t"), rows)
        self.assertEqual(self.in_data_directory("still"), [["0", "edited"]])

    def test_mysql_edited_while_nothing_runs(self) -> None:
        with self.both() as server, server.framed() as client:
            self.ok(client, "key t k")
            self.ok(client, "insert into t (k, v) values (a, 1), (b, 2), (c, 3)")
        self.db.sql("UPDATE t SET v = 'edited' WHERE k = 'a'; DELETE FROM t WHERE k = 'b'; INSERT INTO t (id, k) VALUES (9, 'z')")
        with self.both() as server, server.framed() as client:
            rows = self.equal_everywhere(client, "t")
            self.assertEqual(rows, [["0", "a", "edited"], ["2", "c", "3"], ["9", "z", None]])
        self.assertEqual(self.in_data_directory("t"), rows)

    def test_two_tables_of_one_name(self) -> None:
        self.db.sql("CREATE TABLE t (id bigint PRIMARY KEY, k varchar(20)); INSERT INTO t VALUES (5, 'theirs');"
                    "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE z (id bigint PRIMARY KEY)")  # fmt: skip
        with self.alone() as server, server.framed() as client:
            self.ok(client, "insert into t (k) values (ours)")
        for _ in range(2):
            log = refused_start("--data", self.data, "--mysql", self.db.url)
            self.assertIn("table t is here and in MySQL with different rows", log)
            self.assertEqual(self.db.rows("t"), [["5", "theirs"]])
            self.assertEqual(self.in_data_directory("t"), [["0", "ours"]])

    def test_mysql_first(self) -> None:
        with self.db.server() as server, server.framed() as client:
            self.ok(client, "key t k")
            self.ok(client, "insert into t (k, v) values (a, 1), (b, 2)")
            rows = memory_rows(client, "t")
        with self.both() as server, server.framed() as client:
            self.assertEqual(self.equal_everywhere(client, "t"), rows)
        self.assertEqual(self.in_data_directory("t"), rows)

    def test_a_table_never_mirrored_is_not_overwritten(self) -> None:
        """MySQL's table belongs to another server's past, and memory's has more changes behind it."""
        with self.db.server() as server, server.framed() as client:
            self.ok(client, "insert into t (k, v) values (theirs, 1)")
        with self.alone() as server, server.framed() as client:
            for i in range(20):
                self.ok(client, f"insert into t (k, v) values (ours{i}, 1)")
        # Whether it starts or not.
        subprocess.run([PROGRAM, "--port", "0", "--data", self.data, "--mysql", self.db.url, "--bind", "256.0.0.1"], capture_output=True, timeout=20)
        self.assertEqual(self.db.rows("t"), [["0", "theirs", "1"]])

    def test_a_table_never_mirrored_is_not_overwritten_at_run_time(self) -> None:
        with self.db.server() as server, server.framed() as client:
            self.ok(client, "insert into t (k, v) values (theirs, 1)")
        with self.serve() as server, server.framed() as client:
            for i in range(20):
                self.ok(client, f"insert into t (k, v) values (ours{i}, 1)")
            self.refused(client, f"mysql connect {self.db.url}", "different rows")
            self.assertEqual(len(memory_rows(client, "t")), 20)
        self.assertEqual(self.db.rows("t"), [["0", "theirs", "1"]])

    def test_some_tables(self) -> None:
        self.db.sql("CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1); CREATE TABLE b LIKE a; INSERT INTO b VALUES (2); CREATE TABLE c LIKE a")
        with self.both("--mysql-tables", "a,c") as server, server.framed() as client:
            self.assertEqual(self.rows(client, "a"), [["1"]])
            self.refused(client, "select * from b")
            self.ok(client, "insert into own (k) values (1)")
            self.equal_everywhere(client, "own")
            self.assertEqual(sorted(r[0] for r in self.ok(client, "show tables")["data"] if r[0] != STATE), ["a", "c", "own"])
        # Its own table is not on the list, but it has it, and MySQL has it as well.
        with self.both("--mysql-tables", "a,c") as server, server.framed() as client:
            self.equal_everywhere(client, "own")
            self.ok(client, "insert into own (k) values (2)")
            self.equal_everywhere(client, "own")


if __name__ == "__main__":
    unittest.main()
