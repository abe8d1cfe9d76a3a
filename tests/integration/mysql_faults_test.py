"""MySQL goes away in every way, under load: what was acknowledged is there, what was refused is nowhere, in memory, in
MySQL, in the data directory and at the subscribers.

Usage: mysql_faults_test.py [Class or Class.test ...]
"""

import json
import random
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.mariadb import MariadbError, MariadbServer  # noqa: E402
from harness.mirror import PASSWORD, USER, Follower, Mirror, databases_of, memory_rows, pipeline, quoted, wait_until  # noqa: E402
from harness.mysql_proxy import MysqlProxy  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import Closed, FramedConnection, deadline_s, frame  # noqa: E402

TABLES = ["t0", "t1", "t2"]
OUTAGE = "MySQL is not available"

mariadb = MariadbServer()
setUpModule, tearDownModule = mariadb.start, mariadb.close
new_database = databases_of(mariadb)


class Writer:
    """A client that changes rows of its own and knows from the replies what they must be."""

    def __init__(self, name: str, seed: int):
        self.name = name
        self.choose = random.Random(seed)
        self.rows: dict[str, dict[str, str]] = {t: {} for t in TABLES}
        self.unsure: dict[str, set[str]] = {t: set() for t in TABLES}  # keys without an answer when the server died
        self.made = 0
        self.acknowledged = 0
        self.refused = 0
        self.messages: set[str] = set()
        self.problems: list[str] = []

    def statement(self) -> tuple[str, str, str, str]:
        table = self.choose.choice(TABLES)
        dice = self.choose.random()
        known = list(self.rows[table]) or ["none"]
        if dice < 0.5:
            self.made += 1
            key = f"{self.name}-{self.made}"
        else:
            key = self.choose.choice(known[-10:])
        value = f"{self.choose.randrange(10_000)}{'.' * self.choose.choice([0, 0, 0, 200])}"
        if dice < 0.5:
            verb = "push front into" if dice < 0.05 else "insert into"
            return f"{verb} {table} (k, v) values ({key}, {value})", table, key, value
        if dice < 0.85:
            return f"update {table} set v = {value} where k = {key}", table, key, value
        return f"delete from {table} where k = {key}", table, key, value

    def note(self, reply: dict, statement: str, table: str, key: str, value: str) -> None:
        rows = self.rows[table]
        if reply["status"] == "err":
            self.refused += 1
            self.messages.add(reply["msg"])
            return
        self.acknowledged += 1
        if key in self.unsure[table]:
            return
        if statement.startswith(("insert", "push")):
            rows[key] = value
        elif reply["rows"] != (1 if key in rows else 0):
            self.problems.append(f"{statement}: {reply}, but its row is {rows.get(key)}")
        elif statement.startswith("update") and key in rows:
            rows[key] = value
        elif statement.startswith("delete"):
            rows.pop(key, None)

    def run_batch(self, client: FramedConnection, count: int) -> None:
        batch = [self.statement() for _ in range(count)]
        first = client.last_id + 1
        client.last_id += count
        answered = 0
        try:
            client.socket.sendall(b"".join(frame(first + i, s[0]) for i, s in enumerate(batch)))
            while answered < count:
                number, text = client.read_message()
                if number != first + answered:
                    self.problems.append(f"a reply out of order: {number} {text}")
                self.note(json.loads(text), *batch[answered])
                answered += 1
        except (Closed, OSError):
            for _, table, key, _ in batch[answered:]:
                self.unsure[table].add(key)
                self.rows[table].pop(key, None)
            raise


class Load:
    """Writers at work on a server, from entering to leaving. A server that is replaced meanwhile is found again."""

    def __init__(self, find_server: Callable[[], ServerProcess], writers: list[Writer]):
        self.find_server = find_server
        self.writers = writers
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(w,)) for w in writers]

    def run(self, writer: Writer) -> None:
        while not self.stopping.is_set():
            try:
                with self.find_server().framed() as client:
                    while not self.stopping.is_set():
                        writer.run_batch(client, writer.choose.choice([1, 5, 30]))
                        if writer.refused > writer.acknowledged:
                            time.sleep(0.005)  # no more errors than anybody wants to read
            except (Closed, OSError):
                time.sleep(0.01)
            except Exception as problem:  # noqa: BLE001
                writer.problems.append(repr(problem))
                return

    def acknowledged(self) -> int:
        return sum(w.acknowledged for w in self.writers)

    def refused(self) -> int:
        return sum(w.refused for w in self.writers)

    def wait_for_acknowledged(self, more: int) -> None:
        aim = self.acknowledged() + more
        wait_until(lambda: self.acknowledged() >= aim, 30)

    def wait_for_refused(self, more: int) -> None:
        aim = self.refused() + more
        wait_until(lambda: self.refused() >= aim, 30)

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()


# The faults: each a pair of what breaks MySQL and what mends it.


def set_password(password: str) -> None:
    for host in ("127.0.0.1", "localhost"):
        mariadb.sql(f"ALTER USER {USER}@{host} IDENTIFIED BY '{password}'")


def cut_connections(_: Mirror | None = None) -> None:
    for (number,) in mariadb.sql(f"SELECT id FROM information_schema.processlist WHERE user = '{USER}'"):
        try:
            mariadb.sql(f"KILL {number}")
        except MariadbError as e:
            if "Unknown thread id" not in str(e):
                raise


def lock_out(_: Mirror) -> None:
    set_password("another")
    cut_connections()


def let_in(_: Mirror) -> None:
    set_password(PASSWORD.replace("'", "''"))


def revoke(db: Mirror) -> None:
    for host in ("127.0.0.1", "localhost"):
        mariadb.sql(f"REVOKE ALL ON {quoted(db.name)}.* FROM {USER}@{host}")
    cut_connections()


def grant(db: Mirror) -> None:
    for host in ("127.0.0.1", "localhost"):
        mariadb.sql(f"GRANT ALL ON {quoted(db.name)}.* TO {USER}@{host}")


def revoke_writing(db: Mirror) -> None:
    for host in ("127.0.0.1", "localhost"):
        mariadb.sql(f"REVOKE INSERT, UPDATE, DELETE ON {quoted(db.name)}.* FROM {USER}@{host}")
    cut_connections()


def set_read_only(_: Mirror) -> None:
    mariadb.sql("SET GLOBAL read_only = 1")


def set_writable(_: Mirror) -> None:
    mariadb.sql("SET GLOBAL read_only = 0")


def fill_disk(db: Mirror) -> None:
    """What MySQL says then; a disk that is really full makes some versions of MariaDB crash."""
    for table in TABLES:
        for verb in ("INSERT", "UPDATE"):
            db.sql(
                f"CREATE TRIGGER full_{table}_{verb} BEFORE {verb} ON {table} FOR EACH ROW"
                f" SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table {table} is full'"
            )


def clear_disk(db: Mirror) -> None:
    for table in TABLES:
        for verb in ("INSERT", "UPDATE"):
            db.sql(f"DROP TRIGGER full_{table}_{verb}")


FAULTS: dict[str, tuple[Callable[[Mirror], None], Callable[[Mirror], None]]] = {
    "crash": (lambda _: mariadb.kill(), lambda _: mariadb.start()),
    "stop": (lambda _: mariadb.stop(), lambda _: mariadb.start()),
    "hang": (lambda _: mariadb.pause(), lambda _: mariadb.resume()),
    "disk": (fill_disk, clear_disk),
    "read only": (set_read_only, set_writable),
    "password": (lock_out, let_in),
    "rights": (revoke, grant),
    "writing": (revoke_writing, grant),
}


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
                deadline = time.monotonic() + deadline_s(30)
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
            self.assertLess(took, deadline_s(5))
            self.assertEqual(client.ask("select * from t0 where k = first")["rows"], 1)
            self.assertEqual(client.ask("select * from t0 where k = probe")["rows"], 0)
            self.assertEqual(client.ask("subscribe * from t1")["status"], "ok")

    def run_fault(self, name: str) -> None:
        break_it, mend_it = FAULTS[name]
        writers = [Writer(f"w{i}", i) for i in range(3)]
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

    def run_cuts(self) -> None:
        writers = [Writer(f"w{i}", i) for i in range(3)]
        with self.start_server() as server:
            self.prepare(server)
            with Load(lambda: server, writers) as load:
                for _ in range(15):
                    load.wait_for_acknowledged(50)
                    cut_connections()
            seen = self.compare(server, writers)
        self.compare_after_restart(seen)


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


class WithoutDataAckMemory(WithoutData):
    ack = "memory"


class WithData(WithoutData):
    data = True

    def test_restarts_without_mysql(self) -> None:
        """pubsubsqld is killed again and again while MySQL is away; tables and columns are made meanwhile."""
        writers = [Writer(f"w{i}", i) for i in range(3)]
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
        writers = [Writer("w", 1)]
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
            wait_until(same, 10)
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
                    proxy.wait_until_lost(deadline_s(10))
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
                        wait_until(acknowledged_is_there, 3)
                    except AssertionError:
                        rows = client.ask("select * from t")["data"]
                        raise AssertionError(f"memory {rows}\nMySQL {self.db.rows('t')}\n" + "\n".join(server.log[-12:])) from None


if __name__ == "__main__":
    del Case
    unittest.main()
