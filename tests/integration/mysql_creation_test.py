"""Tables, columns, keys and tags that are new to MySQL: how they are made there, and what is left when that fails."""

import re
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import USER, Follower, databases_of, memory_rows, pipeline, quoted  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import FramedConnection  # noqa: E402

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close
new_database = databases_of(mariadb)


def state(client: FramedConnection) -> dict[str, Any]:
    """Everything a client can see, table by table: the columns and the rows in the table's own order."""
    tables = [row[0] for row in client.ask("show tables")["data"]]
    asked = {t: (client.ask(f"describe {quoted(t)}")["data"], client.ask(f"select * from {quoted(t)}")) for t in tables}
    return {t: ([row[:1] + row[3:4] for row in columns], rows["data"]) for t, (columns, rows) in asked.items()}


class Creation(unittest.TestCase):
    maxDiff = 4000

    def setUp(self) -> None:
        self.db = new_database()

    def columns(self, table: str) -> dict[str, tuple[str | None, ...]]:
        rows = self.db.sql(
            "SELECT column_name, column_type, character_set_name, is_nullable, column_key FROM information_schema.columns"
            f" WHERE table_schema = DATABASE() AND table_name = '{table}' ORDER BY ordinal_position"
        )
        return {str(row[0]): tuple(row[1:]) for row in rows}

    def test_a_refused_drop_of_a_column_leaves_its_type(self) -> None:
        columns = "id bigint auto_increment primary key, amount decimal(8,2) default 1.5, day date"
        with self.db.server("--mysql-timeout-ms", "2000") as server, server.framed() as client:
            self.assertEqual(client.ask(f"create table t ({columns})")["status"], "ok")
            before = client.ask("describe t")
            mariadb.kill()
            try:
                for column in ("amount", "day"):
                    self.assertIn("MySQL is not available", client.ask(f"alter table t drop column {column}")["msg"])
                self.assertEqual(client.ask("describe t"), before)
            finally:
                mariadb.start()

    def test_the_tables_that_are_made(self) -> None:
        with self.db.server() as server, server.framed() as client:
            replies = pipeline(client, ["key t k", "tag t g", "insert into t (k, g, v) values (1, 2, 3)",
                                        "insert into t (w) values (4)", "tag t w", "key t v", "update t set z = 5",
                                        "subscribe * from s", "tag only c"])  # fmt: skip
            self.assertEqual({r["status"] for r in replies}, {"ok"}, replies)
            before = state(client)
            text = "longtext", "utf8mb4", "YES", ""
            self.assertEqual(
                self.columns("t"),
                {
                    "id": ("bigint(20)", None, "NO", "PRI"),
                    "k": ("varchar(255)", "utf8mb4", "YES", "UNI"),
                    "g": ("varchar(255)", "utf8mb4", "YES", "MUL"),
                    "v": ("varchar(255)", "utf8mb4", "YES", "UNI"),
                    "w": ("varchar(255)", "utf8mb4", "YES", "MUL"),
                    "z": text,
                },
            )
            self.assertEqual(self.db.rows("t"), client.ask("select * from t")["data"])
        engines = self.db.sql("SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = DATABASE()")
        self.assertEqual(engines, [["InnoDB"]])
        self.assertEqual(self.db.tables(), ["only", "s", "t"])
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(state(client), before)

    def test_values_of_every_kind(self) -> None:
        """Text is text: what differs in any byte differs, and comes back as it was."""
        values = ["", " ", "a", "A", "a ", "\u00e4", "a\u0308", "\U0001f600", "\0", "0x41", "\\", "''", "1e3", "x" * 255]
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("key t k")["status"], "ok")
            replies = pipeline(client, [f"insert into t (k, v) values ('{v}', '{v}')" for v in values])
            self.assertEqual({r["status"] for r in replies}, {"ok"}, replies)
            big = "z" * 3_000_000
            self.assertEqual(client.ask(f"insert into t (v) values ('{big}')")["status"], "ok")
            rows = client.ask("select * from t")["data"]
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("select * from t")["data"], rows)
            for value in values:
                self.assertEqual(client.ask(f"select v from t where k = '{value}'")["data"], [[value.replace("''", "'")]])

    def test_order_and_ids_survive(self) -> None:
        with self.db.server() as server, server.framed() as client:
            pipeline(client, [f"push {'front' if i % 3 else 'back'} into q (v) values ({i}), ({-i})" for i in range(20)])
            pipeline(client, ["pop front from q", "pop from q", "delete from q where v = 5", "push front into q (v) values (last)"])
            # The last id was given to a row that is gone: it is not given again.
            self.assertEqual(client.ask("insert into q (v) values (gone) returning id")["data"], [["41"]])
            client.ask("pop from q")
            before = state(client)
        for _ in range(2):
            with self.db.server() as server, server.framed() as client:
                self.assertEqual(state(client), before)
        with self.db.server() as server, server.framed() as client:
            first = before["q"][1][0]
            self.assertEqual(client.ask("pop front * from q")["data"], [first])
            self.assertEqual(client.ask("push front into q (v) values (new) returning id")["data"], [["42"]])
            before = state(client)
            self.assertEqual(before["q"][1][0], ["42", "new"])
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(state(client), before)

    def test_ids_after_a_crash(self) -> None:
        for _ in range(3):
            server = self.db.server()
            with server.framed() as client:
                pipeline(client, ["insert into t (v) values (a)", "push front into t (v) values (b)", "pop from t"])
                before = state(client)
            server.process.kill()
            server.process.wait()
            assert server.process.stderr is not None
            server.process.stderr.close()
            with self.db.server() as server, server.framed() as client:
                self.assertEqual(state(client), before)
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("insert into t (v) values (a) returning id")["data"], [["6"]])

    def test_names(self) -> None:
        names = ["select", "unit price", "back`quote", "\u00fcn\u00ef", "a'b\"c", "a?b", "a.b", "%s", "Case", "case", "pubsubsql"]
        with self.db.server() as server, server.framed() as client:
            for name in names:
                q = quoted(name)
                replies = pipeline(client, [f"key {q} {q}", f"insert into {q} ({q}, b) values (1, 2)", f"update {q} set b = 3 where {q} = 1"])
                self.assertEqual({r["status"] for r in replies}, {"ok"}, (name, replies))
            before = state(client)
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(state(client), before)


    def test_spaces_beyond_the_end(self) -> None:
        """MySQL takes a text that is only for its spaces too long, and stores it without them."""
        given, stored = "x" * 250 + " " * 10, "x" * 250 + " " * 5
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("key t k")["status"], "ok")
            self.assertEqual(client.ask(f"insert into t (k) values ('{given}') returning k")["data"], [[stored]])
            self.assertEqual(self.db.rows("t"), client.ask("select * from t")["data"])

    def test_what_is_gone_again_at_once(self) -> None:
        """A value that MySQL refuses or alters, changed again before the transaction is written."""
        self.db.sql("CREATE TABLE a (id int PRIMARY KEY, v decimal(5,1), w int)")
        with self.db.server() as server, server.framed() as client:
            pipeline(client, ["key t k", "insert into t (k) values (0)", "insert into a (w) values (0)"])
            for _ in range(20):
                replies = pipeline(client,
                                   ["insert into a (v, w) values (1.25, 1) returning v", "delete from a where w = 1",
                                    "update a set v = nonsense where w = 0", "update a set v = 2.5 where w = 0",
                                    "update a set v = 3.14 where w = 0 returning v", "update a set v = 4 where w = 0"])  # fmt: skip
                self.assertEqual([r["status"] for r in replies], ["ok", "ok", "err", "ok", "ok", "ok"], replies)
                self.assertEqual((replies[0]["data"], replies[4]["data"]), ([["1.3"]], [["3.1"]]))
                long = "x" * 256
                replies = pipeline(client, [f"update t set k = {long} where id = 0", "update t set k = 0 where id = 0",
                                            f"insert into t (k) values ({long})", f"delete from t where k = {long}"])  # fmt: skip
                self.assertEqual([r.get("code") for r in replies], [1406, None, 1406, None], replies)
            self.assertEqual(self.db.rows("a"), client.ask("select * from a")["data"])

    def test_what_was_declared_is_there_after_a_restart(self) -> None:
        """Also what MySQL has no words for, or other words."""

        def described(client: FramedConnection) -> list[list[list[str | None]]]:
            all_of = [client.ask(f"describe {table}")["data"] for table in ("t", "given", "numbered", "plain")]
            return [[[name, re.sub(r"\(11\)|\(20\)", "", type_), *rest] for name, type_, *rest in rows] for rows in all_of]

        def rows_of(client: FramedConnection) -> list[list[str | None]]:
            return client.ask("select k, w, x, y, u, v, q, p, n from t order by k")["data"]

        with self.db.server() as server, server.framed() as client:
            replies = pipeline(client, [
                "create table t (k varchar(9) primary key, w varchar(20) default (upper('a`b''c')), x default 5, y not null, u, "
                "v default (lower('Q')), n int, unique index uu (u), index nn (n), index un (u, n))",
                "create table given (id bigint primary key, v int unique)", "create table plain (v int)", "key plain v",
                "create table numbered (id int auto_increment primary key, at timestamp(3) default current_timestamp(3))",
                "insert into t (k, y) values (a, b)", "alter table t add column z datetime(3) not null default now(3)",
                "alter table t add column q default 7", "alter table t add column p", "insert into given (id) values (5)",
                "insert into numbered (id) values (null)",
            ])  # fmt: skip
            self.assertEqual({r["status"] for r in replies}, {"ok"}, replies)
            before = described(client)
            self.assertEqual(rows_of(client), [["a", "A`B'C", "5", "b", None, "q", "7", None, None]])
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(described(client), before)
            self.assertEqual(client.ask("insert into t (k, y) values (b, c)")["status"], "ok")
            self.assertEqual(rows_of(client), [[k, "A`B'C", "5", y, None, "q", "7", None, None] for k, y in ("ab", "bc")])
            self.assertEqual(client.ask("insert into t (k) values (c)")["code"], 1364)
            client.ask("update t set x = 10 where k = b")  # without a type it is compared as a number
            self.assertEqual(client.ask("select k from t where x < 6")["data"], [["a"]])
            self.assertEqual(client.ask("insert into given (id) values (5)")["code"], 1062)
            self.assertEqual(client.ask("insert into given (id) values (6)")["status"], "ok")
            self.assertEqual(client.ask("insert into numbered (id) values (null) returning id")["data"], [["2"]])
            self.assertEqual(client.ask("select at from numbered where at is null")["rows"], 0)
            for statement in ("drop index uu on t", "drop index nn on t", "drop index un on t", "mysql check t", "mysql check given"):
                reply = client.ask(statement)
                self.assertEqual((reply["status"], reply.get("rows", 0)), ("ok", 0), reply)

    def test_defaults_are_in_words_of_mysql(self) -> None:
        """MySQL, too, gives the rows of others what was declared."""
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(client.ask(
                "create table t (k int primary key, due datetime default (now() + interval '1 day 1 hour 30 minutes'), "
                "at datetime default now(), w varchar(20) default ('a' || 'b'), v varchar(9) default (lower('X\\y')))")["status"], "ok")  # fmt: skip
            self.db.sql("INSERT INTO t (k) VALUES (1)")
            self.assertEqual(self.db.sql("SELECT timediff(due, at), w, v FROM t"), [["25:30:00", "ab", "x\\y"]])
            self.assertEqual(client.ask("mysql repair t from mysql")["status"], "ok")
            client.ask("insert into t (k) values (2)")
            self.assertEqual(client.ask("select w, v from t order by k")["data"], [["ab", "x\\y"]] * 2)
        with self.db.server() as server, server.framed() as client:
            client.ask("insert into t (k) values (3)")
            self.assertEqual(self.db.sql("SELECT timediff(due, at), w, v FROM t"), [["25:30:00", "ab", "x\\y"]] * 3)

    def test_defaults_that_others_have_given_a_declared_table(self) -> None:
        """What memory can compute it computes, the rest is MySQL's to compute."""
        with self.db.server() as server, server.framed() as client:
            pipeline(client, ["create table t (k int primary key, v varchar(40) default x)", "insert into t (k) values (1)"])
        self.db.sql(
            "ALTER TABLE t MODIFY v varchar(40) DEFAULT (concat('p', 'q')), ADD low varchar(9) DEFAULT (lower('QQ')), "
            "ADD two int NOT NULL DEFAULT (1 + 1), ADD made timestamp DEFAULT current_timestamp, "
            "ADD changed timestamp DEFAULT current_timestamp ON UPDATE current_timestamp, "
            "ADD document varchar(30) NOT NULL DEFAULT (json_object('a', 1))"
        )
        with self.db.server() as server, server.framed() as client:
            reply = client.ask("insert into t (k) values (2) returning v, low, two, document")
            self.assertEqual(reply.get("data"), [["pq", "qq", "2", '{"a": 1}']], reply)
            self.assertEqual(client.ask("select k from t where made is null or changed is null")["rows"], 0)
            self.assertEqual(client.ask("mysql check t")["rows"], 0)

    def test_bytes(self) -> None:
        """They are the same with and without MySQL, as defaults, too."""
        with tempfile.TemporaryDirectory(prefix="pubsubsql-bytes-") as data:
            with ServerProcess("--data", data) as server, server.framed() as client:
                replies = pipeline(client, [
                    "create table t (k int primary key, b blob, v varbinary(9) unique default '0x6100ff', f binary(3) default 'x')",
                    "insert into t (k, b, v) values (1, '0x41', '0x4'), (2, 'A', 'A')", "insert into t (k, b) values (3, 'bytes')",
                    "insert into t (k, v) values (4, '0x41')", "insert into t (k, f) values (4, 'long')",
                ])  # fmt: skip
                self.assertEqual([r.get("code", r["status"]) for r in replies], ["ok", "ok", "ok", 1062, 1406], replies)
                rows = client.ask("select k, b, v, f from t")["data"]
            expected = [["1", "0x41", "0x307834"], ["2", "0x41", "0x41"], ["3", "0x6279746573", "0x6100ff"]]
            self.assertEqual(rows, [[*row, "0x780000"] for row in expected])
            with self.db.server("--data", data) as server, server.framed() as client:
                self.assertEqual(client.ask("alter table t add z blob default 'zz'")["status"], "ok")
                self.assertEqual(client.ask("select k, b, v, f, z from t")["data"], [[*row, "0x7a7a"] for row in rows])
                self.assertEqual(client.ask("mysql check t")["rows"], 0)
            with self.db.server() as server, server.framed() as client:
                reply = client.ask("insert into t (k) values (4)")
                self.assertIn("Duplicate entry '0x6100ff'", reply["msg"])

    def test_bits(self) -> None:
        for start in range(2):
            with self.db.server() as server, server.framed() as client:
                if start == 0:
                    self.assertEqual(client.ask("create table t (k int primary key, b bit(10) default 5, c bit(1) default 1)")["status"], "ok")
                reply = client.ask(f"insert into t (k) values ({start}) returning b, c")
                self.assertEqual(reply.get("data"), [["5", "1"]], reply)
        self.db.sql("INSERT INTO t (k) VALUES (2)")
        self.assertEqual(self.db.sql("SELECT b + 0, c + 0 FROM t"), [["5", "1"]] * 3)


class Failures(unittest.TestCase):
    """The statement gets MySQL's error, and nothing of it is left anywhere."""

    def setUp(self) -> None:
        self.db = new_database()

    def check_refused(self, client: FramedConnection, statement: str, code: int) -> None:
        before = state(client)
        tables = self.db.tables()
        reply = client.ask(statement)
        self.assertEqual((reply["status"], reply.get("code")), ("err", code), (statement, reply))
        self.assertEqual(state(client), before, statement)
        self.assertEqual(self.db.tables(), tables)

    def test_names_that_mysql_does_not_take(self) -> None:
        with self.db.server() as server, server.framed() as client:
            client.ask("insert into t (a) values (1)")
            for name in ("x" * 65, "\u00fc" * 65):
                self.check_refused(client, f"insert into {name} (a) values (1)", 1103)
                self.check_refused(client, f"insert into t ({name}) values (1)", 1059)
                self.check_refused(client, f"insert into t (b, {name}) values (1, 2)", 1059)
                self.check_refused(client, f"key new {name}", 1059)
                self.check_refused(client, f"subscribe * from {name}", 1103)
            self.check_refused(client, "insert into `space ` (a) values (1)", 1103)
            # MySQL's columns have no case.
            self.check_refused(client, "insert into t (A) values (1)", 1060)
            self.check_refused(client, "insert into u (b, B) values (1, 2)", 1060)
            self.check_refused(client, "insert into u (b, Id) values (1, 2)", 1060)
            self.assertEqual(self.db.rows("t"), [["0", "1"]])
            columns = self.db.sql("SHOW COLUMNS FROM t")
            self.assertEqual([row[0] for row in columns], ["id", "a"])
            self.assertEqual(client.ask("insert into t (a, b) values (2, 3)")["status"], "ok")

    def test_values_that_do_not_fit_the_key(self) -> None:
        with self.db.server() as server, server.framed() as client:
            pipeline(client, ["key t k", "tag t g", f"insert into t (v) values ({'x' * 300})"])
            self.check_refused(client, f"insert into t (k) values ({'x' * 256})", 1406)
            self.check_refused(client, f"insert into t (g) values ({'x' * 256})", 1406)
            self.check_refused(client, f"insert into t (g, fresh) values ({'x' * 256}, 1)", 1406)
            self.check_refused(client, f"update t set g = {'x' * 256}, fresh = 1", 1406)
            self.check_refused(client, "tag t v", 1406)
            self.check_refused(client, "key t v", 1406)
            self.assertEqual([row[0] for row in self.db.sql("SHOW COLUMNS FROM t")], ["id", "k", "g", "v"])
            self.assertEqual(client.ask("insert into t (g, fresh) values (y, 1)")["status"], "ok")

    def test_a_table_of_that_name_is_there(self) -> None:
        self.db.sql("CREATE TABLE other (a int); CREATE VIEW looks AS SELECT * FROM other")
        with self.db.server("--mysql-tables", "t") as server, server.framed() as client:
            self.db.sql("CREATE TABLE late (a int)")
            self.check_refused(client, "insert into other (a) values (1)", 1050)
            self.check_refused(client, "insert into looks (a) values (1)", 1050)
            self.check_refused(client, "insert into late (a) values (1)", 1050)
            self.check_refused(client, "key late a", 1050)
            self.check_refused(client, "subscribe * from late", 1050)
            self.assertIn("--mysql-tables", client.ask("insert into other (a) values (1)")["msg"])
            self.db.sql("DROP TABLE late")
            self.assertEqual(client.ask("insert into late (a) values (1)")["status"], "ok")
        self.assertEqual(self.db.sql("SELECT COUNT(*) FROM other"), [["0"]])

    def test_a_column_that_is_there(self) -> None:
        with self.db.server() as server, server.framed() as client:
            client.ask("insert into t (a) values (1)")
            self.db.sql("ALTER TABLE t ADD COLUMN b int")
            self.check_refused(client, "insert into t (b) values (1)", 1060)
            self.assertEqual([row[0] for row in self.db.sql("SHOW COLUMNS FROM t")], ["id", "a", "b"])
            self.assertEqual(client.ask("insert into t (a) values (2)")["status"], "ok")

    def test_a_key_that_only_mysql_breaks(self) -> None:
        with self.db.server() as server, server.framed() as client:
            client.ask("insert into t (a) values (1)")
            self.db.sql("INSERT INTO t (id, a) VALUES (100, 1)")
            self.check_refused(client, "key t a", 1062)
            self.assertEqual(client.ask("tag t a")["status"], "ok")

    def test_without_the_rights(self) -> None:
        """What needs a right fails; all else goes on."""
        with self.db.server() as server, server.framed() as client:
            client.ask("insert into t (a) values (1)")
        for host in ("127.0.0.1", "localhost"):
            self.db.sql(f"REVOKE CREATE, ALTER, INDEX, DROP ON {quoted(self.db.name)}.* FROM {USER}@{host}")
        with self.db.server() as server, server.framed() as client, server.framed() as other:
            for _ in range(3):
                self.check_refused(client, "insert into u (a) values (1)", 1142)
                self.assertEqual(other.ask("insert into t (a) values (2)")["status"], "ok")
                self.check_refused(client, "insert into t (b) values (1)", 1142)
                self.assertEqual(other.ask("update t set a = 3 where id = 1")["status"], "ok")
                self.check_refused(client, "tag t a", 1142)
                self.check_refused(client, "subscribe * from u", 1142)
            replies = pipeline(client, ["insert into t (a) values (x)", "insert into t (c) values (x)", "insert into t (a) values (y)"])
            self.assertEqual([r["status"] for r in replies], ["ok", "err", "ok"], replies)
            self.assertEqual(memory_rows(client, "t"), self.db.rows("t"))

    def test_neighbours_in_the_same_pipeline(self) -> None:
        """Refused changes of the schema between others; subscribers see exactly what is there in the end."""
        with self.db.server() as server, server.framed() as client, server.framed() as watcher:
            client.ask("key t k")
            follower = Follower(watcher, "t")
            statements = []
            for i in range(30):
                statements += [f"insert into t (k, v) values (k{i}, {i})", f"insert into t (k, {'y' * 65}) values (no{i}, 1)",
                               f"update t set c{i} = {i} where k = k{i}", f"insert into t (k) values ({'x' * 256})"]  # fmt: skip
            replies = pipeline(client, statements)
            self.assertEqual([r["status"] for r in replies], ["ok", "err", "ok", "err"] * 30, replies[:8])
            rows = client.ask("select * from t")["data"]
            self.assertEqual(follower.replayed(), rows)
            self.assertEqual(self.db.rows("t"), rows)


if __name__ == "__main__":
    unittest.main()
