"""A data directory beside MySQL: whose rows count at a start."""

import shutil
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import databases_of, memory_rows, wait_until  # noqa: E402
from harness.mirror_case import MirrorCase  # noqa: E402
from harness.server_process import PROGRAM, ServerProcess, refused_start  # noqa: E402

STATE = "pubsubsql_mysql"

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close


def delivered(status: dict[str, Any]) -> bool:
    return status["online"] == 1 and status["lagrows"] == 0


class Case(MirrorCase):
    databases = staticmethod(databases_of(mariadb))


class DataAndMysql(Case):
    def both(self, *flags: str) -> ServerProcess:
        return self.db.server("--data", self.data, *flags, log_level="info")

    def alone(self) -> ServerProcess:
        return self.serve("--data", self.data)

    def test_a_table_that_mysql_does_not_take_keeps_no_other_from_starting(self) -> None:
        with self.alone() as server, server.framed() as client:
            self.ok(client, "create table wide (k int primary key, a varchar(10000), b varchar(10000))")
            self.ok(client, "create table keyless (n int, id varchar(10))")
            self.ok(client, "insert into wide (k) values (1)")
            self.ok(client, "insert into t (k) values (1)")
        for last in (False, True):
            with self.both() as server, server.framed() as client:
                for table in ("wide", "keyless"):
                    self.assertIn(f"table {table} cannot be made in MySQL", "\n".join(server.log))
                self.ok(client, "select * from wide", rows=1)
                self.refused(client, "insert into wide (k) values (2)", "there is no table wide in MySQL")
                self.ok(client, "insert into t (k) values (2)")
                if last:
                    self.ok(client, "drop table wide")
                    self.ok(client, "drop table keyless")
        with self.both() as server, server.framed() as client:
            self.assertEqual([row[0] for row in self.ok(client, "show tables")["data"] if row[0] != STATE], ["t"])
        self.assertEqual(self.db.tables(), ["t"])

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
            self.assertNotIn("(error 0)", log)
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

    def test_a_table_that_was_made_anew_without_mysql(self) -> None:
        """Of the old one nothing is left in MySQL, whether it comes back at the start, at run time or after an outage."""
        for comes_back in ("at the start", "at run time", "later"):
            with self.subTest(comes_back), self.both() as server, server.framed() as client:
                self.ok(client, "create table s (a int primary key, b int)")
                self.ok(client, "insert into s values (0, 2), (1, 3)")
            with self.alone() as server, server.framed() as client:
                self.ok(client, "drop table s")
                self.ok(client, "insert into s (x, w) values (7, 8)")
            if comes_back == "later":
                mariadb.stop()
            with self.alone() if comes_back == "at run time" else self.both() as server, server.framed() as client:
                if comes_back == "at run time":
                    self.ok(client, f"mysql connect {self.db.url}")
                if comes_back == "later":
                    self.ok(client, "insert into s (x) values (9)")
                    mariadb.start()
                    wait_until(lambda: delivered(self.ok(client, "mysql status")))
                    self.ok(client, "delete from s where x = 9")
                self.ok(client, "select * from s", columns=["id", "x", "w"], data=[["0", "7", "8"]])
                self.equal_everywhere(client, "s")
                self.ok(client, "drop table s")

    def test_numbers_of_a_table_that_is_gone(self) -> None:
        """A server that starts in an outage counts far ahead: a table made later is not taken for an earlier one."""
        with self.both() as server, server.framed() as client:
            self.ok(client, "insert into s (k) values (1)")
        mariadb.stop()
        with self.both() as server, server.framed() as client:
            self.ok(client, "insert into s (k) values (2)")
            mariadb.start()
            wait_until(lambda: delivered(self.ok(client, "mysql status")))
            self.equal_everywhere(client, "s")
        with self.alone() as server, server.framed() as client:
            self.ok(client, "drop table s")
        with self.alone() as server, server.framed() as client:
            self.ok(client, "insert into s (x) values (3)")
        with self.both() as server, server.framed() as client:
            self.ok(client, "select * from s", columns=["id", "x"], data=[["0", "3"]])
            self.equal_everywhere(client, "s")

    def test_a_former_table_that_mysql_does_not_let_go(self) -> None:
        """It becomes what is here, with the columns that only MySQL has."""
        for at_run_time in (False, True):
            with self.subTest(at_run_time), self.both() as server, server.framed() as client:
                self.ok(client, "create table s (a int primary key, b int)")
                self.ok(client, "insert into s values (1, 2), (3, 4)")
            self.db.sql("CREATE TABLE child (s int, FOREIGN KEY (s) REFERENCES s (a))")
            with self.alone() as server, server.framed() as client:
                self.ok(client, "drop table s")
                self.ok(client, "create table s (a int primary key, c int)")
                self.ok(client, "insert into s values (3, 5), (6, 7)")
            with self.alone() if at_run_time else self.both("--mysql-tables", "s") as server, server.framed() as client:
                if at_run_time:
                    self.ok(client, f"mysql connect {self.db.url}")
                self.ok(client, "select a, c from s", data=[["3", "5"], ["6", "7"]])
                self.assertEqual(self.check(client, "s"), [])
                self.assertEqual(self.db.sql("SELECT a, c FROM s"), [["3", "5"], ["6", "7"]])
                self.ok(client, "insert into s (a, c) values (8, 9)")
                self.db.sql("DROP TABLE child")
                self.ok(client, "drop table s")

    def test_names_that_only_differ_in_their_case(self) -> None:
        """MySQL takes them for one: such a table stays here."""
        with self.alone() as server, server.framed() as client:
            self.ok(client, "insert into s (v, V) values (1, 2)")
            self.ok(client, "insert into t (k) values (1)")
            for statement, code in (("create table c (v int, V int)", 1060), ("create table c (ID int primary key)", 1166)):
                self.assertEqual(client.ask(statement)["code"], code)
            self.ok(client, "create table c (a int primary key)")
            self.assertEqual(client.ask("alter table c add column A int")["code"], 1060)
        for _ in range(2):
            with self.both() as server, server.framed() as client:
                self.assertIn("table s cannot be made in MySQL: Duplicate column name 'V'", "\n".join(server.log))
                self.ok(client, "select * from s", rows=1)
                self.ok(client, "insert into t (k) values (2)")
            self.assertEqual(sorted(self.db.tables()), ["c", "t"])

    def test_a_table_that_mysql_cannot_make_equal(self) -> None:
        """It can be read as it is here, and nothing is written, until what stands in the way is gone."""
        with self.both() as server, server.framed() as client:
            self.ok(client, "insert into s (v) values (1)")
            self.ok(client, "insert into t (k) values (1)")
        with self.alone() as server, server.framed() as client:
            self.ok(client, "insert into s (v, V) values (2, 3)")
        for _ in range(2):
            with self.both() as server, server.framed() as client:
                self.assertIn("table s cannot be made in MySQL what it is here: Duplicate column name 'V'", "\n".join(server.log))
                self.ok(client, "select * from s", rows=2)
                for statement in ("insert into s (v) values (4)", "delete from s", "alter table s add column w"):
                    self.refused(client, statement, "table s cannot be made in MySQL")
                for statement in ("begin", "insert into t (k) values (9)", "insert into s (v) values (4)"):
                    self.ok(client, statement)
                self.refused(client, "commit", "table s cannot be made in MySQL")
                self.ok(client, "insert into t (k) values (2)")
                self.assertEqual(self.db.sql("SELECT v FROM s"), [["1"]])
        with self.both() as server, server.framed() as client:
            self.ok(client, "drop table s")
            self.ok(client, "insert into s (v) values (5)")
            self.equal_everywhere(client, "s")

    def test_what_mysql_computed_comes_back_after_a_crash(self) -> None:
        """MySQL has got what the journal brought, and the server ended before it had written that down."""
        self.db.sql("CREATE TABLE a (id int AUTO_INCREMENT PRIMARY KEY, k int, price decimal(8,2) NOT NULL DEFAULT 1.50)")
        with self.both() as server, server.framed() as client:
            self.ok(client, "insert into a (k) values (1)")
        mariadb.stop()
        with self.both() as server, server.framed() as client:
            self.ok(client, "insert into a (k) values (2)")
        before = self.data + ".before"
        shutil.copytree(self.data, before)
        mariadb.start()
        with self.both() as server, server.framed() as client:
            wait_until(lambda: delivered(self.ok(client, "mysql status")))
            self.ok(client, "select price from a where k = 2", data=[["1.50"]])
        mariadb.stop()
        shutil.rmtree(self.data)
        shutil.copytree(before, self.data)
        with self.both() as server, server.framed() as client:
            self.ok(client, "select price from a where k = 2", data=[[None]])
            mariadb.start()
            wait_until(lambda: delivered(self.ok(client, "mysql status")))
            wait_until(lambda: self.ok(client, "select price from a where k = 2")["data"] == [["1.50"]])
            self.equal_everywhere(client, "a")

    def test_an_indexed_column_that_was_dropped_without_mysql(self) -> None:
        with self.alone() as server, server.framed() as client:
            self.ok(client, "insert into s (k, v) values (1, 2)")
            self.ok(client, "key s k")
            self.ok(client, "alter table s drop column k")
            self.ok(client, "create table d (a int primary key, b int, c int)")
            self.ok(client, "tag d b")
            self.ok(client, "insert into d values (1, 2, 3)")
            self.ok(client, "alter table d drop column b")
        with self.both() as server, server.framed() as client:
            self.assertEqual([r[1:] for r in self.equal_everywhere(client, "s")], [["2"]])
            self.assertEqual(self.check(client, "d"), [])
            self.ok(client, "select * from d", data=[["0", "1", "3"]])

    def test_a_name_that_a_subscriber_knows(self) -> None:
        """Nobody has made the table anew: MySQL's comes back."""
        with self.both() as server, server.framed() as client:
            self.ok(client, "insert into s (k) values (1), (2)")
        for order in (("drop table s", "subscribe skip * from s"), ("subscribe skip * from s", "drop table s")):
            for at_run_time in (False, True):
                with self.subTest((order, at_run_time)):
                    with self.alone() as server, server.framed() as client:
                        for statement in order:
                            self.ok(client, statement)
                    with self.alone() if at_run_time else self.both() as server, server.framed() as client:
                        if at_run_time:
                            self.ok(client, f"mysql connect {self.db.url}")
                        self.assertEqual([r[1:] for r in self.equal_everywhere(client, "s")], [["1"], ["2"]])

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
