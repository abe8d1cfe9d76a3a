"""MySQL goes away in the middle of `mysql connect`: it fails as a whole, and the next one finishes what was begun."""

import random
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import Follower, databases_of, memory_rows, pipeline, wait_until  # noqa: E402
from harness.mirror_case import MirrorCase  # noqa: E402
from harness.mysql_proxy import MysqlProxy  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import FramedConnection  # noqa: E402

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close

OURS = ["ahead", "fresh", "other"]
THEIRS = ["adopted", "second"]


class HalfWay(MirrorCase):
    databases = staticmethod(databases_of(mariadb))
    with_data = False

    def server(self) -> ServerProcess:
        return self.serve("--threads", "2", "--mysql-timeout-ms", "2000", *(["--data", self.data] if self.with_data else []))

    def prepare(self, client: FramedConnection, url: str) -> None:
        """Tables that either side has alone, one that memory has changed since MySQL had it, and one without rows here."""
        self.ok(client, "key ahead k")
        self.ok(client, "insert into ahead (k, v) values (a, 1), (b, 2), (c, 3)")
        self.ok(client, f"mysql connect {url}")
        self.ok(client, "mysql disconnect")
        self.ok(client, "update ahead set v = 9, w = new where k = a", rows=1)
        self.ok(client, "delete from ahead where k = b", rows=1)
        for table in ("fresh", "other"):
            pipeline(client, [f"key {table} k", f"tag {table} v"])
            self.ok(client, f"insert into {table} (k, v) values " + ", ".join(f"(k{i}, {i % 3})" for i in range(50)))
        self.ok(client, "subscribe skip * from bare")
        self.db.sql(
            "CREATE TABLE adopted (id int AUTO_INCREMENT PRIMARY KEY, x varchar(20) UNIQUE, n decimal(5,2) DEFAULT 1.5);"
            "INSERT INTO adopted (x) SELECT CONCAT('x', seq) FROM seq_1_to_500;"
            "CREATE TABLE second (name varchar(20) PRIMARY KEY); INSERT INTO second VALUES ('one'), ('two');"
            "CREATE TABLE bare (id int PRIMARY KEY, k varchar(20) UNIQUE, v int); INSERT INTO bare VALUES (5, 'five', 5)"
        )  # fmt: skip

    def check_nothing_came(self, client: FramedConnection, before: dict[str, list[list[str | None]]]) -> None:
        self.assertEqual(self.ok(client, "mysql status")["online"], 0)
        for table, rows in before.items():
            self.assertEqual(memory_rows(client, table), rows, table)
        for table in THEIRS:
            self.refused(client, f"select * from {table}")
        self.ok(client, "select * from bare", rows=0)
        self.assertEqual(self.db.sql("SELECT COUNT(*) FROM adopted"), [["500"]])
        self.assertEqual(self.db.sql("SELECT * FROM bare"), [["5", "five", "5"]])

    def check_all_came(self, client: FramedConnection) -> None:
        for table in (*OURS, "adopted", "bare"):
            wait_until(lambda table=table: memory_rows(client, table) == self.db.rows(table))
            self.equal_everywhere(client, table)
            self.ok(client, f"insert into {table} (k) values (later)" if table != "adopted" else "insert into adopted (x) values (later)")
            self.equal_everywhere(client, table)
        self.assertEqual(self.check(client, "second"), [])
        self.ok(client, "insert into second (name) values (three)")
        indexes = self.db.sql("SELECT column_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'fresh' ORDER BY 1")
        self.assertEqual(indexes, [["id"], ["k"], ["v"]])

    def check_other_starts(self) -> None:
        """What is in MySQL, and in the data directory, is whole."""
        rows = {t: self.db.rows(t) for t in (*OURS, *THEIRS, "bare")}
        for flags in [["--mysql", self.db.url], *([["--data", self.data], ["--data", self.data, "--mysql", self.db.url]] if self.with_data else [])]:
            with self.serve(*flags) as server, server.framed() as client:
                for table, stored in rows.items():
                    reply = self.ok(client, f"select * from {table}")
                    self.assertEqual(sorted(r[-len(stored[0]):] for r in reply["data"]), sorted(stored), (flags, table))

    def change_memory(self, client: FramedConnection, turn: int) -> dict[str, list[list[str | None]]]:
        for table in OURS:
            self.ok(client, f"insert into {table} (k, v) values (turn{turn}, {turn})")
            self.ok(client, f"update {table} set v = {turn} where k = c")
        return {table: memory_rows(client, table) for table in OURS}

    def test_lost_requests(self) -> None:
        with MysqlProxy(mariadb.port) as proxy, self.server() as server, server.framed() as client, server.framed() as watcher:
            url = self.db.url.replace(f":{mariadb.port}/", f":{proxy.port}/")
            self.prepare(client, url)
            follower = Follower(watcher, "ahead")
            lost = 0
            while True:
                before = self.change_memory(client, lost)
                # Each time a little further: the first requests are those of logging in.
                proxy.lose_request(3 + lost * 6 + lost % 5)
                reply = client.ask(f"mysql connect {url}")
                arrived = proxy.disarm()
                proxy.open()
                if reply["status"] == "ok":
                    break
                self.assertFalse(arrived, reply)
                self.check_nothing_came(client, before)
                lost += 1
            self.assertGreater(lost, 15)
            for table in OURS:
                wait_until(lambda table=table: client.ask(f"mysql check {table}")["status"] == "ok")
            self.check_all_came(client)
            self.assertEqual(follower.replayed(), memory_rows(client, "ahead"))
        self.check_other_starts()

    def test_lost_commits(self) -> None:
        for what in ("request", "answer"):
            with self.subTest(what=what):
                self.setUp()
                with MysqlProxy(mariadb.port) as proxy, self.server() as server, server.framed() as client:
                    url = self.db.url.replace(f":{mariadb.port}/", f":{proxy.port}/")
                    self.prepare(client, url)
                    for after in range(100):
                        before = self.change_memory(client, after)
                        proxy.lose_commit(what, after)
                        reply = client.ask(f"mysql connect {url}")
                        if reply["status"] == "ok":
                            break
                        proxy.disarm()
                        proxy.open()
                        self.check_nothing_came(client, before)
                    self.assertGreater(after, 5)
                    # What is lost now is what comes after the tables are one: an outage like any.
                    proxy.disarm()
                    proxy.open()
                    for table in OURS:
                        wait_until(lambda table=table: client.ask(f"mysql check {table}")["status"] == "ok")
                    self.check_all_came(client)
                self.check_other_starts()

    def test_mysql_is_killed(self) -> None:
        choose = random.Random(7)
        with self.server() as server, server.framed() as client:
            self.prepare(client, self.db.url)
            # More to do, so that there is time to be killed in.
            self.ok(client, "insert into other (k, v) values " + ", ".join(f"(m{i}, {i})" for i in range(20000)))
            for turn in range(12):
                before = self.change_memory(client, turn)
                killing = threading.Timer(choose.random() * 0.25 + 0.002, mariadb.kill)
                killing.start()
                reply = client.ask(f"mysql connect {self.db.url}")
                killing.join()
                mariadb.start()
                if reply["status"] == "ok":
                    for table in OURS:
                        wait_until(lambda table=table: client.ask(f"mysql check {table}")["status"] == "ok")
                    break
                self.check_nothing_came(client, before)
            else:
                self.ok(client, f"mysql connect {self.db.url}")
            self.check_all_came(client)
        self.check_other_starts()


class HalfWayWithData(HalfWay):
    with_data = True


if __name__ == "__main__":
    unittest.main()
