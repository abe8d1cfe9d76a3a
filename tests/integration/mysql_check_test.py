"""`mysql check` and `mysql repair`: every difference is found, and set right in either direction.

Usage: mysql_check_test.py [Class or Class.test ...]
"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import USER, Follower, databases_of, memory_rows, pipeline  # noqa: E402
from harness.mirror_case import MirrorCase  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import frame  # noqa: E402
from harness.writers import Writers  # noqa: E402

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close


class Case(MirrorCase):
    databases = staticmethod(databases_of(mariadb))


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
            shown = self.check(client, "t")
            self.assertEqual((len(shown), shown[-1]), (1001, ["and more: 3000 rows differ", None, None, None, None]))
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

    def test_swapped_keys_that_cannot_be_null(self) -> None:
        self.db.sql("CREATE TABLE t (id int PRIMARY KEY, k varchar(20) NOT NULL UNIQUE, n int NOT NULL UNIQUE, v text);"
                    "INSERT INTO t SELECT seq, CONCAT('k', seq), seq, 'o' FROM seq_1_to_9")  # fmt: skip
        self.both_ways(
            [],
            "t",
            "UPDATE t SET k = CONCAT('tmp', id) WHERE id < 6; UPDATE t SET k = CONCAT('k', id % 5 + 1) WHERE id < 6;"
            "UPDATE t SET n = 100 WHERE id = 8; UPDATE t SET n = 8 WHERE id = 7; UPDATE t SET v = 'p' WHERE id = 9",
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

    def test_all_of_it_or_nothing(self) -> None:
        with self.db.server() as server, server.framed() as client:
            self.ok(client, "create table t (a int primary key, b int)")
            self.ok(client, "insert into t values (1, 1), (2, 2), (3, 3), (4, 4)")
            self.db.sql("DELETE FROM t WHERE a < 3; UPDATE t SET b = 9 WHERE a = 4; INSERT INTO t VALUES (5, 5); ALTER TABLE t ADD CHECK (a <> 2)")
            before = self.db.sql("SELECT * FROM t ORDER BY a")
            self.refused(client, "mysql repair t", "CONSTRAINT")
            self.assertEqual(self.db.sql("SELECT * FROM t ORDER BY a"), before)
            self.ok(client, "delete from t where a = 2")
            self.ok(client, "mysql repair t", rows=3)
            self.assertEqual(self.check(client, "t"), [])

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


if __name__ == "__main__":
    unittest.main()
