"""Quiet points: all is up, nobody changes anything, and everything must agree."""

import random
from typing import Any

from builder import Builder
from clients import Client
from contention import Contention
from harness.mirror import wait_until
from harness.wire import FramedConnection, deadline_s
from machines import Machines
from messages import Messages
from publishers import ADOPTED, TABLES, Ids, Publisher
from rows import Name, State
from subscribers import Subscriber, compare_sequences
from world import Violation, World

PAUSE_S = 90
SYNC_S = 60

Tables = dict[str, dict[str, Any]]


class Quiet:
    def __init__(self, world: World, machines: Machines, writers: list[Client], subscribers: list[Subscriber],
                 contention: Contention, messages: Messages, ids: Ids):  # fmt: skip
        self.world = world
        self.machines = machines
        self.writers = writers
        self.subscribers = subscribers
        self.contention = contention
        self.messages = messages
        self.ids = ids
        self.r = random.Random(f"{world.seed} quiet")

    def point(self) -> None:
        """Everything has to be up and well."""
        self.world.note("quiet point")
        self.world.pause(len(self.writers), deadline_s(PAUSE_S))
        with self.client() as client:
            self.wait_for_silence(client)
            tables = self.read(client)
        self.resolve(tables)
        self.world.check()
        self.compare_subscribers()
        if self.machines.mysql:
            self.compare_mysql(tables)
        self.world.check()
        if self.r.random() < 0.6:
            self.compare_restarted(tables)
        self.ids.quiet()
        self.world.count("quiet points")
        self.world.check()
        self.world.resume()

    def client(self) -> FramedConnection:
        assert self.machines.port is not None
        return FramedConnection(self.machines.port)

    def wait_for_silence(self, client: FramedConnection) -> None:
        """Until no connection is left of those whose statements could still take effect, and MySQL has got everything."""

        def alone() -> bool:
            return client.ask("status")["connections"] == 1 + sum(s.connected for s in self.subscribers)

        def delivered() -> bool:
            status = client.ask("mysql status")
            return status["online"] == 1 and status["lagrows"] == 0 and status["journalled"] == 0

        try:
            wait_until(alone)
        except AssertionError:
            raise Violation(f"connections do not end: {client.ask('status')}") from None
        if self.machines.mysql:
            try:
                wait_until(delivered)
            except AssertionError:
                raise Violation(f"MySQL does not get what waits for it: {client.ask('mysql status')}") from None
            self.wait_for_computed(client)

    def wait_for_computed(self, client: FramedConnection) -> None:
        """What MySQL has computed for changes that did not wait for it comes back by itself."""

        def arrived() -> bool:
            reply = client.ask(f"select * from {ADOPTED}")
            return sorted(reply["data"], key=lambda row: int(row[0])) == self.machines.mysql_rows(ADOPTED, reply["columns"])

        try:
            wait_until(arrived)
        except AssertionError:
            self.compare_mysql(self.read(client))
            raise Violation(f"{ADOPTED} does not become what MySQL has") from None

    def read(self, client: FramedConnection) -> Tables:
        names = [row[0] for row in client.ask("show tables")["data"] if not row[0].startswith("pubsubsql_")]
        found = {t: client.ask(f"select * from {t}") for t in names}
        for table, reply in found.items():
            if reply["status"] != "ok":
                raise Violation(f"select * from {table}: {reply}")
        return found

    def resolve(self, tables: Tables) -> None:
        rows = {t: [dict(zip(reply["columns"], row)) for row in reply["data"]] for t, reply in tables.items()}
        for table in TABLES:
            keys = [r["k"] for r in rows[table]]
            if len(set(keys)) != len(keys):
                self.world.violate(f"{table} has a key twice: {sorted(keys)}")
        found = {Name(t, r["k"]): State(int(r["n"]), r["g"], r["v"]) for t in TABLES for r in rows[t]}
        for writer in self.writers:
            if isinstance(writer, Publisher):
                writer.rows.resolve({n: s for n, s in found.items() if n.key.startswith(writer.name + "-")})
        known = sum(len(w.rows.names(t, True)) for w in self.writers if isinstance(w, Publisher) for t in TABLES)
        if known != len(found):
            self.world.violate(f"there are {len(found)} rows in {TABLES}, not {known}")
        self.contention.resolve(rows)
        self.messages.resolve(rows)
        for writer in self.writers:
            if isinstance(writer, Builder):
                writer.resolve(rows)

    def compare_subscribers(self) -> None:
        for subscriber in self.subscribers:
            subscriber.sync()
        for subscriber in self.subscribers:
            wait_until(lambda s=subscriber: s.synced.wait(0.1) or self.world.stopping.is_set(), SYNC_S)
        self.world.check()
        compare_sequences(self.world, self.subscribers)
        for subscriber in self.subscribers:
            subscriber.release()

    def compare_mysql(self, tables: Tables) -> None:
        for table, reply in tables.items():
            memory = sorted(reply["data"], key=lambda row: int(row[0]))
            stored = self.machines.mysql_rows(table, reply["columns"])
            if memory != stored:
                only = [f"memory {r}" for r in memory if r not in stored] + [f"MySQL {r}" for r in stored if r not in memory]
                self.world.violate(f"memory and MySQL differ in {table}", only[:20])
            self.world.count("checks")

    def compare_restarted(self, before: Tables) -> None:
        """The stores have what memory had, in the same order. With both, the data directory alone has, too."""
        alone = self.machines.data and self.machines.mysql and self.r.random() < 0.5
        self.world.note(f"the server is killed and {'starts without MySQL' if alone else 'restarts'}")
        if alone:
            self.machines.to_mysql.refuse()
        if self.r.random() < 0.7:
            self.machines.kill()
        else:
            self.machines.stop()
        self.machines.start()
        with self.client() as client:
            self.compare_read(before, client)
            if alone:
                self.machines.to_mysql.heal()
            self.wait_for_silence(client)
            self.compare_read(before, client)
            now = self.read(client)
        if self.machines.mysql:
            self.compare_mysql(now)

    def compare_read(self, before: Tables, client: FramedConnection) -> None:
        after = self.read(client)
        doubted = {t for w in self.writers if isinstance(w, Builder) for t in w.doubted}
        if before.keys() - after.keys() or after.keys() - before.keys() - doubted:
            self.world.violate(f"the tables are others after a restart: {sorted(before.keys() ^ after.keys())}")
            return
        for table, reply in before.items():
            there = only_columns(after[table], reply["columns"]) if table in doubted else after[table]
            if (reply["columns"], reply["data"]) != (there["columns"], there["data"]):
                lost = [f"lost {r}" for r in reply["data"] if r not in there["data"]]
                new = [f"new {r}" for r in there["data"] if r not in reply["data"]]
                self.world.violate(f"{table} is another after a restart", (lost + new)[:20] or ["the order differs"])
            self.world.count("checks")


def only_columns(reply: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    """The same rows, without the columns that are not asked for."""
    kept = [i for i, c in enumerate(reply["columns"]) if c in columns]
    return {"columns": [reply["columns"][i] for i in kept], "data": [[row[i] for i in kept] for row in reply["data"]]}
