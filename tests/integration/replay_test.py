"""Several writers change tables at random while subscribers come and go; what each subscriber was told, replayed, must be
what its select says in the end."""

import os
import random
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.replayed_rows import ReplayedRows  # noqa: E402
from harness.server_process import ServerProcess  # noqa: E402
from harness.wire import FramedConnection, frame  # noqa: E402

TABLES = ["t0", "t1", "t2"]
GROUPS = ["x", "y", "z"]
STATEMENTS = 400 if os.environ.get("PUBSUBSQL_SANITIZE") else 2_000


def random_statement(choose: random.Random) -> str:
    table = choose.choice(TABLES)
    group = choose.choice(GROUPS)
    dice = choose.random()
    if dice < 0.35:
        rows = ", ".join(f"({choose.choice(GROUPS)}, {choose.randrange(100)})" for _ in range(choose.randint(1, 3)))
        return f"insert into {table} (g, v) values {rows}"
    if dice < 0.6:
        return f"update {table} set g = {group} where v = {choose.randrange(100)}"
    if dice < 0.8:
        return f"update {table} set v = {choose.randrange(100)} where g = {group}"
    if dice < 0.9:
        return f"delete from {table} where v = {choose.randrange(100)}"
    if dice < 0.95:
        return f"push front into {table} (g) values ({group})"
    return f"pop front from {table}"


class Follower(ReplayedRows):
    """Replays one subscription."""

    def __init__(self, connection: FramedConnection, table: str, where: str):
        super().__init__()
        self.connection = connection
        self.table = table
        self.where = where
        reply = connection.ask(f"subscribe * from {table}{where}")
        assert reply["status"] == "ok", reply

    def compare(self) -> int:
        """The reply to the select comes behind every event before it."""
        result = self.connection.ask(f"select * from {self.table}{self.where}")
        while self.connection.events:
            self.apply(self.connection.read_event())
        expected = {values[0]: dict(zip(result["columns"], values)) for values in result["data"]}
        columns = result["columns"]
        replayed = {id_: {c: row.get(c) for c in columns} for id_, row in self.rows.items()}
        assert replayed == expected, f"{self.table}{self.where}: replayed {replayed}, selected {expected}"
        return len(expected)


class Replay(unittest.TestCase):
    def run_with(self, threads: int, statements: int) -> None:
        with ServerProcess("--threads", str(threads), "--log-level", "warning") as server:
            with server.framed() as setup:
                for table in TABLES:
                    setup.ask(f"insert into {table} (g, v) values (x, 0)")
                setup.ask("tag t0 g")
                setup.ask("tag t1 v")

            def write(seed: int) -> None:
                choose = random.Random(seed)
                with server.framed() as client:
                    for first in range(0, statements, 50):
                        numbers = range(first + 1, first + 51)
                        client.socket.sendall(b"".join(frame(n, random_statement(choose)) for n in numbers))
                        for number in numbers:
                            if client.read_message()[0] != number:
                                raise AssertionError("replies out of order")

            writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
            for writer in writers:
                writer.start()
            followers = []
            while any(writer.is_alive() for writer in writers) and len(followers) < 60:
                table = TABLES[len(followers) % len(TABLES)]
                where = ["", " where g = x", " where v = 7", " where g = y"][len(followers) % 4]
                followers.append(Follower(server.framed(), table, where))
                if len(followers) % 5 == 0:
                    server.framed().close()  # and some leave without a word
            for writer in writers:
                writer.join()
            rows = sum(follower.compare() for follower in followers)
            self.assertGreater(rows, 0)
            for follower in followers:
                follower.connection.close()

    def test_one_worker(self) -> None:
        self.run_with(1, STATEMENTS)

    def test_several_workers(self) -> None:
        self.run_with(2, STATEMENTS)
        self.run_with(4, STATEMENTS)


if __name__ == "__main__":
    unittest.main()
