"""Tables that MySQL had before: what is read is right, what is written is what MySQL stores, the rest stays untouched."""

import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import Follower, Mirror, databases_of, pipeline, quoted  # noqa: E402
from harness.wire import FramedConnection  # noqa: E402

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close
new_database = databases_of(mariadb)


# name, type, and values: as SQL, and as memory has them. NULL is in every column beside these.
TYPES: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("ti", "tinyint", [("-128", "-128"), ("127", "127")]),
    ("tu", "tinyint unsigned", [("0", "0"), ("255", "255")]),
    ("bo", "boolean", [("true", "1"), ("false", "0")]),
    ("si", "smallint", [("-32768", "-32768"), ("32767", "32767")]),
    ("mi", "mediumint unsigned", [("16777215", "16777215")]),
    ("i", "int", [("-2147483648", "-2147483648"), ("2147483647", "2147483647")]),
    ("iz", "int(8) unsigned zerofill", [("42", "00000042"), ("4294967295", "4294967295")]),
    ("bi", "bigint", [("-9223372036854775808", "-9223372036854775808"), ("9223372036854775807", "9223372036854775807")]),
    ("bu", "bigint unsigned", [("18446744073709551615", "18446744073709551615")]),
    ("d", "decimal(10,2)", [("-99999999.99", "-99999999.99"), ("0.1", "0.10")]),
    ("dl", "decimal(65,30)", [("1e-30", "0." + "0" * 29 + "1"), ("-" + "9" * 35 + "." + "9" * 30,) * 2]),
    ("f", "float", [("0.1", "0.1"), ("3.4028234e38", "3.4028235e38"), ("16777216", "16777216"), ("1.17549e-38", "1.17549e-38")]),
    ("fd", "double", [("0.1", "0.1"), ("1.7976931348623157e308", "1.7976931348623157e308"), ("5e-324", "5e-324"),
                      ("3.141592653589793", "3.141592653589793"), ("-1e15", "-1e15")]),
    ("dd", "date", [("'1000-01-01'", "1000-01-01"), ("'9999-12-31'", "9999-12-31"), ("'0000-00-00'", "0000-00-00")]),
    ("tt", "time", [("'-838:59:59'", "-838:59:59"), ("'00:00:00'", "00:00:00")]),
    ("t6", "time(6)", [("'838:59:59.999999'", "838:59:59.999999")]),
    ("dt", "datetime", [("'0000-00-00 00:00:00'", "0000-00-00 00:00:00"), ("'2024-02-29 23:59:59'", "2024-02-29 23:59:59")]),
    ("d6", "datetime(6)", [("'9999-12-31 23:59:59.999999'", "9999-12-31 23:59:59.999999")]),
    ("ts", "timestamp(6) null", [("'2038-01-19 03:14:07.999999'", "2038-01-19 03:14:07.999999"),
                                 ("'1970-01-01 00:00:01'", "1970-01-01 00:00:01.000000")]),
    ("y", "year", [("1901", "1901"), ("2155", "2155"), ("'0000'", "0000")]),
    ("c", "char(10)", [("'a b'", "a b"), ("'trail   '", "trail"), ("''", "")]),
    ("cl", "char(10) character set latin1", [("'\u00e9\u00df'", "\u00e9\u00df")]),
    ("v", "varchar(50)", [("'\U0001f600 null'", "\U0001f600 null"), ("'trail  '", "trail  "), ("'null'", "null"),
                          ("'q''uo\"te\\\\n'", "q'uo\"te\\n")]),
    ("v3", "varchar(50) character set utf8mb3", [("'\u20ac'", "\u20ac")]),
    ("vl", "varchar(50) character set latin1", [("'\u20ac\u00fc'", "\u20ac\u00fc")]),
    ("vu", "varchar(50) character set utf16", [("'\U0001f600'", "\U0001f600")]),
    ("v2", "varchar(50) character set ucs2", [("'\u4e2d'", "\u4e2d")]),
    ("vs", "varchar(50) character set sjis", [("'\u65e5\u672c'", "\u65e5\u672c")]),
    ("x", "text", [("concat('a', char(10), char(9), char(0), char(13))", "a\n\t\0\r")]),
    ("xl", "longtext character set latin1", [("repeat('\u00e9', 70000)", "\u00e9" * 70000)]),
    ("e", "enum('Small','large','','it''s')", [("'Small'", "Small"), ("''", ""), ("4", "it's")]),
    ("s", "set('a','B','c')", [("'c,a'", "a,c"), ("''", ""), ("7", "a,B,c")]),
    ("b", "binary(4)", [("'ab'", "0x61620000"), ("x'00000000'", "0x00000000"), ("x'ff202020'", "0xff202020")]),
    ("vb", "varbinary(20)", [("x'00ff00'", "0x00ff00"), ("''", "0x"), ("'0x41'", "0x30783431")]),
    ("bl", "blob", [("x'" + bytes(range(256)).hex() + "'", "0x" + bytes(range(256)).hex())]),
    ("b1", "bit(1)", [("b'1'", "1"), ("b'0'", "0")]),
    ("b64", "bit(64)", [("x'ffffffffffffffff'", "18446744073709551615"), ("x'8000000000000000'", "9223372036854775808")]),
    ("j", "json", [("'{\"a\": [1, null, \"\u00e9\"]}'", '{"a": [1, null, "\u00e9"]}'), ("'null'", "null")]),
    ("uu", "uuid", [("'123e4567-e89b-12d3-a456-426655440000'", "123e4567-e89b-12d3-a456-426655440000")]),
    ("i6", "inet6", [("'::1'", "::1")]),
    ("g", "point", [("point(1, 2)", "0x000000000101000000000000000000f03f0000000000000040")]),
]  # fmt: skip


def row_values(number: int) -> list[tuple[str, str | None]]:
    """Row 0 is all NULL, the others turn through each column's values."""
    if number == 0:
        return [("NULL", None)] * len(TYPES)
    return [values[(number - 1) % len(values)] for _, _, values in TYPES]


ROWS = 1 + max(len(values) for _, _, values in TYPES)


def make_table_of_all_types(db: Mirror, name: str) -> list[list[str | None]]:
    """The rows as memory must have them."""
    columns = ", ".join(f"{column} {type_}" for column, type_, _ in TYPES)
    rows = [row_values(number) for number in range(ROWS)]
    values = ", ".join(f"({number}, {', '.join(v[0] for v in row)})" for number, row in enumerate(rows))
    db.sql(
        "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00';"
        f"CREATE TABLE {name} (id int PRIMARY KEY, {columns}) CHARACTER SET utf8mb4;"
        f"INSERT INTO {name} VALUES {values}"
    )
    return [[str(number), *(v[1] for v in row)] for number, row in enumerate(rows)]


def as_literal(value: str | None) -> str:
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


class Types(unittest.TestCase):
    maxDiff = 4000

    def check_rows(self, client: FramedConnection, table: str, expected: list[list[str | None]]) -> None:
        reply = client.ask(f"select * from {table}")
        self.assertEqual(reply["columns"], ["id", *(column for column, _, _ in TYPES)])
        self.assertEqual(len(reply["data"]), len(expected))
        for got_row, row in zip(reply["data"], expected):
            for column, got, value in zip(reply["columns"], got_row, row):
                self.assertEqual(got, value, f"row {row[0]}, column {column}")

    def test_rows_are_read_as_they_are(self) -> None:
        db = new_database()
        expected = make_table_of_all_types(db, "t")
        for _ in range(2):
            with db.server() as server, server.framed() as client:
                self.check_rows(client, "t", expected)

    def test_other_columns_stay_as_they_are(self) -> None:
        """Beside the table that we write is a twin, to which root does the same."""
        db = new_database()
        make_table_of_all_types(db, "t")
        db.sql("CREATE TABLE twin LIKE t; INSERT INTO twin SELECT * FROM t")
        with db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("update t set v = one where id = 1")["status"], "ok")
            self.assertEqual(client.ask("update t set v = all")["rows"], ROWS)
            replies = pipeline(client, [f"update t set x = 'x{i}' where id = {i % ROWS}" for i in range(40)])
            self.assertEqual({r["status"] for r in replies}, {"ok"})
        last = {i % ROWS: f"x{i}" for i in range(40)}
        db.sql("UPDATE twin SET v = 'all'" + "".join(f"; UPDATE twin SET x = '{x}' WHERE id = {i}" for i, x in last.items()))
        sums = db.sql("CHECKSUM TABLE t, twin EXTENDED")
        self.assertEqual(sums[0][1], sums[1][1])

    def test_what_was_read_can_be_written(self) -> None:
        """Every value, given back as text, is stored as the same value."""
        db = new_database()
        expected = make_table_of_all_types(db, "t")
        db.sql("CREATE TABLE twin LIKE t")
        db.sql("SET SESSION sql_mode = ''; INSERT INTO twin SELECT * FROM t")
        with db.server() as server, server.framed() as client:
            # No zero dates: strict mode would refuse them unless the server's own mode allows them.
            columns = [column for column, _, _ in TYPES]
            names = ", ".join(quoted(c) for c in columns)
            self.assertEqual(client.ask("delete from t")["rows"], ROWS)
            statements = [
                f"insert into t ({names}) values ({', '.join(as_literal(v) for v in row[1:])})" for row in expected
            ]
            for reply, row in zip(pipeline(client, statements), expected):
                self.assertEqual(reply["status"], "ok", (row[0], reply))
            reply = client.ask("select * from t")
            self.assertEqual([row[1:] for row in reply["data"]], [row[1:] for row in expected])
            first = int(reply["data"][0][0])
        db.sql(f"UPDATE t SET id = id - {first}")
        sums = db.sql("CHECKSUM TABLE t, twin EXTENDED")
        self.assertEqual(sums[0][1], sums[1][1])


class WhatMysqlMakesOfIt(unittest.TestCase):
    """Replies, memory and subscribers have what MySQL stored."""

    def setUp(self) -> None:
        self.db = new_database()

    def check(self, table: str, statement: str, expected: dict[str, Any], action: str = "insert") -> None:
        """The statement concerns one row; expected: some of its columns."""
        with self.db.server() as server, server.framed() as client, server.framed() as watcher:
            watcher.ask(f"subscribe skip * from {table}")
            reply = client.ask(statement + " returning *")
            self.assertEqual((reply["status"], reply.get("rows")), ("ok", 1), reply)
            row = dict(zip(reply["columns"], reply["data"][0]))
            event = watcher.read_event()
            told = dict(zip(event["columns"], event["data"][0]))
            self.assertEqual(event["action"], action)
            selected = client.ask(f"select * from {table} where id = {row['id']}")
            kept = dict(zip(selected["columns"], selected["data"][0]))
            self.assertEqual(kept, row)
            for column, value in expected.items():
                self.assertEqual(row[column], value, column)
            for column, value in told.items():
                self.assertEqual(value, row[column], f"event, {column}")
        with self.db.server() as server, server.framed() as client:
            again = client.ask(f"select * from {table} where id = {row['id']}")
            self.assertEqual(dict(zip(again["columns"], again["data"][0])), row)

    def test_values_in_another_form(self) -> None:
        cases = [
            ("decimal(5,2)", "1.005", "1.01"),
            ("decimal(5,2)", "-0", "0.00"),
            ("int", "1.5", "2"),
            ("int", "007", "7"),
            ("bigint unsigned", "1e3", "1000"),
            ("float", "1.23456789", "1.2345679"),
            ("double", "1e2", "100"),
            ("date", "20240229", "2024-02-29"),
            ("datetime", "2024-02-29T01:02:03.6", "2024-02-29 01:02:03"),
            ("datetime(3)", "2024-02-29 01:02:03", "2024-02-29 01:02:03.000"),
            ("time", "1:2", "01:02:00"),
            ("year", "70", "1970"),
            ("char(5)", "'a  '", "a"),
            ("varchar(3)", "'abc   '", "abc"),
            ("varchar(3)", "'ab '", "ab "),
            ("varchar(3) character set latin1", "'\u00e9  '", "\u00e9  "),
            ("tinytext", "'" + "x" * 250 + " " * 20 + "'", "x" * 250 + " " * 5),
            ("enum('Small','large')", "SMALL", "Small"),
            ("enum('Small','large')", "2", "large"),
            ("set('a','B','c')", "'c,A'", "a,c"),
            ("binary(3)", "a", "0x610000"),
            ("binary(3)", "0x61", "0x610000"),
            ("varbinary(3)", "a", "0x61"),
            ("varbinary(9)", "0xABCD", "0xabcd"),
            ("bit(8)", "5", "5"),
            ("bit(8)", "0xFF", "255"),
            ("boolean", "1", "1"),
            ("uuid", "123E4567E89B12D3A456426655440000", "123e4567-e89b-12d3-a456-426655440000"),
            ("inet6", "0:0:0:0:0:0:0:1", "::1"),
        ]
        columns = ", ".join(f"c{i} {type_}" for i, (type_, _, _) in enumerate(cases))
        self.db.sql(f"CREATE TABLE t (id bigint PRIMARY KEY, {columns}); INSERT INTO t (id) VALUES (0)")
        names = ", ".join(f"c{i}" for i in range(len(cases)))
        cases = [(t, given if given.startswith("'") else f"'{given}'", stored) for t, given, stored in cases]
        values = ", ".join(given for _, given, _ in cases)
        expected = {f"c{i}": stored for i, (_, _, stored) in enumerate(cases)}
        self.check("t", f"insert into t ({names}) values ({values})", expected)
        sets = ", ".join(f"c{i} = {given}" for i, (_, given, _) in enumerate(cases))
        self.check("t", f"update t set {sets} where id = 0", expected, "update")

    def test_defaults_and_generated_columns(self) -> None:
        self.db.sql(
            "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 7, s varchar(9) NOT NULL DEFAULT 'it''s',"
            " at timestamp NOT NULL DEFAULT '2001-02-03 04:05:06' ON UPDATE CURRENT_TIMESTAMP, u char(36) DEFAULT 'u',"
            " b varbinary(4) DEFAULT x'00ff', twice int AS (n * 2) STORED, again int AS (n + 1) VIRTUAL, v int)"
        )
        defaults = {"n": "7", "s": "it's", "at": "2001-02-03 04:05:06", "u": "u", "b": "0x00ff", "twice": "14", "again": "8"}
        self.check("t", "insert into t (v) values (1)", {**defaults, "v": "1"})
        self.check("t", "insert into t (n, u) values (20, null)", {"n": "20", "u": None, "twice": "40", "again": "21"})
        with self.db.server() as server, server.framed() as client:
            reply = client.ask("insert into t (twice) values (1)")
            self.assertEqual((reply["status"], client.ask("select * from t where v = null")["rows"]), ("err", 0), reply)
            reply = client.ask("update t set n = 1 where v = 1 returning twice, again, at")
            self.assertEqual(reply["data"][0][:2], ["2", "2"])
            self.assertNotEqual(reply["data"][0][2], "2001-02-03 04:05:06")
            self.assertEqual(self.db.sql("SELECT twice, again FROM t WHERE v = 1"), [["2", "2"]])

    def test_auto_increment(self) -> None:
        self.db.sql("CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, v int) AUTO_INCREMENT = 100")
        self.check("t", "insert into t (v) values (1)", {"id": "100"})
        self.check("t", "insert into t (v) values (2)", {"id": "101"})
        self.db.sql("CREATE TABLE n (number int PRIMARY KEY AUTO_INCREMENT, v int) AUTO_INCREMENT = 50")
        self.db.sql("INSERT INTO n (v) VALUES (0)")
        with self.db.server() as server, server.framed() as client, server.framed() as watcher:
            watcher.ask("subscribe skip * from n")
            replies = pipeline(client, [f"insert into n (v) values ({i}), (-{i}) returning number, v" for i in range(1, 4)])
            numbers = [n for r in replies for n, _ in r["data"]]
            self.assertEqual(numbers, [str(n) for n in range(51, 57)])
            told: list[str] = []
            while len(told) < 6:
                event = watcher.read_event()
                told += [row[event["columns"].index("number")] for row in event["data"]]
            self.assertEqual(told, numbers)
            self.assertEqual(client.ask("update n set v = 9 where number = 52")["rows"], 1)
            self.assertEqual(client.ask("delete from n where number = 51")["rows"], 1)
        self.assertEqual(self.db.sql("SELECT v FROM n WHERE number IN (51, 52)"), [["9"]])

    def test_triggers(self) -> None:
        self.db.sql("CREATE TABLE t (id int PRIMARY KEY, v varchar(50)); CREATE TABLE log (what varchar(80))")
        self.db.sql("INSERT INTO t VALUES (0, 'old'), (1, 'old')")
        self.db.sql("CREATE TRIGGER i BEFORE INSERT ON t FOR EACH ROW SET NEW.v = UPPER(NEW.v)")
        self.db.sql("CREATE TRIGGER a AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (CONCAT('i', NEW.id))")
        self.db.sql("CREATE TRIGGER u BEFORE UPDATE ON t FOR EACH ROW SET NEW.v = CONCAT(NEW.v, '!')")
        self.db.sql("CREATE TRIGGER d AFTER DELETE ON t FOR EACH ROW INSERT INTO log VALUES (CONCAT('d', OLD.id))")
        self.check("t", "insert into t (v) values (loud)", {"v": "LOUD"})
        self.check("t", "update t set v = x where id = 0", {"v": "x!"}, "update")
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("delete from t where id = 1")["rows"], 1)
        self.assertEqual(self.db.sql("SELECT what FROM log"), [["i2"], ["d1"]])
        self.assertEqual(self.db.sql("SELECT * FROM t ORDER BY id"), [["0", "x!"], ["2", "LOUD"]])

    def test_case_and_padding_of_keys(self) -> None:
        """MySQL's collation says which keys are equal."""
        self.db.sql("CREATE TABLE t (id int PRIMARY KEY, k varchar(20) COLLATE utf8mb4_general_ci UNIQUE, v int)")
        with self.db.server() as server, server.framed() as client:
            self.assertEqual(client.ask("insert into t (k) values (abc)")["status"], "ok")
            replies = pipeline(client, ["insert into t (k) values (x)", "insert into t (k) values (ABC)",
                                        "insert into t (k) values ('abc ')", "insert into t (k) values (y)",
                                        "update t set k = X where k = y"])  # fmt: skip
            self.assertEqual([r["status"] for r in replies], ["ok", "err", "err", "ok", "err"])
            self.assertEqual((replies[1]["code"], replies[1]["sqlstate"]), (1062, "23000"))
            self.assertEqual([row[1] for row in client.ask("select * from t")["data"]], ["abc", "x", "y"])
        self.assertEqual(self.db.sql("SELECT k FROM t ORDER BY id"), [["abc"], ["x"], ["y"]])


class Refusals(unittest.TestCase):
    def test_errors_come_with_code_and_state(self) -> None:
        db = new_database()
        db.sql(
            "CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (0);"
            "CREATE TABLE t (id int PRIMARY KEY, k varchar(5) UNIQUE, n tinyint unsigned, d decimal(4,1), day date,"
            " e enum('a','b'), nn int NOT NULL DEFAULT 1, p int, j json, bt bit(2), vb varbinary(2), l varchar(9) CHARACTER SET latin1,"
            " FOREIGN KEY (p) REFERENCES parent (id), CHECK (n <> 13))"
        )
        cases = [
            ("k", "'too long'", 1406, "22001"),
            ("n", "256", 1264, "22003"),
            ("n", "-1", 1264, "22003"),
            ("n", "nonsense", 1366, "22007"),
            ("n", "13", 4025, "23000"),
            ("d", "12345", 1264, "22003"),
            ("d", "'1.2.3'", 1265, "01000"),
            ("day", "2023-02-29", 1292, "22007"),
            ("e", "c", 1265, "01000"),
            ("nn", "null", 1048, "23000"),
            ("p", "5", 1452, "23000"),
            ("j", "'{'", 4025, "23000"),
            ("bt", "4", 1406, "22001"),
            ("vb", "abc", 1406, "22001"),
            ("l", "\u4e2d", 1366, "22007"),
        ]
        with db.server() as server, server.framed() as client, server.framed() as watcher:
            follower = Follower(watcher, "t")
            client.ask("insert into t (k) values (first)")
            statements = []
            for i, (column, value, _, _) in enumerate(cases):
                statements += [f"insert into t (k) values (k{i})", f"insert into t ({column}) values ({value})",
                               f"update t set {column} = {value} where k = k{i}"]  # fmt: skip
            replies = pipeline(client, statements)
            for i, (column, value, code, state) in enumerate(cases):
                self.assertEqual(replies[3 * i], {"status": "ok", "action": "insert", "rows": 1})
                for reply in replies[3 * i + 1 : 3 * i + 3]:
                    self.assertEqual(reply["status"], "err", (column, value))
                    self.assertEqual((reply["code"], reply["sqlstate"]), (code, state), reply)
                    self.assertGreater(len(reply["msg"]), 10)
            rows = client.ask("select * from t")
            self.assertEqual([row[1] for row in rows["data"]], ["first", *(f"k{i}" for i in range(len(cases)))])
            self.assertEqual(follower.replayed(), rows["data"])
            self.assertEqual(db.rows("t"), rows["data"])
            # A statement about many rows is taken or refused as a whole.
            self.assertEqual(client.ask("update t set n = 256")["code"], 1264)
            self.assertEqual(client.ask("insert into t (n) values (1), (2), (256)")["code"], 1264)
            self.assertEqual(db.rows("t"), client.ask("select * from t")["data"])

    def check_each(self, db: Mirror, statements: list[str], as_in_mysql: Callable[[list[Any]], list[Any]]) -> None:
        """After each statement on table t, memory, MySQL and a subscriber have the same rows."""
        with db.server() as server, server.framed() as client, server.framed() as subscriber:
            follower = Follower(subscriber, "t")
            for statement in statements:
                self.assertEqual(client.ask(statement)["status"], "ok", statement)
                rows = as_in_mysql(client.ask("select * from t")["data"])
                self.assertEqual(rows, db.rows("t"), statement)
                self.assertEqual(sorted(as_in_mysql(follower.replayed())), sorted(rows), statement)
                self.assertEqual(client.ask("mysql check t")["rows"], 0, statement)

    def test_what_mysql_makes_of_rows_that_are_updated_instead(self) -> None:
        """Each row gets what MySQL made of it, also those that the statement did not add."""
        db = new_database()
        db.sql(
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, k int UNIQUE, v decimal(5,1), twice decimal(6,1) AS (v * 2) STORED);"
            "INSERT INTO t (k, v) VALUES (1, 1), (2, 2)"
        )
        statements = [
            "insert into t (k, v) values (2, 3.14), (7, 5.55), (1, 4) on duplicate key update v = values(v)",
            "insert into t (k, v) values (1, 9), (8, 6.66) on duplicate key update v = v + 0.26",
            "replace into t (k, v) values (2, 7.77), (9, 8.88)",
            "insert ignore into t (k, v) values (1, 5), (10, 9.99)",
        ]
        self.check_each(db, statements, list)

    def test_what_triggers_make_of_rows_that_are_updated_instead(self) -> None:
        """Nobody can tell before what a trigger does: which rows were stored counts as it was then."""
        db = new_database()
        db.sql(
            "CREATE TABLE t (k int PRIMARY KEY, v varchar(20), seen int); INSERT INTO t VALUES (1, 'a', 0), (2, 'b', 0);"
            "CREATE TRIGGER bi BEFORE INSERT ON t FOR EACH ROW SET NEW.v = upper(NEW.v);"
            "CREATE TRIGGER bu BEFORE UPDATE ON t FOR EACH ROW SET NEW.v = upper(NEW.v), NEW.seen = OLD.seen + NEW.k"
        )
        statements = [
            "insert into t (k, v) values (1, 'z'), (1, 'z'), (2, 'w') on duplicate key update v = values(v)",
            "insert into t (k, v) values (1, 'a'), (1, 'a') on duplicate key update v = values(v)",
            "insert into t (k, v) values (3, 'n'), (3, 'n'), (1, 'a'), (4, 'm'), (2, 'x') on duplicate key update v = values(v)",
            "insert ignore into t (k, v) values (3, 'i'), (5, 'j'), (5, 'i')",
            "replace into t (k, v) values (5, 'k'), (5, 'k'), (6, 'l')",
            "update t set v = concat(v, 'q') where k > 2",
        ]
        self.check_each(db, statements, lambda rows: sorted(row[1:] for row in rows))  # the id is memory's own

    def test_rows_that_only_mysql_has(self) -> None:
        db = new_database()
        db.sql("CREATE TABLE t (id int PRIMARY KEY, k varchar(9) UNIQUE, v int)")
        with db.server() as server, server.framed() as client:
            db.sql("INSERT INTO t VALUES (1000, 'taken', 0)")
            replies = pipeline(client, ["insert into t (k) values (a)", "insert into t (k) values (taken)",
                                        "insert into t (k) values (b)", "update t set k = taken where k = a"])  # fmt: skip
            self.assertEqual([r["status"] for r in replies], ["ok", "err", "ok", "err"])
            self.assertEqual({r["code"] for r in replies if r["status"] == "err"}, {1062})
        self.assertEqual(db.rows("t"), [["0", "a", None], ["1", "b", None], ["1000", "taken", "0"]])

    def test_rows_that_mysql_lost(self) -> None:
        """Memory is what counts: the row comes back, and no other is touched."""
        db = new_database()
        db.sql("CREATE TABLE t (id int PRIMARY KEY, k varchar(9), v int); INSERT INTO t VALUES (0, 'a', 0), (1, 'b', 0)")
        with db.server() as server, server.framed() as client:
            db.sql("DELETE FROM t WHERE id = 0")
            self.assertEqual(client.ask("update t set v = 1 where id = 0")["status"], "ok")
            db.sql("DELETE FROM t WHERE id = 1")
            self.assertEqual(client.ask("delete from t where id = 1")["rows"], 1)
        self.assertEqual(db.rows("t"), [["0", "a", "1"]])


if __name__ == "__main__":
    unittest.main()
