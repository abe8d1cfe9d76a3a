"""The connection to MySQL breaks in the middle of a COMMIT, and nobody knows whether it has been made."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.faults import OUTAGE  # noqa: E402
from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import databases_of, pipeline, wait_until  # noqa: E402
from harness.mysql_proxy import MysqlProxy  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import FramedConnection, deadline_s  # noqa: E402

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close
new_database = databases_of(mariadb)


class LostCommits(unittest.TestCase):
    """The connection breaks in the middle of a COMMIT: nobody knows whether it has been made."""

    STATEMENTS = [
        "insert into t (k, v) values (new, 1)",
        "insert into t (k, v) values (new, 1), (newer, 2)",
        "push front into t (k, v) values (new, 1)",
        "update t set v = 2 where k = a",
        "update t set k = z where k = a",
        "update t set v = 9",
        "delete from t where k = a",
        "delete from t",
        "pop front from t",
        "insert into t (k, fresh) values (new, 1)",
        "update t set fresh = 1",
        "insert into other (k) values (1)",
        "key t v",
        "tag t v",
        "key other k",
    ]

    def setUp(self) -> None:
        self.db = new_database()
        self.directory = tempfile.TemporaryDirectory(prefix="pubsubsql-faults-")
        self.addCleanup(self.directory.cleanup)

    def start(self, proxy: MysqlProxy, *flags: str) -> ServerProcess:
        url = self.db.url.replace(f":{mariadb.port}/", f":{proxy.port}/")
        return ServerProcess("--mysql", url, "--mysql-timeout-ms", "1000", "--mysql-connections", "1", "--log-level", "info", *flags)

    def make_table(self, proxy: MysqlProxy, *flags: str) -> None:
        with self.start(proxy, *flags) as server, server.framed() as client:
            replies = pipeline(client, ["key t k", "insert into t (k, v) values (a, 1), (b, 4), (c, 5)", "push front into t (k) values (d)"])
            self.assertEqual({r["status"] for r in replies}, {"ok"})

    def tables_of(self, client: FramedConnection) -> dict[str, tuple]:
        names = [row[0] for row in client.ask("show tables")["data"]]
        asked = {n: (client.ask(f"describe {n}")["data"], client.ask(f"select * from {n}")["data"]) for n in names}
        return {n: ([[c[0], c[3]] for c in columns], rows) for n, (columns, rows) in asked.items()}

    def check_same(self, server: ServerProcess, client: FramedConnection) -> None:
        wait_until(lambda: client.ask("insert into probe (k) values (1)")["status"] == "ok")
        tables = self.tables_of(client)

        def same() -> bool:
            if sorted(self.db.tables()) != sorted(tables):
                return False
            return all(self.db.rows(t) == sorted(rows, key=lambda r: int(r[0])) for t, (_, rows) in tables.items())

        try:
            wait_until(same)
        except AssertionError:
            stored = {t: self.db.rows(t) for t in self.db.tables()}
            raise AssertionError(f"memory {tables}\nMySQL {stored}\n" + "\n".join(server.log[-15:])) from None

    def test_without_data(self) -> None:
        """The client is told that nothing was changed: then nothing is."""
        with MysqlProxy(mariadb.port) as proxy:
            self.make_table(proxy)
            with self.start(proxy) as server, server.framed() as client:
                client.ask("insert into probe (k) values (0)")
                for what in ("request", "answer"):
                    for statement in self.STATEMENTS:
                        with self.subTest(what=what, statement=statement):
                            before = self.tables_of(client)
                            proxy.lose_commit(what)
                            reply = client.ask(statement)
                            self.assertEqual(reply["status"], "err")
                            self.assertIn(OUTAGE, reply["msg"])
                            self.assertEqual(self.tables_of(client), before)
                            proxy.open()
                            self.check_same(server, client)
                            client.ask("delete from probe")
            with self.start(proxy) as server, server.framed() as client:
                self.check_same(server, client)

    def test_what_others_have_put_into_a_column_stays(self) -> None:
        """Who has made it cannot be told once they use it."""
        with MysqlProxy(mariadb.port) as proxy:
            self.make_table(proxy)
            with self.start(proxy) as server, server.framed() as client:
                proxy.lose_commit("request")
                self.assertEqual(client.ask("insert into t (k, fresh) values (new, 1)")["status"], "err")
                self.db.sql("UPDATE t SET fresh = 'theirs' WHERE k = 'a'")
                proxy.open()
                server.wait_for_log("what others have written there stays in MySQL, though the statement that made fresh")
                wait_until(lambda: client.ask("update t set v = 2 where k = a")["status"] == "ok")
            self.assertEqual(self.db.sql("SELECT v, fresh FROM t WHERE k = 'a'"), [["2", "theirs"]])

    def test_with_data(self) -> None:
        """The change goes to the journal, and is made once."""
        with MysqlProxy(mariadb.port) as proxy:
            flags = ["--data", self.directory.name]
            self.make_table(proxy, *flags)
            with self.start(proxy, *flags) as server, server.framed() as client:
                client.ask("insert into probe (k) values (0)")
                for number, statement in enumerate(self.STATEMENTS):
                    for what in ("request", "answer"):
                        with self.subTest(what=what, statement=statement):
                            # Each statement is new: the table's names differ from round to round.
                            proxy.lose_commit(what)
                            table = f"t{number}{what}"
                            other = f"other{number}{what}"
                            proxy.open()
                            proxy._armed = None
                            pipeline(client, [f"key {table} k", f"insert into {table} (k, v) values (a, 1), (b, 4), (c, 5)"])
                            proxy.lose_commit(what)
                            text = statement.replace(" t ", f" {table} ").replace(" other ", f" {other} ")
                            if text.endswith(" t"):
                                text = text[:-1] + table
                            self.assertEqual(client.ask(text)["status"], "ok", text)
                            more = pipeline(client, [f"insert into {table} (k, v) values (later, 7)", f"update {table} set v = 8 where k = later"])
                            self.assertEqual([r["status"] for r in more], ["ok", "ok"])
                            proxy.open()
                            self.check_same(server, client)
                tables = self.tables_of(client)
            with self.start(proxy, *flags) as server, server.framed() as client:
                self.assertEqual(self.tables_of(client), tables)
            with ServerProcess("--data", self.directory.name, "--log-level", "warning") as server, server.framed() as client:
                self.assertEqual(self.tables_of(client), tables)

    def test_the_server_dies_before_it_knows(self) -> None:
        self.run_death("update t set v = 2 where k = a", "delete from t where k = a", "insert into t (k, v) values (next, 1)")

    def test_the_server_dies_before_it_knows_of_a_row(self) -> None:
        self.run_death("insert into t (k, v) values (new, 1)", "insert into t (v, fresh) values (1, 1)")

    def run_death(self, *statements: str) -> None:
        """MySQL has a change that the data directory has not got, and that nobody was told of. What is acknowledged
        from then on must reach MySQL all the same."""
        for statement in statements:
            with self.subTest(statement), tempfile.TemporaryDirectory() as directory, MysqlProxy(mariadb.port) as proxy:
                self.db = new_database()
                flags = ["--data", directory]
                self.make_table(proxy, *flags)
                server = self.start(proxy, *flags)
                with server.framed() as client:
                    proxy.lose_commit("both ways")
                    client.send(statement)
                    proxy.wait_until_lost(deadline_s(60))
                    server.process.kill()
                    server.process.wait()
                    assert server.process.stderr is not None
                    server.process.stderr.close()
                proxy.close()
                with self.start(proxy, *flags) as server, server.framed() as client:
                    replies = pipeline(client, ["insert into t (k, v) values (next, 1)", "update t set v = 3 where k = a",
                                                "insert into t (k, v) values (last, 1)"])  # fmt: skip
                    self.assertEqual([r["status"] for r in replies], ["ok"] * 3)
                    proxy.open()

                    def acknowledged_is_there(client: FramedConnection = client) -> bool:
                        stored = {tuple(r[:3]) for r in self.db.rows("t")}
                        return all(tuple(r[:3]) in stored for r in client.ask("select id, k, v from t")["data"])

                    try:
                        wait_until(acknowledged_is_there)
                    except AssertionError:
                        rows = client.ask("select * from t")["data"]
                        raise AssertionError(f"memory {rows}\nMySQL {self.db.rows('t')}\n" + "\n".join(server.log[-12:])) from None

    def die_between_stores(self, proxy: MysqlProxy, flags: list[str], before: list[str], unknown: list[str]) -> None:
        """MySQL has what is unknown, the data directory has not."""
        server = self.start(proxy, *flags)
        with server.framed() as client:
            self.assertEqual({r["status"] for r in pipeline(client, before)}, {"ok"})
            proxy.lose_commit("both ways")
            for statement in unknown:
                client.send(statement)
            proxy.wait_until_lost(deadline_s(60))
            server.kill()
        proxy.close()

    def wait_until_online(self, client: FramedConnection) -> None:
        wait_until(lambda: client.ask("mysql status")["online"] == 1)

    def test_what_nobody_was_told_of_is_given_up_in_all_tables(self) -> None:
        """Whether they are changed before MySQL is back, or afterwards, or never."""
        before = [s for t in ("t", "u", "w") for s in (f"key {t} k", f"insert into {t} (k, v) values (a, 1), (b, 2)")]
        unknown = ["begin", *(f"update {t} set v = 9 where k = a" for t in ("t", "u", "w")), "commit"]
        with tempfile.TemporaryDirectory() as directory, MysqlProxy(mariadb.port) as proxy:
            flags = ["--data", directory]
            self.die_between_stores(proxy, flags, before, unknown)
            with self.start(proxy, *flags) as server, server.framed() as client:
                self.assertEqual(client.ask("update t set v = 3 where k = b")["status"], "ok")
                proxy.open()
                self.wait_until_online(client)
                self.assertEqual(client.ask("update u set v = 4 where k = b")["status"], "ok")
                for table, values in {"t": ["1", "3"], "u": ["1", "4"], "w": ["1", "2"]}.items():
                    self.assertEqual([row[2] for row in client.ask(f"select * from {table}")["data"]], values)
                    self.assertEqual([row[2] for row in self.db.rows(table)], values, server.log)

    def test_what_mysql_computes_instead_comes_back(self) -> None:
        with tempfile.TemporaryDirectory() as directory, MysqlProxy(mariadb.port) as proxy:
            self.db.sql("CREATE TABLE t (id bigint PRIMARY KEY, n int, twice int AS (n * 2) STORED) CHARACTER SET utf8mb4")
            flags = ["--data", directory]
            self.die_between_stores(proxy, flags, ["insert into t (n) values (1)"], ["insert into t (n) values (2)"])
            with self.start(proxy, *flags) as server, server.framed() as client:
                self.assertEqual(client.ask("insert into t (n) values (3)")["status"], "ok")
                proxy.open()
                self.wait_until_online(client)
                wait_until(lambda: client.ask("select n, twice from t")["data"] == [["1", "2"], ["3", "6"]])
                self.assertEqual([row[1:] for row in self.db.rows("t")], [["1", "2"], ["3", "6"]])

    COMPUTED = (
        "CREATE TABLE t (id bigint PRIMARY KEY, k varchar(20) NOT NULL UNIQUE, price decimal(8,2) NOT NULL DEFAULT 1.50,"
        " n int, twice int AS (n * 2) STORED) CHARACTER SET utf8mb4"
    )

    def check_computed(self, client: FramedConnection, expected: list[list[str]]) -> None:
        wait_until(lambda: client.ask("select k, price, n, twice from t")["data"] == expected)
        self.assertEqual([row[1:] for row in self.db.rows("t")], expected)
        self.assertEqual(client.ask("mysql status")["refused"], 0)

    def test_a_default_that_only_mysql_knows(self) -> None:
        """A row that came without MySQL has no value for it yet."""
        with tempfile.TemporaryDirectory() as directory, MysqlProxy(mariadb.port) as proxy:
            self.db.sql(self.COMPUTED)
            flags = ["--data", directory]
            before = ["insert into t (k, n) values (a, 1)"]
            self.die_between_stores(proxy, flags, before, ["insert into t (k, n) values (b, 2)"])
            expected = [["a", "1.50", "1", "2"], ["c", "1.50", "4", "8"]]
            with self.start(proxy, *flags) as server, server.framed() as client:
                more = pipeline(client, ["insert into t (k, n) values (c, 3)", "update t set n = 4 where k = c"])
                self.assertEqual([r["status"] for r in more], ["ok", "ok"])
                proxy.open()
                self.wait_until_online(client)
                self.check_computed(client, expected)
            with self.start(proxy, *flags) as server, server.framed() as client:
                self.check_computed(client, expected)

    def test_a_default_that_only_mysql_knows_at_a_start(self) -> None:
        """The journal is delivered before tables are loaded."""
        with tempfile.TemporaryDirectory() as directory, MysqlProxy(mariadb.port) as proxy:
            self.db.sql(self.COMPUTED)
            flags = ["--data", directory]
            before = ["insert into t (k, n) values (a, 1)"]
            self.die_between_stores(proxy, flags, before, ["insert into t (k, n) values (b, 2)"])
            with self.start(proxy, *flags) as server, server.framed() as client:
                self.assertEqual(client.ask("insert into t (k, n) values (c, 3)")["status"], "ok")
            proxy.open()
            with self.start(proxy, *flags) as server, server.framed() as client:
                self.check_computed(client, [["a", "1.50", "1", "2"], ["c", "1.50", "3", "6"]])

    def test_what_mysql_computed_in_an_answer_that_was_lost(self) -> None:
        with tempfile.TemporaryDirectory() as directory, MysqlProxy(mariadb.port) as proxy:
            self.db.sql(self.COMPUTED)
            with self.start(proxy, "--data", directory) as server, server.framed() as client:
                self.assertEqual(client.ask("insert into t (k, n) values (a, 1)")["status"], "ok")
                for n, statements in enumerate((["update t set n = 2 where k = a"], ["begin", "update t set n = 3", "commit"]), 2):
                    proxy.lose_commit("answer")
                    self.assertEqual({r["status"] for r in pipeline(client, statements)}, {"ok"})
                    proxy.open()
                    self.wait_until_online(client)
                    self.check_computed(client, [["a", "1.50", str(n), str(2 * n)]])

    def test_what_mysql_has_computed_comes_back_after_a_start_without_it(self) -> None:
        """The server before ended when MySQL had made something of a row and memory had not got it yet."""
        with tempfile.TemporaryDirectory() as directory, MysqlProxy(mariadb.port) as proxy:
            self.db.sql(self.COMPUTED)
            flags = ["--data", directory]
            with self.start(proxy, *flags) as server, server.framed() as client:
                pipeline(client, ["insert into t (k, n) values (a, 1)", "insert into t (k, n) values (b, 2)"])
            self.db.sql("UPDATE t SET price = 7")
            proxy.close()
            with self.start(proxy, *flags) as server, server.framed() as client:
                self.assertEqual(client.ask("update t set n = 5, price = 3 where k = b")["status"], "ok")
                proxy.open()
                self.wait_until_online(client)
                self.check_computed(client, [["a", "7.00", "1", "2"], ["b", "3.00", "5", "10"]])

    def test_what_mysql_has_dropped_is_made_again(self) -> None:
        """The server ended before the data directory knew of it, and nobody was told."""
        for dropped in ("ALTER TABLE t DROP COLUMN w", "DROP TABLE t"):
            for at_start in (False, True):
                with (
                    self.subTest(dropped=dropped, at_start=at_start),
                    tempfile.TemporaryDirectory() as directory,
                    MysqlProxy(mariadb.port) as proxy,
                ):
                    self.db = new_database()
                    flags = ["--data", directory]
                    with self.start(proxy, *flags) as server, server.framed() as client:
                        pipeline(client, ["key t k", "insert into t (k, v, w) values (a, 1, 2)"])
                    self.db.sql(dropped)
                    proxy.close()
                    with self.start(proxy, *flags) as server, server.framed() as client:
                        self.assertEqual(client.ask("insert into t (k, v, w) values (b, 3, 4)")["status"], "ok")
                        if not at_start:
                            proxy.open()
                            self.wait_until_online(client)
                            self.check_same(server, client)
                            self.assertEqual(client.ask("mysql status")["refused"], 0)
                    proxy.open()
                    with self.start(proxy, *flags) as server, server.framed() as client:
                        rows = client.ask("select k, v, w from t")["data"]
                        self.assertEqual(rows, [["a", "1", "2"], ["b", "3", "4"]])
                        self.check_same(server, client)

    def test_a_column_that_was_left_behind_in_mysql(self) -> None:
        """The server ended after MySQL had made it, and the next began without MySQL."""
        with MysqlProxy(mariadb.port) as proxy:
            flags = ["--data", self.directory.name]
            self.make_table(proxy, *flags)
            self.db.sql("ALTER TABLE t ADD COLUMN w LONGTEXT, ADD COLUMN x LONGTEXT, ADD COLUMN y int")
            self.db.sql("UPDATE t SET x = 'of others'")
            proxy.close()
            with self.start(proxy, *flags) as server, server.framed() as client:
                proxy.open()
                self.wait_until_online(client)
                self.assertEqual(client.ask("insert into t (k, w) values (e, 1)")["status"], "ok")
                for of_others in ("x", "y", "W"):
                    self.assertEqual(client.ask(f"insert into t (k, {of_others}) values (f, 1)").get("code"), 1060)
                self.assertEqual(client.ask("update t set w = 2 where k = e")["rows"], 1)
                self.assertEqual(self.db.sql("SELECT w, x FROM t WHERE k = 'e'"), [["2", None]])

    def run_losses_while_coming_back(self, *flags: str) -> None:
        """The next connection breaks as well, at its first request, its second, and so on until it has got through."""
        with MysqlProxy(mariadb.port) as proxy, self.start(proxy, *flags) as server, server.framed() as client:
            pipeline(client, ["key t k", "insert into t (k, v) values (a, 0)"])
            self.wait_until_online(client)
            after = 0
            lost = True
            while lost:
                with self.subTest(after=after):
                    proxy.close()
                    changes = [f"update t set v = {after + 1} where k = a", f"insert into t (k, v) values (n{after}, 1)",
                               f"delete from t where k = n{after - 1}", f"insert into t{after % 3} (k) values ({after})"]
                    self.assertEqual([r["status"] for r in pipeline(client, changes)], ["ok"] * 4)
                    wait_until(lambda: client.ask("mysql status")["online"] == 0)
                    proxy.lose_request(after)
                    proxy.open()
                    wait_until(lambda: not proxy.is_armed() or client.ask("mysql status")["online"] == 1)
                    lost = not proxy.disarm()
                    proxy.open()
                    self.wait_until_online(client)
                    self.check_same(server, client)
                after += 1

    def test_lost_again_while_coming_back(self) -> None:
        self.run_losses_while_coming_back("--ack", "memory")

    def test_lost_again_while_the_journal_is_delivered(self) -> None:
        self.run_losses_while_coming_back("--data", self.directory.name)

    def test_mysql_is_lost_while_tables_load(self) -> None:
        """The data directory stands in, wherever the load was."""
        with MysqlProxy(mariadb.port) as proxy:
            flags = ["--data", self.directory.name]
            self.make_table(proxy, *flags)
            self.db.sql("CREATE TABLE stranger (id bigint PRIMARY KEY, v int); INSERT INTO stranger VALUES (1, 1)")
            lost = True
            after = 0
            while lost:
                proxy.lose_request(after)
                with self.subTest(after=after), self.start(proxy, *flags) as server, server.framed() as client:
                    lost = not proxy.disarm()
                    key = f"n{after}"
                    self.assertEqual(client.ask(f"insert into t (k) values ({key})")["status"], "ok")
                    proxy.open()
                    self.wait_until_online(client)
                    rows = client.ask("select * from t")["data"]
                    self.assertEqual(self.db.rows("t"), sorted(rows, key=lambda r: int(r[0])))
                    self.assertEqual(len([r for r in rows if r[1] == key]), 1)
                after += 4

    def test_its_id_may_be_that_of_a_row_at_the_other_end(self) -> None:
        for unknown, known in (("insert", "push front"), ("push front", "insert")):
            with (
                self.subTest(unknown=unknown),
                tempfile.TemporaryDirectory() as directory,
                MysqlProxy(mariadb.port) as proxy,
            ):
                self.db = new_database()
                flags = ["--data", directory]
                self.die_between_stores(proxy, flags, ["insert into t (v) values (1)"], [f"{unknown} into t (v) values (2)"])
                with self.start(proxy, *flags) as server, server.framed() as client:
                    self.assertEqual(client.ask(f"{known} into t (v) values (3)")["status"], "ok")
                    rows = client.ask("select * from t")["data"]
                    proxy.open()
                    self.wait_until_online(client)
                with self.start(proxy, *flags) as server, server.framed() as client:
                    self.assertEqual(client.ask("select * from t")["data"], rows)


if __name__ == "__main__":
    unittest.main()
