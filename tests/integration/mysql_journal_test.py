"""What the journal carries over an outage of MySQL, and what it cannot."""

import shutil
import sys
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.faults import as_every_user, grant, let_in, lock_out  # noqa: E402
from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import databases_of, pipeline, quoted, wait_until  # noqa: E402
from harness.mirror_case import MirrorCase  # noqa: E402
from harness.mysql_client import MysqlClient  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import FramedConnection, deadline_s  # noqa: E402

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close


class Journal(MirrorCase):
    databases = staticmethod(databases_of(mariadb))

    def server(self, *flags: str, timeout_ms: int = 2000, connections: int = 1) -> ServerProcess:
        mysql = ["--mysql-timeout-ms", str(timeout_ms), "--mysql-connections", str(connections)]
        return self.db.server("--data", self.data, *mysql, *flags, log_level="info")

    def status(self, client: FramedConnection) -> dict[str, Any]:
        return self.ok(client, "mysql status")

    def wait_until_online(self, client: FramedConnection, online: int = 1) -> None:
        wait_until(lambda: self.status(client)["online"] == online)

    def test_a_start_while_mysql_is_read_only(self) -> None:
        with self.server() as server, server.framed() as client:
            self.ok(client, "insert into t (k) values (1)")
        self.db.sql("SET GLOBAL read_only = 1")
        try:
            with self.server() as server, server.framed() as client:
                self.ok(client, "insert into t (k) values (2)")
                self.assertEqual(self.status(client)["online"], 0)
                self.db.sql("SET GLOBAL read_only = 0")
                self.wait_until_online(client)
                self.assertEqual(self.db.rows("t"), [["0", "1"], ["1", "2"]])
        finally:
            self.db.sql("SET GLOBAL read_only = 0")

    def run_rows_without_their_keys(self, *flags: str) -> None:
        self.db.sql("CREATE TABLE t (no int AUTO_INCREMENT PRIMARY KEY, v int); INSERT INTO t VALUES (5, 1)")
        with self.server(*flags) as server, server.framed() as client:
            self.ok(client, "insert into t (v) values (2) returning no, v", data=[["6", "2"]])
            mariadb.kill()
            try:
                self.wait_until_online(client, 0)
                replies = pipeline(client, ["insert into t (v) values (3)", "insert into t (no, v) values (20, 3)",
                                            "push into t (v) values (4)", "insert into t (no, v) values (21, 4), (null, 5)",
                                            "update t set v = 9 where no = 20", "update t set v = 8 where no = 5"])  # fmt: skip
                self.assertEqual([r["status"] for r in replies], ["err", "ok", "err", "err", "ok", "ok"], replies)
                for reply in (replies[0], replies[2], replies[3]):
                    self.assertIn("key no", reply["msg"])
                    self.assertIn("give it a value", reply["msg"])
                expected = [["5", "8"], ["6", "2"], ["20", "9"]]
                self.assertEqual([r[1:] for r in client.ask("select * from t")["data"]], expected)
            finally:
                mariadb.start()
            self.wait_until_online(client)
            wait_until(lambda: self.status(client)["journalled"] == 0)
            self.assertEqual(self.db.sql("SELECT * FROM t ORDER BY no"), expected)
            self.assertEqual(self.status(client)["refused"], 0)
            self.assertEqual(self.check(client, "t"), [])
            self.ok(client, "insert into t (v) values (10) returning no", data=[["21"]])

    def test_rows_without_their_keys(self) -> None:
        self.run_rows_without_their_keys()

    def test_rows_without_their_keys_acknowledged_from_memory(self) -> None:
        self.run_rows_without_their_keys("--ack", "memory")

    def test_rows_without_their_keys_after_a_start_without_mysql(self) -> None:
        self.db.sql("CREATE TABLE t (no int AUTO_INCREMENT PRIMARY KEY, v int)")
        with self.server():
            pass
        mariadb.kill()
        try:
            with self.server() as server, server.framed() as client:
                self.refused(client, "insert into t (v) values (3)", "key no", "give it a value")
                self.ok(client, "insert into t (no, v) values (1, 1)")
        finally:
            mariadb.start()

    def run_missing_right(self, *statements: str) -> None:
        """One table waits for a right, all others go on, and what to do is said."""
        with self.server() as server, server.framed() as client:
            pipeline(client, ["key t k", "insert into t (k, v) values (a, 1), (b, 2)", "insert into u (k) values (1)"])
            as_every_user(self.db, f"REVOKE ALTER, CREATE ON {quoted(self.db.name)}.* FROM {{}}")
            mariadb.kill()
            try:
                self.wait_until_online(client, 0)
                for statement in ("update t set v = 5 where k = a", *statements, "insert into u (k) values (2)",
                                  "insert into t (k, v) values (c, 3)"):  # fmt: skip
                    self.ok(client, statement)
            finally:
                mariadb.start()
            status = wait_until(lambda: (s := self.status(client))["online"] == 1 and "blocked" in s and s)
            self.assertIn("table t: ALTER command denied", status["blocked"])
            self.assertIn("grant it", status["blocked"])
            self.assertGreater(status["lagrows"], 0)
            wait_until(lambda: len(self.db.rows("u")) == 2)
            self.ok(client, "insert into u (k) values (3)")
            self.assertEqual(len(self.equal_everywhere(client, "u")), 3)
            # What comes now keeps its place behind what waits.
            self.ok(client, "update t set v = 6 where k = a", rows=1)
            self.ok(client, "delete from t where k = b", rows=1)
            self.refused(client, "insert into u (fresh) values (1)", "ALTER command denied")
            self.assertEqual(self.db.sql("SELECT v FROM t WHERE k = 'a'"), [["5"]])
            grant(self.db)
            wait_until(lambda: "blocked" not in self.status(client))
            wait_until(lambda: self.status(client)["journalled"] == 0)
            self.assertEqual(self.status(client)["refused"], 0)
            rows = self.equal_everywhere(client, "t")
            self.assertEqual([r[1:3] for r in rows], [["a", "6"], ["c", "3"]])
            self.ok(client, "insert into t (k) values (d)")
            rows = self.equal_everywhere(client, "t")
        self.assertEqual(self.in_data_directory("t"), rows)

    def test_missing_right_to_add_a_column(self) -> None:
        self.run_missing_right("update t set fresh = 1 where k = b")

    def test_missing_right_to_add_an_index(self) -> None:
        self.run_missing_right("tag t v")

    def run_made_by_others(self, made: str, statement: str, *flags: str) -> None:
        """While the server cannot reach MySQL, others make there what a client makes here."""
        self.db.sql("CREATE TABLE u (x int PRIMARY KEY, v int); INSERT INTO u VALUES (1, 1), (2, 2)")
        with self.db.server("--mysql-timeout-ms", "2000", *flags, log_level="info") as server, server.framed() as client:
            self.ok(client, "insert into probe (k) values (1)")
            lock_out(self.db)
            try:
                wait_until(lambda: client.ask("select * from u") and self.status(client)["online"] == 0)
                self.ok(client, statement)
                self.db.sql(made)
            finally:
                let_in(self.db)
            wait_until(lambda: self.status(client)["refused"] == 1)
            self.wait_until_online(client)

    MADE_BY_OTHERS = [
        ("CREATE TABLE t (id int PRIMARY KEY, precious int); INSERT INTO t VALUES (0, 5), (1, 6)", "insert into t (k) values (a)", "t"),
        ("CREATE TABLE t (no int PRIMARY KEY, precious int); INSERT INTO t VALUES (0, 5), (1, 6)", "insert into t (k) values (a)", "t"),
        ("ALTER TABLE u ADD COLUMN precious int; UPDATE u SET precious = 4 + x", "insert into u (x, precious) values (3, text)", "u"),
    ]  # fmt: skip

    def test_what_others_made_meanwhile_stays(self) -> None:
        for number, (made, statement, table) in enumerate(self.MADE_BY_OTHERS):
            for flags in (["--data", f"{self.data}{number}"], ["--ack", "memory"]):
                with self.subTest(statement=statement, flags=flags):
                    self.db = self.databases()
                    self.run_made_by_others(made, statement, *flags)
                    self.assertEqual(self.db.sql(f"SELECT precious FROM {table} ORDER BY 1"), [["5"], ["6"]])

    def test_a_table_that_only_mysql_got(self) -> None:
        """A server that ended between the two commits made it, and nobody was told; then it is made again."""
        with self.server() as server, server.framed() as client:
            self.ok(client, "insert into probe (k) values (1)")
        shutil.copytree(self.data, self.data + "-before")
        with self.server() as server, server.framed() as client:
            self.ok(client, "insert into t (k, v) values (lost, 1), (lost, 2)")
        shutil.rmtree(self.data)
        shutil.move(self.data + "-before", self.data)
        mariadb.kill()
        try:
            with self.server() as server, server.framed() as client:
                for i in range(3):
                    self.ok(client, f"insert into t (k, w) values (new{i}, 1)")
                mariadb.start()
                self.wait_until_online(client)
                wait_until(lambda: self.status(client)["journalled"] == 0)
                self.assertEqual(self.check(client, "t"), [])
                self.ok(client, "insert into t (k, w) values (later, 1)")
                self.assertEqual(self.check(client, "t"), [])
                self.assertEqual(self.status(client)["refused"], 0)
        finally:
            if mariadb.process is None:
                mariadb.start()
        self.assertEqual(self.db.sql("SELECT id, k, w FROM t ORDER BY id"), [["0", "new0", "1"], ["1", "new1", "1"], ["2", "new2", "1"], ["3", "later", "1"]])

    def test_a_transaction_with_a_table_that_waits(self) -> None:
        """Its other tables wait, too, and so does what shares a transaction with those."""
        with self.server() as server, server.framed() as client:
            pipeline(client, ["insert into t (k) values (0)", "insert into u (k) values (0)", "insert into w (k) values (0)"])
            as_every_user(self.db, f"REVOKE ALTER ON {quoted(self.db.name)}.* FROM {{}}")
            mariadb.kill()
            try:
                self.wait_until_online(client, 0)
                for statement in ("insert into t (k, fresh) values (1, 1)",
                                  "begin", "insert into t (k) values (2)", "insert into u (k) values (2)", "commit",
                                  "begin", "insert into w (k) values (3)", "insert into u (k) values (3)", "commit"):  # fmt: skip
                    self.ok(client, statement)
            finally:
                mariadb.start()
            wait_until(lambda: (s := self.status(client))["online"] == 1 and "blocked" in s)
            for table in ("u", "w"):
                self.ok(client, f"insert into {table} (k) values (4)")
                self.assertEqual(len(self.db.rows(table)), 1)
            grant(self.db)
            wait_until(lambda: "blocked" not in self.status(client))
            wait_until(lambda: self.status(client)["journalled"] == 0)
            self.assertEqual(self.status(client)["refused"], 0)
            for table, rows in (("t", 3), ("u", 4), ("w", 3)):
                self.assertEqual(len(self.equal_everywhere(client, table)), rows)

    def test_columns_that_the_journal_drops(self) -> None:
        """The data directory has not got them any more when the server starts, MySQL has, or gets them on delivery."""
        cases = [
            ["insert into t (a, c) values (1, 1)", "alter table t drop column c"],
            ["insert into t (a, c) values (1, 1)", "tag t c", "alter table t drop column c", "insert into t (a, d) values (2, 2)"],
            ["insert into t (a, c) values (1, 1)", "alter table t drop column c", "insert into t (a, c) values (2, 2)"],
            ["insert into t (a, old) values (1, 1)", "alter table t drop column old", "insert into t (a, c) values (2, 2)"],
            ["insert into t (a, old) values (1, 1)", "alter table t drop column old", "insert into t (a, old) values (2, 2)"],
        ]  # fmt: skip
        for with_mysql in (True, False):
            for number, statements in enumerate(cases):
                with self.subTest(with_mysql=with_mysql, statements=statements):
                    self.db = self.databases()
                    self.data = f"{self.data}-{number}"
                    self.run_dropped_columns(with_mysql, statements)

    def run_dropped_columns(self, with_mysql: bool, statements: list[str]) -> None:
        self.db.sql("CREATE TABLE t (id int PRIMARY KEY, a varchar(20), old varchar(20), b int NOT NULL DEFAULT 4)")
        self.db.sql("INSERT INTO t VALUES (0, 'first', 'o', 1)")
        try:
            with self.server() as server, server.framed() as client:
                mariadb.kill()
                self.wait_until_online(client, 0)
                for statement in statements:
                    self.ok(client, statement)
                rows = [row[:2] for row in self.ok(client, "select * from t")["data"]]
            if with_mysql:
                mariadb.start()
            with self.server() as server, server.framed() as client:
                if not with_mysql:
                    mariadb.start()
                self.wait_until_online(client)
                wait_until(lambda: self.status(client)["journalled"] == 0)
                self.assertEqual(self.status(client)["refused"], 0, server.log[-5:])
                self.assertEqual(self.check(client, "t"), [])
                self.assertEqual([row[:2] for row in self.ok(client, "select * from t")["data"]], rows)
                self.ok(client, "insert into t (a, b) values (later, 5)")
                self.assertEqual(self.check(client, "t"), [])
            self.assertEqual(self.db.sql("SELECT id, a FROM t WHERE a <> 'later' ORDER BY id"), rows)
        finally:
            if mariadb.process is None:
                mariadb.start()

    def test_a_lock_that_others_keep(self) -> None:
        """It is waited for once, for half of the time; then the change goes to the journal, and to MySQL when the lock is gone."""
        with self.server(timeout_ms=6000) as server, server.framed() as client:
            self.ok(client, "insert into t (v) values (1)")
            holder = MysqlClient(mariadb.socket, self.db.name)
            try:
                holder.run("BEGIN")
                holder.run("UPDATE t SET v = 2")
                began = time.monotonic()
                self.ok(client, "update t set v = 3 where id = 0", rows=1)
                self.assertLess(time.monotonic() - began, deadline_s(8))
                holder.run("ROLLBACK")
            finally:
                holder.close()
            self.wait_until_online(client)
            wait_until(lambda: self.status(client)["journalled"] == 0)
            self.assertEqual(self.equal_everywhere(client, "t"), [["0", "3"]])

    def test_a_lock_that_others_keep_on_a_table_that_changes(self) -> None:
        """What has been acknowledged waits in the journal until the lock is gone."""
        with self.server() as server, server.framed() as client:
            self.ok(client, "insert into t (v) values (1)")
            lock_out(self.db)
            self.wait_until_online(client, 0)
            self.ok(client, "insert into t (v, fresh) values (2, 2)")
            holder = MysqlClient(mariadb.socket, self.db.name)
            try:
                holder.run("BEGIN")
                holder.run("SELECT * FROM t")
                let_in(self.db)
                wait_until(lambda: (s := self.status(client))["refused"] or "Lock wait timeout" in s["lasterror"])
                holder.run("ROLLBACK")
            finally:
                holder.close()
            self.wait_until_online(client)
            wait_until(lambda: self.status(client)["journalled"] == 0)
            self.assertEqual(self.status(client)["refused"], 0)
            self.assertEqual(self.equal_everywhere(client, "t"), [["0", "1", None], ["1", "2", "2"]])

    def test_tables_tied_by_foreign_keys(self) -> None:
        """One connection writes them, so that a row is there before those that refer to it."""
        pairs = [("orders", "items"), ("authors", "novels")]  # by their names, each would be on the other's connection
        for parent, child in pairs:
            self.db.sql(
                f"CREATE TABLE {parent} (p int PRIMARY KEY, text longtext);"
                f"CREATE TABLE {child} (c int PRIMARY KEY, p int NOT NULL, FOREIGN KEY (p) REFERENCES {parent}(p))"
            )
        with self.server(connections=2) as server, server.framed() as client:
            mariadb.kill()
            try:
                self.wait_until_online(client, 0)
                for parent, child in pairs:
                    # The rows that are referred to take several transactions, the others one.
                    for number in range(40):
                        self.ok(client, f"insert into {parent} (p, text) values ({number}, {'x' * 300_000})")
                        self.ok(client, f"insert into {child} (c, p) values ({number}, {number})")
            finally:
                mariadb.start()
            self.wait_until_online(client)
            wait_until(lambda: self.status(client)["journalled"] == 0)
            self.assertEqual(self.status(client)["refused"], 0)
            for parent, child in pairs:
                self.assertEqual(len(self.db.rows(child)), 40)
                self.ok(client, f"insert into {parent} (p) values (100)")
                self.ok(client, f"insert into {child} (c, p) values (100, 100)")
                self.refused(client, f"insert into {child} (c, p) values (101, 101)", "foreign key")


if __name__ == "__main__":
    unittest.main()
