"""Clients that change the same rows: counters, accounts with transfers between them, and a queue."""

import json
import random
import threading
from typing import Any

from clients import Client, CommitUnknown, TransactionFailed, is_expected, transact, vanish
from harness.wire import Closed, FramedConnection, frame
from machines import Machines
from world import World

COUNTERS = [f"c{i}" for i in range(3)]
ACCOUNT_TABLES = ["a0", "a1", "a2"]
ACCOUNTS = [f"x{i}" for i in range(4)]
OPENING = 100
TOTAL = OPENING * len(ACCOUNT_TABLES) * len(ACCOUNTS)


class Tally:
    """What is known of the increments of one counter since the last quiet point."""

    def __init__(self) -> None:
        self.start = 0
        self.answered: set[int] = set()
        self.maybe = 0  # without an answer
        self.ghosts: list[int] = []  # the incarnations of those refused: the next one may find them in MySQL


class Contention:
    """What all clients of this kind know together."""

    def __init__(self, world: World):
        self.world = world
        self.lock = threading.Lock()
        self.tallies = {c: Tally() for c in COUNTERS}
        self.pushed: dict[tuple[str, int], str] = {}  # "answered", "maybe", or "popped"
        self.lost_pops = 0

    @staticmethod
    def tables() -> list[str]:
        return ["counters", "queue", *ACCOUNT_TABLES]

    @staticmethod
    def setup() -> list[str]:
        made = ["key counters k", "tag queue p"]
        made += [f"insert into counters (k, n) values ({c}, 0)" for c in COUNTERS]
        for table in ACCOUNT_TABLES:
            values = ", ".join(f"({a}, {OPENING})" for a in ACCOUNTS)
            made += [f"key {table} k", f"insert into {table} (k, n) values {values}"]
        return made

    def incremented(self, counter: str, reply: dict[str, Any]) -> None:
        value = int(reply["data"][0][0])
        with self.lock:
            tally = self.tallies[counter]
            if value in tally.answered or value <= tally.start:
                self.world.violate(f"counter {counter}: {value} was answered twice, or counted from before {tally.start}")
            tally.answered.add(value)

    def popped(self, producer: str, number: int, consumer: str) -> None:
        with self.lock:
            if self.pushed.get((producer, number)) == "popped":
                self.world.violate(f"{consumer} popped {producer} {number}, which was popped before")
            self.pushed[(producer, number)] = "popped"

    # At quiet points

    def resolve(self, rows: dict[str, list[dict[str, str]]]) -> None:
        self._resolve_counters({r["k"]: int(r["n"]) for r in rows["counters"]})
        self._resolve_queue([(r["p"], int(r["s"])) for r in rows["queue"]])
        total = sum(int(r["n"]) for t in ACCOUNT_TABLES for r in rows[t])
        if total != TOTAL:
            self.world.violate(f"the accounts hold {total} together, not {TOTAL}: {[rows[t] for t in ACCOUNT_TABLES]}")
        self.world.count("checks", len(COUNTERS) + 2)

    def _resolve_counters(self, found: dict[str, int]) -> None:
        for counter, tally in self.tallies.items():
            value = found[counter]
            least = tally.start + len(tally.answered)
            most = least + tally.maybe + sum(i < self.world.incarnation for i in tally.ghosts)
            if not least <= value <= most or value < max(tally.answered, default=0):
                highest = max(tally.answered, default=0)
                self.world.violate(f"counter {counter} is {value}, not {least} to {most}; the highest answer was {highest}")
            self.tallies[counter] = Tally()
            self.tallies[counter].start = value

    def _resolve_queue(self, found: list[tuple[str, int]]) -> None:
        if len(set(found)) != len(found):
            self.world.violate(f"the queue holds something twice: {found}")
        last: dict[str, int] = {}
        for item in found:
            if self.pushed.get(item, "popped") == "popped":
                self.world.violate(f"{item} is in the queue, but {self.pushed.get(item, 'was never pushed')}")
            if last.get(item[0], -1) > item[1]:
                self.world.violate(f"{item} is behind {last[item[0]]} in the queue")
            last[item[0]] = item[1]
        missing = [i for i, state in self.pushed.items() if state == "answered" and i not in set(found)]
        if len(missing) > self.lost_pops:
            self.world.violate(f"the queue lacks {missing}; pops without an answer: {self.lost_pops}")
        for item in self.pushed:
            self.pushed[item] = "answered" if item in set(found) else "popped"
        self.lost_pops = 0


class Contender(Client):
    """Increments, transfers, looks at the accounts, pushes and pops."""

    def __init__(self, world: World, machines: Machines, number: int, shared: Contention):
        super().__init__(world, machines, f"s{number}", world.seed)
        self.shared = shared
        self.pushes = 0

    def session(self, client: FramedConnection) -> None:
        works = [self.increments, self.transfer, self.audit, self.push, self.pop, self.desert]
        while not self.world.pausing():
            self.breathe()
            self.choose.choices(works, [4, 5, 1, 3, 3, 0.2])[0](client)

    def many(self, client: FramedConnection, statements: list[str]) -> list[dict[str, Any] | None]:
        """The replies; None for those that did not come."""
        replies: list[dict[str, Any] | None] = []
        first = client.last_id + 1
        client.last_id += len(statements)
        try:
            client.socket.sendall(b"".join(frame(first + i, s) for i, s in enumerate(statements)))
            while len(replies) < len(statements):
                replies.append(json.loads(client.read_message()[1]))
        except TimeoutError:
            raise
        except (Closed, OSError):
            replies += [None] * (len(statements) - len(replies))
        self.world.count("statements", len(statements))
        for reply in replies:
            assert reply is None or reply["status"] == "ok" or is_expected(reply), reply
        return replies

    def increments(self, client: FramedConnection) -> None:
        counter = self.choose.choice(COUNTERS)
        statement = f"update counters set n = n + 1 where k = {counter} returning n"
        replies = self.many(client, [statement] * self.choose.choice([1, 4, 20]))
        for reply in replies:
            tally = self.shared.tallies[counter]
            if reply is None:
                with self.shared.lock:
                    tally.maybe += 1
            elif reply["status"] == "err":
                with self.shared.lock:
                    tally.ghosts.append(self.world.incarnation)
            else:
                self.shared.incremented(counter, reply)
        self.give_up_if_lost(replies)

    @staticmethod
    def give_up_if_lost(replies: list[dict[str, Any] | None]) -> None:
        if None in replies:
            raise Closed

    def transfer(self, client: FramedConnection) -> None:
        """Between tables in any order, so that deadlocks come about."""
        (t1, k1), (t2, k2) = self.choose.sample([(t, k) for t in ACCOUNT_TABLES for k in ACCOUNTS], 2)
        amount = self.choose.randint(1, 50)
        statements = [f"update {t1} set n = n - {amount} where k = {k1}", f"update {t2} set n = n + {amount} where k = {k2}"]
        self.try_transaction(client, statements)

    def try_transaction(self, client: FramedConnection, statements: list[str]) -> list[dict[str, Any]]:
        try:
            replies = transact(client, statements)
            self.world.count("transactions")
            return replies
        except CommitUnknown:
            raise
        except TransactionFailed as failure:
            assert is_expected(failure.reply), failure.reply
            self.world.count("refused")
            return []

    def audit(self, client: FramedConnection) -> None:
        """A transaction sees the accounts as they are between transfers."""
        tables = self.choose.sample(ACCOUNT_TABLES, len(ACCOUNT_TABLES))
        replies = self.try_transaction(client, [f"select n from {t}" for t in tables])
        total = sum(int(row[0]) for r in replies for row in r["data"])
        if replies and total != TOTAL:
            self.world.violate(f"{self.name} saw accounts of {total} together, not {TOTAL}: {replies}")
        self.world.count("checks")

    def desert(self, client: FramedConnection) -> None:
        """Leaves in the middle of a transaction, which would be seen in the accounts."""
        client.ask("begin")
        for table in self.choose.sample(ACCOUNT_TABLES, 2):
            client.ask(f"update {table} set n = n + 1000000")
        if self.choose.random() < 0.5:
            vanish(client)
        raise Closed

    def push(self, client: FramedConnection) -> None:
        statements, items = [], []
        for _ in range(self.choose.choice([1, 3, 10])):
            mine = [(self.name, self.pushes + i) for i in range(self.choose.choice([1, 1, 4]))]
            self.pushes += len(mine)
            items.append(mine)
            statements.append("push into queue (p, s) values " + ", ".join(f"({p}, {s})" for p, s in mine))
        with self.shared.lock:
            self.shared.pushed |= {item: "maybe" for mine in items for item in mine}
        replies = self.many(client, statements)
        with self.shared.lock:
            for mine, reply in zip(items, replies):
                self._pushed(mine, reply)
        self.give_up_if_lost(replies)

    def _pushed(self, mine: list[tuple[str, int]], reply: dict[str, Any] | None) -> None:
        for item in mine:
            if reply is not None and reply["status"] == "ok" and self.shared.pushed[item] == "maybe":
                self.shared.pushed[item] = "answered"

    def pop(self, client: FramedConnection) -> None:
        replies = self.many(client, ["pop front p, s from queue"] * self.choose.choice([1, 2, 10]))
        last: dict[str, int] = {}
        for reply in replies:
            if reply is None or reply["status"] == "err":
                with self.shared.lock:
                    self.shared.lost_pops += 1
            elif reply["data"]:
                p, s = reply["data"][0][0], int(reply["data"][0][1])
                self.shared.popped(p, s, self.name)
                if last.get(p, -1) > s:
                    self.world.violate(f"{self.name} popped {p} {s} after {last[p]}")
                last[p] = s
        self.give_up_if_lost(replies)


class Rude(Client):
    """Sends what is no statement, or a part of one, and leaves; or stays, silent."""

    def __init__(self, world: World, machines: Machines, number: int):
        super().__init__(world, machines, f"x{number}", world.seed)

    def session(self, client: FramedConnection) -> None:
        whole = frame(1, "update counters set n = n + 1000000 where k = nobody")
        r: random.Random = self.choose
        choices = [
            whole[: r.randrange(1, len(whole))],
            b"update counters set n = n + 1000000 wh",
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            frame(7, r.randbytes(40)),
            b"\xff\xff\xff\xff\x00\x00\x00\x01",
            b"\x00\x00\x00\x00" * r.randrange(1, 9),
            r.randbytes(r.randrange(1, 100)),
            b"select * from counters where k = '" + b"x" * 50_000,
        ]
        client.socket.sendall(r.choice(choices))
        self.world.stopping.wait(r.random() * 0.2)
        if r.random() < 0.5:
            vanish(client)
        self.world.count("rude")
