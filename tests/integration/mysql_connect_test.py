"""`mysql connect` and `mysql disconnect` at run time: whose rows count, and what goes on meanwhile.

Usage: mysql_connect_test.py [Class or Class.test ...]
"""

import json
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import PASSWORD, USER, Follower, databases_of, memory_rows, pipeline, wait_until  # noqa: E402
from harness.mirror_case import MirrorCase  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Closed, FramedConnection  # noqa: E402
from harness.writers import Writers  # noqa: E402

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close


class Case(MirrorCase):
    databases = staticmethod(databases_of(mariadb))


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

    def test_a_table_that_was_made_anew_meanwhile(self) -> None:
        """MySQL gets rid of the old one, as if it had been there."""
        with self.server() as server, server.framed() as client:
            self.connect(client)
            for table in ("s", "gone"):
                self.ok(client, f"create table {table} (a int primary key, b int)")
                self.ok(client, f"insert into {table} values (0, 2), (1, 3)")
            self.disconnect(client)
            for table in ("s", "gone"):
                self.ok(client, f"drop table {table}")
            self.ok(client, "insert into s (x, w) values (7, 8)")
            self.connect(client)
            self.ok(client, "select * from s", columns=["id", "x", "w"], data=[["0", "7", "8"]])
            self.equal_everywhere(client, "s")
            self.ok(client, "select a, b from gone", data=[["0", "2"], ["1", "3"]])  # nothing took its place

    def test_a_table_that_was_made_anew_while_others_wrote(self) -> None:
        """What they wrote counts for them: it is neither dropped nor taken for what is here."""
        with self.server() as server, server.framed() as client:
            self.connect(client)
            self.ok(client, "create table s (a int primary key, b int)")
            self.ok(client, "insert into s values (1, 2)")
            self.disconnect(client)
            with self.db.server() as other, other.framed() as writer:
                self.ok(writer, "insert into s values (5, 6)")
            self.ok(client, "drop table s")
            self.ok(client, "insert into s (a) values (7)")
            self.refused(client, f"mysql connect {self.db.url}", "table s", "different rows")
            self.ok(client, "select a from s", data=[["7"]])
            self.assertEqual(self.db.sql("SELECT a FROM s"), [["1"], ["5"]])

    def test_a_name_that_a_subscriber_knows_meanwhile(self) -> None:
        """Nobody has made the table anew: MySQL's comes back."""
        with self.server() as server, server.framed() as client, server.framed() as subscriber:
            self.ok(client, "insert into s (k) values (1), (2)")
            self.ok(client, "insert into kept (k) values (3)")
            self.ok(subscriber, "subscribe skip * from kept")
            self.connect(client)
            self.disconnect(client)
            self.ok(client, "drop table s")
            self.ok(client, "drop table kept")
            self.ok(subscriber, "subscribe skip * from s")
            self.connect(client)
            self.assertEqual([r[1:] for r in self.equal_everywhere(client, "s")], [["1"], ["2"]])
            self.assertEqual([r[1:] for r in self.equal_everywhere(client, "kept")], [["3"]])

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

    def test_empty_table_here(self) -> None:
        self.db.sql("CREATE TABLE s (id bigint PRIMARY KEY, k varchar(20)); INSERT INTO s VALUES (7, 'a'), (9, 'b')")
        with self.server() as server, server.framed() as client, server.framed() as watcher:
            follower = Follower(watcher, "s")
            self.connect(client)
            wait_until(lambda: memory_rows(client, "s") == self.db.rows("s"))
            self.assertEqual(follower.replayed(), self.equal_everywhere(client, "s"))
            self.ok(client, "insert into s (k) values (c)")
            self.assertEqual(follower.replayed(), self.equal_everywhere(client, "s"))

    def test_columns_that_only_mysql_has(self) -> None:
        """Memory's table has no rows, or the same ones in fewer columns: it gets the columns, their indexes and values."""
        self.db.sql(
            "CREATE TABLE few (id bigint PRIMARY KEY, k varchar(20) UNIQUE, n decimal(5,2) NOT NULL DEFAULT 1.5, g int, KEY (g));"
            "INSERT INTO few (id, k, g) VALUES (0, 'a', 7), (1, 'b', 8);"
            "CREATE TABLE none (v text, code varchar(20) PRIMARY KEY, k varchar(20)); INSERT INTO none VALUES ('x', 'c1', 'k1');"
            "CREATE TABLE read_only (a int, b int); INSERT INTO read_only VALUES (1, 2), (1, 2);"
            "CREATE TABLE empty (no int AUTO_INCREMENT PRIMARY KEY, k varchar(20))"
        )  # fmt: skip
        with self.server() as server, server.framed() as client, server.framed() as watcher:
            self.ok(client, "insert into few (k) values (a), (b)")
            self.ok(client, "tag none k")
            self.ok(watcher, "subscribe skip * from few where g = 8")
            self.ok(watcher, "subscribe skip * from read_only")
            self.ok(client, "subscribe skip * from empty")
            self.connect(client)
            wait_until(lambda: client.ask("select * from few")["data"] == [["0", "a", "1.50", "7"], ["1", "b", "1.50", "8"]])
            self.ok(watcher, "select * from read_only", rows=2)
            self.ok(watcher, "select * from few", rows=2)  # a reply comes after the events before it
            self.assertEqual(sum('"add"' in e and '"b"' in e for e in watcher.events), 1, watcher.events)
            keys = {row[0]: row[3] for row in self.ok(client, "describe few")["data"]}
            self.assertEqual(keys, {"id": "PRI", "k": "UNI", "n": "", "g": "MUL"})
            self.equal_everywhere(client, "few")
            self.ok(client, "insert into few (k, n) values (c, 2) returning k, n", data=[["c", "2.00"]])
            self.refused(client, "insert into few (k) values (a)")
            self.ok(client, "select * from none where code = c1", rows=1)
            self.ok(client, "update none set v = y where code = c1", rows=1)
            self.assertEqual(self.db.sql("SELECT * FROM none"), [["y", "c1", "k1"]])
            self.refused(client, "insert into read_only (a) values (1)", "key")
            self.ok(client, "insert into empty (k) values (x) returning no", data=[["1"]])
            for table in ("few", "none", "empty"):
                self.assertEqual(self.check(client, table), [])
            rows = {t: [r[1:] for r in self.rows(client, t)] for t in ("few", "none", "read_only", "empty")}
            self.disconnect(client)
            self.ok(client, "update few set n = 9 where k = a", rows=1)
            self.connect(client)
            self.equal_everywhere(client, "few")
            rows["few"][0][1] = "9.00"
            self.assertEqual({t: [r[1:] for r in self.rows(client, t)] for t in rows}, rows)
            self.assertEqual(self.db.sql("SELECT n FROM few WHERE k = 'a'"), [["9.00"]])
        if "--data" in self.make_flags():
            self.assertEqual(self.in_data_directory("few")[0][2], "9.00")

    def test_columns_made_in_mysql_meanwhile(self) -> None:
        """Memory leads with what it has; the values of other columns are MySQL's."""
        with self.server() as server, server.framed() as client, server.framed() as watcher:
            self.ok(client, "key s k")
            self.ok(client, "insert into s (k, v) values (a, 1), (b, 2)")
            follower = Follower(watcher, "s")
            self.connect(client)
            self.disconnect(client)
            self.ok(client, "update s set v = 9 where k = a", rows=1)
            self.ok(client, "insert into s (k) values (c)")
            self.db.sql("ALTER TABLE s ADD COLUMN note varchar(20) DEFAULT 'none' AFTER id; UPDATE s SET note = 'seen' WHERE k = 'b'")
            self.connect(client)
            wait_until(lambda: client.ask("select note from s where k = b").get("data") == [["seen"]])
            self.assertEqual(memory_rows(client, "s"), [["0", "a", "9", "none"], ["1", "b", "2", "seen"], ["2", "c", None, "none"]])
            self.assertEqual(self.check(client, "s"), [])
            self.assertEqual(follower.replayed(), memory_rows(client, "s"))
            self.ok(client, "insert into s (k, note) values (d, mine)")
            self.assertEqual(self.check(client, "s"), [])

    def test_columns_that_cannot_be_taken_over(self) -> None:
        self.db.sql("CREATE TABLE s (id varchar(20) PRIMARY KEY, k varchar(20)); INSERT INTO s VALUES ('x', 'a'); CREATE TABLE other (id int PRIMARY KEY)")
        with self.server() as server, server.framed() as client:
            self.ok(client, "tag s k")
            self.refused(client, f"mysql connect {self.db.url}", "column id", "rename")
            self.refused(client, "select * from other")
            self.db.sql("DROP TABLE s; CREATE TABLE s (id int PRIMARY KEY, k varchar(20)); INSERT INTO s VALUES (1, 'a'), (2, 'a')")
            self.ok(client, "key t k")
            self.db.sql("CREATE TABLE t (id int PRIMARY KEY, k varchar(20)); INSERT INTO t VALUES (1, 'a'), (2, 'a')")
            self.refused(client, f"mysql connect {self.db.url}", "cannot be taken over", "key")
            self.refused(client, "select * from other")
            self.ok(client, "select * from s", rows=0)
            self.db.sql("DELETE FROM t WHERE id = 2")
            self.connect(client)
            self.equal_everywhere(client, "t")
            self.equal_everywhere(client, "other")

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

    def test_queues_that_are_not_durable(self) -> None:
        with self.server() as server, server.framed() as client:
            self.ok(client, "create queue q (body text)")
            self.ok(client, "create queue d (body text) durable")
            for queue in ("q", "d"):
                self.ok(client, f"push into {queue} (body) values (one)")
            self.connect(client)
            self.assertEqual(self.db.tables(), ["d"])
            self.ok(client, "push into q (body) values (two)")
            for statement in ("mysql check q", "mysql repair q", "mysql repair q from mysql"):
                self.refused(client, statement, "queue q is not durable")
            self.disconnect(client)
            self.connect(client)
            self.assertEqual(self.db.tables(), ["d"])
            self.disconnect(client)
            self.db.sql("CREATE TABLE q (id int PRIMARY KEY, body text); CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1)")
            self.refused(client, f"mysql connect {self.db.url}", "table q", "not durable", "rename")
            self.refused(client, "select * from a")
            self.ok(client, "select body from q", rows=2)
            self.assertEqual(self.db.rows("q"), [])
            self.db.sql("DROP TABLE q")
            self.connect(client)
            self.ok(client, "select * from a", rows=1)

    def test_indexes_that_mysql_has(self) -> None:
        """They are not made twice; one that is missing there is made."""
        with self.server() as server, server.framed() as client:
            self.ok(client, "create table i (a int primary key, b int, c varchar(20), d int, index ib (b), unique uc (c), index db (d, b))")
            self.ok(client, "insert into i (a, b, c, d) values (1, 1, one, 1)")
            for missing in (None, "db"):
                self.connect(client)
                self.disconnect(client)
                made = {row[2] for row in self.db.sql("SHOW INDEX FROM i")}
                self.assertEqual(made, {"PRIMARY", "ib", "uc", "db"})
                self.assertNotIn("there is no index", "\n".join(server.log))
                if missing is not None:
                    self.db.sql(f"DROP INDEX {missing} ON i")
            self.connect(client)
            self.assertEqual(self.check(client, "i"), [])

    def test_indexes_that_only_mysql_has(self) -> None:
        with self.server() as server, server.framed() as client:
            self.ok(client, "create table i (a int primary key, b int, c int)")
            self.ok(client, "insert into i (a, b, c) values (1, 1, 1)")
            self.connect(client)
            self.disconnect(client)
            self.db.sql("CREATE INDEX ib ON i (b); CREATE UNIQUE INDEX cb ON i (c, b); ALTER TABLE i ADD COLUMN d int, ADD INDEX late (d)")
            self.connect(client)
            self.assertEqual([row[3] for row in self.ok(client, "describe i")["data"]], ["UNI", "PRI", "MUL", "MUL", "MUL"])
            self.refused(client, "insert into i (a, b, c) values (2, 1, 1)", "cb")
            for index in ("ib", "cb", "late"):
                self.ok(client, f"drop index {index} on i")
            self.assertEqual({row[2] for row in self.db.sql("SHOW INDEX FROM i")}, {"PRIMARY"})

    def test_an_indexed_column_that_was_dropped_meanwhile(self) -> None:
        """Its indexes go with it, and are not taken for ones that only MySQL has."""
        with self.server() as server, server.framed() as client:
            self.ok(client, "create table i (a int primary key, b int, c int, d int, index ib (b), index cd (c, d))")
            self.ok(client, "insert into i (a, b, c, d) values (1, 2, 3, 4)")
            self.connect(client)
            self.disconnect(client)
            self.ok(client, "alter table i drop column b")
            self.ok(client, "drop index cd on i")
            self.ok(client, "alter table i drop column c")
            self.connect(client)
            self.ok(client, "select a, d from i", data=[["1", "4"]])
            self.ok(client, "insert into i (a, d) values (5, 6)")
            self.assertEqual(self.check(client, "i"), [])

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
                self.assertEqual(server.wait(), 0)
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


if __name__ == "__main__":
    unittest.main()
