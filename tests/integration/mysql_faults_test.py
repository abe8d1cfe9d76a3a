"""MySQL goes away in every way, under load: what was acknowledged is there, what was refused is nowhere, in memory, in
MySQL, in the data directory and at the subscribers.

Usage: mysql_faults_test.py [Class or Class.test ...]
"""

import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.faults import FAULTS, OUTAGE, cut_connections  # noqa: E402
from harness.load import Load, Writer  # noqa: E402
from harness.mariadb import MariadbServer  # noqa: E402
from harness.mirror import Follower, databases_of, memory_rows, wait_until  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Closed, deadline_s  # noqa: E402

TABLES = ["t0", "t1", "t2"]

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close
new_database = databases_of(mariadb)


class Case(unittest.TestCase):
    """One way to run pubsubsqld against all faults."""

    data = False
    ack = "committed"

    def setUp(self) -> None:
        self.db = new_database()
        self.directory = tempfile.TemporaryDirectory(prefix="pubsubsql-faults-")
        self.addCleanup(self.directory.cleanup)

    def start_server(self) -> ServerProcess:
        flags = ["--mysql-timeout-ms", "1000", "--ack", self.ack, "--threads", "2"]
        if self.data:
            flags += ["--data", self.directory.name]
        return self.db.server(*flags)

    def prepare(self, server: ServerProcess) -> None:
        with server.framed() as client:
            for table in TABLES:
                self.assertEqual(client.ask(f"key {table} k")["status"], "ok")
                self.assertEqual(client.ask(f"insert into {table} (k, v) values (first, 1)")["status"], "ok")

    def stored(self, table: str) -> list[list[str | None]]:
        """Also of a table that is still to be made in MySQL."""
        return self.db.rows(table) if table in self.db.tables() else []

    def compare(self, server: ServerProcess, writers: list[Writer]) -> dict[str, list]:
        """Memory with what the writers know, and MySQL with memory once it has caught up."""
        for writer in writers:
            self.assertEqual(writer.problems[:3], [])
        seen = {}
        with server.framed() as client:
            for table in TABLES:
                rows = memory_rows(client, table)
                known = {k: v for w in writers for k, v in w.rows[table].items()} | {"first": "1"}
                unsure = set().union(*(w.unsure[table] for w in writers))
                got = {str(row[1]): row[2] for row in rows if row[1] not in unsure}
                self.assertEqual(got, known, table)
                deadline = time.monotonic() + deadline_s(60)
                while (stored := self.stored(table)) != rows and time.monotonic() < deadline:
                    time.sleep(0.05)
                only_stored = [r for r in stored if r not in rows]
                only_memory = [r for r in rows if r not in stored]
                log = "\n".join(server.log[-10:])
                self.assertEqual((only_stored[:3], only_memory[:3]), ([], []), f"only in MySQL, only in memory\n{log}")
                self.assertEqual(stored, rows)
                seen[table] = client.ask(f"select * from {table}")["data"]
        return seen

    def compare_after_restart(self, seen: dict[str, list]) -> None:
        runs = [self.start_server]
        if self.data:
            runs.append(lambda: ServerProcess("--data", self.directory.name, "--log-level", "warning"))
        for start in runs:
            with start() as server, server.framed() as client:
                for table in TABLES:
                    self.assertEqual(client.ask(f"select * from {table}")["data"], seen[table])

    def while_broken(self, load: Load, server: ServerProcess) -> None:
        """What clients see during the fault."""
        if self.data or self.ack == "memory":
            load.wait_for_acknowledged(200)
        else:
            load.wait_for_refused(100)
        with server.framed() as client:
            began = time.monotonic()
            reply = client.ask("insert into t0 (k, v) values (probe, 1)")
            took = time.monotonic() - began
            if self.data or self.ack == "memory":
                self.assertEqual(reply["status"], "ok")
                self.assertEqual(client.ask("delete from t0 where k = probe")["rows"], 1)
            else:
                self.assertEqual(reply["status"], "err")
                self.assertIn(OUTAGE, reply["msg"])
                self.assertIn("code", reply)
            self.assertLess(took, deadline_s(20))  # not what a hung MySQL takes
            self.assertEqual(client.ask("select * from t0 where k = first")["rows"], 1)
            self.assertEqual(client.ask("select * from t0 where k = probe")["rows"], 0)
            self.assertEqual(client.ask("subscribe * from t1")["status"], "ok")

    def run_fault(self, name: str) -> None:
        break_it, mend_it = FAULTS[name]
        writers = [Writer(f"w{i}", i, TABLES) for i in range(3)]
        with self.start_server() as server:
            self.prepare(server)
            watchers = [server.framed() for _ in TABLES]
            followers = [Follower(watcher, table) for watcher, table in zip(watchers, TABLES)]
            with Load(lambda: server, writers) as load:
                load.wait_for_acknowledged(100)
                if name == "disk":
                    wait_until(lambda: set(TABLES) <= set(self.db.tables()))
                break_it(self.db)
                try:
                    self.while_broken(load, server)
                finally:
                    mend_it(self.db)
                load.wait_for_acknowledged(200)
            for writer in writers:
                for message in writer.messages:
                    self.assertIn(OUTAGE, message)
            seen = self.compare(server, writers)
            with server.framed() as client:
                for follower in followers:
                    self.assertEqual(follower.replayed(), memory_rows(client, follower.table))
            for watcher in watchers:
                watcher.close()
        self.compare_after_restart(seen)

    def run_cuts(self, cuts: int = 15) -> None:
        writers = [Writer(f"w{i}", i, TABLES) for i in range(3)]
        with self.start_server() as server:
            self.prepare(server)
            with Load(lambda: server, writers) as load:
                for _ in range(cuts):
                    load.wait_for_acknowledged(50)
                    cut_connections(self.db)
            for writer in writers:
                for message in writer.messages:
                    self.assertIn(OUTAGE, message)
            seen = self.compare(server, writers)
        self.compare_after_restart(seen)

    def run_cuts_among_changes_of_tables(self) -> None:
        """Each new connection reads what the tables are while others change that."""
        done = threading.Event()
        made = [0]

        def change_tables() -> None:
            while not done.is_set():
                there = [t for t in TABLES if t in self.db.tables()]
                makes = [f"CREATE TRIGGER idle_{t} BEFORE INSERT ON {t} FOR EACH ROW SET @inserted = 1" for t in there]
                drops = [f"DROP TRIGGER idle_{t}" for t in there]
                if there:
                    self.db.sql(";".join((makes + drops) * 20))
                made[0] += len(there)

        changes = threading.Thread(target=change_tables)
        changes.start()
        try:
            self.run_cuts(25)
        finally:
            done.set()
            changes.join()
        self.assertGreater(made[0], 0)


class WithoutData(Case):
    def test_crash(self) -> None:
        self.run_fault("crash")

    def test_orderly_stop(self) -> None:
        self.run_fault("stop")

    def test_hang(self) -> None:
        self.run_fault("hang")

    def test_read_only(self) -> None:
        self.run_fault("read only")

    def test_full_disk(self) -> None:
        self.run_fault("disk")

    def test_password(self) -> None:
        self.run_fault("password")

    def test_rights(self) -> None:
        self.run_fault("rights")

    def test_right_to_write(self) -> None:
        self.run_fault("writing")

    def test_cut_connections(self) -> None:
        self.run_cuts()

    def test_cut_connections_while_tables_are_changed(self) -> None:
        self.run_cuts_among_changes_of_tables()


class WithoutDataAckMemory(WithoutData):
    ack = "memory"


class WithData(WithoutData):
    data = True

    def test_restarts_without_mysql(self) -> None:
        """pubsubsqld is killed again and again while MySQL is away; tables and columns are made meanwhile."""
        writers = [Writer(f"w{i}", i, TABLES) for i in range(3)]
        servers = [self.start_server()]
        self.prepare(servers[0])
        with Load(lambda: servers[-1], writers) as load:
            load.wait_for_acknowledged(100)
            mariadb.kill()
            try:
                for i in range(3):
                    load.wait_for_acknowledged(100)
                    with servers[-1].framed() as client:
                        self.assertEqual(client.ask(f"insert into t0 (k, extra{i}) values (extra{i}, x)")["status"], "ok")
                        self.assertEqual(client.ask(f"insert into made{i} (k) values (x)")["status"], "ok")
                        self.assertEqual(client.ask(f"key made{i} k")["status"], "ok")
                    servers[-1].process.kill()
                    servers[-1].process.wait()
                    servers.append(self.start_server())
            finally:
                mariadb.start()
            load.wait_for_acknowledged(200)
        with servers[-1] as server, server.framed() as client:
            for writer in writers:
                for table in TABLES:
                    # A statement without an answer may have been made or not; if it was, it counts.
                    rows = {r[1]: r[2] for r in memory_rows(client, table) if r[1] in writer.unsure[table]}
                    self.assertLessEqual(set(rows), writer.unsure[table])
            for i in range(3):
                row = client.ask(f"select k, extra{i} from t0 where k = extra{i}")["data"]
                self.assertEqual(row, [[f"extra{i}", "x"]])
                self.assertEqual(client.ask(f"delete from t0 where k = extra{i}")["rows"], 1)
            columns = client.ask("select * from t0")["columns"]
            self.assertEqual(columns, ["id", "k", "v", "extra0", "extra1", "extra2"])
            for writer in writers:
                self.assertGreater(writer.acknowledged, 0)
            seen = self.compare(server, writers)
            for i in range(3):
                wait_until(lambda i=i: self.db.rows(f"made{i}") == [["0", "x"]])
        for server in servers[:-1]:
            assert server.process.stderr is not None
            server.process.stderr.close()
        self.compare_after_restart(seen)

    def test_a_restart_while_mysql_comes_back(self) -> None:
        """A long journal is being delivered when pubsubsqld is killed: nothing comes twice."""
        writers = [Writer("w", 1, TABLES)]
        server = self.start_server()
        self.prepare(server)
        mariadb.kill()
        try:
            with Load(lambda: server, writers) as load:
                load.wait_for_acknowledged(3_000)
        finally:
            mariadb.start()
        for _ in range(4):
            try:
                with server.framed() as client:
                    writers[0].run_batch(client, 50)
            except (Closed, OSError):
                pass
            server.process.kill()
            server.process.wait()
            assert server.process.stderr is not None
            server.process.stderr.close()
            server = self.start_server()
        with server:
            seen = self.compare(server, writers)
        self.compare_after_restart(seen)


class WithDataAckMemory(WithoutData):
    data = True
    ack = "memory"


if __name__ == "__main__":
    del Case
    unittest.main()
