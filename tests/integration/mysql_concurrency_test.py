"""Many connections, tables, workers and connections to MySQL, with statements among the others that MySQL refuses or
stores otherwise: each reply is right and in its place, and memory, MySQL and subscribers agree in the end."""

import os
import random
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import Follower, Mirror, memory_rows, pipeline  # noqa: E402

TABLES = [f"t{i}" for i in range(6)]
ADOPTED = {"t1", "t3", "t5"}
ROUNDS = 8 if os.environ.get("PUBSUBSQL_SANITIZE") else 30

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close


class Client:
    """Makes statements about rows of its own, whose replies can be told beforehand."""

    def __init__(self, name: str, seed: int):
        self.name = name
        self.choose = random.Random(seed)
        self.rows: dict[str, dict[str, str | None]] = {t: {} for t in TABLES}
        self.made = 0
        self.problems: list[str] = []

    def stored(self, table: str, number: float) -> str:
        return f"{number:.2f}" if table in ADOPTED else f"{number}"

    def statement(self) -> tuple[str, dict[str, object]]:
        """And what of the reply is known."""
        table = self.choose.choice(TABLES)
        rows = self.rows[table]
        number = self.choose.randrange(1, 10_000) / 10
        dice = self.choose.random()
        if dice < 0.35 or not rows:
            self.made += 1
            key = f"{self.name}-{self.made}"
            rows[key] = self.stored(table, number)
            data = [[key, self.stored(table, number)]]
            return f"insert into {table} (k, d) values ({key}, {number}) returning k, d", {"data": data}
        key = self.choose.choice(list(rows))
        if dice < 0.55:
            rows[key] = self.stored(table, number)
            return f"update {table} set d = {number} where k = {key} returning d", {"data": [[self.stored(table, number)]]}
        if dice < 0.65:
            del rows[key]
            return f"delete from {table} where k = {key}", {"rows": 1}
        if dice < 0.72:
            return f"select d from {table} where k = {key}", {"data": [[rows[key]]]}
        if dice < 0.79:
            return f"insert into {table} (k) values ({'x' * 256})", {"code": 1406}
        if dice < 0.86:
            return f"insert into {table} (k) values (taken)", {"code": 1062}
        if dice < 0.92:
            return f"update {table} set k = taken where k = {key}", {"code": 1062}
        if dice < 0.96 or table not in ADOPTED:
            return f"update {table} set k = {key}{'y' * 256}, d = 1 where k = {key}", {"code": 1406}
        return f"update {table} set d = nonsense where k = {key}", {"code": 1366}

    def run_batch(self, client) -> None:
        batch = [self.statement() for _ in range(self.choose.choice([1, 10, 40]))]
        for reply, (statement, expected) in zip(pipeline(client, [s for s, _ in batch]), batch):
            if {k: reply.get(k) for k in expected} != expected:
                self.problems.append(f"{statement}\n  expected {expected}\n  got {reply}")


class Concurrency(unittest.TestCase):
    def run_with(self, name: str, *flags: str) -> None:
        db = Mirror(mariadb, name)
        for table in ADOPTED:
            db.sql(f"CREATE TABLE {table} (id bigint PRIMARY KEY, k varchar(255) UNIQUE, d decimal(10,2)) CHARACTER SET utf8mb4")
        clients = [Client(f"c{i}", i) for i in range(6)]
        with db.server(*flags) as server:
            watchers = [server.framed() for _ in TABLES]
            with server.framed() as setup:
                for table in TABLES:
                    if table not in ADOPTED:
                        pipeline(setup, [f"key {table} k", f"insert into {table} (k, d) values (first, 1)"])
                    # A row that only MySQL has.
                    db.sql(f"INSERT INTO {table} (id, k) VALUES (1000000, 'taken')")
            followers = [Follower(watcher, table) for watcher, table in zip(watchers, TABLES)]

            def work(client: Client) -> None:
                try:
                    with server.framed() as connection:
                        for _ in range(ROUNDS):
                            client.run_batch(connection)
                except Exception as problem:  # noqa: BLE001
                    client.problems.append(repr(problem))

            threads = [threading.Thread(target=work, args=(c,)) for c in clients]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for client in clients:
                self.assertEqual(client.problems[:2], [])
            with server.framed() as reader:
                for table, follower in zip(TABLES, followers):
                    rows = memory_rows(reader, table)
                    known = {k: d for c in clients for k, d in c.rows[table].items()}
                    if table not in ADOPTED:
                        known["first"] = "1"
                    self.assertEqual({row[1]: row[2] for row in rows}, known)
                    self.assertEqual(db.rows(table)[:-1], rows)
                    self.assertEqual(follower.replayed(), rows)
            for watcher in watchers:
                watcher.close()

    def test_several_workers_and_connections(self) -> None:
        self.run_with("several", "--threads", "3", "--mysql-connections", "3")

    def test_one_worker_one_connection(self) -> None:
        self.run_with("one", "--threads", "1", "--mysql-connections", "1")

    def test_with_a_data_directory(self) -> None:
        with tempfile.TemporaryDirectory(prefix="pubsubsql-concurrency-") as directory:
            self.run_with("data", "--data", directory, "--threads", "3", "--mysql-connections", "3")


if __name__ == "__main__":
    unittest.main()
