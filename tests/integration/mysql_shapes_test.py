"""Tables of MySQL's of every shape: how their rows are told apart, which keys and names they have, columns that come."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import Mirror, databases_of, pipeline, quoted  # noqa: E402

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close
new_database = databases_of(mariadb)


class Shapes(unittest.TestCase):
    """Tables without our id, with odd names, and without any key."""

    def exercise(self, db: Mirror, table: str, insert: str, where: str, column: str) -> None:
        """Insert, update and delete a row, each seen in MySQL and after a restart."""
        with db.server() as server, server.framed() as client:
            before = client.ask(f"select * from {table}")["data"]
            reply = client.ask(f"insert into {table} {insert}")
            self.assertEqual(reply["status"], "ok", reply)
            self.assertEqual(len(db.sql(f"SELECT * FROM {table}")), len(before) + 1)
        with db.server() as server, server.framed() as client:
            self.assertEqual(client.ask(f"select * from {table}")["rows"], len(before) + 1)
            reply = client.ask(f"update {table} set {column} = 77 where {where} returning {column}")
            self.assertEqual(reply.get("data"), [["77"]], reply)
            self.assertEqual(len(db.sql(f"SELECT * FROM {table} WHERE {column} = 77")), 1)
            reply = client.ask(f"delete from {table} where {where}")
            self.assertEqual(reply.get("rows"), 1, reply)
            after = client.ask(f"select * from {table}")["data"]
            self.assertEqual([row[1:] for row in after], [row[1:] for row in before])
            self.assertEqual(len(db.sql(f"SELECT * FROM {table}")), len(before))

    def test_composite_primary_key(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (a int, b varchar(9), v int, PRIMARY KEY (b, a)); INSERT INTO t VALUES (1, 'x', 0), (1, 'y', 0)")
        self.exercise(db, "t", "(a, b, v) values (2, 'x', 1)", "a = 2", "v")
        self.assertEqual(db.sql("SELECT * FROM t ORDER BY b"), [["1", "x", "0"], ["1", "y", "0"]])
        with db.server() as server, server.framed() as client:
            replies = pipeline(client, ["insert into t (a, v) values (5, 5)", "insert into t (a, b) values (1, x)",
                                        "update t set a = 9 where b = x", "update t set v = 9 where a = 9"])  # fmt: skip
            self.assertEqual([r["status"] for r in replies], ["err", "err", "ok", "ok"])
        self.assertEqual(db.sql("SELECT * FROM t ORDER BY b"), [["9", "x", "9"], ["1", "y", "0"]])

    def test_a_key_that_is_changed(self) -> None:
        """Rows swap their keys; a key is freed and taken again in the same pipeline."""
        db = new_database()
        db.sql("CREATE TABLE t (k varchar(9) PRIMARY KEY, v int); INSERT INTO t VALUES ('a', 1), ('b', 2)")
        with db.server() as server, server.framed() as client:
            replies = pipeline(client, ["update t set k = c where v = 1", "update t set k = a where v = 2",
                                        "update t set k = b where v = 1", "delete from t where k = a",
                                        "insert into t (k, v) values (a, 3)"])  # fmt: skip
            self.assertEqual({r["status"] for r in replies}, {"ok"})
        self.assertEqual(db.sql("SELECT * FROM t ORDER BY k"), [["a", "3"], ["b", "1"]])

    def test_a_text_named_id(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (id varchar(20) PRIMARY KEY, v int); INSERT INTO t VALUES ('x1', 0)")
        self.exercise(db, "t", "(id, v) values (x2, 1)", "id = x2", "v")
        with db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("select * from t"), {"status": "ok", "action": "select", "columns": ["id", "v"],
                             "rows": 1, "fromrow": 1, "torow": 1, "data": [["x1", "0"]]})  # fmt: skip
            client.ask("subscribe skip * from t")
            self.assertEqual(client.ask("update t set id = x9 where id = x1 returning id")["data"], [["x9"]])
        self.assertEqual(db.sql("SELECT id FROM t"), [["x9"]])

    def test_without_an_id(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (email varchar(50) NOT NULL, v int, UNIQUE (email)); INSERT INTO t VALUES ('a@b', 0)")
        self.exercise(db, "t", "(email, v) values ('c@d', 1)", "email = 'c@d'", "v")
        with db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("select * from t")["columns"], ["id", "email", "v"])
            self.assertEqual(client.ask("select * from t where id = 0")["rows"], 1)

    def test_addresses_of_many_types(self) -> None:
        for number, (type_, one, other) in enumerate([
            ("decimal(20,10)", "0.1000000000", "0.2000000000"), ("double", "0.1", "1e300"), ("float", "0.1", "16777216"), ("datetime(6)",
            "2024-01-01 00:00:00.000001", "2024-01-01 00:00:00.000002"), ("binary(3)", "0x610000", "0x620000"),
            ("bigint unsigned", "18446744073709551615", "18446744073709551614"), ("enum('a','b')", "a", "b"),
            ("bit(64)", "18446744073709551615", "9223372036854775808"), ("char(4)", "ab", "cd"), ("uuid",
            "123e4567-e89b-12d3-a456-426655440000", "223e4567-e89b-12d3-a456-426655440000"), ("time(3)", "-10:00:00.001", "10:00:00.002"),
            ("year", "1999", "2001"), ("varchar(9) character set latin1", "\u00e9", "\u00fc"),
            ("timestamp(3)", "2024-01-01 00:00:00.001", "2024-01-01 00:00:00.002"),
        ]):  # fmt: skip
            with self.subTest(type_):
                db = new_database()
                db.sql(f"CREATE TABLE t (k {type_} PRIMARY KEY, v int)")
                with db.server() as server, server.framed() as client:
                    replies = pipeline(client, [f"insert into t (k, v) values ('{one}', 1)", f"insert into t (k, v) values ('{other}', 2)",
                                                f"update t set v = 3 where k = '{one}'"])  # fmt: skip
                    self.assertEqual([r["status"] for r in replies], ["ok"] * 3, replies)
                    self.assertEqual([r[1:] for r in client.ask("select * from t")["data"]], [[one, "3"], [other, "2"]])
                self.assertEqual(sorted(db.sql("SELECT v FROM t")), [["2"], ["3"]])
                with db.server() as server, server.framed() as client:
                    replies = pipeline(client, [f"update t set v = 4 where k = '{other}'", f"delete from t where k = '{one}'"])
                    self.assertEqual([r.get("rows") for r in replies], [1, 1], replies)
                self.assertEqual(db.sql("SELECT v FROM t"), [["4"]])

    def test_names_that_need_quoting(self) -> None:
        for name in ("select", "unit price", "back`quote", "\u00fcn\u00efc\u00f6d\u00e9", "a'b\"c", "a?b", "a.b", "%s"):
            with self.subTest(name):
                db = new_database()
                q = quoted(name)
                db.sql(f"CREATE TABLE {q} (id int PRIMARY KEY, {q} int, `key` varchar(9), UNIQUE {q} (`key`)); INSERT INTO {q} VALUES (0, 1, 'a')")
                self.exercise(db, q, f"({q}, `key`) values (1, b)", "`key` = b", q)

    def test_without_any_key(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (a int, b int, KEY (a)); INSERT INTO t VALUES (1, 2), (1, 2), (NULL, NULL)")
        db.sql("CREATE TABLE u (a int UNIQUE); INSERT INTO u VALUES (1), (NULL), (NULL)")
        with db.server() as server, server.framed() as client:
            reply = client.ask("select * from t")
            self.assertEqual([row[1:] for row in reply["data"]], [["1", "2"], ["1", "2"], [None, None]])
            for table in ("t", "u"):
                self.assertEqual(client.ask(f"select * from {table}")["rows"], 3)
                self.assertEqual(client.ask(f"subscribe * from {table}")["status"], "ok")
                for statement in (f"insert into {table} (a) values (9)", f"update {table} set a = 2", f"delete from {table}",
                                  f"push into {table} (a) values (1)", f"pop from {table}",
                                  f"insert into {table} (c) values (1)"):  # fmt: skip
                    reply = client.ask(statement)
                    self.assertEqual(reply["status"], "err", statement)
                    self.assertIn("key", reply["msg"])
                self.assertEqual(client.ask(f"select * from {table}")["rows"], 3)
        self.assertEqual(len(db.sql("SELECT * FROM t")), 3)

    def test_indexes_become_keys_and_tags(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, i int, KEY (i), a int, b int, UNIQUE (a, b), p varchar(99), UNIQUE (p(3)), n int)")
        with db.server() as server, server.framed() as client:
            reply = client.ask("describe t")
            at = reply["columns"].index("Key")
            self.assertEqual({row[0]: row[at] for row in reply["data"]},
                             {"id": "PRI", "u": "UNI", "i": "MUL", "a": "MUL", "b": "", "p": "MUL", "n": ""})  # fmt: skip
            self.assertEqual(client.ask("insert into t (u) values (1)")["status"], "ok")
            self.assertEqual(client.ask("insert into t (u) values (1)")["status"], "err")
            replies = pipeline(client, ["insert into t (p) values (abcd)", "insert into t (p) values (abce)",
                                        "insert into t (a, b) values (1, 1)", "insert into t (a, b) values (1, 2)",
                                        "insert into t (a, b) values (1, 2)"])  # fmt: skip
            self.assertEqual([r["status"] for r in replies], ["ok", "err", "ok", "ok", "err"])
            self.assertEqual(db.rows("t"), client.ask("select * from t")["data"])

    def test_new_columns_and_indexes_on_adopted_tables(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (id int PRIMARY KEY, v int) CHARACTER SET latin1; INSERT INTO t VALUES (0, 5), (1, 6)")
        with db.server() as server, server.framed() as client:
            replies = pipeline(client, ["update t set note = '\U0001f600' where id = 0", "tag t note", "key t v",
                                        "insert into t (v) values (5)", "insert into t (v, note) values (7, n)"])  # fmt: skip
            self.assertEqual([r["status"] for r in replies], ["ok", "ok", "ok", "err", "ok"], replies)
            rows = client.ask("select * from t")["data"]
            described = client.ask("describe t")["data"]
        self.assertEqual(db.rows("t"), rows)
        with db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("select * from t")["data"], rows)
            self.assertEqual([row[3] for row in client.ask("describe t")["data"]], [row[3] for row in described])

    def test_a_key_that_tells_rows_stays(self) -> None:
        db = new_database()
        db.sql(
            "CREATE TABLE p (a int, b int, v int, PRIMARY KEY (a, b)); INSERT INTO p VALUES (1, 2, 3);"
            "CREATE TABLE u (a int NOT NULL, v int, UNIQUE only_one (a)); INSERT INTO u VALUES (1, 2)"
        )
        with db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("create table made (a int primary key, b int)")["status"], "ok")
            for statement in (
                "alter table p drop primary key", "alter table u drop column a",
                "alter table made drop primary key", "alter table made drop column a",
            ):  # fmt: skip
                refusal = client.ask(statement)
                self.assertEqual((refusal.get("code"), refusal.get("sqlstate")), (1173, "42000"), (statement, refusal))
            for table in ("p", "u"):
                self.assertEqual(client.ask(f"update {table} set v = 9")["rows"], 1)
                self.assertEqual(client.ask(f"mysql check {table}")["rows"], 0)
            self.assertEqual(client.ask("alter table p add unique index ab (a, b)")["status"], "ok")
            self.assertEqual(client.ask("alter table p drop primary key")["status"], "ok")
            self.assertEqual(client.ask("delete from p")["rows"], 1)

    def test_a_key_that_others_take_away(self) -> None:
        """Nothing is written without one, and all is as before when it is there again."""
        db = new_database()
        db.sql("CREATE TABLE t (a int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)")
        with db.server() as server, server.framed() as client:
            db.sql("ALTER TABLE t DROP PRIMARY KEY, ADD COLUMN w int")
            self.assertEqual(client.ask("create index v on t (v)")["status"], "ok")  # the table is read anew
            for statement in ("update t set v = 3 where a = 1", "delete from t", "insert into t (a) values (3)"):
                refusal = client.ask(statement)
                self.assertEqual(refusal.get("code"), 1036, refusal)
                self.assertIn("primary", refusal["msg"])
            self.assertEqual(db.sql("SELECT a, v FROM t ORDER BY a"), [["1", "1"], ["2", "2"]])
            db.sql("ALTER TABLE t ADD PRIMARY KEY (a)")
            self.assertEqual(client.ask("update t set v = 3 where a = 1")["rows"], 1)
            self.assertEqual(db.sql("SELECT a, v FROM t ORDER BY a"), [["1", "3"], ["2", "2"]])

    def test_only_the_tables_asked_for(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE VIEW c AS SELECT * FROM a")
        with db.server("--mysql-tables", "b") as server, server.framed() as client:
            self.assertEqual([row[0] for row in client.ask("show tables")["data"]], ["b"])
        with db.server() as server, server.framed() as client:
            self.assertEqual([row[0] for row in client.ask("show tables")["data"]], ["a", "b"])

    def test_columns_that_mysql_drops_or_adds_behind_our_back(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (id int PRIMARY KEY, a varchar(9), b varchar(9)); INSERT INTO t VALUES (0, 'x', 'y')")
        with db.server() as server, server.framed() as client:
            db.sql("ALTER TABLE t ADD COLUMN c varchar(9) NOT NULL DEFAULT 'c' FIRST")
            replies = pipeline(client, ["insert into t (a, b) values (a1, b1)", "update t set a = a2 where id = 0"])
            self.assertEqual([r["status"] for r in replies], ["ok", "ok"], replies)
            self.assertEqual(db.sql("SELECT id, a, b, c FROM t ORDER BY id"), [["0", "a2", "y", "c"], ["1", "a1", "b1", "c"]])
            db.sql("ALTER TABLE t DROP COLUMN b")
            replies = pipeline(client, ["insert into t (a, b) values (a3, b3)", "insert into t (a) values (a4)",
                                        "update t set b = b5", "update t set a = a6 where id = 0",
                                        "update t set b = b7 where id = 0", "delete from t where id = 1"])  # fmt: skip
            self.assertEqual([r["status"] for r in replies], ["err", "ok", "err", "ok", "err", "ok"], replies)
            self.assertEqual({r["code"] for r in replies if r["status"] == "err"}, {1054})
            kept = [[row[0], row[1]] for row in client.ask("select * from t")["data"]]
            self.assertEqual(db.sql("SELECT id, a FROM t ORDER BY id"), kept)
            for statement in ("insert into t (a, d) values (a8, d8)", "tag t b", "key t b", "tag t d"):
                self.assertEqual(client.ask(statement).get("code"), 1054, statement)
            self.assertEqual([row[0] for row in client.ask("describe t")["data"]], ["id", "a", "b"])
            db.sql("DROP TABLE t")
            for statement in ("insert into t (a) values (x)", "update t set a = x where id = 0", "delete from t"):
                self.assertEqual(client.ask(statement)["code"], 1146)
            self.assertEqual([[row[0], row[1]] for row in client.ask("select * from t")["data"]], kept)

    def test_an_engine_without_transactions(self) -> None:
        """What is refused of a batch could not be told from its neighbours there: it could not be taken back."""
        for engine in ("MyISAM", "Aria"):
            with self.subTest(engine):
                db = new_database()
                db.sql(f"CREATE TABLE t (id int PRIMARY KEY, v int) ENGINE={engine}; INSERT INTO t VALUES (1, 2)")
                with db.server() as server, server.framed() as client:
                    self.assertEqual(client.ask("select v from t")["data"], [["2"]])
                    reply = client.ask("update t set v = 3")
                    self.assertEqual(reply["status"], "err")
                    self.assertIn(f"{engine}, has no transactions; make it InnoDB there", reply["msg"])
                db.sql("ALTER TABLE t ENGINE=InnoDB")
                with db.server() as server, server.framed() as client:
                    self.assertEqual(client.ask("update t set v = 3")["status"], "ok")
                self.assertEqual(db.sql("SELECT v FROM t"), [["3"]])


class Columns(unittest.TestCase):
    """Columns that come later."""

    def test_rows_get_what_mysql_gives_them(self) -> None:
        for definition, given in [
            ("int default 3", "3"), ("int not null default 3", "3"), ("int not null", "0"), ("varchar(9) not null", ""),
            ("decimal(5,2) default 1.5", "1.50"), ("decimal(5,1) not null", "0.0"), ("int", None), ("date default '2024-01-01'", "2024-01-01"),
            ("set('x') not null", ""), ("binary(3) not null", "0x000000"), ("blob not null", "0x"), ("time not null", "00:00:00"),
        ]:  # fmt: skip
            with self.subTest(definition):
                is_required = definition.endswith("not null")
                db = new_database()
                db.sql("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)")
                with db.server() as server, server.framed() as client, server.framed() as subscriber:
                    subscriber.ask("subscribe skip * from t")
                    self.assertEqual(client.ask(f"alter table t add column c {definition}")["status"], "ok")
                    self.assertEqual(client.ask("select c from t")["data"], [[given], [given]])
                    if given is not None:
                        told: list[list[str | None]] = []
                        while len(told) < 2:
                            told += subscriber.read_event()["data"]
                        self.assertEqual(told, [["1", given], ["2", given]])
                    self.assertEqual(client.ask("mysql check t")["rows"], 0)
                    # Later rows get theirs from MySQL, or have to have one.
                    reply = client.ask("insert into t (v) values (3) returning c")
                    self.assertEqual(reply.get("data", reply.get("code")), 1364 if is_required else [[given]])
                shown = "concat('0x', hex(c))" if given is not None and given.startswith("0x") else "c"
                self.assertEqual(db.sql(f"SELECT {shown} FROM t"), [[given]] * (2 if is_required else 3))

    def test_rows_get_the_first_label(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1)")
        with db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("alter table t add column c enum('b', 'a') not null")["status"], "ok")
            self.assertEqual(client.ask("select c from t")["data"], [["b"]])
            self.assertEqual(client.ask("mysql check t")["rows"], 0)

    def test_a_counter_does_not_number_rows_that_are_there(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (v int NOT NULL UNIQUE); INSERT INTO t VALUES (1)")
        with db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("alter table t add column n int auto_increment unique")["status"], "err")
            self.assertEqual(client.ask("select * from t")["columns"], ["id", "v"])
        self.assertEqual(db.sql("SELECT * FROM t"), [["1"]])


if __name__ == "__main__":
    unittest.main()
