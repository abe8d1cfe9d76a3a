"""The embedded store: what was acknowledged is there after a crash, a stop, and a disk that was full."""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import ServerProcess, refused_start  # noqa: E402
from harness.wire import Closed, Connection, FramedConnection, deadline_s, frame  # noqa: E402

SANITIZED = bool(os.environ.get("PUBSUBSQL_SANITIZE"))
ROUNDS = int(os.environ.get("PUBSUBSQL_DURABILITY_ROUNDS", "4"))
MANY_ROWS = int(os.environ.get("PUBSUBSQL_DURABILITY_ROWS", "20000" if SANITIZED else "100000"))
# SQLite's primary result codes; the extended ones have them in the low byte.
SQLITE_IOERR, SQLITE_FULL = 10, 13


@contextlib.contextmanager
def scratch() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="pubsubsql-durability-") as directory:
        yield directory


def start(directory: str, *flags: str, **more: Any) -> ServerProcess:
    defaults = {"--threads": "2", "--log-level": "warning"}
    given = [part for flag, value in defaults.items() if flag not in flags for part in (flag, value)]
    return ServerProcess("--data", directory, *given, *flags, **more)


def poll(what: str, check: Callable[[], bool]) -> None:
    until = time.monotonic() + deadline_s(60)
    while not check():
        if time.monotonic() > until:
            raise AssertionError(f"in time there was not: {what}")


def tables_of(server: ServerProcess) -> dict[str, Any]:
    """Everything a client can see of every table."""
    with server.framed() as client:
        names = [row[0] for row in client.ask("show tables")["data"]]
        seen = {}
        for name in names:
            rows = client.ask(f"select * from {name}")
            seen[name] = (rows["columns"], rows["data"], client.ask(f"describe {name}")["data"])
        return seen


Tables = dict[str, dict[str, dict[str, str]]]  # by table and id: values by column


class Writer:
    """One connection's own rows in shared tables, so that it knows what each must be after the last acknowledgement.

    Statements are pipelined. Those not acknowledged may or may not have happened, but only as wholes and in their order:
    so the table must be as after one of the prefixes.
    """

    TABLES = ("orders", "jobs", "wide")

    def __init__(self, number: int, seed: int):
        self.number = number
        self.choose = random.Random(seed)
        self.serial = 0
        self.rows: Tables = {table: {} for table in self.TABLES}
        self.acknowledged = 0
        self.problem: BaseException | None = None
        self.under_way: list[str] = []  # sent and not acknowledged, in order

    def statement(self) -> tuple[str, Callable[[Tables, list[list[str]]], None]]:
        """A statement, and what it does to the rows when its reply shows these."""
        table = self.choose.choice(self.TABLES)
        mine = f"w{self.number}"
        dice = self.choose.random()
        self.serial += 1
        unique = f"{mine}_{self.serial}"
        if dice < 0.45:
            front = self.choose.random() < 0.3
            count = self.choose.randint(1, 3)
            column = f"late{self.choose.randrange(6)}" if self.choose.random() < 0.05 else "extra"
            values = [
                {"owner": mine, "tag": unique, "u": f"{unique}_{i}", column: self.choose.choice(["x" * 200, "y", "''"])}
                for i in range(count)
            ]
            rows = ", ".join(f"({mine}, {unique}, {v['u']}, {v[column]})" for v in values)

            def insert(at: Tables, shown: list[list[str]]) -> None:
                for v, (id_, *_) in zip(values, shown):
                    stored = {k: "" if x == "''" else x for k, x in v.items()}
                    at[table][id_] = stored

            verb = "push front into" if front else "insert into"
            return f"{verb} {table} (owner, tag, u, {column}) values {rows} returning id", insert
        if dice < 0.8:
            group = f"{mine}_{self.choose.randint(max(1, self.serial - 40), self.serial)}"
            value = str(self.serial)

            def update(at: Tables, shown: list[list[str]]) -> None:
                for (id_,) in shown:
                    at[table][id_]["v"] = value

            return f"update {table} set v = {value} where tag = {group} returning id", update
        group = f"{mine}_{self.choose.randint(max(1, self.serial - 40), self.serial)}"

        def delete(at: Tables, shown: list[list[str]]) -> None:
            for (id_,) in shown:
                del at[table][id_]

        return f"delete from {table} where tag = {group} returning id", delete


class Crashing(unittest.TestCase):
    """kill -9 under load. Each writer touches only its own rows, except in a table of jobs that all push and pop."""

    def write(self, server: ServerProcess, writer: Writer, stop: threading.Event) -> None:
        try:
            with server.framed() as client:
                while not stop.is_set():
                    batch = [writer.statement() for _ in range(writer.choose.randint(1, 30))]
                    writer.under_way = [sql for sql, _ in batch]
                    first = client.last_id + 1
                    client.last_id += len(batch)
                    client.socket.sendall(b"".join(frame(first + i, sql) for i, (sql, _) in enumerate(batch)))
                    for i, (sql, effect) in enumerate(batch):
                        reply = self.read_whole(client, first + i)
                        if reply["status"] != "ok":
                            raise AssertionError(f"{sql}: {reply}")
                        effect(writer.rows, reply["data"])
                        writer.acknowledged += 1
                        writer.under_way.pop(0)
        except (Closed, OSError):
            pass
        except BaseException as problem:  # noqa: BLE001: told by the main thread
            writer.problem = problem

    @staticmethod
    def read_whole(client: FramedConnection, number: int) -> dict[str, Any]:
        got, text = client.read_message()
        if got != number:
            raise AssertionError(f"reply {got} came in place of {number}")
        return json.loads(text)

    def pop_and_push(self, server: ServerProcess, seed: int, stop: threading.Event, job_log: dict[str, set[str]]) -> None:
        """Moves jobs through a queue: what was popped and acknowledged never comes back."""
        choose = random.Random(seed)
        serial = 0
        try:
            with server.framed() as client:
                while not stop.is_set():
                    serial += 1
                    name = f"j{seed}_{serial}"
                    if choose.random() < 0.6:
                        job_log["maybe_pushed"].add(name)
                        end = choose.choice(["front ", ""])
                        assert client.ask(f"push {end}into queue (job) values ({name})")["status"] == "ok"
                        job_log["pushed"].add(name)
                    else:
                        reply = client.ask(f"pop {choose.choice(['front', 'back'])} job from queue")
                        for (job,) in reply.get("data", []):
                            job_log["popped"].add(job)
        except (Closed, OSError):
            pass

    def test_nothing_acknowledged_is_lost(self) -> None:
        seed = int(os.environ.get("PUBSUBSQL_DURABILITY_SEED", str(random.randrange(1 << 30))))
        print(f"seed {seed}")
        choose = random.Random(seed)
        with scratch() as directory:
            writers = [Writer(i, seed + i) for i in range(4)]
            jobs: dict[str, set[str]] = {"maybe_pushed": set(), "pushed": set(), "popped": set()}
            maybe_popped = 0
            with start(directory) as server, server.framed() as client:
                for table in Writer.TABLES:
                    self.assertEqual(client.ask(f"key {table} u")["status"], "ok")
                    self.assertEqual(client.ask(f"tag {table} tag")["status"], "ok")
                client.ask("push into queue (job) values (first)")
                client.ask("pop from queue")
            for round_ in range(ROUNDS):
                stop = threading.Event()
                server = start(directory, "--threads", str(choose.choice([1, 2, 4])))
                before = tables_of(server)
                threads = [threading.Thread(target=self.write, args=(server, w, stop)) for w in writers]
                threads += [
                    threading.Thread(target=self.pop_and_push, args=(server, seed + 100 * round_ + i, stop, jobs))
                    for i in range(2)
                ]
                for thread in threads:
                    thread.start()
                goal = sum(w.acknowledged for w in writers) + choose.randrange(1, 1_500)
                poll("progress", lambda: sum(w.acknowledged for w in writers) >= goal or any(w.problem for w in writers))
                server.kill()
                stop.set()
                for thread in threads:
                    thread.join()
                for w in writers:
                    if w.problem:
                        raise w.problem
                maybe_popped += 2
                with start(directory) as again:
                    seen = tables_of(again)
                    for table in Writer.TABLES:
                        self.check_order(table, seen[table], before[table])
                        for w in writers:
                            self.check_rows(table, w, seen[table])
                    self.check_jobs(seen["queue"], jobs, maybe_popped)
                with start(directory) as untouched:
                    self.assertEqual(tables_of(untouched), seen)
                for w in writers:
                    self.adopt(w, seen)
            print(f"{ROUNDS} rounds, {sum(w.acknowledged for w in writers)} statements acknowledged")

    def check_order(self, table: str, now: Any, before: Any) -> None:
        columns, rows, description = now
        self.assertEqual(columns[: len(before[0])], before[0], f"{table}: columns stay and keep their order")
        self.assertEqual(description[: len(before[2])], before[2], f"{table}: keys and tags stay")
        ids = [int(row[0]) for row in rows]
        self.assertEqual(len(ids), len(set(ids)))
        # Rows pushed to the front stand by falling id before the others by rising id.
        turn = next((i for i in range(1, len(ids)) if ids[i] > ids[i - 1]), len(ids))
        self.assertTrue(all(a > b for a, b in zip(ids[: turn - 1], ids[1:turn])), f"{table}: front order")
        rest = ids[turn:]
        self.assertTrue(all(a < b for a, b in zip(rest, rest[1:])), f"{table}: back order")
        known = {int(row[0]): i for i, row in enumerate(before[1])}
        survivors = [known[i] for i in ids if i in known]
        self.assertEqual(survivors, sorted(survivors), f"{table}: rows stand in the order they had")

    @staticmethod
    def rows_of(writer: Writer, seen: Any) -> dict[str, dict[str, str]]:
        columns, rows, _ = seen
        mine = {}
        for row in rows:
            values = {c: v for c, v in zip(columns, row) if v is not None and c != "id"}
            if values.get("owner") == f"w{writer.number}":
                mine[row[0]] = values
        return mine

    def check_rows(self, table: str, writer: Writer, seen: Any) -> None:
        """The rows are as acknowledged, or as after the first of the statements that were under way, or the second..."""
        found = self.rows_of(writer, seen)
        expected = {id_: dict(row) for id_, row in writer.rows[table].items()}
        under_way = [sql for sql in writer.under_way if f" {table} " in sql]
        tried = []
        for sql in [None, *under_way]:
            if sql is not None:
                self.imagine(sql, expected, found)
            if expected == found:
                return
            tried.append(sql)
        wrong = {i: (expected.get(i), found.get(i)) for i in expected.keys() | found.keys() if expected.get(i) != found.get(i)}
        self.fail(f"{table} of writer {writer.number}: after {tried}, (expected, found): {wrong}")

    @staticmethod
    def imagine(sql: str, rows: dict[str, dict[str, str]], found: dict[str, dict[str, str]]) -> None:
        """Does to the rows what the statement would have done; ids are taken from the rows that were found."""
        if insert := re.match(r"(?:push front into|insert into) \w+ \((.*?)\) values (.*) returning id", sql):
            columns = insert[1].split(", ")
            for values in re.findall(r"\((.*?)\)", insert[2]):
                row = {c: "" if v == "''" else v for c, v in zip(columns, values.split(", "))}
                # A later statement may have changed or deleted the row; then no id is known, and that prefix cannot match.
                id_ = next((i for i, f in found.items() if f.get("u") == row["u"]), "gone " + row["u"])
                rows[id_] = row
        elif update := re.match(r"update \w+ set v = (\w+) where tag = (\w+)", sql):
            for row in rows.values():
                if row["tag"] == update[2]:
                    row["v"] = update[1]
        elif delete := re.match(r"delete from \w+ where tag = (\w+)", sql):
            for id_ in [i for i, row in rows.items() if row["tag"] == delete[1]]:
                del rows[id_]
        else:
            raise AssertionError(sql)

    def check_jobs(self, seen: Any, jobs: dict[str, set[str]], maybe_popped: int) -> None:
        _, rows, _ = seen
        there = [row[1] for row in rows]
        self.assertEqual(len(there), len(set(there)), "a job is there twice")
        self.assertEqual(set(there) & jobs["popped"], set(), "a job that was popped came back")
        self.assertEqual(set(there) - jobs["maybe_pushed"], set(), "a job nobody pushed")
        lost = jobs["pushed"] - jobs["popped"] - set(there)
        # Each popper may have popped one whose reply was cut off by the crash, each round.
        self.assertLessEqual(len(lost), maybe_popped, f"jobs were lost: {lost}")

    def adopt(self, writer: Writer, seen: dict[str, Any]) -> None:
        for table in Writer.TABLES:
            writer.rows[table] = self.rows_of(writer, seen[table])
        writer.under_way = []

    def test_a_statement_of_many_rows_is_whole_or_not_there(self) -> None:
        rows = 2_000
        values = ", ".join("({0}, " + str(i) + ")" for i in range(rows))
        for round_ in range(ROUNDS):
            with scratch() as directory:
                server = start(directory)
                with server.framed() as client:
                    client.ask("insert into t (g, i) values (start, 0)")
                    for group in range(6):
                        client.send(f"insert into t (g, i) values {values.replace('{0}', f'g{group}')}")
                    client.read_reply()
                    for _ in range(round_ % 5):
                        client.read_reply()
                    server.kill()
                with start(directory) as again, again.framed() as client:
                    for group in range(6):
                        count = client.ask(f"select id from t where g = g{group}")["rows"]
                        self.assertIn(count, (0, rows))
                        if group <= round_ % 5:
                            self.assertEqual(count, rows)


class Stopping(unittest.TestCase):
    def test_an_orderly_stop_stores_what_was_acknowledged_from_memory(self) -> None:
        for how in ("signal", "stop"):
            with scratch() as directory:
                with start(directory, "--ack", "memory") as server, server.framed() as client:
                    for i in range(3_000):
                        client.send(f"insert into t (a) values ({i})")
                    client.send("update t set b = x where a = 2999")
                    for _ in range(3_001):
                        client.read_reply()
                    if how == "stop":
                        client.send("stop")
                        client.expect_closed()
                        self.assertEqual(server.wait(), 0)
                with start(directory) as server, server.framed() as client:
                    self.assertEqual(client.ask("select id from t")["rows"], 3_000)
                    self.assertEqual(client.ask("select * from t where b = x")["data"], [["2999", "2999", "x"]])

    def test_ack_of_a_table_comes_back_and_counts(self) -> None:
        with scratch() as directory:
            with start(directory) as server, server.framed() as client:
                client.ask("insert into t (a) values (1)")
                self.assertEqual(client.ask("alter table t set ack = memory")["status"], "ok")
            with start(directory) as server, server.framed() as client:
                for i in range(500):
                    client.ask(f"insert into t (a) values ({i})")
            with start(directory, "--ack", "memory") as server, server.framed() as client:
                self.assertEqual(client.ask("select id from t")["rows"], 501)
                self.assertEqual(client.ask("alter table t set ack = committed")["status"], "ok")
                self.assertEqual(client.ask("insert into t (a) values (committed)")["status"], "ok")
                server.kill()
            with start(directory) as server, server.framed() as client:
                self.assertEqual(client.ask("select id from t where a = committed")["rows"], 1)

    def test_a_second_server_is_refused(self) -> None:
        with scratch() as directory, start(directory) as server, server.framed() as client:
            said = refused_start("--data", directory)
            self.assertIn(f"another server uses {directory}; stop it, or give this one its own --data", said)
            self.assertEqual(client.ask("insert into t (a) values (1)")["status"], "ok")

    def test_directories_that_cannot_be_used_are_refused_with_the_reason(self) -> None:
        with scratch() as directory:
            Path(directory, "file").write_text("x")
            self.assertIn("cannot use --data", refused_start("--data", f"{directory}/file"))
            Path(directory, "pubsubsql.db").write_text("this is no database " * 500)
            self.assertIn("file is not a database", refused_start("--data", directory))

    def test_ids_are_never_given_again(self) -> None:
        with scratch() as directory:
            for first in (0, 3, 6):
                with start(directory) as server, server.framed() as client:
                    reply = client.ask("insert into t (a) values (1), (2), (3) returning id")
                    self.assertEqual(reply["data"], [[str(first + i)] for i in range(3)])
                    client.ask("delete from t")


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[str]:
    """A file system of its own, if this user may make one."""
    with scratch() as directory:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", directory], capture_output=True, check=False
        )
        if mounted.returncode != 0:
            raise unittest.SkipTest("only root can make a small disk")
        try:
            yield directory
        finally:
            subprocess.run(["umount", "--lazy", directory], check=True)


def fill(directory: str) -> Path:
    """Takes all the space there is."""
    filler = Path(directory, "filler")
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    return filler


class FullDisk(unittest.TestCase):
    def ask_until_refused(self, client: Connection, table: str = "t") -> dict[str, Any]:
        """What was free in the store's own files is used up first."""
        for i in range(20_000):
            reply = client.ask(f"insert into {table} (a) values ({'x' * 1000})")
            if reply["status"] != "ok":
                return reply
        self.fail("the disk is full and everything is stored")

    def ask_until_stored(self, client: Connection, statement: str) -> None:
        replies: list[dict[str, Any]] = []

        def stored() -> bool:
            replies[:] = [client.ask(statement)]
            return replies[0]["status"] == "ok"

        try:
            poll("space", stored)
        except AssertionError as late:
            raise AssertionError(f"{late}; the last reply: {replies}") from late

    def test_awaited_changes_are_refused_and_nothing_else_happens(self) -> None:
        with small_disk(24) as directory:
            with start(directory) as server, server.framed() as client, server.framed() as subscriber:
                client.ask("insert into t (a) values (1)")
                client.ask("key t k")
                subscriber.ask("subscribe skip * from t")
                filler = fill(directory)
                refusal = self.ask_until_refused(client)
                self.assertEqual(refusal["code"] & 0xFF, SQLITE_FULL, refusal)
                self.assertIn("full", refusal["msg"])
                before = tables_of(server)
                for statement in (
                    "insert into t (a, k) values (" + "y" * 5000 + ", 1)",
                    "update t set a = " + "z" * 5000,
                    "insert into fresh (a) values (1)",
                    "insert into t (late) values (1)",
                    "tag t a",
                    "alter table t set ack = committed",
                ):
                    self.assertEqual(client.ask(statement).get("code", 0) & 0xFF, SQLITE_FULL, statement[:60])
                    self.assertEqual(tables_of(server), before, statement[:60])
                # A pipeline of two connections and two tables.
                for _ in range(200):
                    client.send("insert into t (a) values (piped)")
                    subscriber.send("insert into other (a) values (piped)")
                for _ in range(200):
                    self.assertIn("full", client.read_reply())
                    self.assertIn("full", subscriber.read_reply())
                self.assertEqual(tables_of(server), before)
                rows = len(before["t"][1])
                events = [subscriber.read_event()] if subscriber.events else []
                while subscriber.events:
                    events.append(subscriber.read_event())
                self.assertEqual(sum(event["rows"] for event in events), rows - 1, "events of what was refused")
                filler.unlink()
                self.ask_until_stored(client, "insert into t (a, k) values (back, 1)")
                self.assertEqual(client.ask("select id from t where k = 1")["rows"], 1)
                after = tables_of(server)
            with start(directory) as server:
                self.assertEqual(tables_of(server), after)

    def test_unawaited_changes_wait_and_are_stored_when_there_is_space(self) -> None:
        with small_disk(24) as directory:
            with start(directory, "--ack", "memory") as server, server.framed() as client:
                client.ask("insert into t (a) values (1)")
                client.ask("insert into u (a) values (1)")
                filler = fill(directory)
                for i in range(3_000):
                    client.ask(f"insert into t (a) values ({'x' * 1000})")
                server.wait_for_log("the store in the data directory cannot be written")
                # In one batch with them, changes that are awaited: refused, without harm to the others.
                client.ask("insert into u (a) values (waits)")
                refusal = client.ask("alter table u set ack = committed")
                self.assertEqual(refusal.get("code", 0) & 0xFF, SQLITE_FULL, refusal)
                self.assertEqual(client.ask("insert into fresh (a) values (1)")["status"], "ok")
                filler.unlink()
                self.ask_until_stored(client, "alter table u set ack = committed")
                before = tables_of(server)
            with start(directory) as server:
                self.assertEqual(tables_of(server), before)

    def test_a_full_queue_refuses_and_what_was_acknowledged_is_kept(self) -> None:
        with small_disk(24) as directory:
            flags = ("--ack", "memory", "--store-queue-bytes", "1MiB")
            with start(directory, *flags) as server, server.framed() as client:
                client.ask("insert into t (a) values (1)")
                filler = fill(directory)
                refusal = self.ask_until_refused(client)
                self.assertEqual(refusal["code"] & 0xFF, SQLITE_FULL, refusal)
                filler.unlink()
                self.ask_until_stored(client, "insert into t (a) values (back)")
                before = tables_of(server)
            with start(directory, *flags) as server:
                self.assertEqual(tables_of(server), before)


class Loading(unittest.TestCase):
    def test_many_rows(self) -> None:
        with scratch() as directory:
            with start(directory) as server, server.framed() as client:
                client.ask("key t k")
                client.ask("tag t g")
                for first in range(0, MANY_ROWS, 1000):
                    rows = ", ".join(f"({i}, {i % 97}, some_text_{i})" for i in range(first, first + 1000))
                    client.send(f"insert into t (k, g, v) values {rows}")
                for _ in range(0, MANY_ROWS, 1000):
                    self.assertIn('"ok"', client.read_reply())
            began = time.monotonic()
            with start(directory, "--log-level", "info") as server, server.framed() as client:
                print(f"{MANY_ROWS} rows loaded in {time.monotonic() - began:.2f} s")
                self.assertTrue(any(f"loaded {MANY_ROWS} rows of 1 tables" in line for line in server.log))
                last = str(MANY_ROWS - 1)
                found = client.ask(f"select * from t where k = {last}")["data"]
                self.assertEqual(found, [[last, last, str(int(last) % 97), f"some_text_{last}"]])
                self.assertEqual(client.ask("select id from t where g = 5")["rows"], len(range(5, MANY_ROWS, 97)))
                self.assertEqual(client.ask("status")["rows"], MANY_ROWS)


if __name__ == "__main__":
    unittest.main()
