"""What `mysql status` and the table of the state show, through outages and without MySQL."""

import sys
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import USER, Follower, databases_of, wait_until  # noqa: E402
from harness.mirror_case import MirrorCase  # noqa: E402
from harness.wire import FramedConnection  # noqa: E402

STATE = "pubsubsql_mysql"

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close


class Case(MirrorCase):
    databases = staticmethod(databases_of(mariadb))


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

    def test_a_connection_that_was_closed_while_nothing_was_written(self) -> None:
        """Nobody finds out: it is made again before it is used."""
        with self.db.server(log_level="info") as server, server.framed() as client:
            self.ok(client, "insert into t (k) values (1)")
            for statement in ("insert into t (k) values (2)", "mysql check t"):
                time.sleep(1)
                for (number,) in self.db.sql(f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{USER}'"):
                    self.db.sql(f"KILL {number}")
                self.ok(client, statement)

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


if __name__ == "__main__":
    unittest.main()
