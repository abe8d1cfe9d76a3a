"""Clients of queues with leases: what was pushed is delivered until it is acknowledged, whoever dies meanwhile."""

import dataclasses
import itertools
import json
import threading
from typing import Any

from clients import Client, CommitUnknown, TransactionFailed, is_expected, transact, vanish
from harness.wire import Closed, FramedConnection
from machines import Machines
from rows import OUTAGE
from world import World

JOBS = "jobs"
ORDERS = "orders"  # acknowledged in the transaction that writes into DONE
FRAGILE = "fragile"  # moved to GRAVES after ATTEMPTS_MAX attempts
LETTERS = "letters"  # bound to NEWS
QUEUES = [JOBS, ORDERS, FRAGILE, LETTERS]
DONE = "done"
GRAVES = "graves"
NEWS = "news"
ATTEMPTS_MAX = 3
LEASE_S = 2
WAITING_MAX = 200  # in a queue, so that quiet points stay short
NOT_LEASED = "lease"  # in the error about a message that is not leased to the connection any more


@dataclasses.dataclass
class Message:
    """Of what was pushed once. `pushed`: no, maybe (without an answer), or yes."""

    pushed: str = "maybe"
    acked: bool = False
    doubts: set[int] = dataclasses.field(default_factory=set)
    """The acknowledgements that may have come to something: without an answer, or with one that does not tell."""
    acked_at: int = 0
    """By the clock of `Messages`, when the answer to `ack` was read."""
    refused_in: int = 0
    """The incarnation that refused it: the next one may find it in MySQL."""


def state_after(reply: dict[str, Any]) -> str:
    """Of messages whose `ack` was answered so. What MySQL's absence refused, the next server may find done."""
    if reply["status"] == "ok":
        return "yes"
    return "maybe" if OUTAGE in reply["msg"] else "no"


class Messages:
    """What all clients of this kind know together. `clock` orders what they send and read."""

    def __init__(self, world: World):
        self.world = world
        self.lock = threading.Lock()
        self.clock = itertools.count(1)
        self.known: dict[str, dict[str, Message]] = {q: {} for q in QUEUES}
        self.waiting = dict.fromkeys(QUEUES, 0)
        """About how many messages each has."""

    @staticmethod
    def setup() -> list[str]:
        column = "(m varchar(40) not null)"
        lease = f"durable lease {LEASE_S} seconds"
        return [
            f"create queue {JOBS} {column} {lease} max attempts 0",
            f"create queue {ORDERS} {column} {lease} max attempts 0",
            f"create queue {FRAGILE} {column} {lease} max attempts {ATTEMPTS_MAX} dead letter {GRAVES}",
            f"create queue {LETTERS} (m varchar(40) not null, urgent int not null) {lease} max attempts 0",
            f"create table {DONE} (id bigint auto_increment primary key, m varchar(40) not null unique)",
            f"create table {NEWS} (id bigint auto_increment primary key, m varchar(40) not null, urgent int not null)",
            f"bind {LETTERS} to {NEWS} where urgent = 1",
        ]

    def pushing(self, queue: str, names: list[str]) -> None:
        with self.lock:
            self.known[queue] |= {name: Message() for name in names}
            self.waiting[queue] += len(names)

    def pushed(self, queue: str, names: list[str], reply: dict[str, Any]) -> None:
        with self.lock:
            for name in names:
                message = self.known[queue][name]
                if reply["status"] == "ok":
                    message.pushed = "yes"
                elif message.pushed == "maybe":
                    message.pushed = "no"
                    message.refused_in = self.world.incarnation

    def popped(self, queue: str, name: str, sent_at: int, by: str) -> None:
        """`sent_at`: when the pop was sent."""
        with self.lock:
            message = self.known[queue].get(name)
            if message is None:
                self.world.violate(f"{by} popped {name} from {queue}, which nobody pushed")
            elif message.acked and message.acked_at < sent_at:
                self.world.violate(f"{by} popped {name} from {queue}, which had been acknowledged")
            elif message.pushed == "no" and message.refused_in == self.world.incarnation:
                self.world.violate(f"{by} popped {name} from {queue}, whose push had been refused")

    def acking(self, queue: str, names: list[str]) -> int:
        """The number of the attempt, for acked(): others may acknowledge the same, as leases end."""
        with self.lock:
            attempt = next(self.clock)
            for name in names:
                self.known[queue][name].doubts.add(attempt)
            return attempt

    def acked(self, queue: str, names: list[str], attempt: int, state: str) -> None:
        with self.lock:
            for name in names:
                message = self.known[queue][name]
                if state != "maybe":
                    message.doubts.discard(attempt)
                if state == "yes" and not message.acked:
                    message.acked = True
                    message.acked_at = next(self.clock)
            if state == "yes":
                self.waiting[queue] -= len(names)

    # At quiet points

    def resolve(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        graves = [r["m"] for r in rows.get(GRAVES, [])]
        for queue in QUEUES:
            self._resolve(queue, rows[queue], graves if queue == FRAGILE else [])
        self._resolve_done([r["m"] for r in rows[DONE]], {r["m"] for r in rows[ORDERS]})
        self._resolve_news({r["m"]: r["urgent"] for r in rows[NEWS]})
        for queue in QUEUES:
            self.known[queue] = {r["m"]: Message(pushed="yes") for r in rows[queue]}
            self.waiting[queue] = len(rows[queue])

    def _resolve(self, queue: str, rows: list[dict[str, Any]], graves: list[str]) -> None:
        there = [r["m"] for r in rows]
        if len(set(there)) != len(there) or set(there) & set(graves) or len(set(graves)) != len(graves):
            self.world.violate(f"{queue} has a message twice: {there}, {graves}")
        leased = [r["m"] for r in rows if r["leased_until"] is not None or r["leased_by"] is not None]
        if leased:
            self.world.violate(f"{queue}: {leased} are leased, but nobody is there")
        known = self.known[queue]
        for name in {*there, *graves} - known.keys():
            if name in there:
                self.world.violate(f"{queue} has {name}, which nobody pushed, or which was acknowledged long ago")
        for name, message in known.items():
            self._resolve_one(queue, name, message, name in there or name in graves)
        self.world.count("checks", len(known))

    def _resolve_one(self, queue: str, name: str, message: Message, is_there: bool) -> None:
        if not is_there and message.pushed == "yes" and not message.acked and not message.doubts:
            self.world.violate(f"{queue} has lost {name}")
        if is_there and message.acked:
            self.world.violate(f"{queue} has {name}, which was acknowledged")
        if is_there and message.pushed == "no" and message.refused_in == self.world.incarnation:
            self.world.violate(f"{queue} has {name}, whose push was refused")

    def _resolve_done(self, done: list[str], there: set[str]) -> None:
        """A message is in the queue, or what it led to is in the table: never both, never neither."""
        both = there & set(done)
        if both:
            self.world.violate(f"{both} are done, and still in {ORDERS}")
        for name, message in self.known[ORDERS].items():
            if message.pushed == "yes" and name not in there and name not in done:
                self.world.violate(f"{name} is gone from {ORDERS}, and not done")

    def _resolve_news(self, news: dict[str, str]) -> None:
        """What is in the table was copied, and what was copied is in the table."""
        for name, message in self.known[LETTERS].items():
            if message.pushed == "yes" and name not in news:
                self.world.violate(f"{name} was copied from {NEWS}, where it is not")


class Producer(Client):
    """Pushes into all queues, into one of them by way of the table that it is bound to."""

    def __init__(self, world: World, machines: Machines, number: int, shared: Messages):
        super().__init__(world, machines, f"q{number}", world.seed)
        self.shared = shared
        self.made = 0

    def session(self, client: FramedConnection) -> None:
        while not self.world.pausing():
            self.breathe()
            queue = self.choose.choice(QUEUES)
            if self.shared.waiting[queue] < WAITING_MAX:
                self.push(client, queue)

    def push(self, client: FramedConnection, queue: str) -> None:
        names = []
        for _ in range(self.choose.choice([1, 1, 5, 20])):
            self.made += 1
            names.append(f"{self.name}.{self.made}")
        self.shared.pushing(queue, names)
        if queue == LETTERS:
            rows = [f"({n}, 1)" for n in names] + [f"({names[0]}.idle, 0)"]
            statement = f"insert into {NEWS} (m, urgent) values {', '.join(rows)}"
        else:
            delay = self.choose.choice(["", "", "", " delay 1 second"])
            statement = f"push into {queue} (m) values {', '.join(f'({n})' for n in names)}{delay}"
        if self.choose.random() < 0.2:
            self.push_in_transaction(client, queue, names, statement)
            return
        reply = client.ask(statement)
        assert reply["status"] == "ok" or is_expected(reply), f"{statement}: {reply}"
        self.shared.pushed(queue, names, reply)
        self.world.count("messages", len(names))

    def push_in_transaction(self, client: FramedConnection, queue: str, names: list[str], statement: str) -> None:
        try:
            reply = transact(client, [statement])[0]
        except TransactionFailed as failure:
            assert is_expected(failure.reply), failure.reply
            reply = failure.reply
        self.shared.pushed(queue, names, reply)
        self.world.count("messages", len(names))


class Consumer(Client):
    """Pops, and acknowledges, gives back, keeps for too long, or dies."""

    def __init__(self, world: World, machines: Machines, number: int, shared: Messages):
        super().__init__(world, machines, f"w{number}", world.seed)
        self.shared = shared

    def session(self, client: FramedConnection) -> None:
        while not self.world.pausing():
            self.breathe()
            queue = self.choose.choice(QUEUES)
            leased = self.pop(client, queue)
            if leased:
                self.work(client, queue, leased)

    def pop(self, client: FramedConnection, queue: str) -> list[tuple[int, str]]:
        count = self.choose.choice([1, 1, 5, 20])
        wait = self.choose.choice(["", " wait 1 second"])
        sent_at = next(self.shared.clock)
        reply = client.ask(f"pop {count} id, m from {queue}{wait}")
        assert reply["status"] == "ok" or is_expected(reply), reply
        leased = [(int(number), name) for number, name in reply.get("data", [])]
        numbers = [number for number, _ in leased]
        if numbers != sorted(numbers) or len(leased) > count:
            self.world.violate(f"{self.name} popped {numbers} from {queue}: they are not in order, or too many")
        for _, name in leased:
            self.shared.popped(queue, name, sent_at, self.name)
        self.world.count("deliveries", len(leased))
        return leased

    def work(self, client: FramedConnection, queue: str, leased: list[tuple[int, str]]) -> None:
        dice = self.choose.random()
        numbers = ", ".join(str(number) for number, _ in leased)
        if dice < 0.05:
            if self.choose.random() < 0.5:
                vanish(client)
            raise Closed
        if dice < 0.1:
            self.world.stopping.wait(LEASE_S * self.choose.uniform(0.5, 1.2))
        if dice < 0.15:
            self.may_fail(client.ask(f"renew {queue} {numbers} lease {LEASE_S} seconds"))
        if dice < (0.5 if queue == FRAGILE else 0.25):
            self.may_fail(client.ask(f"nack {queue} {numbers}{self.choose.choice(['', ' delay 1 second'])}"))
        elif queue == ORDERS:
            self.settle(client, leased)
        else:
            self.acknowledge(client, queue, leased)

    @staticmethod
    def may_fail(reply: dict[str, Any]) -> None:
        """A lease may have ended; then it must be said."""
        assert reply["status"] == "ok" or is_expected(reply) or NOT_LEASED in reply["msg"], json.dumps(reply)

    def acknowledge(self, client: FramedConnection, queue: str, leased: list[tuple[int, str]]) -> None:
        names = [name for _, name in leased]
        attempt = self.shared.acking(queue, names)
        reply = client.ask(f"ack {queue} {', '.join(str(number) for number, _ in leased)}")
        self.may_fail(reply)
        self.shared.acked(queue, names, attempt, state_after(reply))
        self.world.count("acknowledgements", len(names))

    def settle(self, client: FramedConnection, leased: list[tuple[int, str]]) -> None:
        """What the messages lead to and their end, together."""
        names = [name for _, name in leased]
        statements = [
            f"insert into {DONE} (m) values {', '.join(f'({n})' for n in names)}",
            f"ack {ORDERS} {', '.join(str(number) for number, _ in leased)}",
        ]
        self.choose.shuffle(statements)
        attempt = self.shared.acking(ORDERS, names)
        try:
            transact(client, statements)
        except CommitUnknown:
            raise
        except TransactionFailed as failure:
            self.may_fail_together(failure.reply)
            self.shared.acked(ORDERS, names, attempt, state_after(failure.reply))
            return
        self.shared.acked(ORDERS, names, attempt, "yes")
        self.world.count("acknowledgements", len(names))

    def may_fail_together(self, reply: dict[str, Any]) -> None:
        """Somebody else may have got it meanwhile, and be done with it."""
        if "duplicate" not in reply["msg"].lower():
            self.may_fail(reply)
