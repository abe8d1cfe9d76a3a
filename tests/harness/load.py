"""Clients that change rows of their own in some tables, and know from the replies what the rows must be."""

import json
import random
import time
from collections.abc import Callable, Iterable

from harness.mirror import wait_until
from harness.server_process import ServerProcess
from harness.threads import Threads
from harness.wire import Closed, FramedConnection, frame


class Writer:
    """A client that changes rows of its own and knows from the replies what they must be."""

    def __init__(self, name: str, seed: int, tables: Iterable[str]):
        self.name = name
        self.choose = random.Random(seed)
        self.tables = list(tables)
        self.rows: dict[str, dict[str, str]] = {t: {} for t in self.tables}
        self.unsure: dict[str, set[str]] = {t: set() for t in self.tables}  # keys without an answer when the server died
        self.made = 0
        self.acknowledged = 0
        self.refused = 0
        self.messages: set[str] = set()
        self.problems: list[str] = []

    def statement(self) -> tuple[str, str, str, str]:
        table = self.choose.choice(self.tables)
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


class Load(Threads):
    """Writers at work on a server, from entering to leaving. A server that is replaced meanwhile is found again."""

    def __init__(self, find_server: Callable[[], ServerProcess], writers: list[Writer]):
        self.find_server = find_server
        self.writers = writers
        super().__init__(self.run, writers)

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
        wait_until(lambda: self.acknowledged() >= aim)

    def wait_for_refused(self, more: int) -> None:
        aim = self.refused() + more
        wait_until(lambda: self.refused() >= aim)
