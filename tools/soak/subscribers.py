"""Subscribers: they replay what they are told, and compare it with the table at quiet points."""

import json
import random
import select
import socket
import threading
from typing import Any, NamedTuple

from clients import Client, vanish
from contention import ACCOUNT_TABLES
from harness.wire import Connection
from machines import Machines
from publishers import ADOPTED, GROUPS, TABLES, Ids
from world import World

PUMP_S = 0.1
RECEIVE_BUFFER = 1 << 16  # so that a subscriber that does not read is noticed soon
HISTORY = 40


class Spec(NamedTuple):
    """A subscription. `counted`: each change of a row raises the column `n` by one. `whole`: of all rows, so that all who
    have it see the same sequence of changes, which `mark` tells apart."""

    kind: str
    table: str
    query: str
    counted: bool = True
    whole: bool = False
    mark: str = "n"

    def select(self) -> str:
        """What has the columns of the events."""
        listed = self.query.startswith("k,")
        return f"select {'id, ' if listed else ''}{self.query}"


def random_spec(r: random.Random, publishers: int) -> Spec:
    dice = r.random()
    if dice < 0.06:
        return Spec("whole", "queue", "* from queue", False, True, "s")
    if dice < 0.12:
        return Spec("whole", "counters", "* from counters", True, True)
    if dice < 0.18:
        table = r.choice(ACCOUNT_TABLES)
        return Spec("whole", table, f"* from {table}", False, True)
    t = r.choice(TABLES)
    makers = [
        lambda: Spec("whole", t, f"* from {t}", True, True),
        lambda: Spec("columns", t, f"k, n from {t}", True, True),
        lambda: Spec("predicate", t, f"* from {t} where g = {r.randrange(GROUPS)}"),
        lambda: Spec("predicate", t, f"* from {t} where g in ({r.randrange(GROUPS)}, {r.randrange(GROUPS)}) or n > 6"),
        lambda: Spec("predicate", t, f"* from {t} where owner = p{r.randrange(publishers)} and n between 2 and 5"),
        lambda: Spec("columns where", t, f"k, n, g from {t} where g < {r.randrange(GROUPS)}"),
        lambda: Spec("groups", t, f"g, count(*), sum(n), min(n), max(n) from {t} group by g"),
        lambda: Spec("groups", t, f"owner, count(*), count(distinct g) from {t} where n > 1 group by owner"),
        lambda: Spec("first n", t, f"* from {t} order by n desc, k limit {r.choice([1, 7, 30])}", False),
        lambda: Spec("first n", t, f"k, n from {t} where g > 1 order by k limit 10", False),
    ]
    return r.choices(makers, [4, 2, 2, 1, 1, 1, 1, 1, 1, 1])[0]()


class Replay:
    """What a subscriber knows of one subscription. Fails on anything that cannot be."""

    def __init__(self, spec: Spec):
        self.spec = spec
        self.rows: dict[str, dict[str, Any]] = {}
        self.sequence: list[tuple[str, str, str]] = []
        """Changes since the subscription or the last quiet point: action, id and mark."""
        self.last: list[str] = []

    def apply(self, event: dict[str, Any]) -> None:
        """The first column of an event tells the rows or groups apart."""
        self.last = [*self.last[1 - HISTORY :], json.dumps(event)[:500]]
        first = event["columns"][0]
        action = event["action"]
        for values in event["data"]:
            row = dict(zip(event["columns"], values, strict=True))
            key = row[first]
            before = self.rows.get(key)
            versions = (before and before.get("n"), row.get("n"))
            if action in ("add", "insert"):
                assert before is None, f"{action} of a row that is there: {row}"
                self.rows[key] = row
            else:
                assert before is not None, f"{action} of an unknown row: {row}"
                self.follow(action, before, row)
                if action == "update":
                    before.update(row)
                else:
                    del self.rows[key]
            if self.spec.whole and action != "add" and not self.fills_in(action, versions):
                self.sequence.append((action, key, str(row.get(self.spec.mark))))

    def fills_in(self, action: str, versions: tuple[Any, Any]) -> bool:
        """Whether it only tells what MySQL has computed, which may come later."""
        return self.spec.table == ADOPTED and action == "update" and versions[1] in (None, versions[0])

    def follow(self, action: str, before: dict[str, Any], row: dict[str, Any]) -> None:
        if not self.spec.counted or self.spec.kind == "groups":
            return
        if self.fills_in(action, (before["n"], row.get("n"))):
            return
        step = 0 if action == "delete" else 1
        assert int(row["n"]) == int(before["n"]) + step, f"{action} of {row} after {before}"

    def compare(self, reply: dict[str, Any]) -> None:
        assert reply["status"] == "ok", f"{self.spec.select()}: {reply}"
        there = {row[0]: dict(zip(reply["columns"], row, strict=True)) for row in reply["data"]}
        if there != self.rows:
            differing = {k for k in there.keys() | self.rows.keys() if there.get(k) != self.rows.get(k)}
            told = [f"{k}: told {self.rows.get(k)}, there is {there.get(k)}" for k in sorted(differing)[:5]]
            raise AssertionError("\n    ".join([f"{len(differing)} rows differ", *told]))


class Subscriber(Client):
    def __init__(self, world: World, machines: Machines, number: int, publishers: int, ids: Ids):
        super().__init__(world, machines, f"q{number}", world.seed)
        self.publishers = publishers
        self.ids = ids
        self.connected = False
        self.replays: dict[str, Replay] = {}
        self.wanted = threading.Event()
        self.synced = threading.Event()

    def sync(self) -> None:
        """Asks for a comparison, which `synced` tells the end of. Until `release` the replays stand still."""
        self.synced.clear()
        self.wanted.set()

    def release(self) -> None:
        for replay in self.replays.values():
            replay.sequence.clear()
        self.wanted.clear()

    def between(self) -> None:
        self.connected = False

    def connect(self, text: bool = False) -> Connection:
        return super().connect(self.choose.random() < 0.3)

    def session(self, client: Connection) -> None:
        self.connected = True
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.replays = {}
        for _ in range(self.choose.choice([1, 1, 2, 4])):
            self.subscribe(client)
        leaves = self.choose.random() < 0.5
        self.world.count("subscriptions", len(self.replays))
        while not self.world.stopping.is_set():
            self.pump(client)
            if self.wanted.is_set():
                self.compare(client)
            elif self.choose.random() < 0.02:
                self.wanted.wait(self.choose.choice([0.1, 0.5, 2.5]))  # reads nothing meanwhile
            elif leaves and self.choose.random() < 0.005:
                return vanish(client)
            elif self.choose.random() < 0.005:
                self.change_subscription(client)

    def subscribe(self, client: Connection) -> None:
        spec = random_spec(self.choose, self.publishers)
        reply = client.ask(f"subscribe {spec.query}")
        assert reply["status"] == "ok", (spec.query, reply)
        self.replays[reply["pubsubid"]] = Replay(spec)
        self.apply_waiting(client)

    def change_subscription(self, client: Connection) -> None:
        number = self.choose.choice([*self.replays])
        reply = client.ask(f"unsubscribe from {self.replays[number].spec.table} where pubsubid = {number}")
        assert reply["status"] == "ok" and reply["subscriptions"] == 1, reply
        self.apply_waiting(client)
        del self.replays[number]
        self.subscribe(client)

    def pump(self, client: Connection) -> None:
        """Takes one message if one comes."""
        if not client._input and not select.select([client.socket], [], [], PUMP_S)[0]:
            return
        _, text = client.read_message()
        client.events.append(text)
        self.apply_waiting(client)

    def apply_waiting(self, client: Connection) -> None:
        waiting, client.events[:] = [*client.events], []
        for text in waiting:
            event = json.loads(text)
            assert event["status"] == "ok" and "pubsubid" in event, f"no event: {text}"
            replay = self.replays.get(event["pubsubid"])
            assert replay is not None, f"an event of a subscription that is none: {text}"
            self.world.count("events", len(event["data"]))
            try:
                replay.apply(event)
            except AssertionError as failure:
                self.world.violate(f"{self.name}, subscribe {replay.spec.query}: {failure}", replay.last)
                raise
            if event["action"] == "insert" and replay.spec.query == f"* from {replay.spec.table}":
                self.note_ids(replay.spec, event)

    def note_ids(self, spec: Spec, event: dict[str, Any]) -> None:
        if spec.table in TABLES:
            column = event["columns"].index("v")
            for row in event["data"]:
                self.ids.inserted(spec.table, int(row[0]), row[column])

    def compare(self, client: Connection) -> None:
        for replay in self.replays.values():
            reply = client.ask(replay.spec.select())
            self.apply_waiting(client)
            try:
                replay.compare(reply)
            except AssertionError as failure:
                self.world.violate(f"{self.name}, subscribe {replay.spec.query}: {failure}", replay.last)
            self.world.count("checks")
        self.synced.set()
        while self.wanted.is_set() and not self.world.stopping.is_set():
            self.world.stopping.wait(PUMP_S / 10)


def compare_sequences(world: World, subscribers: list[Subscriber]) -> None:
    """All who follow a whole table have seen the same changes in the same order, from wherever they began."""
    followed: dict[str, list[tuple[str, Replay]]] = {}
    for subscriber in subscribers:
        for replay in subscriber.replays.values():
            if replay.spec.whole:
                followed.setdefault(replay.spec.table, []).append((subscriber.name, replay))
    for table, replays in followed.items():
        longest_name, longest = max(replays, key=lambda r: len(r[1].sequence))
        for name, replay in replays:
            world.count("checks")
            seen, most = replay.sequence, longest.sequence
            if seen == most[len(most) - len(seen) :]:
                continue
            i = next(i for i in range(1, len(seen) + 1) if seen[-i] != most[-i])
            world.violate(
                f"{name} ({replay.spec.query}) and {longest_name} ({longest.spec.query}) saw another order of {table}:"
                f" {seen[-i]} and {most[-i]}, {i} changes before the end",
                [f"{name}: {seen[-i - 3 :][:10]}", f"{longest_name}: {most[-i - 3 :][:10]}"],
            )
