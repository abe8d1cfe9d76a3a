"""The same statements, one at a time and pipelined in pieces of any size: the replies must be the same, byte for byte,
and so must what the subscriptions of the connection were told. Few forms with changing values, while tables, columns,
keys and tags are made in between, so that nothing that is remembered of a form may be out of date."""

import json
import os
import random
import sys
import tempfile
import threading
import unittest
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import FramedConnection, frame  # noqa: E402

STATEMENTS = int(os.environ.get("PUBSUBSQL_PIPELINED_STATEMENTS", "1500"))
STATEMENTS_COMMITTED = STATEMENTS // 5
TABLES = ["orders_1", "orders_2", "orders_3", "orders_4", "`orders``5`"]
COLUMNS = ["k", "k", "k", "a", "`a`", "B", "id", "späte"]
ODD_VALUES = ["null", "NULL", "'null'", "''", "'it''s'", "a;", "'a';", "x--y", "/* c */1", "'\n'", '"\\', "größe", "a b", ";"]


class Statements:
    """A random sequence of statements, the same for the same seed."""

    def __init__(self, seed: int):
        self.choose = random.Random(seed)

    def column(self) -> str:
        if self.choose.random() < 0.01:
            return f"c{self.choose.randrange(40)}"
        return self.choose.choice(COLUMNS)

    def value(self) -> str:
        dice = self.choose.random()
        if dice < 0.06:
            return self.choose.choice(ODD_VALUES)
        if dice < 0.09:
            return "'" + self.choose.choice("xü\x01") * self.choose.choice([10, 300, 2_000, 70_000]) + "'"
        number = str(self.choose.randrange(80))
        return number if dice < 0.6 else f"'{number}'"

    def where(self) -> str:
        return f" where {self.column()} = {self.value()}"

    def returning(self) -> str:
        dice = self.choose.random()
        if dice < 0.7:
            return ""
        columns = ", ".join(self.column() for _ in range(self.choose.choice([1, 2, 30])))
        return " returning " + ("*" if dice < 0.85 else columns)

    def next(self) -> bytes:
        table = self.choose.choice(TABLES)
        end = self.choose.choice(["", "", "", ";", " ; -- ?"])
        stream = "stream " if self.choose.random() < 0.1 else ""
        dice = self.choose.random()
        if dice < 0.35:
            verb = self.choose.choice(["insert into", "insert into", "push front into", "push into"])
            rows = ", ".join(f"({self.value()}, {self.value()})" for _ in range(self.choose.choice([1, 1, 1, 3])))
            sql = f"{stream}{verb} {table} (k, {self.column()}) values {rows}{self.returning()}"
        elif dice < 0.65:
            sql = f"{stream}update {table} set {self.column()} = {self.value()}{self.where()}{self.returning()}"
        elif dice < 0.85:
            columns = ", ".join(self.column() for _ in range(self.choose.choice([1, 2, 70])))
            sql = f"select {self.choose.choice(['*', columns])} from {table}{self.where()}"
        elif dice < 0.93:
            sql = f"{stream}delete from {table}{self.where()}{self.returning()}"
        elif dice < 0.95:
            sql = f"{self.choose.choice(['key', 'tag'])} {table} {self.column()}"
        elif dice < 0.97:
            sql = f"subscribe {self.choose.choice(['', 'skip '])}* from {table}{self.where()}"
        elif dice < 0.98:
            sql = f"describe {table}"
        else:
            sql = self.choose.choice(["select", "", "pop * from " + table, f"select * from {table}", "select * from none"])
        return (sql + end).encode() + (b"\xff" if self.choose.random() < 0.005 else b"")


class Answers:
    """What a connection has got: the replies by request, and the rows of events by subscription."""

    def __init__(self) -> None:
        self.replies: dict[int, list[str]] = defaultdict(list)
        self.events: dict[str, list[str]] = defaultdict(list)

    def take(self, connection: FramedConnection) -> int:
        request_id, text = connection.read_message()
        if request_id != 0:
            self.replies[request_id].append(text)
        else:
            event = json.loads(text)
            for row in event["data"]:
                self.events[event["pubsubid"]].append(f"{event['action']} {event['columns']} {row}")
        return request_id


def last_statements(first_id: int) -> bytes:
    """A reply about a table comes behind all events of the table before it."""
    return b"".join(frame(first_id + i, f"describe {table}") for i, table in enumerate(TABLES))


def one_at_a_time(connection: FramedConnection, statements: list[bytes]) -> Answers:
    """Behind each statement goes one that has a reply for certain, so that all of its own have come."""
    answers = Answers()
    for number, sql in enumerate(statements, 1):
        connection.socket.sendall(frame(2 * number, sql))
        connection.socket.sendall(frame(2 * number + 1, "describe none"))
        while answers.take(connection) != 2 * number + 1:
            pass
    connection.socket.sendall(last_statements(2 * len(statements) + 2))
    while answers.take(connection) != 2 * len(statements) + 1 + len(TABLES):
        pass
    return answers


def pipelined(connection: FramedConnection, statements: list[bytes], choose: random.Random) -> Answers:
    stream = b"".join(frame(2 * number, sql) for number, sql in enumerate(statements, 1))
    stream += last_statements(2 * len(statements) + 2)

    def send() -> None:
        at = 0
        while at < len(stream):
            size = choose.choice([1, 7, 100, 5_000, 100_000])
            connection.socket.sendall(stream[at : at + size])
            at += size

    sender = threading.Thread(target=send)
    sender.start()
    answers = Answers()
    while answers.take(connection) != 2 * len(statements) + 1 + len(TABLES):
        pass
    sender.join()
    return answers


class Pipelining(unittest.TestCase):
    def compare(self, threads: int, statements: int, seed: int, with_data: bool = False) -> None:
        source = Statements(seed)
        texts = [source.next() for _ in range(statements)]
        got = []
        for run in (one_at_a_time, lambda c, t: pipelined(c, t, random.Random(seed))):
            with tempfile.TemporaryDirectory() as data:
                flags = ["--data", data] if with_data else []
                with ServerProcess("--threads", str(threads), "--log-level", "warning", *flags) as server:
                    with server.framed() as connection:
                        got.append(run(connection, texts))
        alone, together = got
        for number, sql in enumerate(texts, 1):
            self.assertEqual(alone.replies.get(2 * number), together.replies.get(2 * number), f"{seed}: {sql!r}")
        self.assertEqual(alone.events, together.events)
        self.assertGreater(sum(text.startswith('{"status":"ok"') for r in alone.replies.values() for text in r), 0)

    def test_one_worker(self) -> None:
        self.compare(1, STATEMENTS, 1)

    def test_several_workers(self) -> None:
        self.compare(4, STATEMENTS, 2)

    def test_one_worker_with_data(self) -> None:
        self.compare(1, STATEMENTS_COMMITTED, 3, with_data=True)

    def test_several_workers_with_data(self) -> None:
        self.compare(4, STATEMENTS_COMMITTED, 4, with_data=True)


if __name__ == "__main__":
    unittest.main()
